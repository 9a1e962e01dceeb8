import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Client } from '../src/client.ts';
import type { ClientOptions } from '../src/options.ts';
import { TelnyxRTC } from '../src/telnyx-rtc.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

for (const [name, options] of [
  ['nothing', {}],
  ['a login without a password', { login: 'line1' }],
  ['a password without a login', { password: 'x' }],
  ['an empty token', { login_token: '' }],
] as const)
  test(`a client with ${name} throws`, () => {
    const { browser } = new Scene();
    const make = (Kind: typeof Client) => () => new Kind(options as ClientOptions, browser.environment());
    assert.throws(make(Client), { message: 'Invalid init options' });
    assert.throws(make(TelnyxRTC), { message: 'Invalid init options' });
  });

test('login by password, registered, ready', async () => {
  const scene = new Scene({ userVariables: { team: 'a' } });
  const ready = scene.client.ready();
  await scene.client.connect();
  assert.equal(scene.socket.url, 'wss://phone.example.com/');
  assert.equal(scene.client.connected, false);
  await scene.registers([]);
  await ready;
  await scene.client.ready();
  assert.equal(scene.client.connected, true);
  const { params } = scene.socket.last('login');
  assert.deepEqual(params, {
    login: 'line1',
    passwd: 'secret',
    userVariables: { team: 'a', push_when_active: false },
    reconnection: false,
    loginParams: {},
    'User-Agent': { sdkVersion: 'Sidetone-0.1.0', data: 'fake' },
  });
  assert.equal(scene.socket.last('telnyx_rtc.gatewayState')['voice_sdk_id'], 'token-1');
  assert.deepEqual(scene.named('telnyx.ready'), [{ type: 'vertoClientReady', reattached_sessions: [] }]);
  const { sessionid, callReportId, dc, region } = scene.client;
  assert.deepEqual([sessionid, callReportId, dc, region], ['session-1', 'report', 'lab', 'eu']);
});

test('login by token; passwd is another name of password', async () => {
  const token = await Scene.ready({ login: '', password: '', login_token: 'jwt' });
  assert.equal(token.socket.last('login')['params'].login_token, 'jwt');
  assert.equal('login' in token.socket.last('login')['params'], false);
  const passwd = new Scene({ password: undefined as unknown as string, passwd: 'p' });
  void passwd.client.connect();
  passwd.socket.opens();
  assert.equal(passwd.socket.last('login')['params'].passwd, 'p');
});

test('a refused login is told once, whatever its code, and not tried again', async () => {
  for (const code of [-32001, -32000]) {
    const scene = new Scene();
    const ready = assert.rejects(scene.client.ready(), { code: 46001, fatal: true });
    void scene.client.connect();
    scene.socket.opens();
    await scene.socket.refuses('login', code, 'Login Incorrect');
    await ready;
    assert.deepEqual(scene.errors, [46001]);
    assert.equal(scene.socket.requests('login').length, 1);
    scene.socket.breaks();
    await scene.browser.passes(60_000);
    assert.equal(scene.browser.sockets.length, 1);
  }
});

test('after a refusal the application may log in with something else', async () => {
  const scene = new Scene();
  void scene.client.connect();
  scene.socket.opens();
  await scene.socket.refuses('login', -32001, 'Login Incorrect');
  let done = false;
  void scene.client.login({ creds: { login_token: 'fresh' }, onSuccess: () => (done = true) });
  assert.deepEqual(Object.keys(scene.socket.last('login')['params']).includes('passwd'), false);
  await scene.socket.replies('login', { sessid: 's' });
  assert.ok(done);
  let refused: unknown;
  await scene.client.login({ creds: { login: 'x' }, onError: (error) => (refused = error) });
  assert.equal((refused as { code: number }).code, 46002);
});

test('connect() after a refusal is another try, on the connection that is there', async () => {
  const scene = new Scene();
  void scene.client.connect();
  scene.socket.opens();
  await scene.socket.refuses('login', -32001, 'Login Incorrect');
  void scene.client.connect();
  const ready = scene.client.ready();
  assert.equal(scene.browser.sockets.length, 1);
  await scene.registers([]);
  await ready;
});

test('connect() does not wait for the back-off, and opens one connection only', async () => {
  const scene = await Scene.ready();
  scene.socket.breaks();
  void scene.client.connect();
  void scene.client.connect();
  assert.equal(scene.browser.sockets.length, 2);
  await scene.browser.passes(2_000);
  assert.equal(scene.browser.sockets.length, 2);
});

test('a login without a reply is a named timeout and another try', async () => {
  const scene = new Scene();
  void scene.client.connect();
  scene.socket.opens();
  await scene.browser.passes(15_000);
  const [payload] = scene.named('telnyx.error');
  assert.equal(payload!['error'].code, 45004);
  assert.equal(payload!['error'].originalError.reason, 'timeout');
  assert.equal(payload!['error'].originalError.method, 'login');
  await scene.browser.passes(1_000);
  assert.equal(scene.browser.sockets.length, 2);
});

test('a server that forgets clientReady is asked', async () => {
  const scene = new Scene();
  void scene.client.connect();
  scene.socket.opens();
  await scene.socket.replies('login', { sessid: 's' });
  await scene.browser.passes(3_000);
  await scene.socket.replies('telnyx_rtc.gatewayState', { params: { state: 'REGED' } });
  assert.equal(scene.named('telnyx.ready').length, 1);
});

test('not registered yet: asked again, five times, then the login failed', async () => {
  const scene = new Scene();
  void scene.client.connect();
  scene.socket.opens();
  await scene.socket.replies('login', { sessid: 's' });
  await scene.socket.asks('telnyx_rtc.clientReady', {});
  for (const state of ['NOREG', 'TRYING', 'UNREGED', 'NOREG', 'NOREG']) {
    await scene.socket.replies('telnyx_rtc.gatewayState', { params: { state } });
    await scene.browser.passes(4_000);
  }
  assert.deepEqual(scene.errors, [46001]);
  assert.equal(scene.socket.requests('telnyx_rtc.gatewayState').length, 5);
});

test('a pushed REGED makes ready; a second one is not told', async () => {
  const scene = new Scene();
  void scene.client.connect();
  scene.socket.opens();
  await scene.socket.replies('login', { sessid: 's' });
  await scene.socket.asks('telnyx_rtc.gatewayState', { state: 'REGED' });
  await scene.socket.asks('telnyx_rtc.gatewayState', { state: 'REGED' });
  assert.equal(scene.named('telnyx.ready').length, 1);
});

test('a failed gateway: another server is asked for', async () => {
  const scene = await Scene.ready();
  scene.socket.breaks();
  await scene.browser.passes(1_000);
  scene.socket.opens();
  await scene.socket.replies('login', { sessid: 's' });
  await scene.socket.asks('telnyx_rtc.clientReady', {});
  await scene.socket.replies('telnyx_rtc.gatewayState', { params: { state: 'FAIL_WAIT' } });
  assert.deepEqual(scene.errors, [45004]);
  await scene.browser.passes(8_000);
  assert.match(scene.socket.url, /voice_sdk_id=token-1&skip_last_voice_sdk_id=true$/);
});

test('a broken connection: back-off, the token, the session id, ready again', async () => {
  const scene = await Scene.ready();
  scene.socket.breaks();
  assert.equal(scene.named('telnyx.socket.close')[0]!['event'].code, 1006);
  await scene.browser.passes(999);
  assert.equal(scene.browser.sockets.length, 1);
  await scene.browser.passes(1);
  assert.equal(scene.socket.url, 'wss://phone.example.com/?voice_sdk_id=token-1');
  await scene.registers([]);
  assert.deepEqual(
    [scene.socket.last('login')['params'].reconnection, scene.socket.last('login')['params'].sessid],
    [true, 'session-1'],
  );
  assert.equal(scene.named('telnyx.ready').length, 2);
  scene.socket.breaks();
  await scene.browser.passes(1_000);
  assert.equal(scene.browser.sockets.length, 3, 'REGED begins the count anew');
});

test('the server stays away: the tries end with 45003, ready() rejects, connect() begins anew', async () => {
  const scene = new Scene({ maxReconnectAttempts: 3 });
  const ready = assert.rejects(scene.client.ready(), { code: 45003 });
  void scene.client.connect();
  for (let i = 0; i < 4; i++) {
    scene.socket.breaks();
    await scene.browser.passes(40_000);
  }
  await ready;
  assert.equal(scene.browser.sockets.length, 4);
  assert.deepEqual(scene.errors, [45003]);
  void scene.client.connect();
  assert.equal(scene.browser.sockets.length, 5);
});

test('without autoReconnect there is a warning and no other try', async () => {
  const scene = await Scene.ready({ autoReconnect: false });
  scene.socket.breaks();
  await scene.browser.passes(60_000);
  assert.equal(scene.browser.sockets.length, 1);
  assert.equal(scene.named('telnyx.warning')[0]!['warning'].code, 36005);
});

test('the network is back: no waiting', async () => {
  const scene = await Scene.ready();
  scene.browser.fires('offline');
  assert.deepEqual(scene.errors, [48001]);
  scene.socket.breaks();
  scene.browser.fires('online');
  assert.equal(scene.browser.sockets.length, 2);
});

test('a socket that does not open: left after 15 s, and the next one does not wait', async () => {
  const scene = await Scene.ready();
  scene.socket.breaks();
  await scene.browser.passes(1_000);
  assert.equal(scene.browser.sockets.length, 2);
  await scene.browser.passes(14_000);
  assert.equal(scene.browser.sockets.length, 2);
  await scene.browser.passes(1_000);
  assert.equal(scene.browser.sockets.length, 3);
  await scene.browser.passes(500);
  scene.browser.fires('online');
  assert.equal(scene.browser.sockets.length, 3, 'a young socket may still open');
  await scene.browser.passes(1_000);
  scene.browser.fires('online');
  assert.equal(scene.browser.sockets.length, 4, 'an old one was begun without a network');
  await scene.registers([]);
  assert.equal(scene.named('telnyx.ready').length, 2);
});

test('a bad address is 45001', async () => {
  const scene = new Scene();
  scene.browser.badUrl = true;
  const ready = assert.rejects(scene.client.ready(), { code: 45001 });
  void scene.client.connect();
  await ready;
  assert.deepEqual(scene.errors, [45001]);
});

test('a ping of the server is answered by a ping of ours with a new id', async () => {
  const scene = await Scene.ready();
  await scene.socket.asks('telnyx_rtc.ping', {}, 99);
  const ping = scene.socket.last('telnyx_rtc.ping');
  assert.notEqual(ping['id'], 99);
  assert.deepEqual([ping['params'], ping['voice_sdk_id']], [{}, 'token-1']);
});

test('a silent server is asked after 20 s, and without an answer left 5 s later', async () => {
  const scene = await Scene.ready();
  await scene.browser.passes(19_999);
  assert.equal(scene.socket.requests('telnyx_rtc.ping').length, 0);
  await scene.browser.passes(1);
  await scene.socket.replies('telnyx_rtc.ping', {});
  await scene.browser.passes(20_000);
  assert.equal(scene.socket.requests('telnyx_rtc.ping').length, 2);
  await scene.browser.passes(5_000);
  assert.equal(scene.named('telnyx.warning')[0]!['warning'].code, 36003);
  await scene.browser.passes(1_000);
  assert.equal(scene.browser.sockets.length, 2);
});

test('a request refused with -32000 renews the login once', async () => {
  const scene = await Scene.ready();
  const call = await scene.invites();
  await scene.socket.refuses('telnyx_rtc.invite', -32000, 'Authentication Required');
  assert.equal(scene.socket.requests('login').length, 2);
  assert.deepEqual([call.commonState, call.commonStateReason], ['ERROR', 'SDP_SEND_FAILED']);
  assert.deepEqual(scene.errors, [46003, 40005]);
});

test('punt: calls are gone, the socket is closed, and stays so', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  await scene.socket.asks('telnyx_rtc.punt', {});
  await scene.browser.passes(60_000);
  assert.equal(call.state, 'purge');
  assert.equal(scene.browser.sockets.length, 1);
  assert.equal(scene.client.connected, false);
});

test('disconnect: a bye for the call, then silence, and no timer is left', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  await scene.client.disconnect();
  await settle();
  assert.equal(scene.socket.last('telnyx_rtc.bye')['params'].cause, 'NORMAL_CLEARING');
  assert.equal(call.state, 'purge');
  assert.equal(scene.client.hasActiveCall(), false);
  await scene.browser.passes(60_000);
  assert.equal(scene.browser.sockets.length, 1);
  assert.equal(scene.browser.timers, 0);
});

test('the page goes away: calls are hung up, unless told otherwise', async () => {
  const scene = await Scene.ready();
  await scene.talks();
  scene.browser.fires('pagehide');
  assert.equal(scene.socket.requests('telnyx_rtc.bye').length, 1);
  const stays = await Scene.ready({ hangupOnBeforeUnload: false });
  await stays.talks();
  stays.browser.fires('pagehide');
  assert.equal(stays.socket.requests('telnyx_rtc.bye').length, 0);
});

test('a handler that throws stops nothing', async (t) => {
  const reported = t.mock.method(console, 'error', () => undefined);
  const scene = new Scene();
  scene.client.on('telnyx.ready', () => {
    throw new Error('of the application');
  });
  let later = false;
  scene.client.on('telnyx.ready', () => (later = true));
  void scene.client.connect();
  await scene.registers([]);
  assert.ok(later);
  assert.equal(reported.mock.callCount(), 1);
});

test('off removes one handler, or all', async () => {
  const scene = await Scene.ready();
  let count = 0;
  const handler = () => count++;
  scene.client.on('telnyx.socket.message', handler).off('telnyx.socket.message', handler);
  scene.client.on('telnyx.socket.message', handler).off('telnyx.socket.message');
  await scene.socket.asks('telnyx_rtc.ping', {});
  assert.equal(count, 0);
});

test('whatever the server sends, the client lives', async (t) => {
  t.mock.method(console, 'error', () => undefined);
  const scene = await Scene.ready();
  const call = await scene.talks();
  const methods = [
    'invite',
    'ringing',
    'media',
    'answer',
    'display',
    'candidate',
    'info',
    'event',
    'clientReady',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc
          .record({
            method: fc.constantFrom(...methods),
            params: fc.dictionary(fc.string(), fc.jsonValue()),
            id: fc.jsonValue(),
          })
          .map(({ method, params, id }) =>
            JSON.stringify({ id, method: `telnyx_rtc.${method}`, params: { ...params, callID: call.id } }),
          ),
      ),
      async (frame) => {
        scene.socket.says(frame);
        await settle();
      },
    ),
    { numRuns: 300 },
  );
  assert.equal(call.state, 'active');
  assert.equal(scene.client.connected, true);
});

test('a silent server is doubted within 5 s of a call, and left 3 s later', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const held = call.hold();
  await scene.browser.passes(5_000);
  assert.equal(scene.socket.requests('telnyx_rtc.ping').length, 1);
  await scene.browser.passes(3_000);
  assert.equal(await held, false);
  assert.deepEqual(scene.errors, [44001]);
  assert.equal(scene.named('telnyx.warning')[0]!['warning'].code, 36003);
  assert.deepEqual(
    [call.state, call.commonState, call.commonStateReason],
    ['active', 'RECONNECTING', 'networkLost'],
  );
});
