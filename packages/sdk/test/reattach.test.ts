import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

/** The connection breaks and comes back, and the server still has some calls. */
async function comesBack(scene: Scene, ids: string[]): Promise<void> {
  scene.socket.breaks();
  await settle();
  await scene.browser.passes(1_000);
  await scene.registers(ids);
}

/** The server offers media for a call, and the browser finds its address. */
async function attaches(scene: Scene, callID: string, more: object = {}): Promise<void> {
  await scene.socket.asks('telnyx_rtc.attach', { callID, sdp: 'new offer', ...more }, 77);
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
}

test('a call comes back: recovering, a new peer answers, then active; mute is carried over', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  call.mute();
  const old = scene.browser.peer;
  scene.states.length = 0;
  await comesBack(scene, [call.id]);
  assert.deepEqual([call.state, call.commonState], ['active', 'RECONNECTING']);
  await attaches(scene, call.id, { telnyx_leg_id: 'leg-2' });
  const { params } = scene.socket.last('telnyx_rtc.attach');
  assert.equal(params.sdp, 'our answer +host');
  const { attach, callID, recoveredCallId } = params.dialogParams;
  assert.deepEqual([attach, callID, recoveredCallId], [true, call.id, call.id]);
  assert.equal(old.closed, false, 'the old media goes on until the server agreed');
  await scene.socket.replies('telnyx_rtc.attach', {});
  assert.equal(old.closed, true);
  assert.deepEqual(scene.states, ['active/RECONNECTING', 'recovering/RECONNECTING', 'active/ACTIVE']);
  assert.equal(scene.client.calls[call.id], call);
  assert.deepEqual(
    [call.recoveredCallId, call.direction, call.telnyxIDs.telnyxLegId],
    [call.id, 'outbound', 'leg-2'],
  );
  assert.equal(scene.browser.streams.length, 1, 'the microphone stays open');
  assert.deepEqual([call.isAudioMuted, call.localStream!.getAudioTracks()[0]!.enabled], [true, false]);
  assert.deepEqual(scene.socket.sent.find((frame) => frame['id'] === 77)?.['result'], {
    method: 'telnyx_rtc.attach',
  });
});

test('a held call comes back held', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  void call.hold();
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'held' });
  await comesBack(scene, [call.id]);
  assert.equal(call.commonState, 'RECONNECTING');
  await attaches(scene, call.id);
  const resumed = call.unhold();
  await scene.socket.replies('telnyx_rtc.attach', {});
  assert.deepEqual([call.state, call.commonState], ['held', 'HELD']);
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'active' });
  assert.deepEqual([await resumed, call.state], [true, 'active'], 'asked in the middle, done afterwards');
});

const flowing = [{ id: 'in', type: 'inbound-rtp', timestamp: 5_000, lastPacketReceivedTimestamp: 4_990 }];

test('media that never stopped goes on: active as soon as the server says that it has the call', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const { peer } = scene.browser;
  peer.connectionState = 'connected';
  peer.stats = flowing;
  scene.states.length = 0;
  await comesBack(scene, [call.id]);
  assert.deepEqual(scene.states, ['active/RECONNECTING', 'active/ACTIVE']);
  assert.deepEqual([scene.browser.peers.length, peer.closed], [1, false]);
});

test('a server that does not notice that its audio gets lost: this side asks for another path', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.browser.peer.connectionState = 'disconnected';
  await comesBack(scene, [call.id]);
  await scene.browser.passes(4_000);
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
  assert.equal(scene.socket.last('telnyx_rtc.modify')['params'].action, 'updateMedia');
  await scene.socket.replies('telnyx_rtc.modify', { sdp: 'new answer' });
  scene.browser.peer.becomes('connected');
  assert.equal(call.commonState, 'ACTIVE');
});

test('a connection that breaks once more in the middle of a recovery', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  await comesBack(scene, [call.id]);
  await attaches(scene, call.id);
  await comesBack(scene, [call.id]);
  assert.equal(call.state, 'recovering');
  await attaches(scene, call.id);
  await scene.socket.replies('telnyx_rtc.attach', {});
  assert.equal(call.state, 'active');
  assert.deepEqual(
    scene.browser.peers.map((peer) => peer.closed),
    [true, true, false],
  );
});

test('a server that keeps the call and never attaches: active again after 4 s', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  await comesBack(scene, [call.id]);
  scene.socket.answersPings = true;
  await scene.browser.passes(4_000);
  assert.equal(call.commonState, 'ACTIVE');
});

test('the server no longer has the call: DROPPED, with the reason of the loss', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.socket.breaks(1012);
  await scene.browser.passes(1_000);
  await scene.registers([]);
  assert.deepEqual(
    [call.commonState, call.commonStateReason, scene.errors],
    ['DROPPED', 'serverError', [48501]],
  );
});

test('the budget is spent: the call is DROPPED after 30 s, the tries go on every 2 s until then', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.browser.fires('network');
  scene.socket.breaks();
  for (let i = 0; i < 30 && call.commonState === 'RECONNECTING'; i++) {
    await scene.browser.passes(1_000);
    if (scene.socket.readyState !== 3) scene.socket.breaks();
  }
  assert.deepEqual([call.commonState, call.commonStateReason], ['DROPPED', 'networkSwitch']);
  assert.ok(scene.browser.sockets.length >= 15, `${scene.browser.sockets.length} tries`);
});

test('under a call a socket that does not open is left after 4 s, and the next one does not wait', async () => {
  const scene = await Scene.ready();
  await scene.talks();
  scene.socket.breaks();
  await scene.browser.passes(1_000);
  for (const sockets of [3, 4, 5]) {
    await scene.browser.passes(3_000);
    assert.equal(scene.browser.sockets.length, sockets - 1);
    await scene.browser.passes(1_000);
    assert.equal(scene.browser.sockets.length, sockets);
  }
});

test('media that finds its way again says that the network is back: no waiting', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const { peer } = scene.browser;
  peer.becomes('connected');
  scene.socket.breaks();
  peer.becomes('disconnected');
  assert.equal(scene.browser.sockets.length, 1);
  peer.becomes('connected');
  assert.equal(scene.browser.sockets.length, 2);
  assert.equal(call.commonState, 'RECONNECTING');
});

test('a call that was hung up while the server was away is hung up when it is back', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.socket.breaks();
  await call.hangup();
  assert.equal(call.state, 'destroy');
  await scene.browser.passes(1_000);
  await scene.registers([call.id]);
  assert.equal(scene.socket.last('telnyx_rtc.bye')['params'].dialogParams.callID, call.id);
  await scene.socket.asks('telnyx_rtc.attach', { callID: call.id, sdp: 'offer' });
  assert.equal(scene.client.hasActiveCall(), false);
});

test('an attach for a call of somebody else is left alone', async () => {
  const scene = await Scene.ready();
  await scene.talks();
  await scene.socket.asks('telnyx_rtc.attach', { callID: 'other', sdp: 'offer' });
  assert.equal(scene.named('telnyx.warning').at(-1)!['warning'].code, 35002);
  assert.equal(scene.client.getActiveCalls().length, 1);
});

test('a reload takes over all calls of its own client, and a token of nobody else', async () => {
  const options = { hangupOnBeforeUnload: false };
  const one = await Scene.ready(options);
  const two = new Scene(options);
  two.browser.stored.clear();
  const first = await one.talks();
  const second = await one.rings();
  void second.answer();
  await settle();
  one.browser.peer.finds('host');
  await one.browser.passes(0);
  await settle();
  await one.socket.replies('telnyx_rtc.answer', {});
  first.mute();
  void first.hold();
  await one.socket.replies('telnyx_rtc.modify', { holdState: 'held' });
  one.browser.fires('pagehide');
  assert.equal(one.socket.requests('telnyx_rtc.bye').length, 0);

  // The next page: the names of the old page are free again.
  const stored = [...one.browser.stored];
  one.browser.fires('pageshow');
  assert.equal(one.browser.stored.size, 0, 'a page that came back from the cache needs none');
  await one.client.disconnect();
  const page = new Scene(options);
  for (const [key, value] of stored) page.browser.stored.set(key, value);
  await page.client.connect();
  assert.equal(page.browser.stored.size, 0, 'read once');
  assert.match(page.socket.url, /voice_sdk_id=token-1$/);
  await page.registers([first.id, second.id]);
  const { reconnection, sessid } = page.socket.last('login')['params'];
  assert.deepEqual([reconnection, sessid], [true, 'session-1']);
  for (const { id } of [first, second]) {
    await attaches(page, id, { caller_id_name: 'Bob' });
    await page.socket.replies('telnyx_rtc.attach', {});
  }
  const [a, b] = [page.client.calls[first.id]!, page.client.calls[second.id]!];
  assert.deepEqual(
    [a.state, a.direction, a.isAudioMuted, a.options.destinationNumber],
    ['held', 'outbound', true, '9196'],
  );
  assert.deepEqual(
    [b.state, b.direction, b.isAudioMuted, b.options.remoteCallerName],
    ['active', 'inbound', false, 'Bob'],
  );
  assert.deepEqual(page.states.slice(0, 2), ['recovering/RECONNECTING', 'held/HELD']);
});

test('two clients of one user in one tab do not collide', async () => {
  const options = { hangupOnBeforeUnload: false };
  const one = await Scene.ready(options);
  const two = await Scene.ready(options);
  one.browser.fires('pagehide');
  two.browser.fires('pagehide');
  assert.notDeepEqual([...one.browser.stored.keys()], [...two.browser.stored.keys()]);
  await one.client.disconnect();
  await two.client.disconnect();
});

test('hold asked while the offer of new media is awaited or unanswered is done after it', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  await comesBack(scene, [call.id]);
  const held = call.hold();
  await settle();
  assert.deepEqual(scene.socket.requests('telnyx_rtc.modify'), [], 'the offer may come any moment');
  await attaches(scene, call.id);
  assert.deepEqual(scene.socket.requests('telnyx_rtc.modify'), []);
  await scene.socket.replies('telnyx_rtc.attach', {});
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'held' });
  assert.deepEqual([await held, call.state], [true, 'held']);
});

test('hold confirmed in the middle of a recovery: the call comes back held', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const held = call.hold();
  await attaches(scene, call.id);
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'held' });
  await scene.socket.replies('telnyx_rtc.attach', {});
  assert.deepEqual([await held, call.state], [true, 'held']);
});

test('a path that failed while the connection was away, and a server that keeps it: an ICE restart a second later', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.socket.breaks();
  scene.browser.peer.becomes('failed');
  await scene.browser.passes(1_000);
  await scene.registers([call.id]);
  await scene.browser.passes(1_000);
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  const { action, sdp } = scene.socket.last('telnyx_rtc.modify')['params'];
  assert.deepEqual([action, sdp], ['updateMedia', 'offer 2 restart +host']);
  await scene.socket.replies('telnyx_rtc.modify', { sdp: 'new answer' });
  scene.browser.peer.becomes('connected');
  assert.deepEqual([call.commonState, scene.errors], ['ACTIVE', []]);
});

test('another network under a call: without sound it gets another path, with sound it is left alone', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const { peer } = scene.browser;
  scene.socket.answersPings = true;
  peer.becomes('connected');
  peer.stats = flowing;
  scene.browser.fires('network');
  await scene.browser.passes(1_500);
  assert.equal(peer.offers, 1);
  peer.stats = [{ ...flowing[0]!, lastPacketReceivedTimestamp: 3_000 }];
  scene.browser.fires('online');
  await scene.browser.passes(1_500);
  assert.deepEqual([peer.offers, call.commonState], [2, 'RECONNECTING']);
});

test('TURN servers of a new login serve the ICE restarts of old calls; the second try is by relay only', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const { peer } = scene.browser;
  assert.deepEqual(peer.configuration.iceServers, []);
  const servers = [{ urls: 'turn:relay.example.com', username: 'u', credential: 'c' }];
  scene.socket.breaks();
  await scene.browser.passes(1_000);
  scene.socket.opens();
  await scene.socket.replies('login', { sessid: 'session-1', ice_servers: servers });
  await scene.socket.asks('telnyx_rtc.clientReady', { reattached_sessions: [call.id] });
  await scene.socket.replies('telnyx_rtc.gatewayState', { params: { state: 'REGED' } });
  scene.socket.answersPings = true;
  peer.becomes('failed');
  await settle();
  assert.deepEqual([peer.configuration.iceServers, peer.configuration.iceTransportPolicy], [servers, 'all']);
  await scene.browser.passes(8_000);
  assert.equal(peer.configuration.iceTransportPolicy, 'relay');
  const next = await scene.invites();
  assert.deepEqual(
    [scene.browser.peer.configuration.iceServers, next.options.iceServers],
    [servers, servers],
  );
});

test('a duplicated tab: while its page lives there is nothing to copy; of two copies of what it left, one gets it', async () => {
  const options = { hangupOnBeforeUnload: false };
  const one = await Scene.ready(options);
  const call = await one.talks();
  assert.equal(one.browser.stored.size, 0);
  one.browser.fires('pagehide');
  const stored = [...one.browser.stored];
  one.browser.fires('pageshow');
  await one.client.disconnect();

  const copy = new Scene(options);
  for (const [key, value] of stored) copy.browser.stored.set(key, value);
  copy.browser.claimedElsewhere.add('token-1');
  await copy.client.connect();
  assert.equal(copy.socket.url, 'wss://phone.example.com/', 'a new session');
  await copy.registers([]);
  assert.equal(copy.client.calls[call.id], undefined);
});

test('disconnect under a call whose connection is away: the far side hears of it when it is back', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.socket.breaks();
  const gone = scene.client.disconnect();
  await settle();
  await scene.browser.passes(1_250);
  await scene.registers([call.id]);
  await gone;
  assert.equal(scene.socket.last('telnyx_rtc.bye')['params'].dialogParams.callID, call.id);
  assert.equal(scene.client.connected, false);
  await scene.browser.passes(60_000);
  assert.equal(scene.browser.sockets.length, 2, 'and no other connection');
});

test('disconnect under a call: bye, then close', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const { socket } = scene;
  const gone = scene.client.disconnect();
  assert.equal(socket.last('telnyx_rtc.bye')['params'].dialogParams.callID, call.id);
  assert.equal(socket.readyState, 3);
  await gone;
});

test('another path asked for by the application, while the old one stands: ACTIVE again once sound is there', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const { peer } = scene.browser;
  scene.socket.answersPings = true;
  peer.becomes('connected');
  scene.client.triggerIceRestart(call.id);
  await settle();
  peer.finds('host');
  await scene.browser.passes(0);
  await scene.socket.replies('telnyx_rtc.modify', { sdp: 'new answer' });
  assert.equal(call.commonState, 'RECONNECTING');
  peer.stats = flowing;
  await scene.browser.passes(1_500);
  assert.equal(call.commonState, 'ACTIVE');
  await scene.browser.passes(20_000);
  assert.deepEqual([peer.offers, scene.errors], [2, []]);
});

test('a call that ends right after a change of network asks for nothing more', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  scene.browser.fires('network');
  await scene.socket.asks('telnyx_rtc.bye', { callID: call.id });
  await scene.browser.passes(2_000);
  assert.deepEqual([scene.browser.peer.offers, call.state, scene.errors], [1, 'destroy', []]);
});
