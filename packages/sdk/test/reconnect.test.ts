import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterClose, CONNECTED, lossReason } from '../src/reconnect.ts';

/** The waits of tries that all fail at once, with the dice in the middle. */
function waits(count: number, inCall: boolean, most: number): (number | null)[] {
  let state = CONNECTED;
  let now = 0;
  return Array.from({ length: count }, () => {
    const step = afterClose(state, { now, random: 0.5, inCall }, { most, budget: 30_000 });
    state = step.state;
    now += step.waitMs ?? 0;
    return step.waitMs;
  });
}

test('back-off up to 30 s, and an end', () => {
  assert.deepEqual(waits(8, false, 7), [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, null]);
  assert.equal(waits(60, false, 0).at(-1), 30_000);
});

test('with a call every 2 s, for as long as the budget whatever the number', () => {
  const all = waits(20, true, 3);
  assert.deepEqual(all.slice(0, 4), [1_000, 2_000, 2_000, 2_000]);
  assert.equal(all.filter((wait) => wait !== null).length, 16, '31 s of tries');
});

test('why it closed', () => {
  assert.equal(lossReason(1006, 'same'), 'networkLost');
  assert.equal(lossReason(1012, 'same'), 'serverError');
  assert.equal(lossReason(1012, 'offline'), 'networkLost');
  assert.equal(lossReason(1006, 'changed'), 'networkSwitch');
});
