import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClientFrame } from '@sidetone/wire';
import type { Json } from './fake-browser.ts';
import { settle } from './fake-browser.ts';
import { Scene } from './scene.ts';

/** A frame as the server reads it. */
function read(frame: Json): Json {
  const parsed = parseClientFrame(JSON.stringify(frame));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

test('the server understands every frame of a long call, and knows whose it is', async () => {
  const scene = await Scene.ready({ trickleIce: true });
  const call = scene.client.newCall({
    destinationNumber: '+13125550100',
    callerName: 'Alice',
    callerNumber: '+13125550101',
    clientState: 'c3Q=',
    customHeaders: [{ name: 'X-Test', value: '1' }],
  });
  await settle();
  scene.browser.peer.finds('candidate:1 1 udp 2122063615 192.0.2.2 46693 typ host');
  scene.browser.peer.gatheringEnds();
  await scene.socket.replies('telnyx_rtc.invite', {});
  await scene.socket.asks('telnyx_rtc.ringing', { callID: call.id });
  await scene.socket.asks('telnyx_rtc.answer', { callID: call.id, sdp: 'a' });
  void call.hold();
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'held' });
  void call.toggleHold();
  await scene.socket.replies('telnyx_rtc.modify', { holdState: 'active' });
  void call.dtmf('0123456789*#ABCD');
  scene.browser.peer.becomes('failed');
  await settle();
  await scene.socket.asks('telnyx_rtc.ping', {});
  void call.hangup({ dialogParams: { customHeaders: [{ name: 'X-Bye', value: '2' }] } });
  const incoming = await scene.rings();
  void incoming.answer({ customHeaders: [{ name: 'X-Ans', value: '3' }] });
  await settle();
  void incoming.hangup({ sipCode: 486 });
  const frames = scene.socket.sent.map(read);
  assert.deepEqual(
    frames.map(({ kind }) => kind),
    [
      'login',
      'gatewayState',
      'invite',
      'candidate',
      'endOfCandidates',
      'reply',
      'reply',
      'hold',
      'hold',
      'dtmf',
      'updateMedia',
      'ping',
      'bye',
      'reply',
      'answer',
      'bye',
    ],
  );
  for (const { agent } of frames) if (agent !== undefined) assert.equal(agent.family, 'sidetone');
  const [invite, bye, answer, reject] = [frames[2]!, frames[12]!, frames[14]!, frames[15]!];
  assert.equal(invite['call'].callId, call.id);
  assert.deepEqual(invite['call'].customHeaders, [{ name: 'X-Test', value: '1' }]);
  assert.deepEqual([bye['cause'], bye['causeCode'], bye['customHeaders'].length], ['NORMAL_CLEARING', 16, 1]);
  assert.deepEqual(answer['customHeaders'], [{ name: 'X-Ans', value: '3' }]);
  assert.deepEqual([reject['sipCode'], reject['cause']], [486, undefined]);
});
