import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePcmu, encodePcma, encodePcmu } from '@sidetone/rtc';
import type { MediaCommand, StreamBack } from '@sidetone/wire';
import { loadOpus } from '../src/index.ts';
import type { FakeLine } from './fake-remote.ts';
import { join, share, sine } from './fake-sounds.ts';
import { type Carrier, type Seen, World } from './world.ts';

const opus = await loadOpus();

type Stream = Extract<MediaCommand, { op: 'stream' }>;

const START = { user_id: 'u', call_control_id: 'v3:c', from: '+1', to: '+2' };

const streamOf = (more: Partial<Stream> = {}): Stream => ({
  op: 'stream',
  leg: 'a',
  id: 's1',
  url: 'wss://bot.example/',
  track: 'inbound',
  rate: 8000,
  start: JSON.stringify(START),
  ...more,
});

const RTP: StreamBack = { mode: 'rtp', codec: 'PCMU', rate: 8000, target: 'self' };

/** 20 ms of a tone in µ-law, one behind the other. */
function tone(hz: number): () => Uint8Array {
  let n = 0;
  return () => {
    const pcm = Int16Array.from({ length: 160 }, (_, i) =>
      Math.round(9000 * Math.sin((2 * Math.PI * hz * (n * 160 + i)) / 8000)),
    );
    n++;
    const out = new Uint8Array(160);
    encodePcmu(pcm, out);
    return out;
  };
}

const toneOf = (hz: number, ms: number): Uint8Array => {
  const next = tone(hz);
  const out = new Uint8Array((ms / 20) * 160);
  for (let i = 0; i < ms / 20; i++) out.set(next(), i * 160);
  return out;
};

const pcmuOf = (seen: readonly { readonly payload: Uint8Array }[]): Int16Array =>
  join(
    seen.map(({ payload }) => {
      const pcm = new Int16Array(payload.length);
      decodePcmu(payload, pcm);
      return pcm;
    }),
  );

const linear = (bytes: readonly Uint8Array[], bigEndian = false): Int16Array =>
  join(
    bytes.map((part) => {
      const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
      return Int16Array.from({ length: part.length / 2 }, (_, i) => view.getInt16(2 * i, !bigEndian));
    }),
  );

/** As few letters as there are changes: which of the tones is heard, every 100 ms of what a PCMU peer was sent. */
function letters(seen: readonly Seen[], tones: Readonly<Record<string, number>>): string {
  const out: string[] = [];
  for (let i = 0; i + 5 <= seen.length; i += 5) {
    const pcm = pcmuOf(seen.slice(i, i + 5));
    const heard = Object.entries(tones).filter(([, hz]) => share(pcm, 8000, hz) > 0.2);
    const letter = heard.map(([name]) => name).join('') || '-';
    if (out.at(-1) !== letter) out.push(letter);
  }
  return out.join(' ');
}

const told = (world: World): unknown[] =>
  world
    .eventsOf('streamed')
    .map(({ id, state, reason }) => (reason === undefined ? [id, state] : [id, state, reason]));

interface Opened {
  readonly world: World;
  readonly a: Carrier;
  readonly line: FakeLine;
}

async function opened(
  more: Partial<Stream> = {},
  codec: 'PCMU' | 'PCMA' | 'OPUS' | 'G722' = 'PCMU',
): Promise<Opened> {
  const world = new World();
  const a = await world.carrier('a', { codec });
  await world.command(streamOf(more));
  const line = world.remote.last;
  line.events.opened();
  return { world, a, line };
}

describe('a media stream, on its way out', () => {
  it('says connected, then start, with what programs look for, then media with the payloads as they are', async () => {
    const { world, a, line } = await opened({ token: 'secret' });
    assert.deepEqual([line.url, line.token], ['wss://bot.example/', 'secret']);
    const payloads: Uint8Array[] = [];
    const next = tone(440);
    await world.run(100, () => {
      payloads.push(next());
      a.frame(payloads.at(-1));
    });
    const [connected, start, ...media] = line.take();
    assert.deepEqual(connected, { event: 'connected', version: '1.0.0' });
    assert.deepEqual(start, {
      event: 'start',
      sequence_number: '1',
      stream_id: 's1',
      start: { ...START, media_format: { encoding: 'PCMU', sample_rate: 8000, channels: 1 } },
    });
    assert.deepEqual(
      media.map((frame) => [frame.event, frame.stream_id, frame.sequence_number, frame.media?.chunk]),
      payloads.map((_, i) => ['media', 's1', String(i + 2), String(i + 1)]),
    );
    assert.deepEqual(
      media.map(({ media: one }) => [one?.track, one?.timestamp, one?.payload]),
      payloads.map((payload, i) => ['inbound', String(20 * i), Buffer.from(payload).toString('base64')]),
    );
    assert.deepEqual(told(world), [['s1', 'open']]);
  });

  it('has what the peer hears as the other track: a source, digits left out', async () => {
    const { world, a, line } = await opened({ track: 'both' });
    await world.command({ op: 'source', leg: 'a', source: { kind: 'tone', hz: 1000 } });
    line.take();
    a.take();
    await world.run(1000, () => a.frame(toneOf(440, 20)));
    const frames = line.take();
    const of = (track: string): Uint8Array[] =>
      frames.flatMap(({ media }) =>
        media?.track === track ? [Uint8Array.from(Buffer.from(media.payload, 'base64'))] : [],
      );
    assert.deepEqual(
      of('outbound'),
      a.take().map(({ payload }) => payload),
    );
    assert.ok(share(pcmuOf(of('outbound').map((payload) => ({ payload }))), 8000, 1000) > 0.9);
    assert.equal(of('inbound').length, 50);
    await world.command({ op: 'dtmf', leg: 'a', digits: '5' });
    await world.run(200);
    assert.ok(line.takeMedia('outbound').every((payload) => payload.length === 160));
  });

  it('has another leg that the peer hears, relayed or transcoded', async () => {
    for (const codec of ['PCMU', 'PCMA'] as const) {
      const { world, line } = await opened({ track: 'outbound' });
      const b = await world.carrier('b', { codec });
      await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
      const next = tone(700);
      await world.run(1000, () => {
        const payload = next();
        if (codec === 'PCMA') {
          const pcm = new Int16Array(160);
          decodePcmu(payload, pcm);
          encodePcma(pcm, payload);
        }
        b.frame(payload);
      });
      const pcm = pcmuOf(line.takeMedia().map((payload) => ({ payload })));
      assert.ok(share(pcm, 8000, 700) > 0.9, codec);
    }
  });

  it('is transcoded to what is asked for, each codec by its tone', async () => {
    for (const from of ['PCMU', 'PCMA', 'G722', 'OPUS'] as const)
      for (const [codec, rate, bigEndian] of [
        ['PCMU', 8000],
        ['PCMA', 8000],
        ['G722', 16_000],
        ['OPUS', 48_000],
        ['L16', 8000],
        ['L16', 16_000],
        ['L16', 24_000],
        ['L16', 48_000, true],
      ] as const) {
        const { world, a, line } = await opened(
          { codec, rate: codec === 'L16' ? rate : 8000, ...(bigEndian === true ? { bigEndian } : {}) },
          from,
        );
        const speak = await speaker(from);
        await world.run(1000, () => a.frame(speak()));
        const frames = line.take();
        const format = frames[1]!.start!['media_format'];
        assert.deepEqual(format, { encoding: codec, sample_rate: rate, channels: 1 });
        const payloads = frames
          .slice(2)
          .map(({ media }) => Uint8Array.from(Buffer.from(media!.payload, 'base64')));
        assert.ok(payloads.length >= 45, `${from} to ${codec} ${rate}: ${payloads.length}`);
        const [pcm, heardAt] = await decoded(codec, rate, payloads, bigEndian === true);
        const part = share(pcm.subarray(heardAt / 5), heardAt, 440);
        assert.ok(part > 0.8, `${from} to ${codec} ${rate}: ${part}`);
      }
  });

  it('is PCMU for a leg of Opus where nothing is asked for, and else what the leg speaks', async () => {
    for (const [codec, encoding] of [
      ['OPUS', 'PCMU'],
      ['PCMA', 'PCMA'],
      ['G722', 'G722'],
    ] as const) {
      const { line } = await opened({}, codec);
      const { encoding: said } = line.take()[1]!.start!['media_format'] as { encoding: string };
      assert.equal(said, encoding);
    }
  });

  it('tells digits, and ends with stop when it is stopped or its leg is closed: once', async () => {
    const { world, line } = await opened();
    line.take();
    const a = await world.carrier('b');
    void a;
    for (const end of ['stop', 'close'] as const) {
      const id = `of ${end}`;
      const leg = end;
      const peer = await world.carrier(leg);
      await world.command(streamOf({ leg, id }));
      const own = world.remote.last;
      own.events.opened();
      own.take();
      for (let i = 0; i < 3; i++)
        peer.send(101, Uint8Array.of(7, 10 | (i === 2 ? 0x80 : 0), 3, 32 * (i + 1)), i === 0);
      await world.run(200);
      assert.deepEqual(
        own.take().map(({ event, dtmf }) => [event, dtmf?.digit]),
        [['dtmf', '7']],
      );
      await world.command(end === 'stop' ? { op: 'streamStop', leg, id } : { op: 'close', leg });
      const [stop, ...more] = own.take();
      assert.deepEqual(
        [stop?.event, stop?.stop, more],
        ['stop', { user_id: 'u', call_control_id: 'v3:c' }, []],
      );
      assert.equal(own.closed, true);
    }
    await world.command(streamOf({ leg: 'stop', id: 'of stop' }));
    assert.equal(world.remote.lines.length, 3, 'an id that has ended does not begin anew');
    assert.deepEqual(told(world), [
      ['s1', 'open'],
      ['of stop', 'open'],
      ['of stop', 'closed'],
      ['of close', 'open'],
      ['of close', 'closed'],
    ]);
  });

  it('tells digits that came by signalling', async () => {
    const { world, line } = await opened();
    line.take();
    await world.command({ op: 'streamDigits', leg: 'a', id: 's1', digits: '4#' });
    assert.deepEqual(
      line.take().map(({ dtmf }) => dtmf?.digit),
      ['4', '#'],
    );
  });

  it('waits with start until it may begin; never begun it closes without start', async () => {
    const { world, line } = await opened({ waits: true });
    const other = await world.carrier('b');
    void other;
    await world.run(100);
    assert.deepEqual(
      line.take().map(({ event }) => event),
      ['connected'],
    );
    assert.deepEqual(told(world), []);
    await world.command({
      op: 'streamBegin',
      leg: 'a',
      id: 's1',
      start: JSON.stringify({ ...START, to: '+3' }),
    });
    assert.equal(line.take()[0]!.start!['to'], '+3');
    assert.deepEqual(told(world), [['s1', 'open']]);
    await world.command(streamOf({ leg: 'b', id: 's2', waits: true }));
    const never = world.remote.last;
    never.events.opened();
    await world.command({ op: 'close', leg: 'b' });
    assert.deepEqual(
      never.take().map(({ event }) => event),
      ['connected'],
    );
    assert.equal(never.closed, true);
    assert.deepEqual(told(world), [
      ['s1', 'open'],
      ['s2', 'closed'],
    ]);
  });

  it('is one a leg; the same wish again changes nothing', async () => {
    const { world } = await opened();
    await world.command(streamOf());
    assert.equal(world.remote.lines.length, 1);
    const reply = await world.engine.command(streamOf({ id: 's2' }));
    assert.equal(!reply.ok && reply.error, 'wrong-state');
  });

  it('is told again to an owner that follows', async () => {
    const { world, line } = await opened();
    await world.command({ op: 'claim', legs: ['a'], seen: { a: 0 } });
    await world.run(20);
    assert.deepEqual(told(world), [
      ['s1', 'open'],
      ['s1', 'open'],
    ]);
    line.events.ended('lost', 'gone');
    await world.command({ op: 'claim', legs: ['a'], seen: { a: 1 } });
    await world.run(20);
    assert.deepEqual(told(world).slice(2), [
      ['s1', 'failed', 'gone'],
      ['s1', 'failed', 'gone'],
    ]);
  });
});

describe('the other end of a media stream', () => {
  it('that closes ends the stream; one that is lost, refuses or closes before start makes it fail', async () => {
    for (const [how, start, state] of [
      ['closed', true, 'closed'],
      ['lost', true, 'failed'],
      ['refused', false, 'failed'],
      ['closed', false, 'failed'],
    ] as const) {
      const world = new World();
      await world.carrier('a');
      await world.command(streamOf());
      const line = world.remote.last;
      if (start) line.events.opened();
      line.events.ended(how, 'why');
      line.events.ended(how, 'twice');
      const end = state === 'failed' ? ['s1', state, 'why'] : ['s1', state];
      assert.deepEqual(told(world), start ? [['s1', 'open'], end] : [end]);
    }
  });

  it('is connected to again where that is asked, with pauses, and given up in the end', async () => {
    const { world, a, line } = await opened({ reconnects: true });
    line.take();
    line.events.ended('lost', 'gone');
    await world.run(900, () => a.frame());
    assert.equal(world.remote.lines.length, 1);
    await world.run(200);
    assert.equal(world.remote.lines.length, 2);
    const second = world.remote.last;
    second.events.opened();
    a.frame();
    const [connected, start, media] = second.take();
    assert.deepEqual(
      [connected?.event, start?.event, start?.stream_id, media?.event],
      ['connected', 'start', 's1', 'media'],
    );
    assert.equal(media?.media?.chunk, '1', 'what came while nobody was there is no chunk');
    second.events.ended('lost', 'gone');
    for (let i = 0; i < 10; i++) {
      await world.run(10_100);
      world.remote.last.events.ended('refused', 'gone for good');
    }
    assert.equal(world.remote.lines.length, 12);
    assert.deepEqual(told(world), [
      ['s1', 'open'],
      ['s1', 'failed', 'gone for good'],
    ]);
  });

  it('that never reads loses media, then the stream; one that reads late goes on', async () => {
    const { world, a, line } = await opened();
    line.waiting = 300_000;
    line.take();
    await world.run(5_000, () => a.frame());
    assert.deepEqual(line.take(), []);
    line.waiting = 0;
    a.frame();
    assert.equal(line.take()[0]?.media?.chunk, '251');
    line.waiting = 300_000;
    await world.run(11_000, () => a.frame());
    assert.deepEqual(told(world), [
      ['s1', 'open'],
      ['s1', 'failed', 'the other end does not read'],
    ]);
    assert.equal(line.closed, true);
  });

  it('that waits for the answer begins by the same wish without waiting, as a new owner says it', async () => {
    const { world, line } = await opened({ waits: true });
    assert.deepEqual(
      line.take().map(({ event }) => event),
      ['connected'],
    );
    await world.command(streamOf({ waits: true }));
    assert.deepEqual(line.take(), []);
    for (let i = 0; i < 2; i++) await world.command(streamOf());
    assert.deepEqual(
      line.take().map(({ event }) => event),
      ['start'],
    );
    assert.deepEqual(told(world), [['s1', 'open']]);
  });

  it('that never reads gets no answers either, though no media flows', async () => {
    for (const back of [undefined, RTP]) {
      const { world, line } = await opened(back === undefined ? {} : { back });
      line.take();
      line.waiting = 300_000;
      for (let i = 0; i < 50; i++) line.says({ event: 'mark', mark: { name: `m${i}` } });
      for (let i = 0; i < 50; i++) line.says('nonsense');
      assert.deepEqual(line.take(), []);
      await world.run(11_000);
      assert.deepEqual(told(world).at(-1), ['s1', 'failed', 'the other end does not read']);
    }
    const late = await opened();
    late.line.waiting = 300_000;
    late.line.says({ event: 'mark', mark: { name: 'm' } });
    await late.world.run(5000);
    late.line.waiting = 0;
    await late.world.run(20_000);
    assert.deepEqual(told(late.world), [['s1', 'open']]);
  });

  it('that did not read when it was lost is connected to again', async () => {
    const { world, a, line } = await opened({ reconnects: true });
    line.waiting = 300_000;
    await world.run(5000, () => a.frame());
    line.events.ended('lost', 'gone');
    for (let i = 0; i < 6; i++) {
      await world.run(10_100, () => a.frame());
      world.remote.last.events.ended('refused', 'gone');
    }
    await world.run(10_100);
    world.remote.last.events.opened();
    assert.deepEqual(told(world), [['s1', 'open']]);
  });

  it('is told what is wrong with its frames, and given up when that goes on', async () => {
    const { world, line } = await opened({ back: RTP });
    line.take();
    for (const [frame, code] of [
      ['nonsense', 100003],
      ['[]', 100003],
      ['{"event":"dance"}', 100003],
      ['{"event":"media"}', 100003],
      ['{"event":"mark","mark":{}}', 100003],
      ['{"event":"media","media":{"payload":"@@"}}', 100004],
      ['{"event":"media","media":{"payload":7}}', 100003],
    ] as const) {
      line.says(frame);
      const [error] = line.take();
      assert.deepEqual([error?.event, error?.stream_id, error?.payload?.code], ['error', 's1', code], frame);
    }
    line.events.binary();
    assert.equal(line.take()[0]?.payload?.code, 100003);
    for (let i = 0; i < 200 && !line.closed; i++) line.says('nonsense');
    assert.equal(line.closed, true);
    assert.equal(line.take().length, 92);
    const [, [id, state, reason]] = told(world) as [unknown, string[]];
    assert.deepEqual([id, state], ['s1', 'failed']);
    assert.match(reason!, /too many frames/);
    const patient = await opened({ back: RTP });
    for (let i = 0; i < 150; i++) {
      patient.line.says('nonsense');
      await patient.world.run(1000, () => patient.a.frame());
    }
    assert.deepEqual(told(patient.world), [['s1', 'open']], 'one a second is forgiven');
  });
});

describe('what the other end of a media stream says', () => {
  it('is heard by the peer of the leg, as it was said, whatever the lengths of its frames', async () => {
    for (const length of [160, 240, 1000, 100 * 160]) {
      const { world, a, line } = await opened({ back: RTP });
      await world.run(100);
      a.take();
      const said = toneOf(1000, 2000);
      for (let at = 0; at < said.length; at += length) line.speaks(said.subarray(at, at + length));
      await world.run(3000);
      const heard = a.take();
      assert.match(letters(heard, { T: 1000 }), /^(- )?T -$/);
      const pcm = pcmuOf(heard);
      const wanted = pcmuOf([{ payload: said }]);
      const from = pcm.findIndex((sample) => Math.abs(sample) > 100) - 1;
      const got = pcm.subarray(from, from + wanted.length);
      assert.deepEqual(got, wanted.subarray(0, got.length), `frames of ${length}`);
    }
  });

  it('is heard in every codec that may be asked for', async () => {
    for (const [codec, rate] of [
      ['PCMA', 8000],
      ['G722', 8000],
      ['OPUS', 8000],
      ['L16', 8000],
      ['L16', 16_000],
      ['L16', 22_050],
      ['L16', 24_000],
      ['L16', 48_000],
    ] as const)
      for (const leg of ['PCMU', 'OPUS'] as const) {
        const { world, a, line } = await opened({ back: { ...RTP, codec, rate } }, leg);
        for (const payload of await payloadsOf(codec, rate)) line.speaks(payload);
        await world.run(1500);
        const heard = a.take().map(({ payload }) => payload);
        const [pcm, heardAt] = await decoded(leg, 8000, heard, false);
        const part = share(pcm.subarray(heardAt * 0.2, heardAt * 0.8), heardAt, 440);
        assert.ok(part > 0.85, `${codec} ${rate} to ${leg}: ${part}`);
      }
  });

  it('that comes frame by frame, with jitter, is heard without breaks', async () => {
    const { world, a, line } = await opened({ back: RTP });
    const next = tone(1000);
    let tick = 0;
    await world.run(3000, () => {
      tick++;
      // Now nothing, now two.
      const count = tick % 4 === 1 ? 0 : tick % 4 === 2 ? 2 : 1;
      for (let i = 0; i < count; i++) line.speaks(next());
    });
    const heard = a.take();
    assert.match(letters(heard, { T: 1000 }), /^(- )?T$/);
  });

  it('is mixed into what the peer hears, and over what is played', async () => {
    const { world, a, line } = await opened({ back: RTP });
    await world.command({ op: 'source', leg: 'a', source: { kind: 'tone', hz: 440 } });
    world.sounds.files.set('f.wav', { rate: 8000, pcm: sine(2000, 8000, 3000) });
    await world.run(500);
    line.speaks(toneOf(1000, 1000));
    await world.run(3000);
    assert.equal(letters(a.take(), { S: 440, T: 1000 }), 'S ST S');
    await world.command({ op: 'play', leg: 'a', id: 'p', file: 'f.wav', loop: 1 });
    await world.run(1000);
    line.speaks(toneOf(1000, 1000));
    await world.run(3000);
    assert.match(letters(a.take(), { S: 440, T: 1000, P: 2000 }), /^(S )?P TP P S$/);
    assert.deepEqual(
      world.eventsOf('played').map(({ status }) => status),
      ['completed'],
    );
  });

  it('is heard by who it is meant for: self, the leg that hears it, both; also one that comes later', async () => {
    for (const [target, self, opposite] of [
      ['self', true, false],
      ['opposite', false, true],
      ['both', true, true],
    ] as const) {
      const { world, a, line } = await opened({ back: { ...RTP, target } });
      const b = await world.carrier('b', { codec: 'PCMA' });
      await world.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
      await world.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
      await world.run(100, () => a.frame());
      a.take();
      b.take();
      line.speaks(toneOf(1000, 1000));
      await world.run(1500);
      const [pcmA] = await decoded(
        'PCMU',
        8000,
        a.take().map(({ payload }) => payload),
        false,
      );
      const [pcmB] = await decoded(
        'PCMA',
        8000,
        b.take().map(({ payload }) => payload),
        false,
      );
      assert.deepEqual(
        [share(pcmA, 8000, 1000) > 0.5, share(pcmB, 8000, 1000) > 0.5],
        [self, opposite],
        target,
      );
    }
  });

  it('comes after marks that are before it, and before those behind it; clear takes it away', async () => {
    const { world, a, line } = await opened({ back: RTP });
    line.take();
    line.says({ event: 'mark', mark: { name: 'at once' } });
    assert.deepEqual(
      line.take().map(({ mark }) => mark?.name),
      ['at once'],
    );
    line.speaks(toneOf(1000, 1000));
    line.says({ event: 'mark', stream_id: 'ignored', mark: { name: 'one' } });
    line.speaks(toneOf(1000, 1000));
    line.says({ event: 'mark', mark: { name: 'two' } });
    await world.run(900);
    assert.deepEqual(line.take(), []);
    await world.run(200);
    assert.deepEqual(
      line.take().map(({ event, mark }) => [event, mark?.name]),
      [['mark', 'one']],
    );
    line.says({ event: 'mark', mark: { name: 'three' } });
    line.says({ event: 'clear' });
    assert.deepEqual(
      line.take().map(({ mark }) => mark?.name),
      ['two', 'three'],
    );
    await world.run(40);
    a.take();
    await world.run(1000);
    assert.equal(letters(a.take(), { T: 1000 }), '-');
    line.speaks(toneOf(700, 500));
    await world.run(1000);
    assert.match(letters(a.take(), { T: 1000, U: 700 }), /^(- )?U -$/);
  });

  it('is bounded: what is too much is refused, and the memory given back', async () => {
    const { world, line } = await opened({ back: RTP });
    line.take();
    const piece = new Uint8Array(1024 * 1024);
    for (let i = 0; i < 9; i++) line.speaks(piece);
    assert.deepEqual(line.take(), []);
    line.speaks(piece);
    assert.equal(line.take()[0]?.payload?.code, 100005);
    line.says({ event: 'clear' });
    line.speaks(piece);
    for (let i = 0; i < 1000; i++) line.says({ event: 'mark', mark: { name: 'm' } });
    assert.deepEqual(line.take(), []);
    line.says({ event: 'mark', mark: { name: 'm' } });
    assert.equal(line.take()[0]?.payload?.code, 100005);
    await world.command({ op: 'close', leg: 'a' });
    for (let i = 0; i < 40; i++) {
      const leg = `l${i}`;
      await world.carrier(leg);
      await world.command(streamOf({ leg, id: leg, back: RTP }));
      world.remote.last.events.opened();
      for (let k = 0; k < 8; k++) world.remote.last.speaks(piece);
      const refused = world.remote.last.take().some(({ event }) => event === 'error');
      assert.equal(refused, i >= 31, leg);
    }
  });

  it('is bounded in pieces, too, where nobody is there to hear them', async () => {
    const { world, line } = await opened({ back: { ...RTP, target: 'opposite' } });
    await world.run(100);
    line.take();
    let refused = -1;
    for (let i = 0; i < 200_000 && refused < 0; i++) {
      line.speaks(Uint8Array.of(255));
      if (line.take().length > 0) refused = i;
    }
    assert.ok(refused > 50_000, `${refused}`);
  });

  it('has its MP3 files decoded one behind the other, and none that there is no room for', async () => {
    const { world, line } = await opened({ back: { ...RTP, mode: 'mp3' } });
    line.take();
    const asked: { of: number; done: (pcm: Int16Array) => void }[] = [];
    world.remote.decodeMp3 = (bytes) =>
      new Promise((done) => asked.push({ of: bytes[0]!, done: (pcm) => done(pcm) }));
    for (const n of [1, 2, 3]) {
      line.speaks(new Uint8Array(3_000_000).fill(n));
      await world.run(1100);
    }
    line.speaks(new Uint8Array(3_000_000).fill(4));
    assert.equal(line.take().at(-1)?.payload?.code, 100005);
    await world.run(1100);
    const order = (): number[] => asked.map(({ of }) => of);
    assert.deepEqual(order(), [1]);
    asked[0]!.done(new Int16Array(10));
    await world.run(100);
    assert.deepEqual(order(), [1, 2]);
    line.says({ event: 'clear' });
    asked[1]!.done(new Int16Array(10));
    await world.run(100);
    line.speaks(new Uint8Array(3_000_000).fill(5));
    await world.run(100);
    assert.deepEqual(order(), [1, 2, 5], 'what is cleared is not decoded');
  });

  it('takes an MP3 file of five minutes', async () => {
    const { world, a, line } = await opened({ back: { ...RTP, mode: 'mp3' } });
    world.remote.files.set(1, sine(1000, 16_000, 300_000));
    line.take();
    line.speaks(Uint8Array.of(1));
    await world.run(1000);
    assert.deepEqual(line.take(), []);
    assert.match(letters(a.take(), { T: 1000 }), /^(- )?T$/);
  });

  it('is counted for all streams until it is over: what is being heard is still there', async () => {
    const world = new World();
    world.remote.files.set(1, sine(1000, 16_000, 300_000));
    const lines: FakeLine[] = [];
    for (let i = 0; i < 30; i++) {
      const leg = `l${i}`;
      await world.carrier(leg);
      await world.command(streamOf({ leg, id: leg, back: { ...RTP, mode: 'mp3' } }));
      const line = world.remote.last;
      line.events.opened();
      line.take();
      line.speaks(Uint8Array.of(1));
      await world.run(100);
      lines.push(line);
    }
    const refused = (): number[] =>
      lines.flatMap((line, i) => (line.take().some(({ event }) => event === 'error') ? [i] : []));
    assert.deepEqual(refused(), [27, 28, 29]);
    lines[0]!.says({ event: 'clear' });
    await world.run(1000);
    lines[29]!.speaks(Uint8Array.of(1));
    await world.run(100);
    assert.deepEqual(refused(), [], 'what is cleared makes room');
    await world.command({ op: 'close', leg: 'l1' });
    lines[28]!.speaks(Uint8Array.of(1));
    await world.run(100);
    assert.deepEqual(refused(), [], 'and so does a leg that is gone');
  });

  it('is odd where L16 has half a sample, and no sound where Opus has none', async () => {
    const l16 = await opened({ back: { ...RTP, codec: 'L16' } });
    l16.line.take();
    l16.line.speaks(new Uint8Array(161));
    assert.equal(l16.line.take()[0]?.payload?.code, 100004);
    const other = await opened({ back: { ...RTP, codec: 'OPUS' } });
    other.line.take();
    other.line.speaks(Uint8Array.of(0xff, 0xff, 0xff));
    await other.world.run(200);
    assert.equal(other.line.take()[0]?.payload?.code, 100004);
  });

  it('as MP3: whole files in their order, at most one a second; marks wait for them', async () => {
    const { world, a, line } = await opened({ back: { ...RTP, mode: 'mp3' } });
    world.remote.files.set(1, sine(1000, 16_000, 500));
    world.remote.files.set(2, sine(700, 16_000, 500));
    await world.run(100);
    a.take();
    line.take();
    line.speaks(Uint8Array.of(1));
    line.says({ event: 'mark', mark: { name: 'one' } });
    line.speaks(Uint8Array.of(2));
    assert.deepEqual(
      line.take().map(({ payload }) => payload?.code),
      [100005],
    );
    await world.run(1000);
    assert.deepEqual(
      line.take().map(({ mark }) => mark?.name),
      ['one'],
    );
    line.speaks(Uint8Array.of(2));
    await world.run(1000);
    line.speaks(Uint8Array.of(3));
    await world.run(200);
    assert.equal(line.take()[0]?.payload?.code, 100004);
    assert.match(letters(a.take(), { T: 1000, U: 700 }), /^(- )?T - U -$/);
  });
});

/** A party that says 440 Hz. */
async function speaker(codec: 'PCMU' | 'PCMA' | 'G722' | 'OPUS'): Promise<() => Uint8Array> {
  const payloads = await payloadsOf(codec, 8000);
  let i = 0;
  return () => payloads[i++ % payloads.length]!;
}

/** A second of 440 Hz. */
async function payloadsOf(codec: string, rate: number): Promise<Uint8Array[]> {
  const { pcmEncoder } = await import('../src/codec.ts');
  if (codec === 'L16') return [Uint8Array.from(Buffer.from(sine(440, rate, 1000).buffer))];
  const at = codec === 'PCMU' || codec === 'PCMA' ? 8000 : 16_000;
  const encoder = pcmEncoder(codec as 'PCMU', at, opus, {});
  await new Promise(setImmediate);
  const pcm = sine(440, at, 1000);
  const out: Uint8Array[] = [];
  for (let i = 0; i + at / 50 <= pcm.length; i += at / 50)
    out.push(encoder.encode(pcm.subarray(i, i + at / 50))!.slice());
  return out;
}

/** What payloads say, and the samples a second of that. */
async function decoded(
  codec: string,
  rate: number,
  payloads: readonly Uint8Array[],
  bigEndian: boolean,
): Promise<[Int16Array, number]> {
  if (codec === 'L16') return [linear(payloads, bigEndian), rate];
  const { pcmDecoder } = await import('../src/codec.ts');
  const at = codec === 'PCMU' || codec === 'PCMA' ? 8000 : 16_000;
  const decoder = pcmDecoder(codec as 'PCMU', at, opus);
  await new Promise(setImmediate);
  return [join(payloads.map((payload) => decoder.decode(payload)!)), at];
}
