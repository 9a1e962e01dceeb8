import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Machine, Ms } from '@sidetone/core';
import { createRequest, createResponse, type SipResponse } from '@sidetone/sip';
import {
  type ClientInput,
  type ClientOutput,
  type InviteClientState,
  inviteClient,
  startInviteClient,
} from '../src/transaction/invite-client.ts';
import {
  type InviteServerState,
  inviteServer,
  type ServerInput,
  type ServerOutput,
  startInviteServer,
} from '../src/transaction/invite-server.ts';
import {
  type NonInviteClientState,
  nonInviteClient,
  startNonInviteClient,
} from '../src/transaction/non-invite-client.ts';
import {
  type NonInviteServerState,
  nonInviteServer,
  startNonInviteServer,
} from '../src/transaction/non-invite-server.ts';

const uri = { scheme: 'sip', host: 'b', params: {} };
const make = (method: string) =>
  createRequest({
    method,
    uri,
    from: { uri, params: { tag: 'f' } },
    to: { uri, params: {} },
    callId: 'c',
    cseq: 1,
    via: [{ transport: 'UDP', host: 'a', params: { branch: 'z9hG4bK1' } }],
  });
const invite = make('INVITE');
const options = make('OPTIONS');
const answer = (status: number): SipResponse => createResponse(invite, status, { toTag: 't' });

/** Runs inputs from a state, ticking at each deadline up to `until`; what happened, as `time what`. */
function follow<S extends { readonly name: string }, I, O>(
  machine: Machine<S, I, O>,
  from: { state: S; out: readonly O[] },
  inputs: readonly (readonly [at: Ms, input: I])[],
  tick: I,
  until: Ms,
  show: (output: O) => string,
): string[] {
  let { state } = from;
  const log = from.out.map((o) => `0 ${show(o)}`);
  const step = (input: I, now: Ms): void => {
    const before = state.name;
    const result = machine.step(state, input, now);
    state = result.state;
    for (const o of result.out) log.push(`${now} ${show(o)}`);
    if (state.name !== before) log.push(`${now} = ${state.name}`);
  };
  const queue = [...inputs];
  for (;;) {
    const due = machine.deadline(state);
    const next = queue[0]?.[0];
    if (next !== undefined && (due === null || next <= due)) step(queue.shift()![1], next);
    else if (due !== null && due <= until) step(tick, due);
    else return log;
  }
}

const showClient = (o: ClientOutput): string =>
  o.type === 'send'
    ? `send ${o.request.method}`
    : o.type === 'response'
      ? `tell ${o.response.status}`
      : o.type;
const showServer = (o: ServerOutput): string =>
  o.type === 'send' ? `send ${o.response.status}` : o.type === 'ack' ? 'tell ACK' : o.type;
const tick = { type: 'tick' } as const;
const got = (status: number): ClientInput => ({ type: 'response', response: answer(status) });
const say = (status: number): ServerInput => ({ type: 'respond', response: answer(status) });
const copy: ServerInput = { type: 'request' };
const ack: ServerInput = { type: 'ack', request: make('ACK') };
const broken = { type: 'transportError' } as const;

const REPEATS_A = [500, 1500, 3500, 7500, 15500, 31500];
const REPEATS_E = [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500];

describe('INVITE client transaction', () => {
  const run = (inputs: readonly (readonly [Ms, ClientInput])[], reliable = false) =>
    follow<InviteClientState, ClientInput, ClientOutput>(
      inviteClient,
      startInviteClient(invite, reliable, 0),
      inputs,
      tick,
      100_000,
      showClient,
    );
  for (const [name, actual, expected] of [
    [
      'no answer, unreliable: timers A and B',
      run([]),
      ['0 send INVITE', ...REPEATS_A.map((t) => `${t} send INVITE`), '32000 timeout', '32000 = terminated'],
    ],
    [
      'no answer, reliable: timer B alone',
      run([], true),
      ['0 send INVITE', '32000 timeout', '32000 = terminated'],
    ],
    [
      '1xx stops the repetition, and then there is no limit',
      run([[600, got(180)]]),
      ['0 send INVITE', '500 send INVITE', '600 tell 180', '600 = proceeding'],
    ],
    [
      'a second 1xx is told, a 2xx is accepted for 64·T1, each copy told',
      run([
        [10, got(180)],
        [20, got(183)],
        [30, got(200)],
        [40, got(200)],
        [50, got(180)],
        [60, got(486)],
      ]),
      [
        '0 send INVITE',
        '10 tell 180',
        '10 = proceeding',
        '20 tell 183',
        '30 tell 200',
        '30 = accepted',
        '40 tell 200',
        '32030 = terminated',
      ],
    ],
    [
      'a refusal is acknowledged, copies of it again, for 32 s',
      run([
        [10, got(486)],
        [500, got(486)],
        [600, got(180)],
        [700, got(200)],
      ]),
      ['0 send INVITE', '10 send ACK', '10 tell 486', '10 = completed', '500 send ACK', '32010 = terminated'],
    ],
    [
      'a refusal on a reliable transport ends at once',
      run([[10, got(486)]], true),
      ['0 send INVITE', '10 send ACK', '10 tell 486', '10 = terminated'],
    ],
    [
      'after a CANCEL the wait is bounded',
      run([
        [10, got(180)],
        [20, { type: 'cancelSent' }],
        [30, got(180)],
      ]),
      [
        '0 send INVITE',
        '10 tell 180',
        '10 = proceeding',
        '30 tell 180',
        '32020 timeout',
        '32020 = terminated',
      ],
    ],
    [
      'a broken transport is told',
      run([[10, broken]]),
      ['0 send INVITE', '10 transportError', '10 = terminated'],
    ],
    [
      'a broken transport does not hurt an accepted call',
      run([
        [10, got(200)],
        [20, broken],
      ]),
      ['0 send INVITE', '10 tell 200', '10 = accepted', '32010 = terminated'],
    ],
  ] as const)
    test(name, () => assert.deepEqual(actual, expected));
});

describe('non-INVITE client transaction', () => {
  const run = (inputs: readonly (readonly [Ms, ClientInput])[], reliable = false) =>
    follow<NonInviteClientState, ClientInput, ClientOutput>(
      nonInviteClient,
      startNonInviteClient(options, reliable, 0),
      inputs,
      tick,
      100_000,
      showClient,
    );
  for (const [name, actual, expected] of [
    [
      'no answer: timer E doubles up to T2, then timer F',
      run([]),
      ['0 send OPTIONS', ...REPEATS_E.map((t) => `${t} send OPTIONS`), '32000 timeout', '32000 = terminated'],
    ],
    ['no answer, reliable', run([], true), ['0 send OPTIONS', '32000 timeout', '32000 = terminated']],
    [
      'after a 1xx it repeats every T2 and still gives up',
      run([[100, got(100)]]),
      [
        '0 send OPTIONS',
        '100 tell 100',
        '100 = proceeding',
        ...[500, 4500, 8500, 12500, 16500, 20500, 24500, 28500].map((t) => `${t} send OPTIONS`),
        '32000 timeout',
        '32000 = terminated',
      ],
    ],
    [
      'the answer is told once; copies are absorbed for T4',
      run([
        [10, got(200)],
        [20, got(200)],
      ]),
      ['0 send OPTIONS', '10 tell 200', '10 = completed', '5010 = terminated'],
    ],
    [
      'reliable: done at once',
      run([[10, got(404)]], true),
      ['0 send OPTIONS', '10 tell 404', '10 = terminated'],
    ],
    [
      'a broken transport is told',
      run([[10, broken]]),
      ['0 send OPTIONS', '10 transportError', '10 = terminated'],
    ],
  ] as const)
    test(name, () => assert.deepEqual(actual, expected));
});

describe('INVITE server transaction', () => {
  const run = (inputs: readonly (readonly [Ms, ServerInput])[], reliable = false) =>
    follow<InviteServerState, ServerInput, ServerOutput>(
      inviteServer,
      { state: startInviteServer(reliable), out: [] },
      inputs,
      tick,
      100_000,
      showServer,
    );
  for (const [name, actual, expected] of [
    [
      'a copy of the INVITE gets the last 1xx',
      run([
        [1, copy],
        [2, say(100)],
        [3, copy],
        [4, say(180)],
        [5, copy],
        [6, ack],
      ]),
      ['2 send 100', '3 send 100', '4 send 180', '5 send 180'],
    ],
    [
      '2xx: copies of the INVITE are absorbed, further 2xx sent, ACKs told, timer L',
      run([
        [10, say(200)],
        [20, copy],
        [510, say(200)],
        [600, ack],
        [700, say(486)],
      ]),
      ['10 send 200', '10 = accepted', '510 send 200', '600 tell ACK', '32010 = terminated'],
    ],
    [
      'a refusal is repeated by timer G until timer H',
      run([[0, say(486)]]),
      [
        '0 send 486',
        '0 = completed',
        ...REPEATS_E.map((t) => `${t} send 486`),
        '32000 timeout',
        '32000 = terminated',
      ],
    ],
    [
      'a refusal is sent again for a copy, and confirmed by ACK',
      run([
        [0, say(486)],
        [100, copy],
        [200, ack],
        [300, copy],
        [400, ack],
      ]),
      ['0 send 486', '0 = completed', '100 send 486', '200 = confirmed', '5200 = terminated'],
    ],
    [
      'reliable: no repetition, done with the ACK',
      run(
        [
          [0, say(486)],
          [2000, ack],
        ],
        true,
      ),
      ['0 send 486', '0 = completed', '2000 = terminated'],
    ],
    [
      'reliable: no ACK',
      run([[0, say(486)]], true),
      ['0 send 486', '0 = completed', '32000 timeout', '32000 = terminated'],
    ],
    ['a broken transport is told', run([[5, broken]]), ['5 transportError', '5 = terminated']],
  ] as const)
    test(name, () => assert.deepEqual(actual, expected));
});

describe('non-INVITE server transaction', () => {
  const run = (inputs: readonly (readonly [Ms, ServerInput])[], reliable = false) =>
    follow<NonInviteServerState, ServerInput, ServerOutput>(
      nonInviteServer,
      { state: startNonInviteServer(reliable), out: [] },
      inputs,
      tick,
      100_000,
      showServer,
    );
  for (const [name, actual, expected] of [
    [
      'copies are absorbed, then answered with the last response, for timer J',
      run([
        [1, copy],
        [2, say(100)],
        [3, copy],
        [10, say(200)],
        [20, copy],
        [30, say(404)],
      ]),
      [
        '2 send 100',
        '2 = proceeding',
        '3 send 100',
        '10 send 200',
        '10 = completed',
        '20 send 200',
        '32010 = terminated',
      ],
    ],
    ['reliable: done at once', run([[10, say(200)]], true), ['10 send 200', '10 = terminated']],
    ['a broken transport is told', run([[5, broken]]), ['5 transportError', '5 = terminated']],
  ] as const)
    test(name, () => assert.deepEqual(actual, expected));
});
