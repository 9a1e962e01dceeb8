import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ClientFrame, type FrameError, inviteId, parseClientFrame } from '../src/index.ts';

const read = (frame: object | string): ClientFrame => {
  const result = parseClientFrame(typeof frame === 'string' ? frame : JSON.stringify(frame));
  assert.ok(result.ok, result.ok ? '' : result.error.message);
  return result.value;
};

const refused = (frame: object | string): FrameError => {
  const result = parseClientFrame(typeof frame === 'string' ? frame : JSON.stringify(frame));
  assert.equal(result.ok, false);
  return (result as { error: FrameError }).error;
};

const request = (method: string, params: object, id: unknown = 'id-1') => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

const call = (params: object, dialog: object = {}) => ({
  sessid: 's',
  ...params,
  dialogParams: { callID: 'call-1', ...dialog },
});

const browserLogin = {
  login: 'alice',
  passwd: 'secret',
  userVariables: { push_when_active: false, pn_late_fanout: false },
  reconnection: false,
  loginParams: { early_sdp_answer: false },
  'User-Agent': { sdkVersion: '2.27.10', data: 'Mozilla/5.0' },
};

test('logins of every client', () => {
  assert.deepEqual(read(request('login', browserLogin)), {
    kind: 'login',
    id: 'id-1',
    credentials: { kind: 'password', login: 'alice', password: 'secret' },
    agent: { family: 'web', text: 'Web-2.27.10' },
  });
  const sessid = '5f6f7a30-0000-4000-8000-000000000001';
  const android = read(
    request('login', {
      login_token: 'a.b.c',
      'User-Agent': 'Android-3.7.0',
      sessid,
      loginParams: { attach_calls: 'true' },
    }),
  );
  assert.deepEqual(android, {
    kind: 'login',
    id: 'id-1',
    credentials: { kind: 'token', token: 'a.b.c' },
    sessid,
    agent: { family: 'android', text: 'Android-3.7.0' },
  });
  const flutter = read(
    request('login', { login: null, passwd: null, login_token: 't', 'User-Agent': 'Flutter-4.4.0' }),
  );
  assert.deepEqual(flutter.kind === 'login' && flutter.credentials, { kind: 'token', token: 't' });
  const oldest = read(request('login', { login: 'a', passwd: 'b', userVariables: {}, loginParams: {} }));
  assert.deepEqual(oldest.kind === 'login' && oldest.agent, { family: 'web', text: '' });
  const both = read(request('login', { ...browserLogin, login_token: 't' }));
  assert.equal(both.kind === 'login' && both.credentials?.kind, 'password');
  const none = read(request('login', { 'User-Agent': 'iOS-mpn-4.1.2', loginParams: { decline_push: true } }));
  assert.equal(none.kind === 'login' && none.credentials, null);
  const ours = read(
    request('login', { ...browserLogin, 'User-Agent': { sdkVersion: 'Sidetone-0.1.0', data: 'x' } }),
  );
  assert.deepEqual(ours.kind === 'login' && ours.agent, { family: 'sidetone', text: 'Sidetone-0.1.0' });
  const odd = read(request('login', { ...browserLogin, sessid: "Instance of 'Uuid'" }));
  assert.equal(odd.kind === 'login' && odd.sessid, undefined);
  assert.equal(refused(request('login', { login: 'a'.repeat(5000), passwd: 'b' })).code, -32602);
});

test('ids are opaque and keep their type', () => {
  for (const id of ['x', "Instance of 'Uuid'", 7, -1.5, ''])
    assert.deepEqual(read(request('telnyx_rtc.gatewayState', {}, id)), { kind: 'gatewayState', id });
  for (const id of [null, {}, [], true, 'x'.repeat(300)])
    assert.deepEqual(read(request('telnyx_rtc.gatewayState', {}, id)), { kind: 'unknown' });
});

test('an invite, with both spellings of custom headers', () => {
  const dialog = {
    destination_number: '+1 555 123',
    caller_id_name: 'Ann',
    caller_id_number: '+1555',
    remote_caller_id_name: null,
    clientState: 'c3Q=',
  };
  const expected = {
    kind: 'invite',
    id: 'id-1',
    call: {
      callId: 'call-1',
      destination: { user: '+1555123' },
      callerName: 'Ann',
      callerNumber: '+1555',
      clientState: 'c3Q=',
      customHeaders: [{ name: 'X-A', value: '1' }],
    },
    sdp: 'v=0',
    agent: { family: 'web', text: 'Web-2.27.10' },
  };
  const params = { sdp: 'v=0', 'User-Agent': 'Web-2.27.10' };
  const list = [{ name: 'X-A', value: '1' }];
  for (const headers of [{ custom_headers: list }, { customHeaders: list }])
    assert.deepEqual(read(request('telnyx_rtc.invite', call(params, { ...dialog, ...headers }))), expected);
});

test('an invite that cannot become SIP is refused with its id', () => {
  const good = { destination_number: '9196' };
  const bad: readonly object[] = [
    call({}, good),
    call({ sdp: 'v=0' }, {}),
    call({ sdp: 'v=0' }, { destination_number: 'a\r\nVia: b' }),
    call({ sdp: 'v=0' }, { ...good, caller_id_name: 'a\nb' }),
    call({ sdp: 'v=0' }, { ...good, caller_id_number: '<x>' }),
    call({ sdp: 'v=0' }, { ...good, custom_headers: [{ name: 'Via', value: 'x' }] }),
    call({ sdp: 'v=0' }, { ...good, custom_headers: [{ name: 'X-A', value: 'x\r\nVia: y' }] }),
    call({ sdp: 'v=0' }, { ...good, clientState: 'a\r\nb' }),
    call({ sdp: 'v=0' }, { ...good, callID: 'a b' }),
    call({ sdp: 'v=0' }, { ...good, callID: 'a\r\nb' }),
    { sdp: 'v=0', dialogParams: good },
    { sdp: 'v=0' },
  ];
  for (const params of bad) {
    const error = refused(request('telnyx_rtc.invite', params));
    assert.equal(error.code, -32602, JSON.stringify(params));
    assert.equal(error.id, 'id-1');
    assert.ok(error.message.length > 5 && !/Via/.test(error.message));
  }
});

test('requests about a call', () => {
  const of = (method: string, params: object, dialog: object = {}) =>
    read(request(`telnyx_rtc.${method}`, call(params, dialog)));
  const about = { id: 'id-1', callId: 'call-1' };
  assert.deepEqual(of('answer', { sdp: 'v=0' }), { kind: 'answer', ...about, sdp: 'v=0', customHeaders: [] });
  assert.deepEqual(of('attach', { sdp: 'v=0' }), { kind: 'attach', ...about, sdp: 'v=0' });
  assert.deepEqual(of('modify', { action: 'hold' }), { kind: 'hold', ...about, action: 'hold' });
  assert.deepEqual(of('modify', { action: 'toggleHold' }), { kind: 'hold', ...about, action: 'toggleHold' });
  assert.deepEqual(of('modify', { action: 'updateMedia', sdp: 'v=0' }), {
    kind: 'updateMedia',
    ...about,
    sdp: 'v=0',
  });
  assert.deepEqual(of('modify', { action: 'park' }), { kind: 'modify', ...about, action: 'park' });
  assert.deepEqual(of('modify', { action: 'transfer', destination: '+1 (312) 555-0100' }), {
    kind: 'transfer',
    ...about,
    destination: { user: '+13125550100' },
  });
  assert.deepEqual(of('modify', { action: 'replace', replaceCallID: 'call-2' }), {
    kind: 'replace',
    ...about,
    otherCallId: 'call-2',
  });
  for (const params of [
    { action: 'transfer' },
    { action: 'transfer', destination: 'a b' },
    { action: 'transfer', destination: '1'.repeat(257) },
    { action: 'replace' },
    { action: 'replace', replaceCallID: 'a\r\nb' },
  ])
    assert.equal(refused(request('telnyx_rtc.modify', call(params))).code, -32602, JSON.stringify(params));
  assert.deepEqual(of('info', { dtmf: '5#a' }), { kind: 'dtmf', ...about, digits: '5#A' });
  assert.deepEqual(of('info', { dtmf: 5 }), { kind: 'dtmf', ...about, digits: '5' });
  assert.deepEqual(of('info', { msg: { body: 'hi' } }), { kind: 'message', ...about });
  assert.deepEqual(
    of('candidate', { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: 'audio' }),
    {
      kind: 'candidate',
      ...about,
      candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host',
    },
  );
  assert.deepEqual(of('candidate', { candidate: '' }), { kind: 'endOfCandidates', ...about });
  assert.deepEqual(of('endOfCandidates', { endOfCandidates: true }), { kind: 'endOfCandidates', ...about });
  for (const [method, params] of [
    ['info', { dtmf: 'x' }],
    ['info', { dtmf: '1\r\n2' }],
    ['candidate', { candidate: 'candidate:1\r\na=evil' }],
    ['modify', {}],
    ['answer', {}],
  ] as const)
    assert.equal(refused(request(`telnyx_rtc.${method}`, call(params))).code, -32602);
  // updateMedia repeats the id outside of dialogParams; one reader is enough for both places.
  assert.equal(read(request('telnyx_rtc.modify', { action: 'hold', callID: 'c' })).kind, 'hold');
});

test('native: every spelling of the call id, in dialogParams and beside them, of every request', () => {
  const params = {
    invite: { sdp: 'v=0' },
    answer: { sdp: 'v=0' },
    attach: { sdp: 'v=0' },
    bye: { causeCode: 16 },
    modify: { action: 'hold' },
    info: { dtmf: '1' },
    candidate: { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host' },
    endOfCandidates: {},
  };
  const idOf = (frame: ClientFrame): unknown =>
    frame.kind === 'invite' ? frame.call.callId : 'callId' in frame && frame.callId;
  for (const [method, fields] of Object.entries(params))
    for (const spelling of ['callID', 'callId', 'call_id'])
      for (const dialogParams of [{ [spelling]: 'call-1' }, { callID: null }, {}] as Record<
        string,
        unknown
      >[]) {
        const dialog = { destination_number: '9196', ...dialogParams };
        const outside = typeof dialogParams[spelling] !== 'string' ? { [spelling]: 'call-1' } : {};
        const frame = read(request(`telnyx_rtc.${method}`, { ...fields, ...outside, dialogParams: dialog }));
        assert.equal(idOf(frame), 'call-1', `${method} ${spelling} ${JSON.stringify(dialogParams)}`);
      }
  assert.equal(refused(request('telnyx_rtc.bye', { dialogParams: { callid: 'x' } })).code, -32602);
  // The first place and the first spelling that say something.
  const both = { callId: 'outer', dialogParams: { callID: '', call_id: 'inner' } };
  assert.equal(idOf(read(request('telnyx_rtc.bye', both))), 'inner');
});

test('native: a login that declines', () => {
  const declines = (loginParams: object): unknown => {
    const frame = read(request('login', { login: 'a', passwd: 'b', loginParams }));
    return frame.kind === 'login' && frame.declines;
  };
  for (const flag of [true, 'true'])
    assert.equal(declines({ decline_push: flag, attach_call: 'true' }), true);
  for (const flag of [false, 'false', null, 1, {}]) assert.equal(declines({ decline_push: flag }), undefined);
});

test('a bye always ends its call', () => {
  const bye = (params: object, dialog: object = {}) =>
    read(request('telnyx_rtc.bye', call({ sipCode: null, sip_call_id: null, ...params }, dialog)));
  assert.deepEqual(bye({ cause: 'USER_BUSY', causeCode: 17, sessId: 'x' }), {
    kind: 'bye',
    id: 'id-1',
    callId: 'call-1',
    cause: 'USER_BUSY',
    causeCode: 17,
    agent: { family: 'web', text: '' },
    customHeaders: [],
  });
  const appended = bye(
    {},
    {
      custom_headers: [{ name: 'X-A', value: '1' }],
      customHeaders: [{ name: 'X-B', value: '2' }],
    },
  );
  assert.deepEqual(appended.kind === 'bye' && appended.customHeaders.map((h) => h.name), ['X-A', 'X-B']);
  const bad = bye({}, { customHeaders: [{ name: 'X-B', value: 'a\nb' }] });
  assert.equal(bad.kind === 'bye' && bad.customHeaders.length, 0);
  assert.match((bad.kind === 'bye' && bad.headerProblem) || '', /X-B/);
});

test('frames that are no requests about calls', () => {
  assert.deepEqual(read({ id: 'x', result: { method: 'telnyx_rtc.ringing' } }), {
    kind: 'reply',
    id: 'x',
  });
  assert.deepEqual(read({ id: 3, error: { code: -1, message: 'no' } }), {
    kind: 'reply',
    id: 3,
  });
  assert.deepEqual(read({ id: 'x', type: 'debug_report_start', debug_report_id: 'd' }), {
    kind: 'debugReport',
    id: 'x',
  });
  assert.deepEqual(read({ id: 'x' }), { kind: 'unknown', id: 'x' });
  assert.deepEqual(read(request('ai_conversation', {})), { kind: 'conversation', id: 'id-1' });
  assert.deepEqual(read({ method: 'ai_conversation' }), { kind: 'conversation' });
  assert.deepEqual(read(request('telnyx_rtc.attachCalls', {}, 4)), { kind: 'attachCalls', id: 4 });
  assert.deepEqual(read(request('telnyx_rtc.disable_push_notification', {})), {
    kind: 'disablePush',
    id: 'id-1',
  });
  assert.deepEqual(read(request('telnyx_rtc.ringing_ack', { callID: 'c' })), {
    kind: 'ringingAck',
    id: 'id-1',
  });
  assert.deepEqual(read(request('telnyx_rtc.subscribe', {})), {
    kind: 'channels',
    id: 'id-1',
    action: 'subscribe',
  });
  assert.deepEqual(read(request('anonymous_login', {})), { kind: 'anonymousLogin', id: 'id-1' });
  assert.deepEqual(read(request('telnyx_rtc.punt', {})), { kind: 'unknown', id: 'id-1' });
  assert.deepEqual(read(request('telnyx_rtc.__proto__', {})), { kind: 'unknown', id: 'id-1' });
  assert.deepEqual(read(request('telnyx_rtc.toString', {})), { kind: 'unknown', id: 'id-1' });
  assert.deepEqual(read(request('evil', {})), { kind: 'unknown', id: 'id-1' });
});

test('a ping with a serial number is our own, come back', () => {
  assert.deepEqual(read(request('telnyx_rtc.ping', {})), { kind: 'ping', id: 'id-1', echo: false });
  assert.deepEqual(read(request('telnyx_rtc.ping', { serno: 7 }, 501)), {
    kind: 'ping',
    id: 501,
    echo: true,
  });
});

test('speed test frames', () => {
  assert.deepEqual(read('#SPU 262144'), { kind: 'speedTest', step: 'start' });
  assert.deepEqual(read(`#SPB ${'.'.repeat(1024)}`), { kind: 'speedTest', step: 'bytes' });
  assert.deepEqual(read('#SPE'), { kind: 'speedTest', step: 'end' });
});

test('limits and junk', () => {
  assert.equal(refused('').problem, 'not-json');
  assert.equal(refused('{').problem, 'not-json');
  for (const text of ['1', '"a"', 'null', '[]', '[{"id":1,"method":"login"}]'])
    assert.equal(refused(text).problem, 'not-an-object');
  const deep = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  assert.equal(read(deep(32)).kind, 'unknown');
  assert.equal(refused(deep(33)).problem, 'too-deep');
  assert.equal(refused('['.repeat(60_000)).problem, 'too-deep');
  assert.equal(read(`{"a":"${'[\\"'.repeat(100)}"}`).kind, 'unknown');
  assert.equal(read(`{"a":"${'x'.repeat(65_528)}"}`).kind, 'unknown');
  assert.equal(refused(`{"a":"${'x'.repeat(65_529)}"}`).problem, 'too-large');
  assert.equal(refused(`{"a":"${'€'.repeat(30_000)}"}`).problem, 'too-large');
});

/** What is refused unread is what would have begun a call, under the same id. */
function agrees(text: string): void {
  const read = parseClientFrame(text);
  const id = inviteId(text);
  if (read.ok) assert.equal(id, read.value.kind === 'invite' ? read.value.id : undefined, text);
  else if (id !== undefined)
    assert.deepEqual([read.error.method, read.error.id], ['telnyx_rtc.invite', id], text);
}

test('goodput-falls-under-overload: the id of a call is read without the call', () => {
  const invite = request('telnyx_rtc.invite', call({ sdp: 'v=0' }, { destination_number: '1' }));
  const rows: readonly [object | string, string | number | undefined][] = [
    [invite, 'id-1'],
    [{ ...invite, id: 7 }, 7],
    [{ ...invite, params: {} }, 'id-1'],
    [{ ...invite, params: null }, 'id-1'],
    [{ ...invite, id: null }, undefined],
    [{ ...invite, id: { x: 1 } }, undefined],
    [{ ...invite, id: 'x'.repeat(257) }, undefined],
    [{ ...invite, method: 'telnyx_rtc.bye' }, undefined],
    [{ ...invite, method: 'telnyx_rtc.invite ' }, undefined],
    [{ params: invite }, undefined],
    [[invite], undefined],
    [`${JSON.stringify(invite)}x`, undefined],
    [{ ...invite, padding: 'x'.repeat(65_536) }, undefined],
    [{ ...invite, padding: JSON.parse('['.repeat(40) + ']'.repeat(40)) }, undefined],
    ['#SPU 1 "telnyx_rtc.invite"', undefined],
  ];
  for (const [frame, id] of rows) {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    assert.equal(inviteId(text), id, text.slice(0, 200));
    agrees(text);
  }
});

test('any text and any JSON has an answer', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), agrees));
  const method = fc.constantFrom(
    'login',
    'anonymous_login',
    'ai_conversation',
    ...['invite', 'answer', 'attach', 'bye', 'modify', 'info', 'candidate', 'ping', '__proto__', 'x'].map(
      (name) => `telnyx_rtc.${name}`,
    ),
  );
  const keys = fc.constantFrom(
    'sdp',
    'callID',
    'dtmf',
    'action',
    'login',
    'passwd',
    'custom_headers',
    'candidate',
  );
  const params = fc.dictionary(keys, fc.jsonValue());
  fc.assert(
    fc.property(fc.jsonValue(), method, params, params, (id, name, outer, dialogParams) => {
      agrees(JSON.stringify({ id, method: name, params: { ...outer, dialogParams } }));
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => agrees(JSON.stringify(value))));
});
