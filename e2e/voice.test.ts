import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { needs } from './src/peer-availability.ts';
import { runRow } from './voice/column.ts';
import { ROWS } from './voice/rows.ts';
import { House, Stage } from './voice/stage.ts';

/** Some rows of the table that `npm run conformance:voice` prints whole, with the newest of its packages. */
const SMOKE = [
  'Pattern 1, answered first, called by 2.27.10',
  'Pattern 1, bridged without an answer, called by ours',
  'Pattern 1, bridge_on_answer, the caller ringing, called by ours',
  'a call to a number of the application, an agent with 2.27.10',
  'transfer: to somebody busy, the caller stays; then to a browser, with sound',
  'playback_start to a leg of a bridge: heard by that party, who is heard all the while; then the other again',
  'gather: digits of a browser, a terminating digit; a time-out; gather_stop',
  'gather_using_audio: a wrong digit is told so, a right one cuts the prompt off',
] as const;

describe('the Voice API, in short: telnyx 7.24.0', { ...needs('chromium', 'sipp'), timeout: 240_000 }, () => {
  let house: House;
  let stage: Stage;
  before(async () => {
    house = await House.open();
    stage = await Stage.open(house, '7.24.0');
  });
  after(async () => {
    await stage?.close();
    await house?.close();
  });

  for (const name of SMOKE)
    it(name, async () => {
      const row = ROWS.find((one) => one.name === name);
      assert.ok(row !== undefined, 'there is such a row');
      const { cell, why } = await runRow(stage, row);
      assert.equal(cell, 'pass', why);
    });
});
