import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { familyOf } from '@sidetone/core';
import { type Browser, chromium } from 'playwright-core';
import { machineAddresses } from '../../apps/server/src/net/addresses.ts';
import { needs, peerPath } from '../src/peer-availability.ts';
import { freeRange } from '../src/ports.ts';
import { RtpPeer } from '../src/rtp-peer.ts';
import { isTone, sine } from '../src/tone.ts';
import { until } from '../src/wait.ts';
import { writeWav } from '../src/wav.ts';
import { MediaProcess } from './media-process.ts';
import { PagePeer, servePage } from './page-peer.ts';

const SIX = machineAddresses().filter((address) => familyOf(address) === 6);
/** On a machine without IPv6 the same goes by IPv4. */
const ADDRESSES = SIX.length > 0 ? SIX : machineAddresses();

describe('ipv6: media that has nothing else, and Chromium', needs('chromium'), () => {
  let media: MediaProcess;
  let browser: Browser;
  let peer: PagePeer;
  let folder: string;
  let closePage: () => void;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sidetone-media-page-'));
    const microphone = join(folder, 'microphone.wav');
    writeWav(microphone, sine(1000, 48_000, 480_000), 48_000);
    media = await MediaProcess.start(await freeRange(40), ADDRESSES);
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--use-file-for-fake-audio-capture=${microphone}`,
        '--autoplay-policy=no-user-gesture-required',
        // Where loopback is all there is.
        '--allow-loopback-in-peer-connection',
      ],
    });
    const served = await servePage();
    closePage = served.close;
    const page = await (await browser.newContext({ permissions: ['microphone'] })).newPage();
    await page.goto(served.url);
    peer = new PagePeer({ evaluate: (expression) => page.evaluate(expression) });
  });

  after(async () => {
    await browser?.close();
    closePage?.();
    assert.equal(await media?.stop(), 0);
    rmSync(folder, { recursive: true, force: true });
  });

  it('connects, and the page and a carrier hear each other', async () => {
    const [near] = ADDRESSES.slice(-1) as [string];
    const carrier = await RtpPeer.open({ codec: 'PCMU', payloadType: 0 }, near);
    try {
      await peer.open();
      const offer = await peer.offer();
      const page = await media.command({
        op: 'answer',
        leg: 'page',
        kind: 'webrtc',
        sdp: offer,
        codecs: ['OPUS'],
      });
      const candidates = [...page.sdp!.matchAll(/a=candidate:\S+ 1 udp \d+ (\S+)/g)].map((m) => m[1]);
      assert.deepEqual(candidates, ADDRESSES);
      const place = `IN IP${near.includes(':') ? 6 : 4} ${near}`;
      const sdp = `v=0\r\no=- 1 1 ${place}\r\ns=-\r\nc=${place}\r\nt=0 0\r\nm=audio ${carrier.port} RTP/AVP 0\r\n`;
      const plain = await media.command({ op: 'answer', leg: 'carrier', kind: 'rtp', sdp, codecs: ['PCMU'] });
      await media.command({ op: 'source', leg: 'page', source: { kind: 'leg', leg: 'carrier' } });
      await media.command({ op: 'source', leg: 'carrier', source: { kind: 'leg', leg: 'page' } });
      await peer.accept(page.sdp!);
      await until('the page to connect', async () => (await peer.state()) === 'connected');
      carrier.send({ host: near, port: Number(/m=audio (\d+)/.exec(plain.sdp!)![1]) }, 440);
      await carrier.hears(1_000);
      await until('440 Hz in the page', async () => isTone(await peer.tone(), 440));
    } finally {
      carrier.close();
    }
  });
});
