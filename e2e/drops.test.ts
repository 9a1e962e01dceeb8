import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { kindOf } from './drops/plan.ts';
import { runDrops } from './drops/run.ts';
import { needs } from './src/peer-availability.ts';
import { Rig } from './src/rig.ts';

/** Five drops of our SDK's calls; `npm run drops` makes fifty, of the published one's too, and measures. */
describe('drops', { ...needs('chromium', 'sipp'), timeout: 300_000 }, () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start({ lanes: 2 });
  });
  after(async () => {
    await rig?.stop();
  });

  it('cut, half-open and moved, with and without media: every call is back with sound both ways', async () => {
    const drops = [
      { failure: 'cut', media: false, outageMs: 1_500 },
      { failure: 'cut', media: true, outageMs: 4_000 },
      { failure: 'move', media: true, outageMs: 6_000 },
      { failure: 'stall', media: false, outageMs: 2_500 },
      { failure: 'stall', media: true, outageMs: 7_000 },
    ] as const;
    const { drops: done } = await runDrops(rig, 'ours', drops, 2);
    for (const one of done) {
      process.stdout.write(
        `${kindOf(one)}, ${one.outageMs} ms: audio after ${one.audioMs} ms, gap ${one.gapAtCarrierMs} ms at the carrier\n`,
      );
      assert.notEqual(one.audioMs, null, `the call is back after ${kindOf(one)}`);
      if (!one.media) assert.ok(one.gapAtCarrierMs < one.outageMs, `media goes on during ${kindOf(one)}`);
    }
    assert.equal(done.length, drops.length);
  });
});
