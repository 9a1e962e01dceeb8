import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { longInbound, longOutbound, shortEndings } from './src/carrier-calls.ts';
import { Cells, cellTable } from './src/cells.ts';
import { needs } from './src/peer-availability.ts';
import { Rig } from './src/rig.ts';
import { NUMBER } from './src/server.ts';
import { until } from './src/wait.ts';

describe('our SDK in Chromium', { ...needs('chromium', 'sipp'), timeout: 300_000 }, () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
  });
  after(async () => {
    await rig?.stop();
  });

  for (const [number, name] of [
    ['9196', 'echo'],
    ['9197', 'a 1 kHz tone'],
    ['+18722315806', 'echo for the pre-call check'],
  ] as const)
    it(`${number}: ${name}`, async () => {
      await rig.explained(async () => {
        const page = await rig.client('line1', 'ours');
        const id = await page.newCall({ destinationNumber: number });
        await page.reaches(id, 'active');
        const tone = await page.hears(1_000);
        assert.ok(Math.abs(tone.hz - 1_000) <= 20);
        await page.act(id, 'hangup');
        assert.equal((await page.ended(id)).cause, 'NORMAL_CLEARING');
        await page.close();
      });
    });

  it('9196 echoes only what it gets: another voice, another tone', async () => {
    await rig.explained(async () => {
      const page = await rig.client('line1', 'ours');
      await page.speak(620);
      const id = await page.newCall({ destinationNumber: '9196' });
      await page.reaches(id, 'active');
      await page.hears(620);
      await page.act(id, 'muteAudio');
      await page.hearsNothing();
      await page.act(id, 'unmuteAudio');
      await page.hears(620);
      await page.act(id, 'hangup');
      await page.ended(id);
      await page.close();
    });
  });

  it('9664: music on hold sounds', async () => {
    await rig.explained(async () => {
      const page = await rig.client('line1', 'ours');
      const id = await page.newCall({ destinationNumber: '9664' });
      await page.reaches(id, 'active');
      await until('music', async () => (await page.tone()).level > 0.005, { everyMs: 200 });
      await page.act(id, 'hangup');
      await page.ended(id);
      await page.close();
    });
  });

  for (const [destination, how] of [
    ['line2', 'by user name'],
    ['line2@sip.localhost', 'by user_name@domain'],
    [NUMBER.line2, 'by number'],
  ] as const)
    it(`line1 calls line2 ${how}: 1 kHz one way, 440 Hz back`, async () => {
      await rig.explained(async () => {
        const one = await rig.client('line1', 'ours');
        const two = await rig.client('line2', 'ours');
        await two.speak(440);
        const id = await one.newCall({ destinationNumber: destination, callerNumber: NUMBER.line1 });
        const { id: ringing } = await two.rings();
        await two.act(ringing, 'answer');
        await one.reaches(id, 'active');
        await two.becomes(ringing, 'active');
        await one.hears(440);
        await two.hears(1_000);
        await one.act(id, 'hold');
        await one.becomes(id, 'held');
        await one.act(id, 'unhold');
        await one.becomes(id, 'active');
        await two.hears(1_000);
        await two.act(ringing, 'hangup');
        await one.ended(id);
        await two.ended(ringing);
        await one.close();
        await two.close();
      });
    });

  it('a long call to and from a carrier, and every ending', async () => {
    const cells = new Cells('ours SIPp');
    const page = await rig.client('line1', 'ours');
    try {
      await longOutbound(rig, page, cells);
      await longInbound(rig, page, cells, { headers: true });
      await shortEndings(rig, page, cells);
    } finally {
      process.stdout.write(`\n${cellTable([cells])}\n\n`);
    }
    await page.close();
  });

  it('a wrong password is refused with a clear error', async () => {
    await rig.explained(async () => {
      const page = await rig.chromium.open(rig.host, 'ours');
      const events = await page.connectRefused({ ...rig.options('line1'), password: 'wrong-password' });
      assert.match(JSON.stringify(events), /46001|-32001|login/i);
      await page.close();
    });
  });
});
