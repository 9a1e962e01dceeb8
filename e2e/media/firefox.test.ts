import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Browser, launch } from 'puppeteer-core';
import { needs, peerPath } from '../src/peer-availability.ts';
import { freeRange } from '../src/ports.ts';
import { isTone } from '../src/tone.ts';
import { until } from '../src/wait.ts';
import { MediaProcess } from './media-process.ts';
import { PagePeer, servePage } from './page-peer.ts';

describe('the media process and Firefox', needs('firefox'), () => {
  let media: MediaProcess;
  let browser: Browser;
  let peer: PagePeer;
  let closePage: () => void;

  before(async () => {
    media = await MediaProcess.start(await freeRange(100));
    browser = await launch({
      browser: 'firefox',
      executablePath: peerPath('firefox'),
      headless: true,
      extraPrefsFirefox: {
        'media.navigator.streams.fake': true,
        'media.navigator.permission.disabled': true,
        'media.navigator.audio.fake_frequency': 1000,
        'media.autoplay.default': 0,
        'media.peerconnection.ice.loopback': true,
        'media.peerconnection.ice.obfuscate_host_addresses': false,
      },
    });
    const served = await servePage();
    closePage = served.close;
    const page = await browser.newPage();
    await page.goto(served.url);
    peer = new PagePeer({ evaluate: (expression) => page.evaluate(expression) });
  });

  after(async () => {
    await browser?.close();
    closePage?.();
    assert.equal(await media?.stop(), 0);
  });

  it('connects as offerer and as answerer, hears its echo and a tone', async () => {
    await peer.open();
    const reply = await media.command({
      op: 'answer',
      leg: 'a',
      kind: 'webrtc',
      sdp: await peer.offer(),
      codecs: ['OPUS'],
    });
    await peer.accept(reply.sdp!);
    await media.command({ op: 'source', leg: 'a', source: { kind: 'echo' } });
    await until('1000 Hz echoed', async () => isTone(await peer.tone(), 1000));
    const { stats } = await media.command({ op: 'close', leg: 'a' });
    assert.equal(stats?.packetsLost, 0);

    await peer.open();
    const offer = await media.command({ op: 'offer', leg: 'b', kind: 'webrtc', codecs: ['OPUS', 'PCMU'] });
    await media.command({ op: 'source', leg: 'b', source: { kind: 'tone', hz: 600 } });
    await media.command({ op: 'accept', leg: 'b', sdp: await peer.answer(offer.sdp!) });
    await until('600 Hz', async () => isTone(await peer.tone(), 600));
    assert.equal(media.events.filter((e) => e.event === 'failed').length, 0);
  });
});
