import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CodecName } from '@sidetone/wire';
import { sine } from './fake-sounds.ts';
import { dialled, encoded } from './tones.ts';
import { type Carrier, World } from './world.ts';

type Codec = Carrier['codec'];

const digitsOf = (world: World, leg: string): string =>
  world
    .eventsOf('dtmf')
    .filter((e) => e.leg === leg)
    .map((e) => e.digit)
    .join('');

/** Sends all of it, a packet every 20 ms. */
async function say(world: World, carrier: Carrier, packets: readonly Uint8Array[]): Promise<void> {
  let i = 0;
  await world.run(packets.length * 20, () => carrier.frame(packets[i++]));
}

const spelt = (codec: CodecName, digits: string) => encoded(codec, dialled(digits, { onMs: 80, offMs: 60 }));

describe('a leg that listens', () => {
  it('finds digits in the sound of a peer without telephone-event, each once and numbered, in every codec', async () => {
    for (const codec of ['PCMU', 'PCMA', 'G722', 'OPUS'] as const satisfies readonly Codec[]) {
      const world = new World();
      const a = await world.carrier('a', { codec, events: false });
      await say(world, a, await spelt(codec, '5309#*A'));
      assert.equal(digitsOf(world, 'a'), '5309#*A', codec);
      assert.deepEqual(
        world.eventsOf('dtmf').map((e) => e.n),
        [1, 2, 3, 4, 5, 6, 7],
      );
      for (const { durationMs } of world.eventsOf('dtmf'))
        assert.ok(Math.abs(durationMs - 80) <= 15, `${durationMs}`);
      assert.equal((await world.command({ op: 'stats', leg: 'a' })).stats?.dtmfReceived, 7);
    }
  });

  it('does not look for digits in the sound of a peer that tells them', async () => {
    const world = new World();
    const a = await world.carrier('a');
    await say(world, a, await spelt('PCMU', '123'));
    assert.equal(digitsOf(world, 'a'), '');
  });

  it('leaves digits in the sound to who hears it: none is sent again', async () => {
    const world = new World();
    const a = await world.carrier('a', { events: false });
    const b = await world.carrier('b');
    await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    const packets = await spelt('PCMU', '12');
    await say(world, a, packets);
    await world.run(300);
    assert.equal(digitsOf(world, 'a'), '12');
    const seen = b.take();
    assert.deepEqual(
      seen.filter((p) => p.payloadType === 101),
      [],
    );
    assert.ok(packets.every((packet) => seen.some((p) => Buffer.compare(p.payload, packet) === 0)));
  });

  it('tells a digit whose sender fell silent in the midst of it', async () => {
    const world = new World();
    const a = await world.carrier('a', { events: false });
    await say(world, a, (await spelt('PCMU', '7')).slice(0, 8));
    assert.equal(digitsOf(world, 'a'), '');
    await world.run(400);
    assert.equal(digitsOf(world, 'a'), '7');
  });

  it('does not take its own digits, which a line sends back, for those of the peer', async () => {
    const world = new World();
    const a = await world.carrier('a', { events: false });
    await world.command({ op: 'dtmf', leg: 'a', digits: '24', durationMs: 100 });
    await world.run(900, () => {
      const last = a.seen.at(-1);
      a.frame(last?.payload ?? new Uint8Array(160).fill(0xff));
    });
    assert.equal(digitsOf(world, 'a'), '');
    await say(world, a, await spelt('PCMU', '8'));
    assert.equal(digitsOf(world, 'a'), '8');
  });

  it('listens when a new description drops telephone-event, and no more when one has it', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const without = a
      .sdp()
      .replace(/ 101\r/, '\r')
      .replace(/a=(rtpmap|fmtp):101.*\r\n/g, '');
    const packets = await spelt('PCMU', '3');
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: without, codecs: ['PCMU'] });
    await say(world, a, packets);
    assert.equal(digitsOf(world, 'a'), '3');
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    await say(world, a, packets);
    assert.equal(digitsOf(world, 'a'), '3');
  });

  it('says what it hears while it is asked to: silence, speech or a beep, in the time since', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const heard = (): unknown[] =>
      world.eventsOf('heard').map(({ n, what, ms }) => [n, what, Math.round(ms / 100)]);
    const tone = await encoded('PCMU', sine(1000, 8000, 300, 0.2));
    const quiet = new Array(25).fill(new Uint8Array(160).fill(0xff));
    await say(world, a, tone);
    assert.deepEqual(heard(), []);
    await world.command({ op: 'listen', leg: 'a', on: true });
    await say(world, a, [...quiet, ...tone]);
    await world.command({ op: 'listen', leg: 'a', on: true });
    await say(world, a, quiet);
    assert.deepEqual(heard(), [
      [1, 'silence', 0],
      [2, 'beep', 5],
      [3, 'silence', 8],
    ]);
    await world.command({ op: 'listen', leg: 'a', on: false });
    await say(world, a, [...tone, ...quiet]);
    assert.equal(heard().length, 3);
  });

  it('takes a peer that sends nothing for silent', async () => {
    const world = new World();
    const a = await world.carrier('a');
    await say(world, a, await encoded('PCMU', sine(1000, 8000, 100)));
    await world.command({ op: 'listen', leg: 'a', on: true });
    await world.run(500);
    assert.deepEqual(
      world.eventsOf('heard').map(({ what, ms }) => [what, ms]),
      [['silence', 0]],
    );
  });
});
