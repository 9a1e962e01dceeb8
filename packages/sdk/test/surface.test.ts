import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TelnyxRTC } from '../src/telnyx-rtc.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

test('handlers: the newest first', async () => {
  const scene = new Scene();
  const order: number[] = [];
  scene.client.on('telnyx.ready', () => order.push(1)).on('telnyx.ready', () => order.push(2));
  void scene.client.connect();
  await scene.registers([]);
  assert.deepEqual(order, [2, 1]);
});

test('ringtone and ringback play while it rings, and no longer', async () => {
  const scene = await Scene.ready({ ringtoneFile: 'in.mp3', ringbackFile: 'out.mp3' });
  const inbound = await scene.rings();
  assert.deepEqual(scene.browser.playing, ['in.mp3']);
  void inbound.hangup();
  assert.deepEqual(scene.browser.playing, []);
  const call = await scene.invites();
  await scene.socket.asks('telnyx_rtc.ringing', { callID: call.id });
  assert.deepEqual(scene.browser.playing, ['out.mp3']);
  await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'a' });
  assert.deepEqual(scene.browser.playing, []);
});

test('a report of the call goes to the root of the host; tried four times', async () => {
  const scene = await Scene.ready();
  scene.browser.postsAreTaken = false;
  const call = await scene.talks();
  void call.hangup();
  await scene.socket.replies('telnyx_rtc.bye', {});
  await scene.browser.passes(60_000);
  assert.equal(scene.browser.posts.length, 4);
  const { url, headers, body } = scene.browser.posts[0]!;
  assert.equal(url, 'https://phone.example.com/call_report');
  assert.deepEqual(
    [headers['x-call-report-id'], headers['x-call-id'], headers['x-voice-sdk-id']],
    ['report', call.id, 'token-1'],
  );
  assert.deepEqual([body['summary'].state, body['summary'].destinationNumber], ['DONE', '9196']);
  assert.ok(body['logs'].some(({ message }: { message: string }) => message === 'ACTIVE'));
  assert.doesNotMatch(JSON.stringify(body), /their answer|offer 1/);
});

test('windows-on-the-wall-clock: how long a call took is the same however the clock is set', async () => {
  for (const step of [-3_600_000, 3_600_000]) {
    const scene = await Scene.ready();
    const call = await scene.talks();
    scene.socket.answersPings = true;
    await scene.browser.passes(5_000);
    scene.browser.set = step;
    await scene.browser.passes(5_000);
    void call.hangup();
    await scene.socket.replies('telnyx_rtc.bye', {});
    await settle();
    const { summary } = scene.browser.posts[0]!.body;
    assert.equal(summary.durationSeconds, 10);
    assert.equal(Date.parse(summary.endTimestamp) - Date.parse(summary.startTimestamp), 10_000);
  }
});

test('a long call is reported in segments, each second once', async () => {
  const scene = await Scene.ready({ callReportFlushInterval: 20_000 });
  const call = await scene.talks();
  scene.socket.answersPings = true;
  scene.browser.peer.stats = [{ id: 'in', type: 'inbound-rtp', kind: 'audio', jitter: 0.001 }];
  await scene.browser.passes(50_000);
  void call.hangup();
  await settle();
  await scene.socket.replies('telnyx_rtc.bye', {});
  assert.deepEqual(
    scene.browser.posts.map(({ body }) => [body['segment'], body['stats'].length, body['summary'].state]),
    [
      [0, 4, 'ACTIVE'],
      [1, 4, 'ACTIVE'],
      [2, 2, 'DONE'],
    ],
  );
});

test('no report without leave of the application', async () => {
  const scene = await Scene.ready({ enableCallReports: false });
  const call = await scene.talks();
  void call.hangup();
  await scene.socket.replies('telnyx_rtc.bye', {});
  assert.equal(scene.browser.posts.length, 0);
});

test('a token that expires: told two minutes before', async () => {
  const claims = btoa(JSON.stringify({ sub: 'u', exp: (1_000_000 + 300_000) / 1_000 }));
  const scene = await Scene.ready({ login: '', login_token: `h.${claims}.s` });
  scene.socket.answersPings = true;
  await scene.browser.passes(179_000);
  assert.equal(scene.named('telnyx.warning').length, 0);
  await scene.browser.passes(1_000);
  const [warning] = scene.named('telnyx.warning');
  assert.deepEqual([warning!['warning'].code, warning!['warning'].solutions.length], [34001, 1]);
});

test('a microphone that is refused at an incoming call: the application may try again', async () => {
  let opened = 0;
  const mediaPermissionsRecovery = { enabled: true, timeout: 20_000, onSuccess: () => opened++ };
  const scene = await Scene.ready({ mediaPermissionsRecovery });
  scene.browser.microphoneError = Object.assign(new Error('x'), { name: 'NotAllowedError' });
  const call = await scene.rings();
  void call.answer();
  await settle();
  const [event] = scene.named('telnyx.error');
  assert.deepEqual(
    [event!['error'].code, event!['error'].fatal, event!['recoverable'], event!['retryDeadline']],
    [42001, false, true, 1_020_000],
  );
  scene.browser.microphoneError = undefined;
  event!['resume']();
  await settle();
  assert.deepEqual([opened, call.state], [1, 'answering']);
});

test('nobody tries again: the call ends at the deadline', async () => {
  let failed = 0;
  const mediaPermissionsRecovery = { enabled: true, timeout: 3_000, onError: () => failed++ };
  const scene = await Scene.ready({ mediaPermissionsRecovery });
  scene.browser.microphoneError = Object.assign(new Error('x'), { name: 'NotAllowedError' });
  const call = await scene.rings();
  void call.answer();
  await settle();
  await scene.browser.passes(3_000);
  assert.deepEqual([failed, call.commonState, scene.errors], [1, 'ERROR', [42001, 42001]]);
});

test('windows-on-the-wall-clock: nor does a clock that is set move the deadline for the microphone', async () => {
  for (const step of [-3_600_000, 3_600_000]) {
    let failed = 0;
    const mediaPermissionsRecovery = { enabled: true, timeout: 3_000, onError: () => failed++ };
    const scene = await Scene.ready({ mediaPermissionsRecovery });
    scene.browser.microphoneError = Object.assign(new Error('x'), { name: 'NotAllowedError' });
    const call = await scene.rings();
    void call.answer();
    await settle();
    scene.browser.set = step;
    scene.named('telnyx.error')[0]!['resume']();
    await settle();
    assert.deepEqual([failed, scene.named('telnyx.error').length], [0, 2]);
    await scene.browser.passes(3_000);
    assert.equal(failed, 1);
  }
});

test('servers recommended at login are used, unless the application named its own', async () => {
  for (const [given, used] of [
    [undefined, [{ urls: 'turn:t' }]],
    [[], []],
  ] as const) {
    const scene = new Scene(given === undefined ? {} : { iceServers: [...given] });
    void scene.client.connect();
    scene.socket.opens();
    await scene.socket.replies('login', { sessid: 's', ice_servers: [{ urls: 'turn:t' }] });
    assert.deepEqual(scene.client.iceServers, used);
  }
});

test('telnyxStateCall: simple words, and a call that works', async () => {
  const scene = await Scene.ready();
  const call = await scene.invites();
  const simple = TelnyxRTC.telnyxStateCall(call);
  assert.deepEqual([simple.state, call.state, simple.id], ['connecting', 'requesting', call.id]);
  simple.mute();
  assert.equal(call.isAudioMuted, true);
  void simple.hangup();
  assert.equal(simple.state, 'done');
});

test('what the browser can do', () => {
  assert.equal(TelnyxRTC.webRTCInfo().supportRTCPeerConnection, false);
  assert.ok(
    TelnyxRTC.webRTCSupportedBrowserList().some(({ operationSystem }) => operationSystem === 'Linux'),
  );
});

test('audio settings: constraints of new calls, a device found by its id', async () => {
  const scene = await Scene.ready();
  const settings = await scene.client.setAudioSettings({ micId: 'mic-1', echoCancellation: false });
  assert.deepEqual(settings, { echoCancellation: false, deviceId: { exact: 'mic-1' } });
  assert.deepEqual(scene.client.mediaConstraints, { audio: { echoCancellation: false }, video: false });
  scene.client.disableMicrophone();
  const call = await scene.invites();
  assert.equal(call.options.audio, false);
  scene.client.enableMicrophone();
  assert.deepEqual(scene.client.mediaConstraints.audio, true);
  assert.equal(await scene.client.checkPermissions(), true);
  scene.browser.microphoneError = new Error('no');
  assert.equal(await scene.client.checkPermissions(), false);
});

test('a text to somebody', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks({ callerNumber: '1001' });
  const sent = call.message('1002', 'hello');
  assert.deepEqual(scene.socket.last('telnyx_rtc.info')['params'].msg, {
    from: '1001',
    to: '1002',
    body: 'hello',
  });
  await scene.socket.replies('telnyx_rtc.info', {});
  assert.equal(await sent, true);
  assert.deepEqual(
    call.getEstablishmentTimings().steps.map(({ label }) => label),
    ['new', 'CONNECTING', 'ACTIVE'],
  );
});
