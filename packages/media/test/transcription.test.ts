import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodePcmu } from '@sidetone/rtc';
import type { MediaCommand } from '@sidetone/wire';
import type { FakeLine } from './fake-remote.ts';
import { join, share, sine } from './fake-sounds.ts';
import { World } from './world.ts';

type Wish = Extract<MediaCommand, { op: 'transcribe' }>;

const wish = (more: Partial<Wish> = {}): Wish => ({
  op: 'transcribe',
  leg: 'a',
  id: 't1',
  engine: { url: 'ws://engine.example/', token: 'secret' },
  tracks: 'inbound',
  ...more,
});

const tone = (hz: number): Uint8Array[] => {
  const pcm = sine(hz, 8000, 1000);
  return Array.from({ length: 50 }, (_, i) => {
    const out = new Uint8Array(160);
    encodePcmu(pcm.subarray(i * 160, (i + 1) * 160), out);
    return out;
  });
};

const heardBy = ({ bytes }: FakeLine): Int16Array =>
  join(bytes.splice(0).map((part) => new Int16Array(part.buffer, part.byteOffset, part.length / 2)));

async function transcribed(more: Partial<Wish> = {}) {
  const world = new World();
  const a = await world.carrier('a');
  await world.command(wish(more));
  for (const line of world.remote.lines) line.events.opened();
  return { world, a, line: world.remote.lines[0]! };
}

const told = (world: World): unknown[] =>
  world.events.flatMap((e): unknown[] =>
    e.event === 'transcript'
      ? [[e.track, e.text, e.final, e.confidence, e.n]]
      : e.event === 'transcribed'
        ? [e.reason ?? 'over']
        : [],
  );

describe('a transcription', () => {
  it('gives an engine each track as PCM of 16 kHz, and tells what it says', async () => {
    const { world, a } = await transcribed({ tracks: 'both', language: 'en', interim: true });
    await world.command({ op: 'source', leg: 'a', source: { kind: 'tone', hz: 1000 } });
    const [inbound, outbound] = world.remote.lines as [FakeLine, FakeLine];
    assert.deepEqual([inbound.url, inbound.token], ['ws://engine.example/', 'secret']);
    const start = {
      event: 'start',
      language: 'en',
      interim: true,
      encoding: 'L16',
      sample_rate: 16_000,
      channels: 1,
    };
    assert.deepEqual(inbound.take(), [{ ...start, track: 'inbound' }]);
    assert.deepEqual(outbound.take(), [{ ...start, track: 'outbound' }]);
    const frames = tone(440);
    await world.run(1000, () => a.frame(frames.shift()));
    const [said, heard] = [heardBy(inbound), heardBy(outbound)];
    assert.ok(said.length >= 15_000, `${said.length}`);
    assert.ok(share(said, 16_000, 440) > 0.9);
    assert.ok(share(heard.subarray(3200), 16_000, 1000) > 0.9);
    inbound.says({ text: 'hel', final: false });
    inbound.says({ text: 'hello', final: true, confidence: 0.9 });
    outbound.says({ text: 'beep', final: true });
    for (const odd of [
      'nonsense',
      '[]',
      '{}',
      '{"text":""}',
      '{"text":7,"final":true}',
      `{"text":"${'x'.repeat(8001)}"}`,
    ])
      inbound.says(odd);
    inbound.says({ text: 'sure', final: true, confidence: 7 });
    assert.deepEqual(told(world), [
      ['inbound', 'hel', false, null, undefined],
      ['inbound', 'hello', true, 0.9, 1],
      ['outbound', 'beep', true, null, 2],
      ['inbound', 'sure', true, null, 3],
    ]);
  });

  it('passes over what may yet change where nobody asked for it, and what is too much', async () => {
    const { world, line } = await transcribed();
    line.says({ text: 'hel', final: false });
    for (let i = 0; i < 30; i++) line.says({ text: `word ${i}`, final: true });
    assert.equal(told(world).length, 20);
    await world.run(1000);
    line.says({ text: 'later', final: true });
    assert.equal(told(world).length, 21);
  });

  it('that is stopped waits for what is still to come, but not for long; with its leg it ends at once', async () => {
    const { world, a, line } = await transcribed();
    line.take();
    await world.command({ op: 'transcribeStop', leg: 'a', id: 't1' });
    assert.deepEqual(line.take(), [{ event: 'stop' }]);
    line.bytes.length = 0;
    await world.run(1000, () => a.frame());
    assert.equal(line.bytes.length, 0);
    line.says({ text: 'last words', final: true });
    line.events.ended('closed', '');
    await world.run(100);
    assert.deepEqual(told(world), [['inbound', 'last words', true, null, 1], 'over']);
    await world.command(wish());
    assert.equal(world.remote.lines.length, 1, 'an id that has ended does not begin anew');

    await world.command(wish({ id: 't2' }));
    world.remote.last.events.opened();
    await world.command({ op: 'transcribeStop', leg: 'a', id: 't2' });
    await world.run(3100);
    assert.equal(world.remote.last.closed, true);
    await world.command(wish({ id: 't3' }));
    world.remote.last.events.opened();
    await world.command({ op: 'close', leg: 'a' });
    assert.equal(world.remote.last.closed, true);
    assert.deepEqual(told(world).slice(2), ['over', 'over']);
  });

  it('connects again, and is over when that fails again and again', async () => {
    const { world, line } = await transcribed();
    line.events.ended('lost', 'gone');
    for (let i = 0; i < 5; i++) {
      await world.run(1100);
      assert.equal(world.remote.lines.length, i + 2);
      world.remote.last.events.ended('refused', 'gone for good');
    }
    await world.run(3000);
    assert.equal(world.remote.lines.length, 6);
    assert.deepEqual(told(world), ['gone for good']);
  });

  it('is one a leg, bounded in what waits, and told again to an owner that follows', async () => {
    const { world, a, line } = await transcribed();
    const reply = await world.engine.command(wish({ id: 't2' }));
    assert.equal(!reply.ok && reply.error, 'wrong-state');
    line.bytes.length = 0;
    line.waiting = 300_000;
    await world.run(200, () => a.frame());
    assert.equal(line.bytes.length, 0);
    line.says({ text: 'hello', final: true });
    await world.command({ op: 'claim', legs: ['a'], seen: { a: 0 } });
    await world.run(20);
    assert.equal(told(world).length, 2);
  });
});
