import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CAUSE,
  causeByName,
  causeForQ850,
  causeForSip,
  causeFromReason,
  formatReason,
  parseReason,
  sipForBye,
} from '../src/index.ts';

test('a SIP status is told by the name and number that clients know', () => {
  const table: readonly (readonly [number, string, number])[] = [
    [400, 'MANDATORY_IE_MISSING', 96],
    [403, 'CALL_REJECTED', 21],
    [404, 'UNALLOCATED_NUMBER', 1],
    [408, 'NO_ANSWER', 19],
    [480, 'NO_USER_RESPONSE', 18],
    [486, 'USER_BUSY', 17],
    [487, 'ORIGINATOR_CANCEL', 487],
    [488, 'INCOMPATIBLE_DESTINATION', 88],
    [500, 'NORMAL_TEMPORARY_FAILURE', 41],
    [503, 'NORMAL_TEMPORARY_FAILURE', 41],
    [603, 'CALL_REJECTED', 21],
    [606, 'INCOMPATIBLE_DESTINATION', 88],
    [499, 'INTERWORKING', 127],
    [699, 'CALL_REJECTED', 21],
  ];
  for (const [status, name, code] of table) {
    assert.deepEqual(causeForSip(status), { name, code, sip: status }, String(status));
  }
});

test('causes are found by name and by number', () => {
  for (const cause of Object.values(CAUSE)) assert.deepEqual(causeByName(cause.name), cause);
  assert.equal(causeForQ850(17)?.name, 'USER_BUSY');
  assert.equal(causeForQ850(38)?.name, 'NETWORK_OUT_OF_ORDER');
  assert.equal(causeForQ850(999), undefined);
  assert.equal(causeByName('rejected')?.name, 'CALL_REJECTED');
  assert.equal(causeByName('constructor'), undefined);
});

const inbound = { answered: false, direction: 'inbound', busyIsMeant: false } as const;

test('a bye before the answer of an inbound call rejects it', () => {
  const rejected = { do: 'reject', status: 487, cause: CAUSE.callRejected, internal: 'rejected' };
  // What published clients send when the application says nothing.
  assert.deepEqual(sipForBye({ ...inbound, cause: 'USER_BUSY', causeCode: 17 }), rejected);
  assert.deepEqual(sipForBye({ ...inbound, cause: 'NORMAL_CLEARING', causeCode: 16 }), rejected);
  assert.deepEqual(sipForBye({ ...inbound, causeCode: 17 }), rejected);
  assert.deepEqual(sipForBye({ ...inbound, cause: 'made up', causeCode: 4711 }), rejected);
  assert.deepEqual(sipForBye({ ...inbound, busyIsMeant: true }), rejected);
  assert.deepEqual(sipForBye({ ...inbound, sipCode: 487 }), rejected);
});

test('an explicit SIP code or cause wins', () => {
  const status = (bye: object): number | undefined => {
    const ending = sipForBye({ ...inbound, ...bye });
    return ending.do === 'reject' ? ending.status : undefined;
  };
  assert.equal(status({ cause: 'USER_BUSY', causeCode: 17, sipCode: 486 }), 486);
  assert.equal(status({ cause: 'USER_BUSY', causeCode: 17, sipCode: 480 }), 480);
  assert.equal(status({ cause: 'CALL_REJECTED', causeCode: 21 }), 603);
  assert.equal(status({ causeCode: 21 }), 603);
  assert.equal(status({ busyIsMeant: true, cause: 'USER_BUSY' }), 486);
  assert.equal(status({ cause: 'NO_USER_RESPONSE' }), 480);
  assert.equal(status({ cause: 'INCOMPATIBLE_DESTINATION' }), 488);
  // No final refusal of an INVITE.
  for (const sipCode of [200, 302, 399, 700, 486.5, -1, Number.MAX_SAFE_INTEGER])
    assert.equal(status({ sipCode }), 487, String(sipCode));
});

test('a bye of an unanswered outbound call cancels, of an answered call hangs up', () => {
  const outbound = sipForBye({ ...inbound, direction: 'outbound', cause: 'USER_BUSY', causeCode: 17 });
  assert.deepEqual(outbound, { do: 'cancel', cause: CAUSE.originatorCancel });
  const answered = sipForBye({ ...inbound, answered: true, cause: 'NORMAL_CLEARING', causeCode: 16 });
  assert.deepEqual(answered, { do: 'bye', cause: CAUSE.normalClearing });
  assert.deepEqual(sipForBye({ ...inbound, answered: true }), { do: 'bye', cause: CAUSE.normalClearing });
});

test('Reason headers are written and read (RFC 3326)', () => {
  assert.equal(formatReason(CAUSE.userBusy), 'Q.850;cause=17;text="USER_BUSY"');
  assert.equal(formatReason(CAUSE.originatorCancel), 'SIP;cause=487;text="ORIGINATOR_CANCEL"');
  assert.equal(formatReason(CAUSE.loseRace), 'SIP;cause=200;text="Call completed elsewhere"');
  assert.deepEqual(parseReason('Q.850 ;cause=16 ;text="Terminated, \\"really\\"; ok", SIP;cause=200'), [
    { protocol: 'Q.850', cause: 16, text: 'Terminated, "really"; ok' },
    { protocol: 'SIP', cause: 200 },
  ]);
  assert.deepEqual(parseReason(''), []);
  for (const cause of Object.values(CAUSE)) {
    const read = causeFromReason([formatReason(cause)], cause.name);
    assert.deepEqual(read, cause);
  }
});

test('the most exact statement of a cause wins', () => {
  const name = (reasons: readonly string[], internal?: string) => causeFromReason(reasons, internal)?.name;
  assert.equal(name(['SIP;cause=487', 'Q.850;cause=17'], undefined), 'USER_BUSY');
  assert.equal(name(['Q.850;cause=21'], 'rejected'), 'CALL_REJECTED');
  assert.equal(name([], 'cancelled'), 'ORIGINATOR_CANCEL');
  assert.equal(name(['Q.850;cause=41'], 'ICE_FAILED'), 'ICE_FAILED');
  assert.equal(name(['SIP;cause=200;text="Call completed elsewhere"']), 'LOSE_RACE');
  assert.equal(name(['SIP;cause=486']), 'USER_BUSY');
  assert.equal(name(['Preemption;cause=1']), undefined);
  assert.equal(name([], 'bad name;drop'), undefined);
});

test('no Reason header throws', () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => void causeFromReason([a, b], a)));
  fc.assert(fc.property(fc.stringMatching(/^[a-zQ.850;,="\\ ]{0,60}$/), (text) => void parseReason(text)));
});
