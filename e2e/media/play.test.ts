import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { MediaCommand, MediaEvent } from '@sidetone/wire';
import { createMediaClient } from '../../apps/server/src/media/control-client.ts';
import { freeRange } from '../src/ports.ts';
import { RtpPeer } from '../src/rtp-peer.ts';
import { isTone, measureTone, sine, toneShare } from '../src/tone.ts';
import { pause, until } from '../src/wait.ts';
import { writeWav } from '../src/wav.ts';
import { MediaProcess } from './media-process.ts';

const FORMATS = {
  PCMU: { codec: 'PCMU', payloadType: 0, eventPayloadType: 101 },
  OPUS: { codec: 'OPUS', payloadType: 96, eventPayloadType: 97 },
} as const;

function sdpOf(peer: RtpPeer, codec: keyof typeof FORMATS): string {
  const { payloadType, eventPayloadType } = FORMATS[codec];
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${peer.port} RTP/AVP ${payloadType} ${eventPayloadType}`,
    codec === 'OPUS' ? `a=rtpmap:${payloadType} opus/48000/2` : `a=rtpmap:${payloadType} PCMU/8000`,
    `a=rtpmap:${eventPayloadType} telephone-event/${peer.rate}`,
    '',
  ].join('\r\n');
}

describe('files that the media process plays, heard by RTP peers', () => {
  let media: MediaProcess;
  const peers: RtpPeer[] = [];

  before(async () => {
    media = await MediaProcess.start(await freeRange(40), ['127.0.0.1']);
    writeWav(join(media.folder, 'kilohertz.wav'), sine(1000, 22_050, 2 * 22_050), 22_050);
    writeWav(join(media.folder, 'long.wav'), sine(1000, 8000, 30 * 8000), 8000);
  });
  after(async () => {
    for (const peer of peers) peer.close();
    assert.equal(await media?.stop(), 0);
  });

  const enter = async (leg: string, codec: keyof typeof FORMATS, hz: number): Promise<RtpPeer> => {
    const peer = await RtpPeer.open(FORMATS[codec]);
    peers.push(peer);
    const reply = await media.command({
      op: 'answer',
      leg,
      kind: 'rtp',
      sdp: sdpOf(peer, codec),
      codecs: [codec],
    });
    peer.send({ host: '127.0.0.1', port: Number(/m=audio (\d+)/.exec(reply.sdp!)?.[1]) }, hz);
    return peer;
  };
  const play = (leg: string, id: string, more: Partial<Extract<MediaCommand, { op: 'play' }>> = {}) =>
    media.command({ op: 'play', leg, id, file: 'kilohertz.wav', loop: 1, ...more });
  const ended = (leg: string, id: string) =>
    until(`the end of ${id}`, () => media.eventsOf('played', leg).find((e) => e.id === id));

  /** What a peer hears, as a list of tones, each once for as long as it lasts; what lies between is left out. */
  const listen = (peer: RtpPeer): string[] => {
    const heard: string[] = [];
    peer.onSound = (pcm) => {
      const tone = measureTone(pcm, peer.rate);
      const name = [440, 600, 1000].find((hz) => Math.abs(tone.hz - hz) < 60 && tone.level > 0.05);
      if (name !== undefined && heard.at(-1) !== String(name)) heard.push(String(name));
    };
    return heard;
  };

  it('are heard over a relay and a transcoder, in place of the other, who is heard before and after', async () => {
    const a = await enter('a', 'PCMU', 440);
    const b = await enter('b', 'OPUS', 600);
    await media.command({ op: 'source', leg: 'a', source: { kind: 'leg', leg: 'b' } });
    await media.command({ op: 'source', leg: 'b', source: { kind: 'leg', leg: 'a' } });
    await Promise.all([a.hears(600), b.hears(440)]);
    const [atA, atB] = [listen(a), listen(b)];
    await until('both to hear the other', () => atA.length > 0 && atB.length > 0);
    await Promise.all([play('a', 'to a'), play('b', 'to b')]);
    await Promise.all([a.hears(1000), b.hears(1000)]);
    const [endA, endB] = await Promise.all([ended('a', 'to a'), ended('b', 'to b')]);
    assert.deepEqual(
      [endA.status, endA.atMs, endB.status, endB.atMs],
      ['completed', 2000, 'completed', 2000],
    );
    await Promise.all([a.hears(600), b.hears(440)]);
    assert.deepEqual(atA, ['600', '1000', '600']);
    assert.deepEqual(atB, ['440', '1000', '440']);
    for (const peer of [a, b]) {
      assert.equal(peer.streams.length, 1);
      assert.deepEqual([peer.streams[0]!.lost, peer.streams[0]!.duplicates], [0, 0]);
      assert.equal(peer.badPackets, 0);
    }
  });

  it('are heard by equal codecs that are relayed, and by a peer that is only rung back', async () => {
    const c = await enter('c', 'PCMU', 440);
    const d = await enter('d', 'PCMU', 600);
    await media.command({ op: 'source', leg: 'c', source: { kind: 'leg', leg: 'd' } });
    await c.hears(600);
    const heard = listen(c);
    await until('the other', () => heard.length > 0);
    await play('c', 'p');
    await ended('c', 'p');
    await c.hears(600);
    assert.deepEqual(heard, ['600', '1000', '600']);
    await media.command({ op: 'source', leg: 'd', source: { kind: 'ringback' } });
    await play('d', 'q');
    await d.hears(1000);
    await ended('d', 'q');
    assert.deepEqual([c.streams[0]!.lost, d.streams[0]!.lost], [0, 0]);
  });

  it('are mixed into the other when asked for, and stopped when asked for', async () => {
    const e = await enter('e', 'OPUS', 440);
    await enter('f', 'PCMU', 600);
    await media.command({ op: 'source', leg: 'e', source: { kind: 'leg', leg: 'f' } });
    await e.hears(600);
    await play('e', 'o', { file: 'long.wav', overlay: true, loop: null });
    await until('both tones', () => {
      const sound = e.sound(25);
      return toneShare(sound, e.rate, 600) > 0.2 && toneShare(sound, e.rate, 1000) > 0.2;
    });
    await media.command({ op: 'stop', leg: 'e', id: 'o' });
    assert.equal((await ended('e', 'o')).status, 'stopped');
    await e.hears(600);
    assert.ok(isTone(e.tone(), 600));
    assert.equal(e.streams[0]!.lost, 0);
  });

  it('play on while signalling dies; their end is told to the next one that claims the leg', async () => {
    const g = await enter('g', 'PCMU', 440);
    await play('g', 'first', { file: 'nothing.wav' });
    const { n } = await ended('g', 'first');
    assert.equal(n, 1);
    await play('g', 'second');
    await g.hears(1000);
    const socketPath = join(media.folder, 'media.sock');
    media.client.close();
    await until('silence where the file was', () => g.tone(10).level < 0.01);
    const told: MediaEvent[] = [];
    const next = createMediaClient({ socketPath, onEvent: (event) => told.push(event), onState: () => {} });
    try {
      const again = { op: 'play', leg: 'g', id: 'second', file: 'kilohertz.wav', loop: 1 } as const;
      assert.equal((await next.command({ op: 'claim', legs: ['g'], seen: { g: 1 } })).ok, true);
      assert.equal((await next.command(again)).ok, true);
      await pause(500);
      assert.ok(g.tone(20).level < 0.01, 'the play began anew');
      const second = await until('the end of the play', () => told.find((event) => event.event === 'played'));
      assert.deepEqual(second, {
        event: 'played',
        leg: 'g',
        n: 2,
        id: 'second',
        status: 'completed',
        atMs: 2000,
      });
      assert.equal((await next.command({ op: 'claim', legs: ['g'], seen: { g: 0 } })).ok, true);
      await until('both reports', () => told.filter((event) => event.event === 'played').length === 3);
      assert.deepEqual(
        told.flatMap((event) => (event.event === 'played' ? [[event.n, event.id, event.status]] : [])),
        [
          [2, 'second', 'completed'],
          [1, 'first', 'failed'],
          [2, 'second', 'completed'],
        ],
      );
    } finally {
      next.close();
    }
  });
});
