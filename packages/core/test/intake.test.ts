import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Intake } from '../src/index.ts';

const OPTIONS = { patienceMs: 20, forgivenMs: 100, worstMs: 400, most: 1000 };

/** Offers something every `every` ms and works `cost` ms on each that is handled; how many were, and which were late. */
function steady(every: number, cost: number, ms: number, source = 'one') {
  const intake = new Intake<number>(OPTIONS);
  const waits: number[] = [];
  let [now, offered, handled, late] = [0, 0, 0, 0];
  while (now < ms) {
    for (; offered * every <= now; offered++) intake.put(offered * every, source, offered * every);
    const next = intake.take(now);
    if (next === undefined) now = offered * every;
    else if (next.late) {
      late += 1;
      waits.push(now - next.item);
      now += 0.05;
    } else {
      handled += 1;
      now += cost;
    }
  }
  return { handled, late, waits, offered };
}

describe('goodput-falls-under-overload: who is refused, by the time it waited', () => {
  it('nobody while there is time for all', () => {
    const { handled, late, offered } = steady(4, 3, 10_000);
    assert.equal(late, 0);
    assert.ok(handled >= offered - 1);
  });

  it('at twice and at five times as much the rest, and what is handled stays what it was', () => {
    for (const every of [1.5, 0.6]) {
      const { handled, late, waits } = steady(every, 3, 10_000);
      assert.ok(handled > 0.9 * (10_000 / 3), `${handled} handled`);
      assert.ok(late > 0);
      const soon = waits.filter((ms) => ms < 30).length;
      assert.ok(soon > 0.95 * waits.length, 'refused soon');
    }
  });

  it('nobody for one pause of the process', () => {
    const intake = new Intake<string>(OPTIONS);
    for (let i = 0; i < 20; i++) intake.put(`call ${i}`, 'carrier', 0);
    for (let i = 0; i < 20; i++) assert.equal(intake.take(80 + i)?.late, false);
    assert.equal(intake.take(100), undefined);
  });

  it('but whoever waited as long as no caller should, at once', () => {
    const intake = new Intake<string>(OPTIONS);
    intake.put('call', 'carrier', 0);
    assert.deepEqual(intake.take(401), { item: 'call', late: true });
  });

  it('nobody any more a moment after it is over', () => {
    const intake = new Intake<number>(OPTIONS);
    let now = 0;
    for (let i = 0; i < 200; i++) {
      intake.put(i, 'one', now);
      now += 1;
    }
    while (intake.take((now += 1)) !== undefined);
    now += 200;
    for (let i = 0; i < 50; i++) {
      intake.put(i, 'one', now);
      assert.equal(intake.take(now + 15)?.late, false);
      now += 30;
    }
  });

  it('what new work needs elsewhere counts as its own waiting', () => {
    const intake = new Intake<string>(OPTIONS);
    intake.put('first', 'one', 0);
    intake.put('second', 'one', 0);
    intake.put('third', 'one', 0);
    assert.equal(intake.take(1, 300)?.late, false);
    assert.equal(intake.take(102, 300)?.late, true);
    assert.equal(intake.take(103, 0)?.late, true);
  });

  it('what belongs to live calls goes first and is never late', () => {
    const intake = new Intake<string>(OPTIONS);
    intake.put('call', 'carrier', 0);
    intake.putFirst('bye');
    intake.putFirst('ack');
    assert.deepEqual(intake.take(1000), { item: 'bye', late: false });
    assert.deepEqual(intake.take(1000), { item: 'ack', late: false });
    assert.deepEqual(intake.take(1000), { item: 'call', late: true });
  });

  it('one who floods waits alone', () => {
    const intake = new Intake<string>(OPTIONS);
    let now = 0;
    const refused = { flood: 0, honest: 0 };
    for (let i = 0; i < 5000; i++) {
      for (let n = 0; n < 4; n++) intake.put('flood', 'flood', now);
      if (i % 20 === 0) intake.put('honest', 'honest', now);
      const next = intake.take(now)!;
      if (next.late) refused[next.item as 'flood' | 'honest'] += 1;
      now += next.late ? 0.05 : 2;
    }
    assert.ok(refused.flood > 0);
    assert.equal(refused.honest, 0);
  });

  it('a source may not fill what all wait in', () => {
    const intake = new Intake<number>(OPTIONS);
    let most = 0;
    while (intake.put(most, 'flood', 0)) most += 1;
    assert.equal(most, 900);
    assert.ok(intake.put(0, 'honest', 0));
  });

  it('everything comes out once, in the order of its source', () => {
    const step = fc.tuple(
      fc.constantFrom('put', 'first', 'take'),
      fc.constantFrom('a', 'b', 'c'),
      fc.nat(50),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const intake = new Intake<{ source: string; serial: number }>(OPTIONS);
        const out = new Map<string, number>();
        let [now, serial, waiting] = [0, 0, 0];
        const take = (): void => {
          const next = intake.take(now);
          assert.equal(next === undefined, waiting === 0);
          if (next === undefined) return;
          waiting -= 1;
          assert.ok((out.get(next.item.source) ?? -1) < next.item.serial);
          out.set(next.item.source, next.item.serial);
        };
        for (const [what, source, ms] of steps) {
          now += ms;
          serial += 1;
          if (what === 'put') waiting += intake.put({ source, serial }, source, now) ? 1 : 0;
          else if (what === 'first') {
            intake.putFirst({ source: 'first', serial });
            waiting += 1;
          } else take();
          assert.equal(intake.size, waiting);
        }
        while (waiting > 0) take();
        now += 1000;
        assert.equal(intake.take(now), undefined);
        assert.equal(intake.sources, 0);
      }),
    );
  });
});
