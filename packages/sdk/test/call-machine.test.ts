import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CallInput,
  type CallState,
  commonStateOf,
  isOver,
  newCallState,
  stepCall,
} from '../src/call-machine.ts';

const INPUTS: readonly CallInput[] = [
  'inviteSent',
  'inviteAccepted',
  'remoteRinging',
  'earlyMedia',
  'remoteAnswered',
  'incoming',
  'answerSent',
  'answerAccepted',
  'held',
  'resumed',
  'end',
  'released',
  'purge',
];

/** The states after each input, as `raw/COMMON`. */
function walk(state: CallState, inputs: readonly CallInput[]): string[] {
  return inputs.map((input) => {
    state = stepCall(state, input);
    return `${state.raw}/${commonStateOf(state)}`;
  });
}

const CASES: readonly {
  name: string;
  direction: CallState['direction'];
  native?: boolean;
  steps: readonly (readonly [CallInput, string])[];
}[] = [
  {
    name: 'an outbound call with the published raw states',
    direction: 'outbound',
    steps: [
      ['inviteSent', 'requesting/CONNECTING'],
      ['inviteAccepted', 'trying/CONNECTING'],
      ['remoteRinging', 'trying/RINGING'],
      ['earlyMedia', 'early/RINGING'],
      ['remoteAnswered', 'active/ACTIVE'],
      ['held', 'held/HELD'],
      ['resumed', 'active/ACTIVE'],
      ['end', 'hangup/DONE'],
      ['released', 'destroy/DONE'],
    ],
  },
  {
    name: 'an outbound call of the native client shows ringing',
    direction: 'outbound',
    native: true,
    steps: [
      ['inviteSent', 'requesting/CONNECTING'],
      ['inviteAccepted', 'trying/CONNECTING'],
      ['remoteRinging', 'ringing/RINGING'],
      ['remoteRinging', 'ringing/RINGING'],
      ['earlyMedia', 'early/RINGING'],
      ['remoteRinging', 'early/RINGING'],
      ['remoteAnswered', 'active/ACTIVE'],
    ],
  },
  {
    name: 'a reply to the invite that comes late takes nothing back',
    direction: 'outbound',
    native: true,
    steps: [
      ['inviteSent', 'requesting/CONNECTING'],
      ['remoteRinging', 'ringing/RINGING'],
      ['inviteAccepted', 'ringing/RINGING'],
      ['remoteAnswered', 'active/ACTIVE'],
      ['inviteAccepted', 'active/ACTIVE'],
      ['remoteRinging', 'active/ACTIVE'],
      ['earlyMedia', 'active/ACTIVE'],
    ],
  },
  {
    name: 'early media without ringing is not ringing',
    direction: 'outbound',
    steps: [
      ['inviteSent', 'requesting/CONNECTING'],
      ['earlyMedia', 'early/CONNECTING'],
      ['remoteRinging', 'early/RINGING'],
    ],
  },
  {
    name: 'an incoming call',
    direction: 'inbound',
    steps: [
      ['incoming', 'ringing/RINGING'],
      ['remoteAnswered', 'ringing/RINGING'],
      ['answerSent', 'answering/CONNECTING'],
      ['held', 'answering/CONNECTING'],
      ['answerAccepted', 'active/ACTIVE'],
      ['end', 'hangup/DONE'],
      ['end', 'hangup/DONE'],
      ['purge', 'purge/DONE'],
      ['released', 'purge/DONE'],
    ],
  },
];

for (const { name, direction, native = false, steps } of CASES)
  test(name, () => {
    const seen = walk(
      newCallState(direction, native),
      steps.map(([input]) => input),
    );
    assert.deepEqual(
      seen,
      steps.map(([, state]) => state),
    );
  });

test('whatever comes: over stays over, and an inbound call is answered only by us', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('inbound' as const, 'outbound' as const),
      fc.boolean(),
      fc.array(fc.constantFrom(...INPUTS), { maxLength: 30 }),
      (direction, native, inputs) => {
        let state = newCallState(direction, native);
        for (const [i, input] of inputs.entries()) {
          const next = stepCall(state, input);
          if (isOver(state)) assert.ok(isOver(next));
          if (next.raw === 'active' && direction === 'inbound' && !state.answered)
            assert.ok(inputs.slice(0, i).includes('answerSent'));
          if (!native && direction === 'outbound') assert.notEqual(next.raw, 'ringing');
          assert.deepEqual(JSON.parse(JSON.stringify(next)), next);
          state = next;
        }
      },
    ),
  );
});
