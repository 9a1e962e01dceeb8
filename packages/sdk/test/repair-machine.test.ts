import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_REPAIR, type RepairInput, type RepairState, stepRepair } from '../src/repair-machine.ts';

/** What is done, input by input. */
function steps(inputs: readonly RepairInput[], hasRelay = true): string[] {
  let state: RepairState = NO_REPAIR;
  return inputs.map((input) => {
    const step = stepRepair(state, input, hasRelay);
    state = step.state;
    return `${state.at} ${step.restart ?? '-'} ${step.waitMs ?? '-'}${step.gaveUp === true ? ' gave up' : ''}`;
  });
}

test('an interruption that heals by itself repairs nothing', () => {
  assert.deepEqual(steps(['disconnected', 'connected', 'timer']), ['waiting - 2000', 'fine - -', 'fine - -']);
});

test('an interruption that stays: restart, then by relay, then given up; a later failure begins anew', () => {
  assert.deepEqual(steps(['disconnected', 'timer', 'failed', 'timer', 'timer', 'timer', 'failed']), [
    'waiting - 2000',
    'restarting all 8000',
    'restarting - -',
    'relaying relay 8000',
    'spent - - gave up',
    'spent - -',
    'restarting all 8000',
  ]);
});

test('without a relay the second try takes every path', () => {
  assert.equal(steps(['failed', 'timer'], false)[1], 'relaying all 8000');
});

test('connected always ends a repair, and no run of events gives up twice without a failure between', () => {
  const inputs = fc.array(fc.constantFrom<RepairInput>('connected', 'disconnected', 'failed', 'timer'));
  fc.assert(
    fc.property(inputs, (list) => {
      assert.equal(steps([...list, 'connected']).at(-1), 'fine - -');
      const gaveUp = steps(list).filter((step) => step.endsWith('gave up')).length;
      assert.ok(gaveUp <= list.filter((input) => input === 'failed' || input === 'disconnected').length);
    }),
  );
});
