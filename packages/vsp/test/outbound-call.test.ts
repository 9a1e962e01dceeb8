import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyText, formatUri, header, headersNamed } from '@sidetone/sip';
import { Bench, CALL, LEG, SESSION, sdpOf } from './bench.ts';
import { active, calling, dialled } from './scripted-calls.ts';

test('invite: the reply first, then INVITE; ringing once; answer with the description', () => {
  const bench = calling({ clientState: 'c3Q=', custom_headers: [{ name: 'X-Test', value: '1' }] });
  assert.deepEqual(bench.reply('s1', 'i')['result'].message, 'CALL CREATED');
  const { request, sdp } = bench.last('incoming');
  assert.equal(formatUri(request.uri), 'sip:+1555123@sip.localhost');
  assert.equal(request.headers.callId, CALL);
  assert.equal(request.headers.from.displayName, 'Ann');
  assert.equal(formatUri(request.headers.from.uri), 'sip:+1555000@sip.localhost');
  assert.equal(header(request, 'P-Asserted-Identity'), '<sip:line1@sip.localhost>');
  assert.deepEqual(headersNamed(request, 'User-Agent'), ['Web-2.27.10']);
  assert.equal(header(request, 'X-Test'), '1');
  assert.equal(header(request, 'X-Sidetone-Client-State'), 'c3Q=');
  assert.equal(sdp, sdpOf('client'));

  bench.respond(180, { headers: [['X-Ring', 'yes']] });
  bench.respond(180);
  bench.respond(200, { sdp: sdpOf('platform'), headers: [['X-Ans', 'a']] });
  assert.deepEqual(
    bench.trace.filter((line) => line !== 'voice < ACK'),
    ['s1 < result to i', 'voice < INVITE', 's1 < telnyx_rtc.ringing', 's1 < telnyx_rtc.answer'],
  );
  const ringing = bench.told('s1', 'ringing')!;
  assert.deepEqual(
    [ringing['callID'], ringing['caller_id_name'], ringing['caller_id_number'], ringing['callee_id_number']],
    [CALL, 'Ann', '+1555000', '+1555123'],
  );
  assert.deepEqual(ringing['dialogParams'].custom_headers, [{ name: 'X-Ring', value: 'yes' }]);
  const answer = bench.told('s1', 'answer')!;
  assert.deepEqual(
    [answer['telnyx_session_id'], answer['telnyx_leg_id'], answer['telnyx_call_control_id']],
    [SESSION, LEG, 'v3:control'],
  );
  assert.equal(answer['sdp'], sdpOf('platform'));
  assert.deepEqual(answer['dialogParams'].custom_headers, [{ name: 'X-Ans', value: 'a' }]);
  assert.equal(bench.last('confirmed').leg, bench.last('incoming').leg);
});

test('early media goes out once, and answer does not repeat it', () => {
  const bench = calling();
  bench.respond(183, { sdp: sdpOf('early') });
  bench.respond(183, { sdp: sdpOf('early') });
  bench.respond(180, { sdp: sdpOf('early') });
  bench.respond(200, { sdp: sdpOf('early') });
  assert.deepEqual(
    bench.trace.filter((line) => line.startsWith('s1')),
    ['s1 < result to i', 's1 < telnyx_rtc.media', 's1 < telnyx_rtc.ringing', 's1 < telnyx_rtc.answer'],
  );
  assert.equal(bench.told('s1', 'media')!['sdp'], sdpOf('early'));
  assert.ok(!('sdp' in bench.told('s1', 'answer')!));
});

test('an answer without any description ends the call rather than the client', () => {
  const bench = calling();
  bench.respond(200);
  const bye = bench.told('s1', 'bye')!;
  assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], ['INCOMPATIBLE_DESTINATION', 88, 488]);
  assert.equal(bench.told('s1', 'answer'), undefined);
  assert.ok(bench.trace.includes('voice < BYE'));
});

test('refusals are told by cause, number and status', () => {
  const table: readonly (readonly [number, readonly (readonly [string, string])[], string, number])[] = [
    [486, [], 'USER_BUSY', 17],
    [404, [], 'UNALLOCATED_NUMBER', 1],
    [480, [], 'NO_USER_RESPONSE', 18],
    [408, [], 'NO_ANSWER', 19],
    [603, [], 'CALL_REJECTED', 21],
    [500, [], 'NORMAL_TEMPORARY_FAILURE', 41],
    [488, [], 'INCOMPATIBLE_DESTINATION', 88],
    [480, [['Reason', 'Q.850;cause=19;text="x"']], 'NO_ANSWER', 19],
    [
      487,
      [
        ['Reason', 'Q.850;cause=21;text="CALL_REJECTED"'],
        ['X-Sidetone-Cause', 'rejected'],
      ],
      'CALL_REJECTED',
      21,
    ],
  ];
  for (const [status, headers, cause, code] of table) {
    const bench = calling();
    bench.respond(180);
    bench.respond(status, { headers: [...headers, ['X-Why', 'because']] });
    const bye = bench.told('s1', 'bye')!;
    assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], [cause, code, status]);
    assert.equal(bye['sip_call_id'], CALL);
    assert.ok(bye['sipReason'].length > 0);
    assert.deepEqual(bye['dialogParams'].customHeaders, [{ name: 'X-Why', value: 'because' }]);
    // The call is gone.
    assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' })['error'].code, -32003);
  }
});

test('bye before the answer is CANCEL, whatever the words', () => {
  const bench = calling();
  bench.respond(180);
  const reply = bench.call('s1', 'b', 'bye', { cause: 'USER_BUSY', causeCode: 17, sipCode: null });
  assert.ok('result' in reply);
  const { request } = bench.last('cancelled');
  assert.match(header(request, 'Reason')!, /cause=487/);
  assert.equal(header(request, 'X-Sidetone-Cause'), 'cancelled');
  assert.equal(bench.told('s1', 'bye'), undefined);
  bench.advance(40_000);
  bench.input({ type: 'closed', socket: 's1' });
  bench.advance(40_000);
  assert.equal(bench.vsp.size, 0);
});

test('bye before any response waits for one, then cancels', () => {
  const bench = calling();
  bench.call('s1', 'b', 'bye');
  bench.respond(180);
  assert.equal(bench.last('cancelled').leg, bench.last('incoming').leg);
  // The client heard nothing more about it.
  assert.deepEqual(
    bench.trace.filter((line) => line.startsWith('s1')),
    ['s1 < result to i', 's1 < result to b'],
  );
});

test('an answer that crosses the CANCEL is hung up', () => {
  const bench = calling();
  bench.underWay = [];
  bench.call('s1', 'b', 'bye');
  bench.respond(200, { sdp: sdpOf('platform') });
  bench.arrive();
  assert.ok(bench.trace.includes('voice < BYE'), bench.trace.join('\n'));
  assert.equal(bench.told('s1', 'answer'), undefined);
});

test('bye after the answer, both ways, with custom headers', () => {
  const bench = active();
  bench.call(
    's1',
    'b',
    'bye',
    { cause: 'NORMAL_CLEARING', causeCode: 16 },
    { customHeaders: [{ name: 'X-Bye', value: '1' }] },
  );
  assert.deepEqual(bench.trace.slice(0, 2), ['s1 < result to b', 'voice < BYE']);
  const { request } = bench.last('bye');
  assert.equal(header(request, 'X-Bye'), '1');
  assert.equal(header(request, 'Reason'), 'Q.850;cause=16;text="NORMAL_CLEARING"');
  assert.ok('result' in bench.call('s1', 'b2', 'bye'));

  const other = active();
  other.say(
    other.voice.bye(
      other.last('incoming').leg,
      [
        ['Reason', 'Q.850;cause=16;text="NORMAL_CLEARING"'],
        ['X-From', 'carrier'],
      ],
      other.now,
    ),
  );
  const bye = other.told('s1', 'bye')!;
  assert.deepEqual(
    [bye['cause'], bye['causeCode'], bye['sipCode'], bye['sipReason']],
    ['NORMAL_CLEARING', 16, 200, 'OK'],
  );
  assert.deepEqual(bye['dialogParams'].customHeaders, [{ name: 'X-From', value: 'carrier' }]);
  assert.deepEqual(other.trace.slice(0, 2), ['voice < 200 BYE', 's1 < telnyx_rtc.bye']);
});

test('a bye with a bad header still ends the call, and says so', () => {
  const bench = active();
  const reply = bench.call('s1', 'b', 'bye', {}, { customHeaders: [{ name: 'X-Bye', value: 'a\r\nb' }] });
  assert.equal(reply['error'].code, -32602);
  assert.equal(header(bench.last('bye').request, 'X-Bye'), undefined);
});

test('a bad custom header, destination or call id is never sent', () => {
  const bad: readonly object[] = [
    { custom_headers: [{ name: 'Route', value: '<sip:evil>' }] },
    { custom_headers: [{ name: 'X-A', value: 'a\r\nVia: b' }] },
    { custom_headers: [{ name: 'X-Sidetone-Trunk', value: 'a' }] },
    { destination_number: 'a\r\nb' },
    { destination_number: '' },
    { caller_id_name: 'a\0b' },
    { callID: 'a b' },
  ];
  for (const dialog of bad) {
    const bench = calling(dialog);
    assert.equal(bench.reply('s1', 'i')['error'].code, -32602);
    assert.deepEqual(bench.trace, ['s1 < error -32602 to i']);
  }
});

test('digits leave as INFO, text messages nowhere', () => {
  const bench = active();
  const reply = bench.call('s1', 'd', 'info', { dtmf: '12#' });
  assert.equal(reply['result'].message, 'SENT');
  const { request } = bench.last('info');
  assert.equal(request.headers.contentType, 'application/dtmf-relay');
  assert.match(bodyText(request), /^Signal=12#\r\n/);
  assert.ok('result' in bench.call('s1', 'm', 'info', { msg: { to: 'x', body: 'hi' } }));
  assert.equal(bench.trace.filter((line) => line === 'voice < INFO').length, 1);
  assert.equal(bench.call('s1', 'x', 'info', { dtmf: '1\r\nVia: x' })['error'].code, -32602);
  assert.equal(bench.call('s1', 'n', 'info', { dtmf: '1' }, { callID: 'nobody' })['error'].code, -32003);
});

test('one callID once, and not too many calls', () => {
  const bench = new Bench({ limits: { callsPerSession: 2 } });
  bench.login('s1');
  const invite = (id: string, callID: string) =>
    bench.call('s1', id, 'invite', { sdp: sdpOf('c') }, { ...dialled, callID });
  assert.ok('result' in invite('a', 'one'));
  assert.equal(invite('b', 'one')['error'].code, -32002);
  assert.ok('result' in invite('c', 'two'));
  assert.equal(invite('d', 'three')['error'].code, -32002);
  bench.call('s1', 'e', 'bye', {}, { callID: 'one' });
  assert.ok('result' in invite('f', 'three'));
});

test("another user's call does not exist", () => {
  const bench = active();
  bench.login('s2', 'line2');
  bench.trace.length = 0;
  assert.equal(bench.call('s2', 'h', 'modify', { action: 'hold' })['error'].code, -32003);
  assert.equal(bench.call('s2', 'd', 'info', { dtmf: '1' })['error'].code, -32003);
  assert.equal(bench.call('s2', 'a', 'answer', { sdp: 'v=0' })['error'].code, -32003);
  assert.ok('result' in bench.call('s2', 'b', 'bye'));
  assert.ok(!bench.trace.some((line) => line.startsWith('voice')));
  assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' })['result'].holdState, 'held');
});

test('goodput-falls-under-overload: a call that waited too long is refused before a leg is made, and says when to try again', () => {
  const bench = new Bench();
  bench.login('s1');
  const before = bench.trace.length;
  const text = JSON.stringify({
    jsonrpc: '2.0',
    id: 'late',
    method: 'telnyx_rtc.invite',
    params: { sdp: sdpOf('client'), dialogParams: { callID: CALL, destination_number: '9196' } },
  });
  assert.equal(bench.vsp.turns.of('s1', text), 'user line1');
  const { id, error } = JSON.parse(bench.vsp.turns.refusal('s1', text)!);
  assert.equal(id, 'late');
  assert.equal(error.code, -32002);
  assert.match(error.message, /busy, try again in \d+ s/);
  assert.ok(error.data.retry_after >= 2 && error.data.retry_after <= 10);
  assert.equal(bench.trace.length, before);
  const hidden = text.replace('.invite', '.inv\\u0069te');
  assert.equal(bench.vsp.turns.of('s1', hidden), 'user line1');
  assert.ok(bench.vsp.turns.refusal('s1', hidden));
  // Everything else is served however long it waited.
  const ping = JSON.stringify({ jsonrpc: '2.0', id: 'p', method: 'telnyx_rtc.ping', params: {} });
  assert.equal(bench.vsp.turns.of('s1', ping), null);
  bench.open('s2');
  assert.match(bench.vsp.turns.of('s2', ping) ?? '', /^stranger \S/);
  assert.equal(bench.vsp.turns.refusal('s1', ping), null);
  assert.equal(bench.vsp.turns.refusal('s2', text), null, 'who is not logged in');
});

test('goodput-falls-under-overload: a 503 tells the client when to come back', () => {
  const bench = calling();
  bench.respond(503, { headers: [['Retry-After', '7']] });
  const bye = bench.told('s1', 'bye')!;
  assert.equal(bye['sipCode'], 503);
  assert.deepEqual(bye['dialogParams'].custom_headers, [{ name: 'Retry-After', value: '7' }]);
});
