import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SDK_ERRORS, SDK_WARNINGS } from '../src/errors.ts';
import { type FakePeer, type Json, settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

/** How each warning and each error comes about. */
const warnings: Record<number, (scene: Scene) => Promise<void>> = {};
const errors: Record<number, (scene: Scene) => Promise<void>> = {};

/** A call that talks for some seconds with these statistics. */
const talking = (seconds: number, stats: (second: number) => Json[]) => async (scene: Scene) => {
  await scene.talks();
  scene.socket.answersPings = true;
  for (let second = 0; second < seconds; second++) {
    scene.browser.peer.stats = stats(second);
    await scene.browser.passes(1_000);
  }
};
const inbound = (more: Json): Json => ({ id: 'in', type: 'inbound-rtp', kind: 'audio', ...more });
const outbound = (more: Json): Json => ({ id: 'out', type: 'outbound-rtp', kind: 'audio', ...more });
const source = (more: Json): Json => ({ id: 'mic', type: 'media-source', kind: 'audio', ...more });
const pair = (more: Json): Json => ({
  id: 'pair',
  type: 'candidate-pair',
  nominated: true,
  state: 'succeeded',
  ...more,
});

warnings[31001] = talking(3, () => [pair({ currentRoundTripTime: 0.5 })]);
warnings[31002] = talking(3, () => [inbound({ jitter: 0.04 })]);
warnings[31003] = talking(4, (n) => [inbound({ packetsLost: 2 * n, packetsReceived: 98 * n })]);
warnings[31004] = talking(5, (n) => [inbound({ packetsLost: 20 * n, packetsReceived: 80 * n })]);
warnings[31005] = talking(32, (n) => [source({ audioLevel: n === 0 ? 0.2 : 0 })]);
warnings[31006] = talking(32, (n) => [inbound({ audioLevel: n === 0 ? 0.2 : 0 })]);
warnings[32001] = talking(4, () => [inbound({ bytesReceived: 1_000 })]);
warnings[32002] = talking(4, () => [outbound({ bytesSent: 1_000 })]);
warnings[33001] = async (scene) => {
  await scene.talks();
  scene.browser.peer.becomes('disconnected');
};
warnings[33003] = async (scene) => {
  scene.client.newCall({ destinationNumber: '9196' });
  await settle();
  await scene.browser.passes(5_000);
};
warnings[33004] = async (scene) => {
  await scene.talks();
  scene.browser.peer.becomes('failed');
};
warnings[33005] = async (scene) => {
  scene.client.newCall({ destinationNumber: '9196', iceServers: [{ urls: 'stun:silent.example.com' }] });
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(1_000);
};
warnings[33006] = async (scene) => {
  const call = await scene.talks();
  await call.answer();
};
warnings[33007] = async (scene) => {
  const call = await scene.rings();
  void call.answer();
  await call.answer();
};
warnings[33008] = talking(2, (n) => [pair({ id: `pair-${n}` })]);
warnings[33009] = async (scene) => {
  const call = await scene.talks({ audio: false, receiveOnlyAudio: true });
  assert.equal(await call.setAudioInDevice('mic-1'), false);
};
warnings[33010] = async (scene) => {
  await scene.talks();
  scene.client.newCall({ destinationNumber: '9196' });
};
warnings[33011] = async (scene) => {
  scene.client.remoteElement = 'speaker';
  await scene.talks();
  scene.client.newCall({ destinationNumber: '9196' });
};
warnings[35002] = (scene) => scene.socket.asks('telnyx_rtc.attach', { callID: 'other', sdp: 'offer' });
warnings[36003] = async (scene) => {
  await scene.talks();
  await scene.browser.passes(9_000);
};
warnings[36004] = async (scene) => {
  await scene.talks();
  scene.browser.peer.becomes('failed');
};
warnings[36005] = async (scene) => {
  scene.client.autoReconnect = false;
  scene.socket.breaks();
};

/** The next peer connections cannot do this. */
const cannot = (scene: Scene, what: 'createOffer' | 'createAnswer' | 'setLocalDescription' | 'addTrack') => {
  scene.browser.onPeer = (peer: FakePeer) => {
    Object.assign(peer, { [what]: () => assert.fail('no') });
  };
};
errors[40001] = async (scene) => {
  cannot(scene, 'createOffer');
  scene.client.newCall({ destinationNumber: '9196' });
  await settle();
};
errors[40002] = async (scene) => {
  cannot(scene, 'createAnswer');
  const call = await scene.rings();
  void call.answer();
  await settle();
};
errors[40003] = async (scene) => {
  cannot(scene, 'setLocalDescription');
  scene.client.newCall({ destinationNumber: '9196' });
  await settle();
};
errors[40004] = async (scene) => {
  const call = await scene.invites();
  scene.browser.peer.refuseRemote = true;
  await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'bad' });
};
errors[40005] = async (scene) => {
  await scene.invites();
  await scene.socket.refuses('telnyx_rtc.invite', -32002, 'no');
};
for (const [code, name] of [
  [42001, 'NotAllowedError'],
  [42002, 'NotFoundError'],
  [42003, 'AbortError'],
] as const)
  errors[code] = async (scene) => {
    scene.browser.microphoneError = Object.assign(new Error('no'), { name });
    scene.client.newCall({ destinationNumber: '9196' });
    await settle();
  };
errors[44001] = async (scene) => {
  const call = await scene.talks();
  void call.hold();
  await scene.socket.refuses('telnyx_rtc.modify', -32002, 'no');
};
errors[44003] = async (scene) => {
  const call = await scene.talks();
  void call.hangup();
  await settle();
  await scene.socket.refuses('telnyx_rtc.bye', -32003, 'no such call');
};
errors[45001] = async (scene) => {
  scene.browser.badUrl = true;
  scene.socket.breaks();
  await scene.browser.passes(2_000);
};
errors[45002] = async (scene) => scene.socket.onerror?.({});
errors[45003] = async (scene) => {
  scene.client.options.maxReconnectAttempts = 1;
  scene.socket.breaks();
  await scene.browser.passes(2_000);
  scene.socket.breaks();
};
errors[45004] = async (scene) => {
  scene.socket.breaks();
  await scene.browser.passes(2_000);
  scene.socket.opens();
  await scene.socket.replies('login', { sessid: 's' });
  await scene.socket.asks('telnyx_rtc.clientReady', {});
  await scene.socket.replies('telnyx_rtc.gatewayState', { params: { state: 'FAILED' } });
};
errors[46001] = async (scene) => {
  void scene.client.login();
  await settle();
  await scene.socket.refuses('login', -32001, 'Login Incorrect');
};
errors[46002] = (scene) => scene.client.login({ creds: { login: 'nobody' } });
errors[46003] = async (scene) => {
  await scene.invites();
  await scene.socket.refuses('telnyx_rtc.invite', -32000, 'Authentication required');
};
errors[47001] = async (scene) => {
  await scene.talks();
  scene.socket.answersPings = true;
  scene.browser.peer.becomes('failed');
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
  await scene.socket.refuses('telnyx_rtc.modify', -32002, 'no');
};
errors[48001] = async (scene) => scene.browser.fires('offline');
errors[48501] = async (scene) => {
  await scene.talks();
  scene.socket.breaks();
  await scene.browser.passes(2_000);
  await scene.registers([]);
};
errors[49001] = async (scene) => {
  cannot(scene, 'addTrack');
  scene.client.newCall({ destinationNumber: '9196' });
  await settle();
};

for (const [code, happens] of Object.entries(warnings))
  test(`warning ${code} ${SDK_WARNINGS[Number(code)]!.name}`, async () => {
    const scene = await Scene.ready();
    await happens(scene);
    await settle();
    const told = scene.named('telnyx.warning').map((payload) => payload['warning'].code);
    assert.ok(told.includes(Number(code)), `told: ${told.join()}`);
  });

for (const [code, happens] of Object.entries(errors))
  test(`error ${code} ${SDK_ERRORS[Number(code)]!.name}`, async () => {
    const scene = await Scene.ready();
    await happens(scene);
    await settle();
    assert.ok(scene.errors.includes(Number(code)), `told: ${scene.errors.join()}`);
  });

test('warning 34001 TOKEN_EXPIRING_SOON', async () => {
  const claims = btoa(JSON.stringify({ exp: 1_060 }));
  const scene = await Scene.ready({ login_token: `x.${claims}.x` });
  await scene.browser.passes(0);
  assert.equal(scene.named('telnyx.warning')[0]!['warning'].code, 34001);
});

test('what can be told is tested here, thrown, or named as out of scope', () => {
  const thrown = [44002, 44006];
  const outOfScope = [44004, 44005, 33002];
  const tested = [...Object.keys(warnings), ...Object.keys(errors), 34001, ...thrown, ...outOfScope];
  assert.deepEqual(
    tested.map(Number).sort(),
    [...Object.keys(SDK_ERRORS), ...Object.keys(SDK_WARNINGS)].map(Number).sort(),
  );
});
