import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePcma, decodePcmu, encodePcmu } from '@sidetone/rtc';
import type { MediaCommand } from '@sidetone/wire';
import { loadOpus } from '../src/index.ts';
import { join, share, sine } from './fake-sounds.ts';
import { type Seen, World } from './world.ts';

const opus = await loadOpus();

const pcmuOf = (seen: readonly Seen[]): Int16Array =>
  join(
    seen.map(({ payload }) => {
      const pcm = new Int16Array(payload.length);
      decodePcmu(payload, pcm);
      return pcm;
    }),
  );

/** What a PCMU peer heard, second by second as one letter: the tone at 1 kHz, at 440 Hz, both, neither. */
function heard(seen: readonly Seen[], from: number, to: number): string {
  const pcm = pcmuOf(seen.filter(({ at }) => at > from && at <= to));
  const [high, low] = [share(pcm, 8000, 1000) > 0.2, share(pcm, 8000, 440) > 0.2];
  return high && low ? 'both' : high ? 'file' : low ? 'source' : 'neither';
}

/** One SSRC, and numbers that run on. */
function assertContinuous(seen: readonly Seen[], step = 160): void {
  for (let i = 1; i < seen.length; i++) {
    const [a, b] = [seen[i - 1]!, seen[i]!];
    assert.equal(b.ssrc, a.ssrc);
    assert.equal((b.sequence - a.sequence) & 0xffff, 1);
    const ahead = (b.timestamp - a.timestamp) >>> 0;
    assert.ok(ahead >= step && ahead <= 6 * step, `${ahead} at ${b.at}`);
    assert.ok(Math.abs((ahead / step) * 20 - (b.at - a.at)) <= 40, `${ahead} in ${b.at - a.at} ms`);
  }
}

class Tone440 {
  n = 0;
  readonly payload = (): Uint8Array => {
    const out = new Uint8Array(160);
    const pcm = Int16Array.from({ length: 160 }, (_, i) =>
      Math.round(9000 * Math.sin((2 * Math.PI * 440 * (this.n * 160 + i)) / 8000)),
    );
    encodePcmu(pcm, out);
    this.n++;
    return out;
  };
}

const play = (leg: string, id: string, more: Partial<Extract<MediaCommand, { op: 'play' }>> = {}) =>
  ({ op: 'play', leg, id, file: 'tone.wav', loop: 1, ...more }) as const;

const ends = (world: World): unknown[] =>
  world.eventsOf('played').map(({ leg, n, id, status, atMs }) => [leg, n, id, status, atMs]);

async function twoCarriers(): Promise<{
  world: World;
  a: Awaited<ReturnType<World['carrier']>>;
  talk: () => void;
}> {
  const world = new World();
  world.sounds.files.set('tone.wav', { rate: 16_000, pcm: sine(1000, 16_000, 1000) });
  const a = await world.carrier('a');
  const b = await world.carrier('b');
  await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
  const tone = new Tone440();
  return { world, a, talk: () => b.frame(tone.payload()) };
}

describe('a file played to a leg', () => {
  it('is heard in place of the source, in whole, with numbers that run on, and ends once', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.run(1000, talk);
    await world.command(play('a', 'p1'));
    await world.run(2000, talk);
    const seen = a.take();
    assert.equal(heard(seen, 0, 1000), 'source');
    assert.equal(heard(seen, 1040, 2000), 'file');
    assert.equal(heard(seen, 2100, 3000), 'source');
    assertContinuous(seen);
    const marked = seen.filter((p) => p.marker).map((p) => p.at);
    assert.equal(marked.length, 3, `${marked}`);
    const files = seen.filter((p) => p.at > 1000 && p.at <= 2100 && share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(files.length >= 50 && files.length <= 51, `${files.length}`);
    assert.deepEqual(ends(world), [['a', 1, 'p1', 'completed', 1000]]);
    assert.equal(world.sounds.live, 0);
  });

  it('is heard whatever the source is, also by a peer that has sent nothing yet', async () => {
    for (const source of [
      { kind: 'silence' },
      { kind: 'ringback' },
      { kind: 'music' },
      { kind: 'echo' },
      { kind: 'leg', leg: 'nobody' },
    ] as const) {
      const { world, a } = await twoCarriers();
      await world.command({ op: 'source', leg: 'a', source });
      await world.run(200);
      await world.command(play('a', 'p'));
      await world.run(1500);
      const seen = a.take();
      assert.equal(heard(seen, 240, 1200), 'file', source.kind);
      assert.equal(heard(seen, 1300, 1700), source.kind === 'ringback' ? 'source' : 'neither');
      assertContinuous(seen);
      assert.deepEqual(ends(world), [['a', 1, 'p', 'completed', 1000]]);
    }
  });

  it('begins when the peer can be sent something, not before', async () => {
    const world = new World();
    world.sounds.files.set('tone.wav', { rate: 8000, pcm: sine(1000, 8000, 1000) });
    await world.command({ op: 'offer', leg: 'a', kind: 'rtp', codecs: ['PCMU'] });
    await world.command(play('a', 'p'));
    await world.run(3000);
    assert.deepEqual(ends(world), []);
    await world.command({ op: 'stop', leg: 'a', id: 'p' });
    assert.deepEqual(ends(world), [['a', 1, 'p', 'stopped', 0]]);
  });

  it('goes on unheard while the peer holds us', async () => {
    const world = new World();
    world.sounds.files.set('tone.wav', { rate: 8000, pcm: sine(1000, 8000, 1000) });
    const a = await world.carrier('a');
    await world.command(play('a', 'p'));
    await world.run(200);
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp('sendonly'), codecs: ['PCMU'] });
    a.take();
    await world.run(400);
    assert.deepEqual(a.take(), []);
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    await world.run(1000);
    const tone = a.take().filter((p) => share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(tone.length >= 18 && tone.length <= 22, `${tone.length}`);
    assert.deepEqual(ends(world), [['a', 1, 'p', 'completed', 1000]]);
  });

  it('waits for digits, which go first', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.command(play('a', 'p'));
    await world.run(500, talk);
    await world.command({ op: 'dtmf', leg: 'a', digits: '12' });
    await world.run(1500, talk);
    const seen = a.take();
    const files = seen.filter((p) => p.payloadType === 0 && share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(files.length >= 50 && files.length <= 51, `${files.length}`);
    assert.equal(new Set(seen.filter((p) => p.payloadType === 101).map((p) => p.timestamp)).size, 2);
    for (let i = 1; i < seen.length; i++)
      assert.equal((seen[i]!.sequence - seen[i - 1]!.sequence) & 0xffff, 1);
    assert.deepEqual(ends(world), [['a', 1, 'p', 'completed', 1000]]);
  });

  it('is stopped by its id, replaced by another, and by the end of the leg; each end is told once', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.command(play('a', 'one', { loop: null }));
    await world.run(300, talk);
    await world.command({ op: 'stop', leg: 'a', id: 'another' });
    assert.deepEqual(ends(world), []);
    await world.command(play('a', 'two', { loop: null }));
    await world.run(2500, talk);
    await world.command({ op: 'stop', leg: 'a', id: 'two' });
    await world.command({ op: 'stop', leg: 'a', id: 'two' });
    a.take();
    await world.run(500, talk);
    assert.equal(heard(a.take(), 2840, 3300), 'source');
    await world.command(play('a', 'three'));
    await world.run(100, talk);
    await world.command({ op: 'close', leg: 'a' });
    assert.deepEqual(
      ends(world).map((end) => (end as unknown[]).slice(1, 4)),
      [
        [1, 'one', 'stopped'],
        [2, 'two', 'stopped'],
        [3, 'three', 'stopped'],
      ],
    );
    const [, two] = world.eventsOf('played');
    assert.ok(two!.atMs >= 400 && two!.atMs <= 520, `${two!.atMs}`);
    assert.equal(world.sounds.live, 0);
  });

  it('that is said again changes nothing: not while it plays, not when it is over, not by new signalling', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.command(play('a', 'p'));
    await world.run(500, talk);
    await world.command(play('a', 'p'));
    await world.command({ op: 'claim', legs: ['a', 'b'], seen: {} });
    await world.command(play('a', 'p'));
    await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    await world.run(1000, talk);
    await world.command(play('a', 'p'));
    await world.run(1000, talk);
    const seen = a.take();
    const files = seen.filter((p) => share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(files.length >= 50 && files.length <= 51, `${files.length}`);
    assert.equal(seen.filter((p) => p.marker).length, 2);
    assert.deepEqual(ends(world), [['a', 1, 'p', 'completed', 1000]]);
    assert.equal(world.sounds.opened, 1);
  });

  it('goes on where it was in another codec', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.command(play('a', 'p'));
    await world.run(500, talk);
    const before = a.take().filter((p) => share(pcmuOf([p]), 8000, 1000) > 0.5).length;
    const sdp = a.sdp().replace('AVP 0 101', 'AVP 8 101').replace('rtpmap:0 PCMU', 'rtpmap:8 PCMA');
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp, codecs: ['PCMA'] });
    await world.run(1000, talk);
    const seen = a.take();
    assert.ok(seen.every((p) => p.payloadType === 8));
    const after = seen.filter(({ payload }) => {
      const pcm = new Int16Array(160);
      decodePcma(payload, pcm);
      return share(pcm, 8000, 1000) > 0.5;
    }).length;
    assert.ok(before + after >= 50 && before + after <= 51, `${before} + ${after}`);
    assert.deepEqual(ends(world), [['a', 1, 'p', 'completed', 1000]]);
  });

  it('that is no file is failed, and the source is heard', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.command(play('a', 'p', { file: 'nothing.wav', loop: null }));
    await world.command(play('a', 'o', { file: 'nothing.wav', overlay: true }));
    await world.run(500, talk);
    assert.equal(heard(a.take(), 100, 500), 'source');
    assert.deepEqual(
      ends(world).map((end) => (end as unknown[]).slice(2, 4)),
      [
        ['p', 'failed'],
        ['o', 'failed'],
      ],
    );
  });

  it('begins where it is told, and loops as often as it is told, from the beginning', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.command(play('a', 'p', { fromMs: 600, loop: 2 }));
    await world.run(3000, talk);
    const files = a.take().filter((p) => share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(files.length >= 70 && files.length <= 72, `${files.length}`);
    await world.command(play('a', 'q', { loop: 3 }));
    await world.run(4000, talk);
    const again = a.take().filter((p) => share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(again.length >= 150 && again.length <= 153, `${again.length}`);
    await world.command(play('a', 'r', { fromMs: 5000 }));
    await world.run(100, talk);
    assert.deepEqual(ends(world), [
      ['a', 1, 'p', 'completed', 1000],
      ['a', 2, 'q', 'completed', 1000],
      ['a', 3, 'r', 'completed', 1000],
    ]);
  });

  it('that has no sound in it ends, however often it is to be heard', async () => {
    const { world } = await twoCarriers();
    world.sounds.files.set('empty.wav', { rate: 8000, pcm: new Int16Array(0) });
    await world.command(play('a', 'p', { file: 'empty.wav', loop: null }));
    await world.command(play('a', 'o', { file: 'empty.wav', loop: null, overlay: true }));
    await world.run(200);
    assert.deepEqual(
      ends(world).map((end) => (end as unknown[]).slice(2)),
      [
        ['p', 'completed', 0],
        ['o', 'completed', 0],
      ].toSorted((x, y) => (x[0]! < y[0]! ? 1 : -1)),
    );
  });

  it('whose disk is late is silent meanwhile, and goes on where it was', async () => {
    const { world, a, talk } = await twoCarriers();
    world.sounds.hold();
    await world.command(play('a', 'p'));
    await world.run(200, talk);
    assert.equal(heard(a.take(), 0, 200), 'neither');
    world.sounds.release();
    await world.run(500, talk);
    world.sounds.late = true;
    await world.run(300, talk);
    world.sounds.late = false;
    await world.run(800, talk);
    const seen = a.take();
    assertContinuous(seen);
    const files = seen.filter((p) => share(pcmuOf([p]), 8000, 1000) > 0.5);
    assert.ok(files.length >= 50 && files.length <= 52, `${files.length}`);
    assert.deepEqual(ends(world), [['a', 1, 'p', 'completed', 1000]]);
  });

  it('closed before it was opened leaves nothing open', async () => {
    const { world } = await twoCarriers();
    world.sounds.hold();
    await world.command(play('a', 'p'));
    await world.command(play('a', 'o', { overlay: true }));
    await world.run(100);
    await world.command({ op: 'close', leg: 'a' });
    world.sounds.release();
    await world.run(100);
    assert.equal(world.sounds.live, 0);
    assert.equal(ends(world).length, 2);
  });

  it('is refused when it makes no sense', async () => {
    const { world } = await twoCarriers();
    for (const more of [
      { loop: 0 },
      { loop: 1.5 },
      { fromMs: -1 },
      { fromMs: Number.NaN },
      { file: '' },
      { id: '' },
      { id: 'x'.repeat(300) },
    ]) {
      const reply = await world.engine.command(play('a', 'p', more));
      assert.equal(!reply.ok && reply.error, 'wrong-state', JSON.stringify(more));
    }
    const reply = await world.engine.command(play('nobody', 'p'));
    assert.equal(!reply.ok && reply.error, 'no-leg');
    assert.equal((await world.engine.command({ op: 'stop', leg: 'a', id: 'p' })).ok, true);
  });

  it('is encoded once for all who hear it, and a browser hears it in Opus', async () => {
    const world = new World();
    world.sounds.files.set('tone.wav', { rate: 44_100, pcm: sine(1000, 44_100, 2000) });
    const browsers = [await world.browser('w1'), await world.browser('w2')];
    const decoders = browsers.map(() => opus.decoder(8000));
    await world.run(100);
    for (const browser of browsers) browser.take();
    await world.command(play('w1', 'p'));
    await world.run(300);
    await world.command(play('w2', 'p'));
    await world.run(2500);
    assert.equal(world.sounds.opened, 1);
    for (const [i, browser] of browsers.entries()) {
      const seen = browser.take();
      assertContinuous(seen, 960);
      const pcm = seen.map(({ payload }) => decoders[i]!.decode(payload)!);
      const tones = pcm.filter((frame) => share(frame, 8000, 1000) > 0.8);
      assert.ok(tones.length >= 97 && tones.length <= 102, `${tones.length}`);
    }
    assert.equal(world.sounds.live, 0);
  });
});

describe('a file over what a leg hears', () => {
  it('is mixed into a relayed leg, which is relayed again afterwards', async () => {
    const { world, a, talk } = await twoCarriers();
    await world.run(500, talk);
    await world.command(play('a', 'o', { overlay: true }));
    await world.run(1500, talk);
    const seen = a.take();
    assert.equal(heard(seen, 0, 500), 'source');
    assert.equal(heard(seen, 600, 1480), 'both');
    assert.equal(heard(seen, 1600, 2000), 'source');
    assertContinuous(seen);
    assert.deepEqual(ends(world), [['a', 1, 'o', 'completed', 1000]]);
  });

  it('is mixed into sounds of ours, into silence, and into another file; each ends by itself', async () => {
    const { world, a } = await twoCarriers();
    await world.command({ op: 'source', leg: 'a', source: { kind: 'tone', hz: 440 } });
    await world.command(play('a', 'o1', { overlay: true }));
    await world.run(900);
    assert.equal(heard(a.take(), 100, 900), 'both');
    await world.command({ op: 'source', leg: 'a', source: { kind: 'silence' } });
    await world.command(play('a', 'o2', { overlay: true }));
    await world.run(900);
    assert.equal(heard(a.take(), 1000, 1800), 'file');
    world.sounds.files.set('low.wav', { rate: 8000, pcm: sine(440, 8000, 3000) });
    await world.run(500);
    a.take();
    await world.command(play('a', 'p', { file: 'low.wav' }));
    await world.run(500);
    await world.command(play('a', 'o3', { overlay: true }));
    await world.run(4000);
    const seen = a.take();
    assert.equal(heard(seen, 2340, 2800), 'source');
    assert.equal(heard(seen, 2900, 3760), 'both');
    assert.equal(heard(seen, 4000, 5200), 'source');
    assert.equal(heard(seen, 5500, 6800), 'neither');
    assertContinuous(seen);
    assert.deepEqual(
      ends(world).map((end) => (end as unknown[]).slice(2, 4)),
      [
        ['o1', 'stopped'],
        ['o2', 'completed'],
        ['o3', 'completed'],
        ['p', 'completed'],
      ],
    );
  });

  it('never wraps around', async () => {
    const { world, a } = await twoCarriers();
    world.sounds.files.set('loud.wav', { rate: 8000, pcm: new Int16Array(8000).fill(30_000) });
    await world.command(play('a', 'p', { file: 'loud.wav' }));
    await world.command(play('a', 'o', { file: 'loud.wav', overlay: true }));
    await world.run(800);
    const pcm = pcmuOf(a.take().slice(10));
    assert.ok(pcm.every((sample) => sample > 29_000));
  });

  it('mixes Opus and G.711 at the rate of who hears it', async () => {
    const world = new World();
    world.sounds.files.set('tone.wav', { rate: 8000, pcm: sine(1000, 8000, 2000) });
    const browser = await world.browser('w');
    const carrier = await world.carrier('c');
    await world.command({ op: 'source', leg: 'w', source: { kind: 'leg', leg: 'c' } });
    const tone = new Tone440();
    const decoder = opus.decoder(8000);
    await world.run(300, () => carrier.frame(tone.payload()));
    browser.take();
    await world.command(play('w', 'o', { overlay: true }));
    await world.run(1500, () => carrier.frame(tone.payload()));
    const pcm = join(browser.take().map(({ payload }) => decoder.decode(payload)!)).subarray(2400);
    assert.ok(share(pcm, 8000, 1000) > 0.3, `${share(pcm, 8000, 1000)}`);
    assert.ok(share(pcm, 8000, 440) > 0.3, `${share(pcm, 8000, 440)}`);
  });
});
