import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Baresip } from './src/baresip.ts';
import { withCarrier } from './src/carrier-calls.ts';
import { needs } from './src/peer-availability.ts';
import { freePort } from './src/ports.ts';
import { Rig } from './src/rig.ts';
import { NUMBER, PASSWORD } from './src/server.ts';
import type { TestPage } from './src/test-page.ts';
import { until } from './src/wait.ts';

const CARRIER = '+15550001111';

/**
 * Phones that register: JsSIP and SIP.js by SIP over WebSocket (RFC 7118), baresip by UDP; beside them our SDK. Who hears whom is
 * told by tones: baresip and the carrier say 440 Hz, the SDK's page 620 Hz, JsSIP 1 kHz, SIP.js 800 Hz.
 */
describe('registered phones', { ...needs('chromium', 'sipp', 'baresip'), timeout: 300_000 }, () => {
  let rig: Rig;
  let browser: TestPage;
  let jssip: TestPage;
  let sipjs: TestPage;
  let desk: Baresip;

  before(async () => {
    const connections = (['line1', 'line2'] as const).map((name) => ({
      user_name: name,
      password: PASSWORD[name],
      numbers: [NUMBER[name]],
      sip_uri_calling_preference: 'internal',
      simultaneous_ringing: name === 'line2' ? 'enabled' : 'disabled',
    }));
    rig = await Rig.start({ config: { connections } });
    browser = await rig.client('line2', 'ours');
    await browser.speak(620);
    const registers = { domain: 'sip.localhost', sipPort: rig.server.sipPort, password: PASSWORD.line1 };
    desk = await Baresip.start(await freePort(), [{ user: 'line1', answer: 'manual', registers }]);
    await desk.registered();
    sipjs = await rig.phone('line1', 'sipjs');
    await sipjs.speak(800);
    // The last to register: the one that rings.
    jssip = await rig.phone('line1', 'jssip');
  });
  after(async () => {
    await desk?.stop();
    await rig?.stop();
  });

  const explained = (step: () => Promise<void>) => async (): Promise<void> =>
    await rig.explained(async () => {
      try {
        await step();
      } catch (error) {
        if (error instanceof Error) error.message = `${error.message}\n${desk.report()}`;
        throw error;
      }
    });

  async function answers(page: TestPage): Promise<string> {
    const { id } = await page.rings();
    await page.act(id, 'answer');
    await page.becomes(id, 'active');
    return id;
  }

  it(
    'JsSIP calls a browser: tones both ways, hold, BYE by the browser',
    explained(async () => {
      const id = await jssip.newCall({ destinationNumber: 'line2' });
      const far = await answers(browser);
      await jssip.becomes(id, 'active');
      await jssip.hears(620);
      await browser.hears(1_000);
      await jssip.act(id, 'hold');
      await jssip.becomes(id, 'held');
      await jssip.act(id, 'unhold');
      await jssip.becomes(id, 'active');
      await browser.hears(1_000);
      await browser.act(far, 'hangup');
      await jssip.ended(id);
      await browser.ended(far);
    }),
  );

  it(
    'a browser calls the user: only JsSIP rings, the last to register; BYE by JsSIP',
    explained(async () => {
      const id = await browser.newCall({ destinationNumber: 'line1' });
      const far = await answers(jssip);
      await browser.becomes(id, 'active');
      await jssip.hears(620);
      await browser.hears(1_000);
      assert.deepEqual(await sipjs.calls(), []);
      assert.deepEqual(
        desk.events.filter(({ type }) => type === 'CALL_INCOMING'),
        [],
      );
      await jssip.act(far, 'hangup');
      await browser.ended(id);
    }),
  );

  it(
    'SIP.js calls the carrier: tones, digits as INFO become RFC 4733, the carrier holds, BYE by the carrier',
    explained(async () => {
      await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
        const id = await sipjs.newCall({ destinationNumber: CARRIER });
        await sipp.says('180');
        await sipp.steer('answer');
        await sipjs.becomes(id, 'active');
        rtp.send(await sipp.remoteAudio(), 440);
        await sipjs.hears(440);
        await rtp.hears(800);
        await sipjs.act(id, 'dtmf', '19#');
        await until('the digits at the carrier', () => rtp.events.digits === '19#', {
          detail: () => rtp.events.digits,
        });
        await sipp.steer('hold');
        await sipp.gets('200', 1);
        await sipp.steer('unhold');
        await sipp.gets('200', 2);
        await rtp.hears(800);
        await sipp.steer('bye');
        await sipjs.ended(id);
        await sipp.finishes();
      });
    }),
  );

  it(
    'the carrier is called by JsSIP: digits of the peer connection (RFC 4733), BYE by JsSIP',
    explained(async () => {
      await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
        const id = await jssip.newCall({ destinationNumber: CARRIER });
        await sipp.says('180');
        await sipp.steer('answer');
        await jssip.becomes(id, 'active');
        rtp.send(await sipp.remoteAudio(), 440);
        await jssip.hears(440);
        await rtp.hears(1_000);
        await jssip.act(id, 'dtmf', '5*', 'RFC2833');
        await until('the digits at the carrier', () => rtp.events.digits === '5*', {
          detail: () => rtp.events.digits,
        });
        await jssip.act(id, 'hangup');
        await sipp.gets('BYE');
        await sipp.finishes();
      });
    }),
  );

  it(
    'a desk phone and JsSIP call each other: tones, hold by the desk phone, BYE from both sides',
    explained(async () => {
      // The desk phone gets a user of its own for this.
      await browser.disconnect();
      const registers = { domain: 'sip.localhost', sipPort: rig.server.sipPort, password: PASSWORD.line2 };
      const other = await Baresip.start(await freePort(), [{ user: 'line2', answer: 'manual', registers }]);
      try {
        await other.registered();
        const id = await jssip.newCall({ destinationNumber: 'line2' });
        await other.sees('CALL_INCOMING');
        await other.command('accept');
        await jssip.becomes(id, 'active');
        await jssip.hears(440);
        await other.hears(1_000);
        await other.command('hold');
        await jssip.becomes(id, 'held by the other side');
        await other.command('resume');
        await jssip.becomes(id, 'active');
        await other.hears(1_000);
        await other.command('hangup');
        await jssip.ended(id);
        other.forget();
        await other.command('dial', 'sip:line1@sip.localhost');
        const far = await answers(jssip);
        await other.sees('CALL_ESTABLISHED');
        await jssip.hears(440);
        await other.hears(1_000);
        await jssip.act(far, 'hangup');
        await other.sees('CALL_CLOSED');
      } finally {
        await other.stop();
      }
    }),
  );

  it(
    'a page that closes without a word: its registration is gone with its WebSocket, the one before rings',
    explained(async () => {
      await jssip.close();
      await browser.close();
      browser = await rig.client('line2', 'ours');
      const id = await browser.newCall({ destinationNumber: 'line1' });
      await sipjs.rings();
      await browser.act(id, 'hangup');
      await browser.ended(id);
    }),
  );

  it(
    'a user whose phones all ring: the first answer wins, the others hear that it was answered elsewhere',
    explained(async () => {
      await browser.disconnect();
      const registers = { domain: 'sip.localhost', sipPort: rig.server.sipPort, password: PASSWORD.line2 };
      const other = await Baresip.start(await freePort(), [{ user: 'line2', answer: 'manual', registers }]);
      try {
        await other.registered();
        const first = await rig.phone('line2', 'jssip');
        const second = await rig.phone('line2', 'sipjs');
        const id = await sipjs.newCall({ destinationNumber: 'line2' });
        const [rung, taken] = [await first.rings(), await second.rings()];
        await other.sees('CALL_INCOMING');
        await second.act(taken.id, 'answer');
        await sipjs.becomes(id, 'active');
        assert.match((await first.ended(rung.id)).cause ?? '', /SIP;cause=200/);
        await other.sees('CALL_CLOSED');
        await sipjs.hears(1_000);
        await second.hears(800);
        await second.act(taken.id, 'hangup');
        await sipjs.ended(id);
        assert.equal((await first.calls()).length, 1, 'never a second ring');
        assert.equal(other.events.filter(({ type }) => type === 'CALL_INCOMING').length, 1);
      } finally {
        await other.stop();
      }
    }),
  );
});
