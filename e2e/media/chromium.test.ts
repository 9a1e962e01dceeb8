import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium } from 'playwright-core';
import { needs, peerPath } from '../src/peer-availability.ts';
import { freeRange } from '../src/ports.ts';
import { RtpPeer } from '../src/rtp-peer.ts';
import { isTone, sine } from '../src/tone.ts';
import { pause, until } from '../src/wait.ts';
import { writeWav } from '../src/wav.ts';
import { MediaProcess } from './media-process.ts';
import { PagePeer, servePage } from './page-peer.ts';

describe('the media process and Chromium', needs('chromium'), () => {
  let media: MediaProcess;
  let browser: Browser;
  let peer: PagePeer;
  let folder: string;
  let closePage: () => void;
  const carriers: RtpPeer[] = [];
  let legs = 0;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sidetone-media-page-'));
    const microphone = join(folder, 'microphone.wav');
    writeWav(microphone, sine(1000, 48_000, 480_000), 48_000);
    media = await MediaProcess.start(await freeRange(200));
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--use-file-for-fake-audio-capture=${microphone}`,
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
    const served = await servePage();
    closePage = served.close;
    const page = await (await browser.newContext({ permissions: ['microphone'] })).newPage();
    await page.goto(served.url);
    peer = new PagePeer({ evaluate: (expression) => page.evaluate(expression) });
  });

  after(async () => {
    for (const carrier of carriers) carrier.close();
    await browser?.close();
    closePage?.();
    assert.equal(await media?.stop(), 0);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The page offers, the engine answers. */
  const call = async (codecs: readonly ('OPUS' | 'PCMU')[] = ['OPUS']): Promise<string> => {
    const leg = `page ${++legs}`;
    await peer.open();
    const reply = await media.command({ op: 'answer', leg, kind: 'webrtc', sdp: await peer.offer(), codecs });
    await peer.accept(reply.sdp!);
    await until('the page to connect', async () => (await peer.state()) === 'connected');
    return leg;
  };

  const hears = (hz: number): Promise<unknown> =>
    until(`${hz} Hz in the page`, async () => isTone(await peer.tone(), hz));

  it('echoes what the page says', async () => {
    const leg = await call();
    await media.command({ op: 'source', leg, source: { kind: 'echo' } });
    await hears(1000);
    assert.equal((await peer.inbound()).lost, 0);
    assert.equal(media.eventsOf('connected', leg).length, 1);
    assert.deepEqual(media.eventsOf('media', leg), [{ event: 'media', leg, codec: 'OPUS' }]);
    const { stats } = await media.command({ op: 'close', leg });
    assert.equal(stats?.packetsLost, 0);
    assert.ok(stats!.packetsReceived > 10);
  });

  it('plays tones, in Opus and in PCMU', async () => {
    for (const codec of ['OPUS', 'PCMU'] as const) {
      const leg = await call([codec]);
      await media.command({ op: 'source', leg, source: { kind: 'tone', hz: 1000 } });
      await hears(1000);
      await media.command({ op: 'source', leg, source: { kind: 'tone', hz: 600 } });
      await hears(600);
      await media.command({ op: 'close', leg });
    }
  });

  it('offers, and the page answers', async () => {
    const leg = `page ${++legs}`;
    const offer = await media.command({ op: 'offer', leg, kind: 'webrtc', codecs: ['OPUS', 'PCMU'] });
    await media.command({ op: 'source', leg, source: { kind: 'tone', hz: 800 } });
    await peer.open();
    const reply = await media.command({ op: 'accept', leg, sdp: await peer.answer(offer.sdp!) });
    assert.equal(reply.codec, 'OPUS');
    await hears(800);
    // A hold and a resume of ours on the same transport, then an ICE restart.
    const held = await media.command({
      op: 'offer',
      leg,
      kind: 'webrtc',
      codecs: ['OPUS'],
      direction: 'sendonly',
    });
    const accepted = await media.command({ op: 'accept', leg, sdp: await peer.answer(held.sdp!) });
    assert.equal(accepted.direction, 'sendonly');
    await hears(800);
    const restart = await media.command({
      op: 'offer',
      leg,
      kind: 'webrtc',
      codecs: ['OPUS'],
      restart: true,
    });
    await media.command({ op: 'accept', leg, sdp: await peer.answer(restart.sdp!) });
    await media.command({ op: 'source', leg, source: { kind: 'tone', hz: 500 } });
    await hears(500);
    assert.equal(await peer.state(), 'connected');
    assert.equal(media.eventsOf('failed', leg).length, 0);
    await media.command({ op: 'close', leg });
  });

  it('restarts ICE when the page does, and keeps the sound', async () => {
    const leg = await call();
    await media.command({ op: 'source', leg, source: { kind: 'echo' } });
    await hears(1000);
    const reply = await media.command({
      op: 'answer',
      leg,
      kind: 'webrtc',
      sdp: await peer.offer({ iceRestart: true }),
      codecs: ['OPUS'],
    });
    await peer.accept(reply.sdp!);
    await pause(1000);
    await hears(1000);
    assert.equal(await peer.state(), 'connected');
    await media.command({ op: 'close', leg });
  });

  it('relays Opus and PCMU, and transcodes, to a carrier and back without loss', async () => {
    for (const [browserCodec, carrierCodec] of [
      ['OPUS', 'OPUS'],
      ['PCMU', 'PCMU'],
      ['OPUS', 'PCMU'],
      ['OPUS', 'PCMA'],
    ] as const) {
      const payloadType = { OPUS: 96, PCMU: 0, PCMA: 8 }[carrierCodec];
      const carrier = await RtpPeer.open({ codec: carrierCodec, payloadType, eventPayloadType: 101 });
      carriers.push(carrier);
      const leg = await call([browserCodec]);
      const trunk = `${leg} trunk`;
      const offer = await media.command({ op: 'offer', leg: trunk, kind: 'rtp', codecs: [carrierCodec] });
      const answer = carrierSdp(carrier.port, carrierCodec, payloadType);
      const accepted = await media.command({ op: 'accept', leg: trunk, sdp: answer });
      assert.equal(accepted.codec, carrierCodec);
      await media.command({ op: 'source', leg, source: { kind: 'leg', leg: trunk } });
      await media.command({ op: 'source', leg: trunk, source: { kind: 'leg', leg } });
      carrier.send(target(offer.sdp!), 440);
      await carrier.hears(1000);
      await hears(440);
      assert.equal(carrier.streams.length, 1);
      assert.equal(carrier.streams[0]!.lost, 0);
      assert.equal(carrier.streams[0]!.duplicates, 0);
      assert.equal((await peer.inbound()).lost, 0);
      await media.command({ op: 'close', leg });
      await media.command({ op: 'close', leg: trunk });
    }
  });

  it('carries digits both ways: as events to the carrier, as sound to the page', async () => {
    const carrier = await RtpPeer.open({ codec: 'PCMU', payloadType: 0, eventPayloadType: 101 });
    carriers.push(carrier);
    const leg = await call();
    const trunk = `${leg} trunk`;
    const offer = await media.command({ op: 'offer', leg: trunk, kind: 'rtp', codecs: ['PCMU'] });
    await media.command({ op: 'accept', leg: trunk, sdp: carrierSdp(carrier.port, 'PCMU', 0) });
    await media.command({ op: 'source', leg, source: { kind: 'leg', leg: trunk } });
    await media.command({ op: 'source', leg: trunk, source: { kind: 'leg', leg } });
    carrier.send(target(offer.sdp!), 440);
    await hears(440);
    await peer.dtmf('0123456789*#ABCD', 100, 70);
    await until('all digits of the page at the carrier', () => carrier.events.digits.length >= 16, {
      detail: () => carrier.events.digits,
    });
    assert.equal(carrier.events.digits, '0123456789*#ABCD');
    assert.equal(
      media
        .eventsOf('dtmf', leg)
        .map((e) => e.digit)
        .join(''),
      '0123456789*#ABCD',
    );

    await pause(300);
    carrier.events.clear();
    await media.command({ op: 'dtmf', leg: trunk, digits: '42#', durationMs: 120 });
    await until('the commanded digits', () => carrier.events.digits.length >= 3);
    assert.equal(carrier.events.digits, '42#');

    // A long digit of the carrier: the page hears its two tones, not silence.
    carrier.send(target(offer.sdp!), undefined);
    await media.command({ op: 'dtmf', leg, digits: '5', durationMs: 3000 });
    await until('the tones of digit 5 in the page', async () => {
      const samples = await peer.sound();
      return share(samples, 770) + share(samples, 1336) > 0.7;
    });
    await media.command({ op: 'close', leg });
    await media.command({ op: 'close', leg: trunk });
  });

  it('goes on sending while the page is on hold and while it says nothing', async () => {
    const leg = await call();
    const held = await media.command({
      op: 'answer',
      leg,
      kind: 'webrtc',
      sdp: (await peer.offer()).replaceAll('a=sendrecv', 'a=sendonly'),
      codecs: ['OPUS'],
    });
    assert.equal(held.direction, 'recvonly');
    const before = (await peer.inbound()).bytes;
    await pause(2500);
    assert.ok((await peer.inbound()).bytes > before);
    await media.command({ op: 'close', leg });
  });
});

function carrierSdp(port: number, codec: string, payloadType: number): string {
  const map = codec === 'OPUS' ? 'opus/48000/2' : `${codec}/8000`;
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP ${payloadType} 101`,
    `a=rtpmap:${payloadType} ${map}`,
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

function target(sdp: string): { host: string; port: number } {
  return {
    host: /c=IN IP4 (\S+)/.exec(sdp)?.[1] ?? '',
    port: Number(/m=audio (\d+)/.exec(sdp)?.[1]),
  };
}

/** Energy share at `hz` of 48 kHz samples (Goertzel). */
function share(samples: Float32Array, hz: number): number {
  const k = 2 * Math.cos((2 * Math.PI * hz) / 48_000);
  let a = 0;
  let b = 0;
  let energy = 1e-9;
  for (const s of samples) {
    [a, b] = [s + k * a - b, a];
    energy += s * s;
  }
  return (2 * (a * a + b * b - k * a * b)) / (samples.length * energy);
}
