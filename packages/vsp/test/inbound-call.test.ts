import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExtraHeaders } from '@sidetone/sip';
import { header } from '@sidetone/sip';
import { HEADER } from '@sidetone/wire';
import { Bench, LEG, SESSION, sdpOf } from './bench.ts';

const own = { callID: LEG };

const ringing = (options: { headers?: ExtraHeaders; agent?: unknown } = {}): Bench => {
  const bench = new Bench();
  bench.login('s1', 'line1', options.agent ?? { sdkVersion: '2.27.10', data: 'x' });
  bench.trace.length = 0;
  bench.ring('line1', options);
  return bench;
};

const answered = (): Bench => {
  const bench = ringing();
  bench.call('s1', 'a', 'answer', { sdp: sdpOf('client', 'sendrecv', 'active') }, own);
  bench.trace.length = 0;
  return bench;
};

test('an INVITE rings the client with ids, names and headers, and 180 goes back', () => {
  const bench = ringing({
    headers: [
      ['X-In', 'yes'],
      [HEADER.clientState, 'Y3M='],
    ],
  });
  assert.deepEqual(bench.trace, ['voice < 100 INVITE', 's1 < telnyx_rtc.invite', 'voice < 180 INVITE']);
  const invite = bench.told('s1', 'invite')!;
  assert.equal(invite['callID'], LEG);
  assert.deepEqual(
    [invite['telnyx_session_id'], invite['telnyx_leg_id'], invite['telnyx_call_control_id']],
    [SESSION, LEG, 'v3:control'],
  );
  assert.deepEqual([invite['caller_id_name'], invite['caller_id_number']], ['Bob', '+1999']);
  assert.equal(invite['callee_id_number'], 'line1');
  assert.equal(invite['client_state'], 'Y3M=');
  assert.equal(invite['sdp'], sdpOf('platform'));
  assert.deepEqual(invite['dialogParams'].custom_headers, [{ name: 'X-In', value: 'yes' }]);
});

test('answer: the reply, then 200 with the description and X- headers', () => {
  const bench = ringing();
  bench.trace.length = 0;
  const sdp = sdpOf('client', 'sendrecv', 'active');
  const headers = { custom_headers: [{ name: 'X-Ans', value: 'a' }] };
  const reply = bench.call('s1', 'a', 'answer', { sdp, 'User-Agent': 'Web-2.27.10' }, { ...own, ...headers });
  assert.equal(reply['result'].callID, LEG);
  assert.deepEqual(bench.trace, ['s1 < result to a', 'voice < 200 INVITE']);
  const accepted = bench.last('accepted');
  assert.equal(accepted.sdp, sdp);
  assert.equal(header(accepted.response, 'X-Ans'), 'a');
  // A second answer is answered, and changes nothing.
  assert.ok('result' in bench.call('s1', 'a2', 'answer', { sdp: sdpOf('again') }, own));
  assert.equal(bench.trace.filter((line) => line === 'voice < 200 INVITE').length, 1);
});

test('an answer with a bad header is refused; the call rings on', () => {
  const bench = ringing();
  const bad = { ...own, custom_headers: [{ name: 'Contact', value: 'x' }] };
  assert.equal(bench.call('s1', 'a', 'answer', { sdp: 'v=0' }, bad)['error'].code, -32602);
  bench.call('s1', 'b', 'bye', { cause: 'USER_BUSY', causeCode: 17 }, own);
  assert.equal(bench.last('failed').status, 487);
});

test('bye before the answer rejects: 487 and the internal cause, unless a code or cause was stated', () => {
  const table: readonly (readonly [object, number, string, string, unknown?])[] = [
    [{ cause: 'USER_BUSY', causeCode: 17 }, 487, 'rejected', 'Q.850;cause=21;text="CALL_REJECTED"'],
    [
      { cause: 'USER_BUSY', causeCode: 17, sipCode: 486 },
      486,
      'USER_BUSY',
      'Q.850;cause=17;text="USER_BUSY"',
    ],
    [{ cause: 'CALL_REJECTED', causeCode: 21 }, 603, 'CALL_REJECTED', 'Q.850;cause=21;text="CALL_REJECTED"'],
    [{ sipCode: 480 }, 480, 'NO_USER_RESPONSE', 'Q.850;cause=18;text="NO_USER_RESPONSE"'],
    [
      { cause: 'NORMAL_CLEARING', causeCode: 16 },
      487,
      'rejected',
      'Q.850;cause=21;text="CALL_REJECTED"',
      'iOS-4.1.2',
    ],
    [
      { cause: 'USER_BUSY', 'User-Agent': 'Sidetone-0.1.0' },
      486,
      'USER_BUSY',
      'Q.850;cause=17;text="USER_BUSY"',
    ],
    [
      { cause: 'USER_BUSY' },
      486,
      'USER_BUSY',
      'Q.850;cause=17;text="USER_BUSY"',
      { sdkVersion: 'Sidetone-0.1.0', data: 'x' },
    ],
    [{ 'User-Agent': 'Sidetone-0.1.0' }, 487, 'rejected', 'Q.850;cause=21;text="CALL_REJECTED"'],
  ];
  for (const [params, status, internal, reason, agent] of table) {
    const bench = ringing({ agent });
    const reply = bench.call('s1', 'b', 'bye', params, {
      ...own,
      custom_headers: [{ name: 'X-Why', value: 'no' }],
    });
    assert.ok('result' in reply);
    const failed = bench.last('failed');
    assert.equal(failed.status, status, JSON.stringify(params));
    assert.equal(header(failed.response!, HEADER.cause), internal);
    assert.equal(header(failed.response!, 'Reason'), reason);
    assert.equal(header(failed.response!, 'X-Why'), 'no');
    assert.equal(bench.told('s1', 'bye'), undefined);
  }
});

test('CANCEL ends it: the caller gave up, or another device answered', () => {
  const table: readonly (readonly [ExtraHeaders, string, number])[] = [
    [[], 'ORIGINATOR_CANCEL', 487],
    [
      [
        ['Reason', 'SIP;cause=487;text="ORIGINATOR_CANCEL"'],
        [HEADER.cause, 'cancelled'],
      ],
      'ORIGINATOR_CANCEL',
      487,
    ],
    [[['Reason', 'SIP;cause=200;text="Call completed elsewhere"']], 'LOSE_RACE', 502],
    [[['Reason', 'Q.850;cause=19;text="NO_ANSWER"']], 'NO_ANSWER', 19],
  ];
  for (const [headers, cause, code] of table) {
    const bench = ringing();
    const leg = bench.last('progress').leg;
    bench.say(bench.voice.cancel(leg, headers, bench.now));
    const bye = bench.told('s1', 'bye')!;
    assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], [cause, code, 487]);
    assert.equal(bench.call('s1', 'a', 'answer', { sdp: 'v=0' }, own)['error'].code, -32003);
  }
});

test('an answered inbound call: hold, digits, bye both ways', () => {
  const bench = answered();
  assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' }, own)['result'].holdState, 'held');
  assert.match(bench.last('reinvite').sdp!, /a=sendonly/);
  assert.equal(bench.call('s1', 'd', 'info', { dtmf: '5' }, own)['result'].message, 'SENT');
  bench.call('s1', 'b', 'bye', {}, own);
  assert.ok(bench.trace.includes('voice < BYE'));

  const other = answered();
  other.say(other.voice.bye(other.last('accepted').leg, [['Reason', 'Q.850;cause=41;text="x"']], other.now));
  const bye = other.told('s1', 'bye')!;
  assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], ['NORMAL_TEMPORARY_FAILURE', 41, 503]);
});

test('nobody there, no offer, too many, the same leg twice', () => {
  const bench = new Bench({ limits: { callsPerSession: 1 } });
  bench.login('s1');
  bench.ring('line1', { sdp: null });
  assert.equal(bench.last('failed').status, 488);
  bench.ring('line1');
  bench.ring('line1');
  assert.equal(bench.last('failed').status, 486);
  bench.input({ type: 'closed', socket: 's1' });
  bench.ring('line1');
  assert.equal(bench.last('failed').status, 480);

  const twice = new Bench();
  twice.login('s1');
  twice.ring('line1');
  twice.ring('line1');
  assert.equal(twice.last('failed').status, 482);
});

test('without a time to wait, calls end with the socket, and say why', () => {
  const up = new Bench({ keepMs: 0 });
  up.login('s1');
  up.ring('line1');
  up.call('s1', 'a', 'answer', { sdp: sdpOf('client', 'sendrecv', 'active') }, own);
  up.input({ type: 'closed', socket: 's1' });
  assert.equal(header(up.last('bye').request, HEADER.cause), 'NETWORK_LOST');
  assert.match(header(up.last('bye').request, 'Reason')!, /Q\.850;cause=38/);
  assert.equal(up.registers.at(-1)!.expires, '0');
  up.advance(120_000);
  assert.equal(up.vsp.size, 0);
  assert.equal(up.vsp.deadline(), null);
});

test('drain: clients are told, legs and registrations end, sockets close with 1001', () => {
  const bench = answered();
  bench.login('s2', 'line2');
  bench.trace.length = 0;
  bench.input({ type: 'drain' });
  assert.deepEqual(bench.trace, [
    's1 < telnyx_rtc.bye',
    'voice < BYE',
    'proxy < REGISTER',
    's1 < close 1001',
    'proxy < REGISTER',
    's2 < close 1001',
  ]);
  assert.equal(bench.told('s1', 'bye')!['causeCode'], 41);
  bench.open('s3');
  assert.deepEqual(bench.closed.at(-1), { socket: 's3', code: 1001 });
  bench.advance(120_000);
  assert.equal(bench.vsp.size, 0);
});

test('an ACK that never comes ends the call', () => {
  const bench = ringing();
  bench.underWay = [];
  bench.call('s1', 'a', 'answer', { sdp: sdpOf('client') }, own);
  bench.advance(64 * 500 + 1);
  const bye = bench.told('s1', 'bye')!;
  assert.deepEqual([bye['cause'], bye['causeCode']], ['RECOVERY_ON_TIMER_EXPIRE', 102]);
});

test('requests that are none of ours', () => {
  const bench = ringing();
  const send = (method: string): void => {
    const uri = { scheme: 'sip', host: 'vsp.sidetone.invalid', params: {} };
    const address = { uri, params: {} };
    bench.say(bench.voice.send({ method, requestUri: uri, from: address, to: address }, method, bench.now));
  };
  send('OPTIONS');
  assert.equal(bench.last('result').status, 200);
  send('MESSAGE');
  assert.equal(bench.last('result').status, 405);
  const { leg } = bench.last('progress');
  bench.call('s1', 'a', 'answer', { sdp: sdpOf('client') }, own);
  bench.say(
    bench.voice.requestInDialog(
      leg,
      { method: 'INFO', contentType: 'text/plain', body: 'x' },
      'i',
      bench.now,
    ),
  );
  assert.equal(bench.last('inDialogResult').status, 415);
});
