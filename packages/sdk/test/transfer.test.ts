import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

test('a blind transfer resolves when the server says so; its bye ends the call', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const done = call.transfer('+13125550101');
  await settle();
  const { params } = scene.socket.last('telnyx_rtc.modify');
  assert.deepEqual(
    [params.action, params.destination, params.dialogParams.callID],
    ['transfer', '+13125550101', call.id],
  );
  scene.socket.answersPings = true;
  await scene.browser.passes(59_000);
  await scene.socket.replies('telnyx_rtc.modify', { action: 'transfer' });
  await done;
  await scene.socket.asks('telnyx_rtc.bye', { callID: call.id, cause: 'NORMAL_CLEARING', causeCode: 16 });
  assert.deepEqual([call.state, call.cause], ['destroy', 'NORMAL_CLEARING']);
});

test('an attended transfer names the other call; held calls can be transferred', async () => {
  const scene = await Scene.ready();
  const first = await scene.talks();
  void first.hold();
  await settle();
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'held' });
  const second = await scene.talks();
  const done = first.transfer(second);
  await settle();
  const { params } = scene.socket.last('telnyx_rtc.modify');
  assert.deepEqual(
    [params.action, params.replaceCallID, params.dialogParams.callID],
    ['replace', second.id, first.id],
  );
  await scene.socket.replies('telnyx_rtc.modify', { action: 'replace' });
  await done;
});

test('a transfer that fails rejects with 44006 and the words of the server; the call goes on', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const done = call.transfer('nobody');
  await settle();
  await scene.socket.refuses('telnyx_rtc.modify', -32002, 'no such user');
  await assert.rejects(done, { code: 44006, name: 'TRANSFER_FAILED', message: /no such user/, fatal: false });
  assert.equal(call.state, 'active');
  assert.deepEqual(scene.errors, [], 'it is told once');
});

test('a call that does not talk yet cannot be transferred', async () => {
  const scene = await Scene.ready();
  const call = await scene.rings();
  await assert.rejects(call.transfer('1001'), { code: 44006, message: 'the call is ringing' });
});

test('the signal ends the waiting for a transfer', async () => {
  const scene = await Scene.ready();
  const call = await scene.talks();
  const stop = new AbortController();
  const done = call.transfer('1001', { signal: stop.signal });
  await settle();
  stop.abort();
  await assert.rejects(done, { name: 'AbortError' });
  assert.equal(call.state, 'active');
});
