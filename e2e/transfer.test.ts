import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Baresip } from './src/baresip.ts';
import { withCarrier } from './src/carrier-calls.ts';
import { needs } from './src/peer-availability.ts';
import { freePort } from './src/ports.ts';
import { Rig } from './src/rig.ts';
import { NUMBER, PASSWORD } from './src/server.ts';
import type { TestPage } from './src/test-page.ts';

const CARRIER = '+15550001111';

/** Who hears whom is told by tones: the carrier says 440 Hz, the second browser 620 Hz, the first 1 kHz. */
describe('call transfer', { ...needs('chromium', 'sipp', 'baresip'), timeout: 300_000 }, () => {
  let rig: Rig;
  let first: TestPage;
  let second: TestPage;
  before(async () => {
    rig = await Rig.start();
    first = await rig.client('line1', 'ours');
    second = await rig.client('line2', 'ours');
    await second.speak(620);
  });
  after(async () => {
    await rig?.stop();
  });

  /** The second browser picks up. */
  async function picksUp(): Promise<string> {
    const { id } = await second.rings();
    await second.act(id, 'answer');
    await second.becomes(id, 'active');
    return id;
  }

  it('blind, by a browser whose call is on hold: the carrier and the target talk', async () => {
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await first.newCall({ destinationNumber: CARRIER, callerNumber: NUMBER.line1 });
      await sipp.says('180');
      await sipp.steer('answer');
      await first.becomes(id, 'active');
      rtp.send(await sipp.remoteAudio(), 440);
      await rtp.hears(1_000);
      await first.act(id, 'hold');
      await first.becomes(id, 'held');
      await first.act(id, 'transfer', 'line2');
      const target = await picksUp();
      assert.equal((await first.ended(id)).cause, 'NORMAL_CLEARING');
      await second.hears(440);
      await rtp.hears(620);
      assert.equal(rtp.streams.length, 1, 'one SSRC towards the carrier');
      await sipp.steer('bye');
      await second.ended(target);
      await sipp.finishes();
    });
  });

  it('blind, to somebody who declines: the call goes on', async () => {
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await first.newCall({ destinationNumber: CARRIER, callerNumber: NUMBER.line1 });
      await sipp.says('180');
      await sipp.steer('answer');
      await first.becomes(id, 'active');
      rtp.send(await sipp.remoteAudio(), 440);
      await first.act(id, 'transfer', 'line2');
      const ringing = await second.rings();
      await second.act(ringing.id, 'hangup');
      await second.ended(ringing.id);
      await first.hears(440);
      rtp.forget();
      await rtp.hears(1_000);
      await sipp.steer('bye');
      await first.ended(id);
      await sipp.finishes();
    });
  });

  it('attended, by a browser with two calls: the far parties talk', async () => {
    await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
      const id = await first.newCall({ destinationNumber: CARRIER, callerNumber: NUMBER.line1 });
      await sipp.says('180');
      await sipp.steer('answer');
      await first.becomes(id, 'active');
      rtp.send(await sipp.remoteAudio(), 440);
      await first.act(id, 'hold');
      await first.becomes(id, 'held');
      const asked = await first.newCall({ destinationNumber: 'line2' });
      const target = await picksUp();
      await first.becomes(asked, 'active');
      await first.hears(620);
      await first.act(id, 'transfer', { id: asked });
      await first.ended(id);
      await first.ended(asked);
      await second.hears(440);
      await rtp.hears(620);
      await second.act(target, 'hangup');
      await sipp.gets('BYE');
      await sipp.finishes();
    });
  });

  it('blind, by a registered phone: REFER, and the browser talks to the carrier', async () => {
    const registers = { domain: 'sip.localhost', sipPort: rig.server.sipPort, password: PASSWORD.line2 };
    await second.close();
    const phone = await Baresip.start(await freePort(), [{ user: 'line2', answer: 'manual', registers }]);
    try {
      await phone.registered();
      const id = await first.newCall({ destinationNumber: 'line2' });
      await phone.sees('CALL_INCOMING');
      await phone.command('accept');
      await first.becomes(id, 'active');
      await phone.hears(1_000);
      await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
        await phone.command('transfer', `sip:${CARRIER}@sip.localhost`);
        await sipp.says('180');
        await sipp.steer('answer');
        rtp.send(await sipp.remoteAudio(), 800);
        await phone.sees('CALL_CLOSED');
        await first.hears(800);
        await rtp.hears(1_000);
        await first.act(id, 'hangup');
        await first.ended(id);
        await sipp.gets('BYE');
        await sipp.finishes();
      });
    } finally {
      await phone.stop();
    }
  });
});
