import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TelnyxError } from '../src/errors.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

test('outbound: new, requesting, trying, ringing by the common name, active', async () => {
  const scene = await Scene.ready({ trickleIce: false });
  const rang: string[] = [];
  const call = scene.client.newCall({
    destinationNumber: '+13125550100',
    callerName: 'Alice',
    callerNumber: '1001',
    clientState: 'c3Q=',
    customHeaders: [{ name: 'X-Test', value: '1' }],
  });
  call.on('ringing', () => rang.push(call.commonState));
  await settle();
  assert.equal(scene.socket.requests('telnyx_rtc.invite').length, 0, 'no candidate yet');
  scene.browser.peer.finds('host-a');
  scene.browser.peer.finds('host-b');
  await scene.browser.passes(0);
  await settle();
  const { params } = scene.socket.last('telnyx_rtc.invite');
  assert.equal(params.sdp, 'offer 1 +host-a +host-b');
  assert.equal(params.sessid, 'session-1');
  assert.equal(params['User-Agent'], 'Sidetone-0.1.0');
  assert.equal('trickle' in params, false);
  assert.deepEqual(params.dialogParams, {
    callID: call.id,
    destination_number: '+13125550100',
    caller_id_name: 'Alice',
    caller_id_number: '1001',
    remote_caller_id_name: 'Outbound Call',
    remote_caller_id_number: '+13125550100',
    audio: true,
    video: false,
    clientState: 'c3Q=',
    custom_headers: [{ name: 'X-Test', value: '1' }],
  });
  await scene.socket.replies('telnyx_rtc.invite', { message: 'CALL CREATED' });
  await scene.socket.asks('telnyx_rtc.ringing', {
    callID: call.id,
    telnyx_call_control_id: 'cc',
    telnyx_session_id: 'ss',
    telnyx_leg_id: 'll',
  });
  await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'their answer' }, 8);
  assert.deepEqual(scene.states, [
    'new/NEW',
    'requesting/CONNECTING',
    'trying/CONNECTING',
    'trying/RINGING',
    'active/ACTIVE',
  ]);
  assert.deepEqual(rang, ['RINGING']);
  assert.deepEqual(call.telnyxIDs, { telnyxCallControlId: 'cc', telnyxSessionId: 'ss', telnyxLegId: 'll' });
  assert.deepEqual(scene.browser.peer.remote, [{ type: 'answer', sdp: 'their answer' }]);
  assert.deepEqual(
    scene.socket.sent.filter((frame) => frame['result'] !== undefined),
    [
      { jsonrpc: '2.0', id: 7, result: { method: 'telnyx_rtc.ringing' } },
      { jsonrpc: '2.0', id: 8, result: { method: 'telnyx_rtc.answer' } },
    ],
  );
  assert.deepEqual(
    [call.direction, call.prevState, call.peer?.instance !== undefined],
    ['outbound', 'trying', true],
  );
});

for (const [name, native, options] of [
  ['the native client', true, {}],
  ['TelnyxRTC with outboundRinging', false, { outboundRinging: true }],
] as const)
  test(`${name} shows ringing in the raw state too`, async () => {
    const scene = await Scene.ready(options, native);
    const call = await scene.invites();
    await scene.socket.replies('telnyx_rtc.invite', {});
    await scene.socket.asks('telnyx_rtc.ringing', { callID: call.id });
    assert.equal(scene.states.at(-1), 'ringing/RINGING');
    await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'a' });
    assert.equal(call.state, 'active');
  });

test('with STUN servers the offer waits a second for more candidates, or for the end', async () => {
  const scene = await Scene.ready({ iceServers: [{ urls: 'stun:s' }] });
  scene.client.newCall({ destinationNumber: '1' });
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(999);
  assert.equal(scene.socket.requests('telnyx_rtc.invite').length, 0);
  scene.browser.peer.finds('srflx');
  await scene.browser.passes(1);
  assert.equal(scene.socket.last('telnyx_rtc.invite')['params'].sdp, 'offer 1 +host +srflx');
  scene.client.newCall({ destinationNumber: '2' });
  await settle();
  scene.browser.peer.finds('host');
  scene.browser.peer.gatheringEnds();
  await settle();
  assert.equal(scene.socket.requests('telnyx_rtc.invite').length, 2);
  assert.deepEqual(scene.browser.peer.configuration.iceServers, [{ urls: 'stun:s' }]);
});

test('no candidate at all: the offer goes all the same, with a warning', async () => {
  const scene = await Scene.ready();
  scene.client.newCall({ destinationNumber: '1' });
  await settle();
  await scene.browser.passes(5_000);
  assert.equal(scene.socket.requests('telnyx_rtc.invite').length, 1);
  assert.equal(scene.named('telnyx.warning')[0]!['warning'].code, 33003);
});

test('trickle: the offer at once, candidates behind it, and those of the server when they can be used', async () => {
  const scene = await Scene.ready({ trickleIce: true });
  const call = scene.client.newCall({ destinationNumber: '1' });
  await settle();
  assert.equal(scene.socket.last('telnyx_rtc.invite')['params'].trickle, true);
  scene.browser.peer.finds('candidate:1');
  scene.browser.peer.gatheringEnds();
  const { params } = scene.socket.last('telnyx_rtc.candidate');
  assert.deepEqual(
    [params.candidate, params.sdpMid, params.dialogParams.callID],
    ['candidate:1', '0', call.id],
  );
  assert.equal(scene.socket.last('telnyx_rtc.endOfCandidates')['params'].endOfCandidates, true);
  await scene.socket.asks('telnyx_rtc.candidate', { callID: call.id, candidate: 'candidate:9', sdpMid: '0' });
  assert.equal(scene.browser.peer.candidates.length, 0);
  await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'a' });
  assert.equal(scene.browser.peer.candidates[0]!.candidate, 'candidate:9');
});

test('early media, and an answer that repeats or omits the SDP', async () => {
  for (const sdp of ['early answer', undefined]) {
    const scene = await Scene.ready();
    const call = await scene.invites();
    await scene.socket.replies('telnyx_rtc.invite', {});
    scene.socket.says({
      id: 1,
      method: 'telnyx_rtc.media',
      params: { callID: call.id, sdp: 'early answer' },
    });
    await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp });
    assert.deepEqual(scene.states.slice(-2), ['early/CONNECTING', 'active/ACTIVE']);
    assert.equal(scene.browser.peer.remote.length, 1);
  }
});

test('an answer without any SDP ends the call with 40004 and a bye', async () => {
  const scene = await Scene.ready();
  const call = await scene.invites();
  await scene.socket.replies('telnyx_rtc.invite', {});
  await scene.socket.asks('telnyx_rtc.answer', { callID: call.id });
  assert.deepEqual(scene.errors, [40004]);
  assert.equal(scene.socket.last('telnyx_rtc.bye')['params'].sipCode, 488);
  assert.equal(scene.named('telnyx.error')[0]!['callId'], call.id);
});

test('incoming: who calls, headers as a map, answer with headers of our own', async () => {
  const scene = await Scene.ready();
  const call = await scene.rings({
    client_state: 'Y3M=',
    dialogParams: { custom_headers: [{ name: 'X-In', value: 'yes' }] },
  });
  assert.deepEqual(scene.states, ['new/NEW', 'ringing/RINGING']);
  assert.deepEqual(call.customHeaders, { 'X-In': 'yes' });
  assert.deepEqual(call.options.customHeaders, [{ name: 'X-In', value: 'yes' }]);
  const { remoteCallerName, remoteCallerNumber, destinationNumber, clientState } = call.options;
  assert.deepEqual(
    [remoteCallerName, remoteCallerNumber, destinationNumber, clientState],
    ['Bob', '1002', '1001', 'Y3M='],
  );
  void call.answer({ customHeaders: [{ name: 'X-Ans', value: 'a' }] });
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
  assert.deepEqual(scene.browser.peer.remote, [{ type: 'offer', sdp: 'their offer' }]);
  const { params } = scene.socket.last('telnyx_rtc.answer');
  assert.equal(params.sdp, 'our answer +host');
  assert.deepEqual(params.dialogParams.custom_headers, [{ name: 'X-Ans', value: 'a' }]);
  assert.equal(call.state, 'answering');
  await scene.socket.replies('telnyx_rtc.answer', {});
  assert.deepEqual(scene.states.slice(2), ['answering/CONNECTING', 'active/ACTIVE']);
  await call.answer();
  assert.equal(scene.named('telnyx.warning').at(-1)!['warning'].code, 33006);
});

test('a repeated invite of the server makes no second call', async () => {
  const scene = await Scene.ready();
  const call = await scene.rings();
  assert.equal(await scene.rings(), call);
  assert.equal(scene.states.length, 2);
});

test('hold, unhold, toggle: the reply decides', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  for (const [method, holdState, state] of [
    ['hold', 'held', 'held'],
    ['unhold', 'active', 'active'],
    ['toggleHold', 'held', 'held'],
    ['toggleHold', 'active', 'active'],
  ] as const) {
    const done = call[method]();
    assert.equal(scene.socket.last('telnyx_rtc.modify')['params'].action, method);
    await scene.socket.replies('telnyx_rtc.modify', { holdState });
    assert.equal(await done, true);
    assert.equal(call.state, state);
  }
  const refused = call.hold();
  await scene.socket.refuses('telnyx_rtc.modify', -32002, 'no');
  assert.equal(await refused, false);
  assert.deepEqual(scene.errors, [44001]);
  assert.equal(call.state, 'active');
});

test('digits, under both names; others are refused at once', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const sent = call.dtmf('12#');
  assert.equal(scene.socket.last('telnyx_rtc.info')['params'].dtmf, '12#');
  await scene.socket.replies('telnyx_rtc.info', {});
  assert.equal(await sent, true);
  void call.sendDigits('D*');
  assert.equal(scene.socket.last('telnyx_rtc.info')['params'].dtmf, 'D*');
  assert.throws(() => call.dtmf('1,x'), TelnyxError);
});

test('mute and deaf are local and survive a change of the microphone', async () => {
  const scene = await Scene.ready({ mutedMicOnStart: true });
  const call = await scene.talks();
  const frames = scene.socket.sent.length;
  const [stream] = scene.browser.streams;
  assert.equal(stream!.tracks[0]!.enabled, false);
  call.unmute();
  assert.deepEqual([stream!.tracks[0]!.enabled, call.isAudioMuted], [true, false]);
  call.toggleAudioMute();
  assert.equal(await call.setAudioInDevice('mic-2'), true);
  const track = scene.browser.streams[1]!.tracks[0]!;
  assert.deepEqual([track.deviceId, track.enabled], [{ exact: 'mic-2' }, false]);
  assert.equal(scene.browser.peer.senders[0]!.track, track);
  assert.equal(stream!.tracks[0]!.readyState, 'ended');
  const heard = scene.browser.peer.hears();
  call.deaf();
  assert.equal(heard.tracks[0]!.enabled, false);
  call.toggleDeaf();
  assert.equal(heard.tracks[0]!.enabled, true);
  assert.equal(scene.socket.sent.length, frames);
});

test('a hang-up: media stops at once, the bye waits at most 5 s', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const done = call.hangup();
  assert.equal(call.state, 'hangup');
  assert.equal(scene.browser.peer.closed, true);
  assert.equal(scene.browser.streams[0]!.tracks[0]!.readyState, 'ended');
  const { params } = scene.socket.last('telnyx_rtc.bye');
  assert.deepEqual([params.cause, params.causeCode, 'sipCode' in params], ['NORMAL_CLEARING', 16, false]);
  assert.deepEqual(params.dialogParams.custom_headers, []);
  await scene.browser.passes(5_000);
  await done;
  assert.deepEqual([call.state, call.cause, call.causeCode], ['destroy', 'NORMAL_CLEARING', 16]);
  assert.equal(scene.client.hasActiveCall(), false);
});

for (const [name, options, sent] of [
  ['without a cause', {}, {}],
  ['with a cause', { cause: 'USER_BUSY' }, { cause: 'USER_BUSY' }],
  ['with a cause and its code', { cause: 'USER_BUSY', causeCode: 17 }, { cause: 'USER_BUSY', causeCode: 17 }],
  ['with a SIP code', { sipCode: 486 }, { sipCode: 486 }],
] as const)
  test(`a reject ${name} sends just that`, async () => {
    const scene = await Scene.ready();
    const call = await scene.rings();
    const done = call.hangup({
      ...options,
      dialogParams: { customHeaders: [{ name: 'X-Why', value: 'no' }] },
    });
    const { cause, causeCode, sipCode, dialogParams } = scene.socket.last('telnyx_rtc.bye')['params'];
    assert.deepEqual(JSON.parse(JSON.stringify({ cause, causeCode, sipCode })), sent);
    assert.deepEqual(dialogParams.custom_headers, [{ name: 'X-Why', value: 'no' }]);
    await scene.socket.replies('telnyx_rtc.bye', {});
    await done;
    assert.deepEqual(scene.states.slice(-2), ['hangup/DONE', 'destroy/DONE']);
  });

test('a call hung up before its invite was sent says nothing to the server', async () => {
  const scene = await Scene.ready();
  const call = scene.client.newCall({ destinationNumber: '1' });
  await call.hangup();
  await settle();
  await scene.browser.passes(20_000);
  assert.equal(
    scene.socket.requests('telnyx_rtc.invite').length + scene.socket.requests('telnyx_rtc.bye').length,
    0,
  );
  assert.equal(scene.browser.streams[0]!.tracks[0]!.readyState, 'ended');
  assert.deepEqual(scene.states, ['new/NEW', 'hangup/DONE', 'destroy/DONE']);
});

test('a bye of the server brings its reasons, and no bye goes back', async () => {
  const scene = await Scene.ready();
  const call = await scene.invites();
  await scene.socket.asks('telnyx_rtc.bye', {
    callID: call.id,
    cause: 'USER_BUSY',
    causeCode: 17,
    sipCode: 486,
    sipReason: 'Busy Here',
    sip_call_id: 'abc@x',
  });
  const { cause, causeCode, sipCode, sipReason, sipCallId, state } = call;
  assert.deepEqual(
    [cause, causeCode, sipCode, sipReason, sipCallId, state],
    ['USER_BUSY', 17, 486, 'Busy Here', 'abc@x', 'destroy'],
  );
  assert.equal(scene.socket.requests('telnyx_rtc.bye').length, 0);
  await call.hangup();
  assert.equal(scene.socket.requests('telnyx_rtc.bye').length, 0);
});

test('an invite that is refused, not answered, or made offline ends with 40005', async () => {
  const refused = await Scene.ready();
  const one = await refused.invites();
  await refused.socket.refuses('telnyx_rtc.invite', -32002, 'CALL ERROR');
  assert.deepEqual([refused.errors, one.cause], [[40005], 'CALL_REJECTED']);

  const silent = await Scene.ready();
  silent.socket.answersPings = true;
  const two = await silent.invites();
  await silent.browser.passes(15_000);
  assert.deepEqual([silent.errors, two.cause], [[40005], 'RECOVERY_ON_TIMER_EXPIRE']);
  const { originalError } = silent.named('telnyx.error')[0]!['error'];
  assert.deepEqual([originalError.reason, originalError.method], ['timeout', 'telnyx_rtc.invite']);
  assert.equal(silent.socket.requests('telnyx_rtc.bye').length, 1);

  const offline = new Scene();
  const three = offline.client.newCall({ destinationNumber: '1' });
  await settle();
  await offline.browser.passes(5_000);
  assert.deepEqual([offline.errors, three.cause, three.state], [[40005], 'NETWORK_OUT_OF_ORDER', 'destroy']);
});

test('no microphone: a named error, the old notification, and the caller is told 480', async () => {
  for (const [name, code] of [
    ['NotAllowedError', 42001],
    ['NotFoundError', 42002],
    ['AbortError', 42003],
  ] as const) {
    const scene = await Scene.ready();
    scene.browser.microphoneError = Object.assign(new Error('x'), { name });
    const call = await scene.rings();
    await call.answer();
    assert.deepEqual(scene.errors, [code]);
    assert.equal(scene.named('userMediaError').length, 1);
    assert.equal(scene.socket.last('telnyx_rtc.bye')['params'].sipCode, 480);
  }
});

test('receive only: no microphone is opened', async () => {
  const scene = await Scene.ready();
  await scene.invites({ audio: false, receiveOnlyAudio: true });
  assert.equal(scene.browser.streams.length, 0);
  assert.deepEqual(scene.browser.peer.receiving, ['recvonly']);
});

test('the audio path fails: one repair by a new offer', async () => {
  const scene = await Scene.ready();
  await scene.talks();
  scene.browser.peer.becomes('disconnected');
  scene.browser.peer.becomes('failed');
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
  const { params } = scene.socket.last('telnyx_rtc.modify');
  assert.deepEqual([params.action, params.sdp], ['updateMedia', 'offer 2 restart +host']);
  await scene.socket.replies('telnyx_rtc.modify', { sdp: 'new answer' });
  assert.equal(scene.browser.peer.remote.at(-1)!.sdp, 'new answer');
  assert.deepEqual(
    scene.named('telnyx.warning').map((payload) => payload['warning'].code),
    [33001, 33004, 36004],
  );
  assert.deepEqual(scene.errors, []);
});

test('after a lost connection the server decides which calls live on', async () => {
  const scene = await Scene.ready();
  const kept = await scene.talks();
  const lost = await scene.talks();
  scene.socket.breaks();
  assert.equal(lost.state, 'active');
  await scene.browser.passes(1_000);
  await scene.registers([kept.id]);
  assert.deepEqual([kept.state, lost.state, lost.cause], ['active', 'destroy', 'NETWORK_OUT_OF_ORDER']);
  assert.deepEqual(scene.errors, [48501]);
  assert.equal(scene.socket.requests('telnyx_rtc.bye').length, 0);
});

test('a call with onNotification is not told to the client', async () => {
  const scene = await Scene.ready();
  const seen: string[] = [];
  await scene.invites({ onNotification: (one: { type: string }) => seen.push(one.type) });
  assert.deepEqual([seen, scene.states], [['callUpdate', 'callUpdate'], []]);
});

test('display and info messages', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  await scene.socket.asks('telnyx_rtc.display', {
    callID: call.id,
    display_name: 'Bob',
    display_number: '1002',
  });
  const [shown] = scene.named('participantData');
  assert.deepEqual([shown!['displayName'], shown!['displayNumber']], ['Bob', '1002']);
  await scene.socket.asks('telnyx_rtc.info', { text: 'hello' });
  assert.equal(scene.named('event')[0]!['text'], 'hello');
});

test('newCall and answer refuse what cannot be sent', async () => {
  const scene = await Scene.ready();
  assert.throws(() => scene.client.newCall({ destinationNumber: '' }), { code: 44002 });
  const bad = [{ name: 'X-A', value: 'a\r\nB: c' }];
  assert.throws(() => scene.client.newCall({ destinationNumber: '1', customHeaders: bad }), { code: 44002 });
  const call = await scene.rings();
  await assert.rejects(call.answer({ customHeaders: bad }), { code: 44002 });
  assert.equal(call.state, 'ringing');
});

test('devices: lists, and a change for calls to come and calls that live', async () => {
  const scene = await Scene.ready();
  const ids = (list: readonly MediaDeviceInfo[]): string[] => list.map(({ deviceId }) => deviceId);
  assert.deepEqual(ids(await scene.client.getDevices()), ['mic-1', 'out-1', 'cam-1']);
  assert.deepEqual(ids(await scene.client.getAudioInDevices()), ['mic-1']);
  assert.deepEqual(ids(await scene.client.getAudioOutDevices()), ['out-1']);
  const call = await scene.talks();
  assert.equal(await scene.client.setAudioInDevice('mic-1'), true);
  assert.equal(call.options.micId, 'mic-1');
  await scene.client.setAudioOutDevice('out-1');
  const later = await scene.talks();
  assert.deepEqual([later.options.micId, later.options.speakerId], ['mic-1', 'out-1']);
});

test('a call id that is the name of a property of every object is only an id', async () => {
  const scene = await Scene.ready();
  for (const id of ['constructor', '__proto__', 'toString']) {
    await scene.socket.asks('telnyx_rtc.ringing', { callID: id });
    await scene.rings({ callID: id });
    assert.equal(scene.client.calls[id]?.state, 'ringing');
  }
});

test('a call begun while the connection is away is placed when it is back', async () => {
  const scene = await Scene.ready();
  const call = scene.client.newCall({ destinationNumber: '1' });
  await settle();
  scene.socket.breaks();
  await scene.browser.passes(1_000);
  await scene.registers([]);
  assert.equal(call.state, 'new');
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
  assert.equal(call.state, 'requesting');
});

test('a connection that breaks while an invite waits for its reply ends that call', async () => {
  const scene = await Scene.ready();
  const call = await scene.invites();
  scene.socket.breaks();
  await settle();
  assert.deepEqual([call.state, call.cause, scene.errors], ['destroy', 'NETWORK_OUT_OF_ORDER', [40005]]);
});
