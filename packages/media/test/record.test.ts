import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordCommand } from '@sidetone/wire';
import { share, sine } from './fake-sounds.ts';
import { encoded } from './tones.ts';
import { type Carrier, World } from './world.ts';

type Wish = Extract<RecordCommand, { op: 'record' }>;

const wish = (id: string, more: Partial<Wish> = {}): Wish =>
  ({ op: 'record', leg: 'a', id, file: `${id}.wav`, channels: 2, track: 'both', ...more }) as Wish;

/** Packets of a tone, at 8000 samples a second. */
const tone = (codec: Carrier['codec'], hz: number, ms = 4000): Promise<Uint8Array[]> =>
  encoded(codec, sine(hz, 8000, ms));

/** Two carriers that hear each other; `a` says 440 Hz and `b` 1000 Hz. */
async function call(codecs: readonly [Carrier['codec'], Carrier['codec']] = ['PCMU', 'PCMU']) {
  const world = new World();
  const a = await world.carrier('a', { codec: codecs[0] });
  const b = await world.carrier('b', { codec: codecs[1] });
  for (const [leg, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const)
    await world.command({ op: 'source', leg, source: { kind: 'leg', leg: other } });
  const [low, high] = [await tone(codecs[0], 440), await tone(codecs[1], 1000)];
  let n = 0;
  const says = { a: true, b: true };
  const talk = (): void => {
    if (says.a) a.frame(low[n % low.length]);
    else a.timestamp += codecs[0] === 'OPUS' ? 960 : 160;
    if (says.b) b.frame(high[n % high.length]);
    else b.timestamp += codecs[1] === 'OPUS' ? 960 : 160;
    n++;
  };
  return { world, a, b, talk, says };
}

const ends = (world: World) =>
  world.eventsOf('recorded').map(({ event: _, ...end }) => end as Record<string, unknown>);

/** What a channel holds between two times: the tones that are in it. */
function held(world: World, file: string, channel: number, from: number, to: number): string {
  const { rate } = world.recordings.files.get(file)!;
  const pcm = world.recordings.channel(file, channel).subarray((from * rate) / 1000, (to * rate) / 1000);
  const found = [440, 1000].filter((hz) => share(pcm, rate, hz) > 0.2);
  return found.join('+') || 'silence';
}

const secondsOf = (world: World, file: string, channel = 0): number =>
  world.recordings.channel(file, channel).length / world.recordings.files.get(file)!.rate;

describe('a recording of a leg', () => {
  it('has what the peer says on one channel and what it hears on the other, in every codec', async () => {
    for (const codecs of [
      ['PCMU', 'PCMU'],
      ['OPUS', 'PCMA'],
      ['G722', 'OPUS'],
      ['OPUS', 'OPUS'],
    ] as const) {
      const { world, talk } = await call(codecs);
      await world.run(200, talk);
      await world.command(wish('r'));
      await world.run(2000, talk);
      await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
      await world.run(20);
      const file = world.recordings.files.get('r.wav')!;
      assert.equal(file.rate, codecs[0] === 'PCMU' ? 8000 : 16_000);
      assert.equal(file.channels, 2);
      assert.equal(held(world, 'r.wav', 0, 200, 1900), '440', `${codecs}`);
      assert.equal(held(world, 'r.wav', 1, 200, 1900), '1000', `${codecs}`);
      assert.deepEqual(ends(world), [
        { leg: 'a', n: 1, id: 'r', why: 'stopped', durationMs: 2000, wallMs: 2000, lostMs: 0 },
      ]);
      assert.equal(secondsOf(world, 'r.wav'), 2);
    }
  });

  it('mixes into one channel, or takes one track', async () => {
    const { world, talk } = await call();
    await world.command(wish('mix', { channels: 1 }));
    await world.command(wish('in', { track: 'inbound' }));
    await world.command(wish('out', { track: 'outbound' }));
    await world.run(2000, talk);
    await world.command({ op: 'close', leg: 'a' });
    await world.run(20);
    assert.equal(held(world, 'mix.wav', 0, 200, 1900), '440+1000');
    assert.equal(held(world, 'in.wav', 0, 200, 1900), '440');
    assert.equal(held(world, 'out.wav', 0, 200, 1900), '1000');
    for (const file of ['mix.wav', 'in.wav', 'out.wav'])
      assert.equal(world.recordings.files.get(file)!.channels, 1, file);
    assert.deepEqual(
      ends(world).map(({ id, why }) => [id, why]),
      [
        ['mix', 'closed'],
        ['in', 'closed'],
        ['out', 'closed'],
      ],
    );
  });

  it('has silence where nobody sends, so that both channels stay in step', async () => {
    const { world, talk, says } = await call();
    await world.command(wish('r'));
    await world.run(1000, talk);
    says.a = false;
    await world.run(1000, talk);
    says.a = true;
    says.b = false;
    await world.run(1000, talk);
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(20);
    const spans = [
      [100, 950],
      [1050, 1950],
      [2150, 2950],
    ] as const;
    assert.deepEqual(
      spans.map(([from, to]) => held(world, 'r.wav', 0, from, to)),
      ['440', 'silence', '440'],
    );
    assert.deepEqual(
      spans.map(([from, to]) => held(world, 'r.wav', 1, from, to)),
      ['1000', '1000', 'silence'],
    );
    assert.equal(secondsOf(world, 'r.wav'), 3);
  });

  it('puts a burst behind a pause of the network where it was said', async () => {
    const world = new World();
    const a = await world.carrier('a');
    const frames = await tone('PCMU', 440);
    await world.command(wish('r', { track: 'inbound' }));
    let n = 0;
    await world.run(1000, () => a.frame(frames[n++]));
    await world.run(600);
    for (let i = 0; i < 30; i++) a.frame(frames[n++]);
    await world.run(1000, () => a.frame(frames[n++]));
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(20);
    for (let from = 60; from < 2500; from += 100)
      assert.equal(held(world, 'r.wav', 0, from, from + 100), '440');
    assert.equal(secondsOf(world, 'r.wav'), 2.6);
  });

  it('follows a sender whose clock is wrong', async () => {
    for (const step of [150, 170]) {
      const world = new World();
      const a = await world.carrier('a');
      const frames = await tone('PCMU', 440);
      await world.command(wish('r', { track: 'inbound' }));
      let n = 0;
      await world.run(20_000, () => {
        a.send(0, frames[n++ % frames.length]!);
        a.timestamp += step;
      });
      a.take();
      await world.run(500);
      await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
      await world.run(20);
      assert.equal(secondsOf(world, 'r.wav'), 20.5);
      // What was said last is near the end, wherever its timestamps lie.
      const pcm = world.recordings.channel('r.wav', 0);
      const loud = (from: number): number =>
        pcm.subarray(from * 8, from * 8 + 200).filter((s) => s !== 0).length;
      assert.ok(loud(19_850) > 150, `${step}: ${loud(19_850)}`);
      assert.equal(loud(20_250), 0, `${step}`);
    }
  });

  it('goes on over another source, a hold and a play, and hears them', async () => {
    const { world, a, talk } = await call();
    world.sounds.files.set('tone.wav', { rate: 8000, pcm: sine(1000, 8000, 1000) });
    await world.command({ op: 'source', leg: 'a', source: { kind: 'silence' } });
    await world.command(wish('r'));
    await world.run(1000, talk);
    await world.command({ op: 'play', leg: 'a', id: 'p', file: 'tone.wav', loop: 1 });
    await world.run(1000, talk);
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp('sendonly'), codecs: ['PCMU'] });
    await world.run(1000, talk);
    await world.command({ op: 'answer', leg: 'a', kind: 'rtp', sdp: a.sdp(), codecs: ['PCMU'] });
    await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
    await world.run(1000, talk);
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(20);
    const spans = [100, 1100, 2100, 3100].map((from) => held(world, 'r.wav', 1, from, from + 800));
    assert.deepEqual(spans, ['silence', '1000', 'silence', '1000']);
    assert.equal(held(world, 'r.wav', 0, 100, 3900), '440');
  });

  it('leaves out what is said while it is paused', async () => {
    const { world, talk, says } = await call();
    await world.command(wish('r'));
    await world.run(1000, talk);
    await world.command({ op: 'recordPause', leg: 'a', id: 'r' });
    await world.command({ op: 'recordPause', leg: 'a', id: 'r' });
    await world.run(1000, talk);
    says.b = false;
    await world.command({ op: 'recordResume', leg: 'a', id: 'r' });
    await world.run(1000, talk);
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(20);
    assert.deepEqual(ends(world), [
      { leg: 'a', n: 1, id: 'r', why: 'stopped', durationMs: 2000, wallMs: 3000, lostMs: 0 },
    ]);
    assert.equal(held(world, 'r.wav', 0, 100, 1950), '440');
    assert.equal(held(world, 'r.wav', 1, 100, 950), '1000');
    assert.equal(held(world, 'r.wav', 1, 1050, 1950), 'silence');
  });

  it('ends at its longest, pauses not counted', async () => {
    const { world, talk } = await call();
    await world.command(wish('r', { maxMs: 1500 }));
    await world.run(500, talk);
    await world.command({ op: 'recordPause', leg: 'a', id: 'r' });
    await world.run(2000, talk);
    await world.command({ op: 'recordResume', leg: 'a', id: 'r' });
    await world.run(2000, talk);
    assert.deepEqual(ends(world), [
      { leg: 'a', n: 1, id: 'r', why: 'max', durationMs: 1500, wallMs: 3500, lostMs: 0 },
    ]);
  });

  it('ends in silence behind speech, and waits for who has said nothing yet', async () => {
    const world = new World();
    const a = await world.carrier('a');
    // Speech is no steady tone.
    const speech = await encoded(
      'PCMU',
      Int16Array.from({ length: 8000 }, (_, i) =>
        Math.round(
          9000 * Math.sin((2 * Math.PI * (300 + 40 * Math.sin(i / 500)) * i) / 8000) * Math.sin(i / 900),
        ),
      ),
    );
    const quiet = new Uint8Array(160).fill(0xff);
    await world.command(wish('r', { track: 'inbound', silenceMs: 2000 }));
    await world.run(6000, () => a.frame(quiet));
    assert.deepEqual(ends(world), []);
    let n = 0;
    await world.run(1000, () => a.frame(speech[n++]));
    await world.run(1500, () => a.frame(quiet));
    assert.deepEqual(ends(world), []);
    await world.run(3000);
    const [end] = ends(world);
    assert.equal(end?.['why'], 'silence');
    assert.ok(
      Number(end['durationMs']) >= 9000 && Number(end['durationMs']) <= 11_000,
      `${end['durationMs']}`,
    );
  });

  it('begins with a beep for whom it records, who hears it before all else', async () => {
    const { world, a, talk } = await call();
    world.sounds.files.set('tone.wav', { rate: 8000, pcm: sine(440, 8000, 1000) });
    await world.command({ op: 'play', leg: 'a', id: 'p', file: 'tone.wav', loop: 1 });
    await world.run(200, talk);
    a.take();
    await world.command(wish('r', { beep: true }));
    await world.command(wish('r', { beep: true }));
    await world.run(2000, talk);
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(20);
    assert.equal(held(world, 'r.wav', 1, 40, 400), '1000');
    assert.equal(held(world, 'r.wav', 1, 440, 1100), '440');
    assert.deepEqual(
      world.eventsOf('played').map(({ status, atMs }) => [status, atMs]),
      [['completed', 1000]],
    );
    const seen = a.take();
    for (let i = 1; i < seen.length; i++)
      assert.equal((seen[i]!.sequence - seen[i - 1]!.sequence) & 0xffff, 1);
  });

  it('that is said again changes nothing, also when it is over and to a new owner', async () => {
    const { world, talk } = await call();
    await world.command(wish('r'));
    await world.run(1000, talk);
    await world.command(wish('r'));
    await world.command({ op: 'claim', legs: ['a', 'b'], seen: { a: 0 } });
    await world.command(wish('r'));
    await world.run(1000, talk);
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(20);
    await world.command(wish('r'));
    await world.command({ op: 'recordStop', leg: 'a', id: 'r' });
    await world.run(100, talk);
    assert.equal(world.recordings.files.size, 1);
    assert.equal(secondsOf(world, 'r.wav'), 2);
    assert.equal(ends(world).length, 1);
    await world.command({ op: 'claim', legs: ['a', 'b'], seen: { a: 0 } });
    await world.run(20);
    assert.deepEqual(ends(world)[1], ends(world)[0]);
  });

  it('ends with a leg that nobody claims; who claims it then hears how it ended', async () => {
    const { world, talk } = await call();
    await world.command(wish('r'));
    await world.run(1000, talk);
    await world.command({ op: 'close', leg: 'a' });
    await world.run(20);
    world.events.length = 0;
    const { missing } = await world.command({ op: 'claim', legs: ['a', 'b'], seen: { a: 0 } });
    await world.run(20);
    assert.deepEqual(missing, ['a']);
    assert.deepEqual(
      ends(world).map(({ leg, id, why }) => [leg, id, why]),
      [['a', 'r', 'closed']],
    );
  });

  it('loses sound to a slow disk, says how much, and fails with one that refuses; the call goes on', async () => {
    const { world, b, talk } = await call();
    await world.command(wish('r'));
    await world.run(2000, talk);
    world.recordings.full = true;
    await world.run(1000, talk);
    world.recordings.full = false;
    await world.run(2000, talk);
    b.take();
    world.recordings.files.get('r.wav')!.fail();
    await world.run(500, talk);
    const [end] = ends(world);
    assert.equal(end?.['why'], 'failed');
    assert.equal(Number(end['durationMs']) + Number(end['lostMs']), 5000);
    assert.ok(Number(end['lostMs']) >= 1000);
    assert.equal(b.take().length, 25);
    assert.equal(world.eventsOf('recorded').length, 1);
  });

  it('is refused when it makes no sense, and in a room that is not there', async () => {
    const { world } = await call();
    for (const bad of [
      wish(''),
      wish('r', { file: '' }),
      wish('r', { channels: 3 as 2 }),
      wish('r', { track: 'all' as 'both' }),
      wish('r', { maxMs: 0 }),
      wish('r', { silenceMs: Number.NaN }),
      { ...wish('r'), leg: 'nobody' },
      { op: 'record', room: 'x', id: 'r', file: 'r.wav', channels: 1, track: 'both' } as const,
    ])
      assert.equal((await world.engine.command(bad)).ok, false, JSON.stringify(bad));
    for (const id of ['1', '2', '3', '4']) await world.command(wish(id));
    assert.equal((await world.engine.command(wish('5'))).ok, false);
    await world.command({ op: 'recordStop', leg: 'a', id: 'nothing' });
  });
});
