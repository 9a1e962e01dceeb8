import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Shares, Shelf } from '../src/index.ts';

describe('one-peer-takes-every-place: shares of a table', () => {
  it('one holder alone gets nine tenths, the second what is left in fairness, and each newcomer a place', () => {
    const shares = new Shares(100);
    let first = 0;
    while (shares.take('greedy')) first += 1;
    assert.equal(first, 90);
    let second = 0;
    while (shares.take('also greedy')) second += 1;
    assert.equal(second, 9);
    assert.ok(shares.take('modest'));
    assert.equal(shares.has('another'), false, 'full is full');
    shares.give('greedy');
    assert.equal(shares.has('greedy'), false);
    assert.ok(shares.take('another'));
  });

  it('a small table has no reserve', () => {
    for (let places = 1; places < 10; places++) {
      const shares = new Shares(places);
      for (let i = 0; i < places; i++) assert.ok(shares.take('one'), `${i} of ${places}`);
      assert.equal(shares.take('one'), false);
    }
  });

  it('never gives more than there is, and never refuses who holds nothing while there is any', () => {
    const step = fc.tuple(fc.constantFrom('take', 'give'), fc.constantFrom('a', 'b', 'c', 'd'));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 200 }), (places, steps) => {
        const shares = new Shares(places);
        const held = new Map<string, number>();
        for (const [what, who] of steps) {
          const mine = held.get(who) ?? 0;
          const total = [...held.values()].reduce((sum, n) => sum + n, 0);
          if (what === 'take') {
            const got = shares.take(who);
            if (mine === 0) assert.equal(got, total < places);
            if (got) held.set(who, mine + 1);
          } else if (mine > 0) {
            shares.give(who);
            held.set(who, mine - 1);
          } else shares.give(who);
          assert.equal(shares.of(who), held.get(who) ?? 0);
        }
        const total = [...held.values()].reduce((sum, n) => sum + n, 0);
        assert.equal(shares.taken, total);
        assert.ok(total <= places);
      }),
    );
  });
});

describe('one-peer-takes-every-place: what is over is kept on a shelf', () => {
  it('who fills it pushes out its own, oldest first', () => {
    const shelf = new Shelf<number>(5);
    shelf.add('modest', 0);
    for (let i = 1; i <= 4; i++) assert.equal(shelf.add('greedy', i), undefined);
    assert.equal(shelf.add('greedy', 5), 1);
    assert.equal(shelf.add('new', 6), 2);
    assert.equal(shelf.of('modest'), 1);
    shelf.delete(0);
    assert.equal(shelf.size, 4);
    assert.equal(shelf.add('new', 7), undefined);
  });

  it('stays within its bound, and loses only of those who have most', () => {
    const step = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.integer({ min: 0, max: 60 }),
      fc.constantFrom('add', 'add', 'delete'),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(step, { maxLength: 200 }), (most, steps) => {
        const shelf = new Shelf<number>(most);
        const model = new Map<number, string>();
        const count = (who: string): number => [...model.values()].filter((w) => w === who).length;
        for (const [who, key, what] of steps) {
          if (what === 'delete') {
            shelf.delete(key);
            model.delete(key);
          } else if (!model.has(key)) {
            const largest = Math.max(...['a', 'b', 'c'].map(count));
            const gone = shelf.add(who, key);
            assert.equal(gone === undefined, model.size < most);
            if (gone !== undefined) {
              const owner = model.get(gone)!;
              assert.equal(count(owner), largest);
              const [oldest] = [...model].find(([, w]) => w === owner)!;
              assert.equal(gone, oldest);
              model.delete(gone);
            }
            model.set(key, who);
          }
          assert.equal(shelf.size, model.size);
          for (const w of ['a', 'b', 'c']) assert.equal(shelf.of(w), count(w));
        }
      }),
    );
  });
});
