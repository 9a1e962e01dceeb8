import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import type { Hook } from '@sidetone/wire';
import fc from 'fast-check';
import { Bench, eventOf, HOOK, type Reaction } from './bench.ts';

const MIN = 60_000;
const reaction: fc.Arbitrary<Reaction> = fc.record({
  status: fc.constantFrom(200, 200, 200, 200, 204, 301, 404, 500, null),
  ms: fc.constantFrom(0, 5, 50, 500, 1999, 2500, 40_000),
});
/** Which lane gets its next event, and how long after the one before. */
const traffic = fc.array(fc.record({ lane: fc.nat(5), pauseMs: fc.constantFrom(0, 0, 1, 30, 700, 5000) }), {
  minLength: 1,
  maxLength: 60,
});
const hooks = [
  HOOK,
  { ...HOOK, url: 'https://b.example/', failover: 'https://c.example/', timeoutMs: 30_000 },
  { ...HOOK, url: 'https://b.example/', retriesMs: [100, 60_000] },
  null,
] as const;

/** With pauses that a lane waits for. */
const patient = hooks.map(
  (hook) => hook && { ...hook, retriesMs: hook.retriesMs === null ? null : [100, 200] },
);

/** Feeds the traffic; `n` of each lane counts up. */
function feed(
  bench: Bench,
  all: readonly { readonly lane: number; readonly pauseMs: number }[],
  between: (i: number) => void = () => {},
  told: readonly (Hook | null)[] = hooks,
): string[] {
  const counts = new Map<number, number>();
  return all.map(({ lane, pauseMs }, i) => {
    const n = counts.get(lane) ?? 0;
    counts.set(lane, n + 1);
    bench.run(bench.now + pauseMs);
    const event = eventOf(
      `lane${lane}`,
      n,
      { type: 'bridged' },
      { hook: told[lane % told.length]!, at: bench.day },
    );
    bench.event(event);
    between(i);
    return event.id;
  });
}

const hooked = (ids: readonly string[]): string[] =>
  ids.filter((id) => Number(id.slice(4, 5)) % hooks.length !== 3);
const laneOf = (id: string): string => id.slice(0, id.indexOf('-'));

describe('webhooks: whatever endpoints do', () => {
  it('each event arrives or is given up, nothing stays, and no bound is passed', () => {
    fc.assert(
      fc.property(traffic, fc.array(reaction, { minLength: 1, maxLength: 40 }), (all, reactions) => {
        let turn = 0;
        const bench = new Bench(() => reactions[turn++ % reactions.length]!, {
          requestsPerEndpoint: 3,
          requests: 7,
        });
        const ids = feed(bench, all);
        bench.run(bench.now + 60 * MIN);
        const settled = bench.settled().map(([id]) => id);
        assert.deepEqual([...settled].sort(), hooked(ids).sort());
        const taken = new Set(
          bench.requests.filter((r) => r.status === 200 || r.status === 204).map(({ id }) => id),
        );
        for (const [id, delivered] of bench.settled()) assert.equal(taken.has(id), delivered, id);
        for (const most of bench.most.values()) assert.ok(most <= 3);
        assert.ok(bench.atRest(), JSON.stringify([bench.size, [...bench.journal.keys()]]));
      }),
      { numRuns: 300 },
    );
  });

  it('order is kept in each lane wherever the endpoint answers within 2 s, however it fails now and then', () => {
    fc.assert(
      fc.property(traffic, fc.integer(), (all, seed) => {
        const random = seededRandom(seed >>> 0);
        const failed = new Map<string, number>();
        const bench = new Bench((post) => {
          // Never three times the same: then it holds nobody any more, by its rule.
          const before = failed.get(post.id) ?? 0;
          const fails = before < 2 && random.bytes(1)[0]! < 77;
          if (fails) failed.set(post.id, before + 1);
          return { status: fails ? 500 : 200, ms: random.bytes(1)[0]! * 7 };
        });
        const ids = feed(bench, all, () => {}, patient);
        bench.run(bench.now + 10 * MIN);
        const taken = bench.taken();
        assert.equal(taken.length, hooked(ids).length);
        for (const lane of new Set(taken.map(laneOf)))
          assert.deepEqual(
            taken.filter((id) => laneOf(id) === lane),
            ids.filter((id) => laneOf(id) === lane),
          );
        assert.equal(bench.requests.filter(({ status }) => status === 200).length, taken.length);
      }),
      { numRuns: 200 },
    );
  });

  it('no lane stands still: each event is tried within 11 s of the one before it in its lane', () => {
    fc.assert(
      fc.property(traffic, fc.array(reaction, { minLength: 1, maxLength: 40 }), (all, reactions) => {
        let turn = 0;
        const bench = new Bench(() => reactions[turn++ % reactions.length]!);
        const told = new Map<string, number>();
        const ids = feed(bench, all);
        bench.run(bench.now + 60 * MIN);
        for (const { id, at } of bench.requests) if (!told.has(id)) told.set(id, at);
        for (const id of hooked(ids)) assert.ok(told.has(id), id);
        for (const id of hooked(ids)) {
          const n = Number(id.slice(id.indexOf('-') + 1));
          const before = told.get(`${laneOf(id)}-${n - 1}`);
          // The later of: it happened, and the one before it was tried.
          const happened = bench.happened.get(id)!;
          if (before !== undefined) assert.ok(told.get(id)! <= Math.max(before, happened) + 11_000, id);
          else assert.equal(told.get(id), happened, id);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('over deaths at any time each is told at least once, with one id, and in order where endpoints answer', () => {
    fc.assert(
      fc.property(
        traffic,
        fc.array(fc.nat(59), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (all, deaths, bootAgain) => {
          const bench = new Bench(() => ({ status: 200, ms: 300 }));
          const ids = feed(bench, all, (i) => {
            if (deaths.includes(i)) bench.restart({ bootAgain, awayMs: 1000 });
          });
          bench.run(bench.now + 10 * MIN);
          const firsts = bench.taken();
          assert.deepEqual([...firsts].sort(), hooked(ids).sort());
          for (const lane of new Set(firsts.map(laneOf)))
            assert.deepEqual(
              firsts.filter((id) => laneOf(id) === lane),
              ids.filter((id) => laneOf(id) === lane),
            );
          assert.ok(bench.atRest());
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('webhooks: a journal of anybody', () => {
  it('is read whatever it says, and what is left of it can be told', () => {
    const good = JSON.parse(
      JSON.stringify({ version: 1, event: eventOf('l', 0), settled: false, attempts: 0 }),
    );
    const spoilt = fc
      .tuple(
        fc.constantFrom('event', 'event.leg', 'event.hook', 'event.what'),
        fc.constantFrom(
          'id',
          'lane',
          'n',
          'at',
          'hook',
          'what',
          'leg',
          'url',
          'retriesMs',
          'type',
          'startedAt',
          'clientState',
        ),
        fc.oneof(fc.jsonValue(), fc.constantFrom(1e300, -1e300, 1e16)),
      )
      .map(([path, name, value]) => {
        const copy = structuredClone(good);
        let into = copy;
        for (const part of path.split('.')) into = into[part];
        into[name] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), spoilt), { maxLength: 5 }), (values) => {
        const bench = new Bench(() => ({ status: 200, ms: 1 }));
        values.forEach((value, i) => {
          const id = (value as { event?: { id?: unknown } } | null)?.event?.id;
          bench.journal.set(typeof id === 'string' ? `event ${id}` : `event ${i}`, value as object);
        });
        bench.restart();
        bench.run(bench.now + 60 * MIN);
        assert.ok(bench.atRest());
      }),
      { numRuns: 1000 },
    );
  });
});
