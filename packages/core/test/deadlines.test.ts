import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Deadlines } from '../src/index.ts';

describe('deadlines', () => {
  it('gives keys in the order of their deadlines, and ties in the order they were set', () => {
    const due = new Deadlines<string>();
    due.set('b', 20);
    due.set('a', 10);
    due.set('c', 20);
    assert.equal(due.next(), 10);
    assert.deepEqual(
      [due.takeDue(25), due.takeDue(25), due.takeDue(25), due.takeDue(25)],
      ['a', 'b', 'c', undefined],
    );
  });

  it('replaces and removes', () => {
    const due = new Deadlines<string>();
    due.set('a', 10);
    due.set('a', 30);
    assert.equal(due.takeDue(20), undefined);
    due.set('a', null);
    assert.equal(due.next(), null);
    assert.equal(due.size, 0);
  });

  it('agrees with a sorted list, whatever is set and removed', () => {
    const operation = fc.record({
      key: fc.integer({ min: 0, max: 9 }),
      at: fc.option(fc.integer({ min: 0, max: 50 })),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const due = new Deadlines<number>();
        const model = new Map<number, number>();
        for (const { key, at } of operations) {
          due.set(key, at);
          if (at === null) model.delete(key);
          else model.set(key, at);
        }
        const expected = [...model.values()].sort((x, y) => x - y);
        const taken: number[] = [];
        for (;;) {
          const next = due.next();
          if (next === null) break;
          const key = due.takeDue(next)!;
          assert.equal(model.get(key), next);
          taken.push(next);
        }
        assert.deepEqual(taken, expected);
      }),
    );
  });
});
