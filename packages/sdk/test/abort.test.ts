import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abortable, onAbort } from '../src/abort.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

test('what waits gives the result, the failure or the reason of the signal', async () => {
  const stop = new AbortController();
  const { signal } = stop;
  assert.equal(await abortable(Promise.resolve(1), signal), 1);
  await assert.rejects(abortable(Promise.reject(new Error('no')), signal), /no/);
  const never = abortable(new Promise(() => undefined), signal);
  stop.abort(new Error('enough'));
  await assert.rejects(never, /enough/);
  await assert.rejects(abortable(Promise.resolve(1), signal), /enough/);
});

test('a listener that is no longer needed is gone', () => {
  const stop = new AbortController();
  let ran = 0;
  onAbort(stop.signal, () => ran++)();
  onAbort(stop.signal, () => ran++);
  stop.abort();
  assert.equal(ran, 1);
});

test('connect and ready', async () => {
  const scene = new Scene();
  await assert.rejects(scene.client.connect({ signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(scene.browser.sockets.length, 0);
  const stop = new AbortController();
  await scene.client.connect();
  const ready = scene.client.ready({ signal: stop.signal });
  stop.abort();
  await assert.rejects(ready, { name: 'AbortError' });
  await scene.registers([]);
  await scene.client.ready({ signal: new AbortController().signal });
});

test('newCall: the call is cancelled', async () => {
  const scene = await Scene.ready();
  const stop = new AbortController();
  const call = await scene.invites({ signal: stop.signal });
  stop.abort();
  await settle();
  assert.deepEqual([call.state, call.cause], ['hangup', 'ORIGINATOR_CANCEL']);
  const never = scene.client.newCall({ destinationNumber: '1', signal: AbortSignal.abort() });
  await settle();
  assert.equal(never.state, 'destroy');
});

test('answer: the call is rejected while the answer is on its way, and left alone afterwards', async () => {
  const scene = await Scene.ready();
  const call = await scene.rings();
  const stop = new AbortController();
  const answered = call.answer({ signal: stop.signal });
  await settle();
  stop.abort();
  await settle();
  assert.equal(scene.socket.last('telnyx_rtc.bye')['params'].dialogParams.callID, call.id);
  await scene.socket.replies('telnyx_rtc.bye', {});
  await answered;
  assert.equal(call.state, 'destroy');

  await scene.rings({ callID: 'in-2' });
  const late = new AbortController();
  const second = scene.client.calls['in-2']!.answer({ signal: late.signal });
  await settle();
  scene.browser.peer.finds('host');
  await scene.browser.passes(0);
  await settle();
  await scene.socket.replies('telnyx_rtc.answer', {});
  await second;
  late.abort();
  assert.equal(scene.client.calls['in-2']!.state, 'active');
});
