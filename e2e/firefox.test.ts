import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ALL_DIGITS, withCarrier } from './src/carrier-calls.ts';
import { FIREFOX_TONE_HZ, Firefox } from './src/firefox.ts';
import { needs } from './src/peer-availability.ts';
import { Rig } from './src/rig.ts';
import type { TestPage } from './src/test-page.ts';
import { until } from './src/wait.ts';

/** Firefox has a fake microphone of its own; what it says is measured at the far side. */
describe('our SDK in Firefox', { ...needs('firefox', 'chromium', 'sipp'), timeout: 180_000 }, () => {
  let rig: Rig;
  let firefox: Firefox;
  before(async () => {
    rig = await Rig.start();
    firefox = await Firefox.start();
  });
  after(async () => {
    await firefox?.stop();
    await rig?.stop();
  });

  async function client(): Promise<TestPage> {
    const page = await firefox.open(rig.host, 'ours');
    await page.connect(rig.options('line1'));
    return page;
  }

  for (const number of ['9196', '9197'])
    it(`calls ${number}`, async () => {
      await rig.explained(async () => {
        const page = await client();
        const id = await page.newCall({ destinationNumber: number });
        await page.reaches(id, 'active');
        await page.hears(number === '9196' ? FIREFOX_TONE_HZ : 1_000);
        await page.act(id, 'hangup');
        await page.ended(id);
        await page.close();
      });
    });

  it('calls the carrier (SIPp): tones both ways, hold, digits, BYE', async () => {
    const page = await client();
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await page.newCall({ destinationNumber: '+15550001111' });
      await sipp.says('180');
      await sipp.steer('answer');
      await page.reaches(id, 'active');
      rtp.send(await sipp.remoteAudio(), 440);
      await page.hears(440);
      await rtp.hears(FIREFOX_TONE_HZ);
      await page.act(id, 'hold');
      await page.becomes(id, 'held');
      await sipp.gets('ACK', 2);
      await page.act(id, 'unhold');
      await page.becomes(id, 'active');
      await sipp.gets('ACK', 3);
      await rtp.hears(FIREFOX_TONE_HZ);
      rtp.forget();
      await page.act(id, 'dtmf', ALL_DIGITS);
      await until('all digits', () => rtp.events.digits.length >= ALL_DIGITS.length);
      assert.equal(rtp.events.digits, ALL_DIGITS);
      await sipp.steer('bye');
      await page.ended(id);
      await sipp.finishes();
    });
    await page.close();
  });
});
