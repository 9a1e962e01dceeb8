import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaEvent } from '@sidetone/wire';
import fc from 'fast-check';
import { type Report, ReportLog } from '../src/report-log.ts';
import { sine } from './fake-sounds.ts';
import { World } from './world.ts';

const digit = (leg: string, key = '1'): Report => ({ event: 'dtmf', leg, digit: key, durationMs: 100 });

describe('reports of a leg', () => {
  it('count up from 1 in each leg, whatever they are', async () => {
    const world = new World();
    world.sounds.files.set('f', { rate: 8000, pcm: sine(1000, 8000, 100) });
    const a = await world.carrier('a');
    await world.carrier('b');
    await world.command({ op: 'listen', leg: 'a', on: true });
    await world.run(400);
    await world.command({ op: 'play', leg: 'a', id: 'p', file: 'f', loop: 1 });
    await world.command({ op: 'play', leg: 'b', id: 'q', file: 'f', loop: 1 });
    await world.run(200);
    a.send(101, Uint8Array.of(7, 0x8a, 1, 64), true);
    await world.run(100);
    const numbered = world.events.filter((e) => 'n' in e);
    assert.deepEqual(
      numbered.map((e) => [e.event, 'leg' in e && e.leg, 'n' in e && e.n]),
      [
        ['heard', 'a', 1],
        ['played', 'a', 2],
        ['played', 'b', 1],
        ['dtmf', 'a', 3],
      ],
    );
    assert.ok(
      world.events.filter((e) => e.event === 'connected' || e.event === 'media').every((e) => !('n' in e)),
    );
  });

  it('behind what was seen are told again after a claim, also of a leg that is no more', async () => {
    const world = new World();
    world.sounds.files.set('f', { rate: 8000, pcm: sine(1000, 8000, 60) });
    await world.carrier('a');
    await world.carrier('b');
    await world.carrier('unnamed');
    for (const id of ['1', '2', '3']) {
      for (const leg of ['a', 'b', 'unnamed'])
        await world.command({ op: 'play', leg, id, file: 'f', loop: 1 });
      await world.run(100);
    }
    await world.command({ op: 'close', leg: 'b' });
    world.events.length = 0;
    const reply = await world.command({ op: 'claim', legs: ['a', 'b', 'never'], seen: { a: 2, b: 0 } });
    assert.deepEqual(reply.missing, ['b', 'never']);
    assert.deepEqual(world.events, []);
    await world.run(20);
    const told = world.eventsOf('played').map(({ leg, n, id }) => [leg, n, id]);
    assert.deepEqual(told, [
      ['a', 3, '3'],
      ['b', 1, '1'],
      ['b', 2, '2'],
      ['b', 3, '3'],
    ]);
    // Nobody counts the reports of a leg without a number.
    world.events.length = 0;
    await world.command({ op: 'claim', legs: ['a', 'b'], seen: { b: 3 } });
    await world.run(20);
    assert.deepEqual(world.eventsOf('played'), []);
    // Who claimed it may have died before it read: the next one hears it, too, until nobody names it.
    const again = async (...legs: string[]): Promise<unknown[]> => {
      world.events.length = 0;
      await world.command({ op: 'claim', legs, seen: { a: 2, b: 1 } });
      await world.run(20);
      return world.eventsOf('played').map(({ leg, n }) => [leg, n]);
    };
    assert.deepEqual(await again('a', 'b'), [
      ['a', 3],
      ['b', 2],
      ['b', 3],
    ]);
    assert.deepEqual(await again('a'), [['a', 3]]);
    assert.deepEqual(await again('a', 'b'), [['a', 3]]);
  });

  it('are not told again to who does not say what it has seen, but for how the leg failed', async () => {
    const world = new World();
    world.sounds.files.set('f', { rate: 8000, pcm: sine(1000, 8000, 60) });
    await world.browser('a');
    await world.run(35_000);
    assert.deepEqual(world.eventsOf('failed'), [{ event: 'failed', leg: 'a', n: 1, why: 'ice' }]);
    for (const seen of [
      undefined,
      { a: 0 },
      { a: 1 },
      { a: 'x' as never },
      { b: 7 },
      null as never,
      7 as never,
    ]) {
      world.events.length = 0;
      await world.command({ op: 'claim', legs: ['a'], ...(seen === undefined ? {} : { seen }) });
      await world.run(20);
      assert.equal(world.events.length, seen?.a === 1 ? 0 : 1, JSON.stringify(seen));
    }
  });

  it('are kept, the last 64 of each leg, and of 1024 legs that are no more', () => {
    const told: MediaEvent[] = [];
    const log = new ReportLog((event) => told.push(event));
    log.opened('a');
    for (let i = 0; i < 100; i++) log.tell(digit('a'));
    told.length = 0;
    log.tellAgain('a', 0);
    assert.deepEqual([told.length, (told[0] as Report).n, (told.at(-1) as Report).n], [64, 37, 100]);
    for (let i = 0; i < 1100; i++) {
      log.tell(digit(`closed ${i}`));
      log.closed(`closed ${i}`);
    }
    told.length = 0;
    for (let i = 0; i < 1100; i++) log.tellAgain(`closed ${i}`, 0);
    log.tellAgain('a', 99);
    assert.equal(told.length, 1025);
    log.forgetClosed(new Set(['closed 1099']));
    told.length = 0;
    for (let i = 0; i < 1100; i++) log.tellAgain(`closed ${i}`, 0);
    assert.equal(told.length, 1);
  });

  it('that come behind the end of a leg, as that of a recording does, are bounded with it', () => {
    const told: MediaEvent[] = [];
    const log = new ReportLog((event) => told.push(event));
    for (let i = 0; i < 1100; i++) {
      log.opened(`leg ${i}`);
      log.closed(`leg ${i}`);
      log.tell(digit(`leg ${i}`));
    }
    told.length = 0;
    for (let i = 0; i < 1100; i++) log.tellAgain(`leg ${i}`, 0);
    assert.equal(told.length, 1024);
    log.forgetClosed(new Set());
    told.length = 0;
    for (let i = 0; i < 1100; i++) log.tellAgain(`leg ${i}`, 0);
    assert.equal(told.length, 0);
  });

  it('read by an owner that dies and claims as it likes are each read once and in order', () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant('tell' as const), leg: fc.constantFrom('a', 'b') }),
      fc.record({
        what: fc.constantFrom('die' as const, 'claim' as const, 'close' as const),
        leg: fc.constantFrom('a', 'b'),
      }),
    );
    let again = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const seen = new Map<string, number>();
        const happened = new Map<string, number>();
        let alive = true;
        let telling = false;
        const log = new ReportLog((event) => {
          if (!alive) return;
          const { leg, n } = event as Extract<Report, { event: 'dtmf' }> & { n: number };
          if (n <= (seen.get(leg) ?? 0)) return;
          if (telling) again++;
          assert.equal(n, (seen.get(leg) ?? 0) + 1);
          seen.set(leg, n);
        });
        const claim = (): void => {
          alive = true;
          telling = true;
          for (const leg of ['a', 'b']) log.tellAgain(leg, seen.get(leg) ?? 0);
          telling = false;
        };
        for (const { what, leg } of steps) {
          if (what === 'tell') {
            happened.set(leg, (happened.get(leg) ?? 0) + 1);
            log.opened(leg);
            log.tell(digit(leg));
          } else if (what === 'die') alive = false;
          else if (what === 'close') log.closed(leg);
          else claim();
        }
        claim();
        assert.deepEqual([...seen].sort(), [...happened].sort());
      }),
      { numRuns: 400 },
    );
    assert.ok(again > 50, `${again}`);
  });
});
