import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaCommand } from '@sidetone/wire';
import fc from 'fast-check';
import { sine } from './fake-sounds.ts';
import { World } from './world.ts';

type Step =
  | { readonly what: 'wait'; readonly ms: number }
  | { readonly what: 'late'; readonly late: boolean }
  | { readonly what: 'hold'; readonly held: boolean }
  | { readonly what: 'command'; readonly command: MediaCommand };

const LEGS = ['a', 'b'];
const leg = fc.constantFrom(...LEGS);
const id = fc.constantFrom('1', '2', '3', '4', '5', '6');

const play = fc
  .record({
    leg,
    id,
    file: fc.constantFrom('short', 'long', 'empty', 'none'),
    loop: fc.constantFrom(1, 1, 2, null),
    overlay: fc.boolean(),
    fromMs: fc.constantFrom(0, 0, 100, 5000),
  })
  .map(({ overlay, ...wish }) => ({
    op: 'play' as const,
    ...wish,
    ...(overlay ? { overlay: true as const } : {}),
  }));

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: play.map((command) => ({ what: 'command' as const, command })) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant('command' as const),
      command: fc.record({ op: fc.constant('stop' as const), leg, id }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('wait' as const), ms: fc.nat({ max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('late' as const), late: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('hold' as const), held: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<MediaCommand>(
        { op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } },
        { op: 'source', leg: 'a', source: { kind: 'music' } },
        { op: 'source', leg: 'b', source: { kind: 'echo' } },
        { op: 'dtmf', leg: 'a', digits: '12' },
        { op: 'claim', legs: LEGS, seen: { a: 1_000, b: 1_000 } },
        { op: 'listen', leg: 'b', on: true },
        { op: 'close', leg: 'b' },
      )
      .map((command) => ({ what: 'command' as const, command })),
  },
);

describe('any wishes in any order', () => {
  it('end each play that was taken exactly once, leave nothing open, and keep the numbers of the stream', async () => {
    const ends = { completed: 0, stopped: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const world = new World();
        world.sounds.files.set('short', { rate: 8000, pcm: sine(1000, 8000, 90) });
        world.sounds.files.set('long', { rate: 11_025, pcm: sine(1000, 11_025, 700) });
        world.sounds.files.set('empty', { rate: 8000, pcm: new Int16Array(0) });
        const a = await world.carrier('a');
        const b = await world.carrier('b');
        const talk = (): void => {
          a.frame();
          b.frame();
        };
        const taken = new Set<string>();
        const closed = new Set<string>();
        for (const each of steps) {
          switch (each.what) {
            case 'wait':
              await world.run(each.ms, talk);
              break;
            case 'late':
              world.sounds.late = each.late;
              break;
            case 'hold': {
              const sdp = a.sdp(each.held ? 'sendonly' : 'sendrecv');
              await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp, codecs: ['PCMU'] });
              break;
            }
            case 'command': {
              const { command } = each;
              const reply = await world.engine.command(command);
              if (command.op === 'play' && reply.ok) taken.add(`${command.leg} ${command.id}`);
              if (command.op === 'close') closed.add(command.leg);
              const gone = 'leg' in command && closed.has(command.leg) && command.op !== 'close';
              assert.equal(reply.ok, !gone, JSON.stringify([command, reply]));
            }
          }
        }
        world.sounds.late = false;
        await world.run(100, talk);
        for (const name of LEGS) await world.command({ op: 'close', leg: name });
        await world.run(40);
        const played = world.eventsOf('played');
        assert.deepEqual(played.map((e) => `${e.leg} ${e.id}`).sort(), [...taken].sort());
        for (const { status, atMs } of played) {
          ends[status]++;
          assert.ok(atMs >= 0 && atMs <= 5000);
        }
        for (const name of LEGS) {
          const numbers = world.events.flatMap((e) =>
            'n' in e && 'leg' in e && e.leg === name ? [e.n] : [],
          );
          assert.deepEqual(
            numbers,
            numbers.map((_, i) => i + 1),
          );
        }
        assert.equal(world.sounds.live, 0);
        for (const peer of [a, b]) {
          for (let i = 1; i < peer.seen.length; i++)
            assert.equal((peer.seen[i]!.sequence - peer.seen[i - 1]!.sequence) & 0xffff, 1);
          assert.ok(new Set(peer.seen.map((p) => p.ssrc)).size <= 1);
        }
      }),
      { numRuns: 200 },
    );
    for (const [status, count] of Object.entries(ends)) assert.ok(count > 20, `${status}: ${count}`);
  });
});
