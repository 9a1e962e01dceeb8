import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, CALL, sdpOf } from './bench.ts';

test('login: reply, clientReady, then REGED on demand', () => {
  const bench = new Bench();
  bench.login('s1');
  assert.deepEqual(bench.trace, [
    'proxy < REGISTER',
    's1 < result to login-s1',
    's1 < telnyx_rtc.clientReady',
  ]);
  assert.deepEqual(bench.told('s1', 'clientReady'), { reattached_sessions: [] });
  const reged = bench.request('s1', 'g', 'telnyx_rtc.gatewayState');
  const { state, dc, region, call_report_id } = reged['result'].params;
  assert.deepEqual([state, dc, region], ['REGED', 'lab', 'here']);
  assert.equal(reged['result'].sessid, bench.reply('s1', 'login-s1')['result'].sessid);
  assert.ok(bench.vsp.hasReportId(call_report_id));
  assert.ok(!bench.vsp.hasReportId(`${call_report_id}x`));
  assert.deepEqual(
    bench.registers.map(({ user, expires, seq }) => ({ user, expires, seq })),
    [{ user: 'line1', expires: '600', seq: 1 }],
  );
});

test('ICE servers go out with every answer to a login, but not to native clients', () => {
  const bench = new Bench();
  bench.login('s0');
  assert.ok(!('ice_servers' in bench.reply('s0', 'login-s0')['result']));
  const servers = (n: number) => [{ urls: ['turn:t'], username: `${n}:line1`, credential: 'c' }];
  bench.handedOut = { iceServers: servers(1) };
  bench.login('s1');
  assert.deepEqual(bench.reply('s1', 'login-s1')['result'].ice_servers, servers(1));
  bench.handedOut = { iceServers: servers(2) };
  const again = bench.request('s1', 'again', 'login', { login: 'line1', passwd: 'one' });
  assert.deepEqual(again['result'].ice_servers, servers(2));
  bench.login('s2', 'line1', 'iOS-4.1.2');
  const { result } = bench.reply('s2', 'login-s2');
  assert.equal(result.message, 'logged in');
  assert.ok(!('ice_servers' in result));
});

test('a UUID that the client proposes is its sessid', () => {
  const bench = new Bench();
  bench.open('s1');
  const sessid = '5f6f7a30-0000-4000-8000-000000000001';
  const login = {
    login_token: 'line2',
    sessid,
    'User-Agent': 'iOS-4.1.2',
    loginParams: { attach_call: 'true' },
  };
  assert.equal(bench.request('s1', 'a', 'login', login)['result'].sessid, sessid);
  assert.equal(bench.registers[0]!.user, 'line2');
});

test('refused logins: -32001 and five tries', () => {
  const bench = new Bench();
  bench.open('s1');
  for (let i = 1; i <= 5; i++) {
    const { error } = bench.request('s1', `l${i}`, 'login', { login: 'line1', passwd: 'wrong' });
    assert.deepEqual(error, { code: -32001, message: 'Login Incorrect' });
    assert.equal(bench.closed.length, i < 5 ? 0 : 1);
  }
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1008 }]);
  bench.send('s1', { id: 'x', method: 'login', params: { login: 'line1', passwd: 'one' } });
  assert.deepEqual(bench.reply('s1', 'x'), {});
  assert.equal(bench.registers.length, 0);
  assert.equal(bench.vsp.size, 0);
});

test('a person may try again after a refusal, for a minute', () => {
  const bench = new Bench();
  bench.open('s1');
  bench.request('s1', 'a', 'login', { login: 'line1', passwd: 'wrong' });
  bench.advance(59_000);
  assert.equal(
    bench.request('s1', 'b', 'login', { login: 'line1', passwd: 'one' })['result'].message,
    'logged in',
  );
});

test('without credentials, and anonymously, login is refused in words', () => {
  const bench = new Bench();
  bench.open('s1');
  assert.equal(bench.request('s1', 'a', 'login', {})['error'].code, -32001);
  const anonymous = bench.request('s1', 'b', 'anonymous_login', {
    target_type: 'ai_assistant',
    target_id: 'x',
  });
  assert.equal(anonymous['error'].code, -32001);
  assert.match(anonymous['error'].message, /Anonymous login/);
});

test('a registrar that refuses or is silent fails the login', () => {
  const bench = new Bench();
  bench.registrar = () => 403;
  bench.open('s1');
  const login = { login: 'line1', passwd: 'one' };
  assert.deepEqual(bench.request('s1', 'a', 'login', login)['error'], {
    code: -32001,
    message: 'Registration failed (403)',
  });
  bench.registrar = () => 0;
  assert.deepEqual(bench.request('s1', 'b', 'login', login), {});
  // While it is checked, nothing else is.
  assert.equal(bench.request('s1', 'c', 'login', login)['error'].code, -32001);
  bench.request('s1', 'g', 'telnyx_rtc.gatewayState');
  bench.advance(10_000);
  assert.equal(bench.reply('s1', 'b')['error'].code, -32001);
  assert.equal(bench.trace.filter((line) => line === 'proxy < REGISTER').length, 3);
});

test('ten-contacts-lock-the-user-out: a registrar in trouble is no wrong password, however often', () => {
  const bench = new Bench();
  const login = { login: 'line1', passwd: 'one' };
  bench.open('s1');
  for (const status of [503, 500, 408, 423, 480, 486, 600]) {
    bench.registrar = () => status;
    assert.deepEqual(bench.request('s1', `l${status}`, 'login', login)['error'], {
      code: -32001,
      message: 'Login is not possible right now, try again',
    });
  }
  assert.deepEqual(bench.closed, []);
  bench.registrar = () => 200;
  assert.equal(bench.request('s1', 'at last', 'login', login)['result'].message, 'logged in');
});

test('what an old REGISTER ends with does not touch a new login', () => {
  const bench = new Bench();
  bench.registrar = () => 0;
  bench.open('s1');
  bench.request('s1', 'a', 'login', { login: 'line1', passwd: 'one' });
  bench.advance(30_000);
  bench.request('s1', 'b', 'login', { login: 'line1', passwd: 'one' });
  // Timer F of the first fires now (RFC 3261 §17.1.2.2).
  bench.advance(5_000);
  assert.deepEqual(bench.reply('s1', 'b'), {});
  bench.advance(5_000);
  assert.equal(bench.reply('s1', 'b')['error'].code, -32001);
});

test('who does not log in within ten seconds is closed', () => {
  const bench = new Bench();
  bench.open('s1');
  bench.advance(9999);
  assert.equal(bench.closed.length, 0);
  bench.advance(1);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1008 }]);
  assert.equal(bench.vsp.deadline(), null);
});

test('a check that never ends is a refused login', () => {
  const bench = new Bench();
  bench.answerLogins = false;
  bench.open('s1');
  bench.request('s1', 'a', 'login', { login: 'line1', passwd: 'one' });
  bench.advance(10_000);
  assert.equal(bench.reply('s1', 'a')['error'].code, -32001);
  // The late word changes nothing.
  bench.authenticate(bench.questions[0]!);
  bench.send('s1', '[]');
  assert.equal(bench.registers.length, 0);
});

test('before the login: -32000 for requests, nothing kept, little told', () => {
  const bench = new Bench();
  bench.open('s1');
  const before = JSON.stringify(bench.vsp.size);
  const invite = { sdp: sdpOf('a'), dialogParams: { callID: CALL, destination_number: '9196' } };
  assert.equal(bench.request('s1', 'i', 'telnyx_rtc.invite', invite)['error'].code, -32000);
  assert.equal(bench.request('s1', 'g', 'telnyx_rtc.gatewayState')['error'].code, -32000);
  assert.equal(bench.request('s1', 'u', 'telnyx_rtc.whatever')['error'].code, -32000);
  assert.equal(bench.request('s1', 'p', 'telnyx_rtc.ping')['result'].message, 'pong');
  for (const silent of ['#SPU 100', '#SPE', 'no json', '[]', '{"method":"x"}', '{"id":"r","result":{}}'])
    bench.send('s1', silent);
  assert.equal(bench.frames.length, 4);
  assert.equal(JSON.stringify(bench.vsp.size), before);
  for (let i = 0; i < 200; i++) bench.send('s1', { id: `x${i}`, method: 'telnyx_rtc.info', params: {} });
  const bytes = bench.frames.reduce((sum, f) => sum + JSON.stringify(f.json).length, 0);
  assert.ok(bytes < 4096 + 300, `${bytes} bytes`);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1008 }]);
});

test('a second login on the socket refreshes the token: no second clientReady, no second binding', () => {
  const bench = new Bench();
  bench.login('s1');
  const again = bench.request('s1', 'again', 'login', { login_token: 'line1' });
  assert.equal(again['result'].message, 'logged in');
  assert.equal(bench.frames.filter((f) => f.json['method'] === 'telnyx_rtc.clientReady').length, 1);
  assert.equal(bench.registers.length, 1);
  const wrong = bench.request('s1', 'wrong', 'login', { login: 'line1', passwd: 'no' });
  assert.equal(wrong['error'].code, -32001);
  const other = bench.request('s1', 'other', 'login', { login: 'line2', passwd: 'two' });
  assert.equal(other['error'].code, -32001);
  assert.equal(bench.request('s1', 'g', 'telnyx_rtc.gatewayState')['result'].params.state, 'REGED');
});

test('a second login of the user elsewhere never punts the first', () => {
  const bench = new Bench();
  bench.login('s1');
  // Two clients in one tab even share the stored voice_sdk_id.
  bench.open('s2', { voice_sdk_id: bench.frames[0]!.json['voice_sdk_id'] });
  const { sessid } = bench.reply('s1', 'login-s1')['result'];
  const login = { login: 'line1', passwd: 'one', sessid, reconnection: true };
  assert.equal(bench.request('s2', 'l', 'login', login)['result'].message, 'logged in');
  assert.deepEqual(bench.closed, []);
  assert.notEqual(bench.registers[0]!.contact, bench.registers[1]!.contact);
  assert.equal(bench.request('s1', 'g', 'telnyx_rtc.gatewayState')['result'].params.state, 'REGED');
});

test('registrations are refreshed in time, in one Call-ID, and end with the socket', () => {
  const bench = new Bench();
  bench.login('s1');
  for (let i = 0; i < 40; i++) {
    bench.advance(30_000);
    bench.request('s1', `p${i}`, 'telnyx_rtc.ping');
  }
  const reportId = bench.request('s1', 'g', 'telnyx_rtc.gatewayState')['result'].params.call_report_id;
  bench.input({ type: 'closed', socket: 's1' });
  assert.deepEqual(
    bench.registers.map(({ expires, seq }) => [expires, seq]),
    [
      ['600', 1],
      ['600', 2],
      ['600', 3],
      ['0', 4],
    ],
  );
  assert.equal(new Set(bench.registers.map((r) => r.callId)).size, 1);
  // Reports come after the socket is gone.
  assert.ok(bench.vsp.hasReportId(reportId));
  bench.advance(60_000);
  assert.equal(bench.vsp.size, 0);
});

test('a registrar away is asked again; a user gone loses the socket', () => {
  const bench = new Bench();
  bench.login('s1');
  const pulse = (ms: number): void => {
    for (let t = 0; t < ms; t += 20_000) {
      bench.advance(20_000);
      bench.send('s1', { id: `p${t}`, method: 'telnyx_rtc.ping', params: {} });
    }
  };
  bench.registrar = () => 503;
  pulse(520_000);
  assert.deepEqual(bench.closed, []);
  assert.ok(bench.logs.some((line) => line.startsWith('registration not refreshed')));
  bench.registrar = () => 404;
  pulse(60_000);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1008 }]);
});

test('pings: 15 s to browsers, 30 s to native clients, echoes never answered', () => {
  const bench = new Bench();
  bench.login('s1');
  bench.login('s2', 'line2', 'Android-3.7.0');
  const pings = (socket: string) =>
    bench.frames.filter((f) => f.socket === socket && f.json['method'] === 'telnyx_rtc.ping');
  bench.advance(30_000);
  assert.equal(pings('s1').length, 2);
  assert.equal(pings('s2').length, 1);
  assert.deepEqual(
    pings('s1').map((f) => f.json['params'].serno),
    [1, 2],
  );
  const count = bench.frames.length;
  // Android and iOS send the very same text back; Flutter an unrelated result.
  bench.send('s2', pings('s2')[0]!.json);
  bench.send('s2', { jsonrpc: '2.0', id: pings('s2')[0]!.json['id'], method: 'telnyx_rtc.ping' });
  bench.send('s2', { jsonrpc: '2.0', id: 'new', result: { message: 'PONG', sessid: 's' } });
  assert.equal(bench.frames.length, count);
  // Browsers and React Native send a request of their own.
  const pong = bench.request('s1', 'mine', 'telnyx_rtc.ping');
  assert.equal(pong['result'].message, 'pong');
});

test('a socket that is silent for a minute is closed', () => {
  const bench = new Bench();
  bench.login('s1');
  bench.login('s2');
  bench.advance(40_000);
  bench.send('s2', { id: 1, result: { message: 'PONG' } });
  bench.advance(20_000);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1001 }]);
  assert.equal(bench.registers.at(-1)!.expires, '0');
});

test('speed test, debug reports, leftovers and the unknown are answered', () => {
  const bench = new Bench();
  bench.login('s1');
  bench.send('s1', '#SPU 2048');
  bench.advance(40);
  bench.send('s1', `#SPB ${'.'.repeat(1024)}`);
  bench.send('s1', '#SPE');
  assert.deepEqual(bench.trace.slice(-2), ['s1 < #SPU40', 's1 < #SPD40']);
  for (const type of ['debug_report_start', 'debug_report_data', 'debug_report_stop']) {
    bench.send('s1', { jsonrpc: '2.0', id: type, type, debug_report_id: 'd' });
    assert.ok('result' in bench.reply('s1', type), type);
  }
  for (const method of [
    'telnyx_rtc.subscribe',
    'telnyx_rtc.broadcast',
    'telnyx_rtc.ringing_ack',
    'ai_conversation',
    'whatever',
  ])
    assert.ok('result' in bench.request('s1', method, method), method);
  const count = bench.frames.length;
  bench.send('s1', { jsonrpc: '2.0', method: 'ai_conversation', params: {} });
  bench.send('s1', 'not json');
  bench.send('s1', '[1,2]');
  assert.equal(bench.frames.length, count);
  assert.deepEqual(bench.request('s1', 'ac', 'telnyx_rtc.attachCalls')['error'], {
    message: 'CALL DOES NOT EXIST',
  });
  bench.send('s1', { id: 'dp', method: 'telnyx_rtc.disable_push_notification', params: {} });
  const push = bench.reply('s1', 'dp');
  assert.deepEqual(
    [push['method'], push['result'].message],
    ['telnyx_rtc.disable_push_notification', 'disable push notification success'],
  );
  assert.equal(
    bench.request('s1', "Instance of 'Uuid'", 'telnyx_rtc.gatewayState')['result'].params.state,
    'REGED',
  );
});
