import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runColumn } from './conformance/column.ts';
import { uncovered } from './conformance/inventory.ts';
import { ROWS } from './conformance/rows.ts';
import { needs } from './src/peer-availability.ts';

/** Some rows of the table that `npm run conformance` prints whole. */
const SMOKE = [
  'login with user and password → telnyx.ready',
  'login refused with -32001: one error, no other try',
  'outbound: invite → trying → ringing message → answer → active, sound both ways',
  'hold, unhold, toggleHold',
  'early media, then an answer without SDP',
  'trickle, outbound: candidates both ways',
  'reattached_sessions without the call: 48501, destroyed, ready again',
  'exports error and warning codes and their registries',
] as const;

describe('conformance, in short', { ...needs('chromium'), timeout: 180_000 }, () => {
  const rows = ROWS.filter(({ name }) => (SMOKE as readonly string[]).includes(name));

  it('every item of the inventory is shown by a row or excused', () => {
    assert.deepEqual(uncovered(ROWS), []);
    assert.equal(rows.length, SMOKE.length);
  });

  for (const sdk of ['ours', '2.27.10'] as const)
    it(`${sdk} in Chromium`, async () => {
      const outcomes = await runColumn({ sdk, browser: 'chromium' }, rows, { atOnce: 2 });
      const failed = [...outcomes].filter(([, { cell }]) => cell !== 'pass');
      assert.deepEqual(
        failed.map(([name, { why }]) => `${name}: ${why}`),
        [],
      );
    });
});
