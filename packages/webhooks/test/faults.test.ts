import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import { Bench, eventOf } from './bench.ts';

const EVENTS = 100_000;
const LANE = 10;
const BETWEEN_MS = 4;
const BETWEEN_DEATHS = 7500;

/** F8 of the figures to reach: 100,000 events, a receiver that fails three times in ten, a death every 30 s. */
describe('webhooks: a receiver that fails and processes that die', () => {
  for (const seed of [1, 2])
    it(`nothing is lost, little comes twice, lanes keep their order (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const chance = () => random.bytes(1)[0]! / 256;
      const failures = new Map<string, number>();
      const first = new Map<string, number>();
      const bench = new Bench((post, now) => {
        if (!first.has(post.id)) first.set(post.id, now);
        const before = failures.get(post.id) ?? 0;
        // Not three times the same: then it holds its lane no more.
        const fails = before < 2 && chance() < 0.3;
        if (fails) failures.set(post.id, before + 1);
        return { status: fails ? 503 : 200, ms: 2 + Math.floor(chance() * 20) };
      });
      const ids: string[] = [];
      for (let i = 0; i < EVENTS; i++) {
        // Lanes live at the same time, fifty of them.
        const group = Math.floor(i / (LANE * 50));
        const event = eventOf(`l${group}.${i % 50}`, Math.floor((i % (LANE * 50)) / 50));
        ids.push(event.id);
        bench.event(event);
        bench.run(bench.now + BETWEEN_MS);
        if (i % BETWEEN_DEATHS === BETWEEN_DEATHS - 1) bench.restart({ awayMs: 500 });
      }
      bench.run(bench.now + 600_000);
      const taken = bench.requests.filter(({ status }) => status === 200).map(({ id }) => id);
      const distinct = bench.taken();
      assert.equal(distinct.length, EVENTS);
      assert.ok(taken.length - distinct.length <= EVENTS / 100, `${taken.length - distinct.length} twice`);
      const next = new Map<string, number>();
      for (const id of distinct) {
        const [lane, n] = id.split('-') as [string, string];
        assert.equal(Number(n), next.get(lane) ?? 0, id);
        next.set(lane, Number(n) + 1);
      }
      assert.ok(bench.atRest());
      assert.deepEqual(
        bench.settled().filter(([, delivered]) => !delivered),
        [],
      );
    });
});
