import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALL, sdpOf } from './bench.ts';
import { active, calling } from './scripted-calls.ts';

test('hold: the reply at once, then re-INVITE; unhold and toggle likewise', () => {
  const bench = active();
  const answerReinvite = (direction: string): string => {
    const { leg, tx, sdp } = bench.last('reinvite');
    bench.say(bench.voice.respondReinvite(leg, tx, 200, { sdp: sdpOf('platform', direction) }, bench.now));
    return sdp!;
  };
  const step = (id: string, action: string): string =>
    bench.call('s1', id, 'modify', { action })['result'].holdState;

  assert.equal(step('h1', 'hold'), 'held');
  assert.deepEqual(bench.trace, ['s1 < result to h1', 'voice < INVITE']);
  assert.match(answerReinvite('recvonly'), /a=sendonly/);
  assert.equal(step('h2', 'unhold'), 'active');
  const resumed = answerReinvite('sendrecv');
  assert.match(resumed, /a=sendrecv/);
  assert.match(resumed, /o=- 4711 3 /);
  assert.equal(step('h3', 'toggleHold'), 'held');
  answerReinvite('recvonly');
  assert.equal(step('h4', 'toggleHold'), 'active');
  answerReinvite('sendrecv');
  // Saying what is so already changes nothing.
  const invites = bench.trace.filter((line) => line === 'voice < INVITE').length;
  assert.equal(step('h5', 'unhold'), 'active');
  assert.equal(bench.trace.filter((line) => line === 'voice < INVITE').length, invites);
});

test('a hold that voice refuses is logged, and the client keeps what it was told', () => {
  const bench = active();
  bench.call('s1', 'h', 'modify', { action: 'hold' });
  const { leg, tx } = bench.last('reinvite');
  bench.say(bench.voice.respondReinvite(leg, tx, 488, {}, bench.now));
  assert.ok(bench.logs.some((line) => line.startsWith('media change refused')));
  assert.equal(bench.call('s1', 'h2', 'modify', { action: 'toggleHold' })['result'].holdState, 'active');
});

test('no hold before the answer; unknown actions are refused', () => {
  const bench = calling();
  assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' })['error'].code, -32002);
  bench.respond(200, { sdp: sdpOf('platform') });
  assert.equal(bench.call('s1', 't', 'modify', { action: 'park', destination: '1' })['error'].code, -32602);
  assert.equal(
    bench.call('s1', 'n', 'modify', { action: 'hold' }, { callID: 'nobody' })['error'].code,
    -32003,
  );
});

test('ICE restart: the reply carries the answer to the new offer', () => {
  const bench = active();
  assert.deepEqual(
    bench.call('s1', 'u', 'modify', { action: 'updateMedia', callID: CALL, sdp: sdpOf('fresh') }),
    {},
  );
  const second = bench.call('s1', 'u2', 'modify', { action: 'updateMedia', sdp: sdpOf('other') });
  assert.equal(second['error'].code, -32002);
  const { leg, tx, sdp } = bench.last('reinvite');
  assert.equal(sdp, sdpOf('fresh'));
  bench.say(bench.voice.respondReinvite(leg, tx, 200, { sdp: sdpOf('platform2') }, bench.now));
  const { result } = bench.reply('s1', 'u');
  assert.deepEqual(
    [result.callID, result.action, result.sdp, result.holdState],
    [CALL, 'updateMedia', sdpOf('platform2'), 'active'],
  );
  // A hold now speaks of the new transport.
  bench.call('s1', 'h', 'modify', { action: 'hold' });
  assert.match(bench.last('reinvite').sdp!, /a=ice-ufrag:fresh/);
});

test('ICE restart of a held call stays held, and can be resumed later', () => {
  const bench = active();
  bench.call('s1', 'h', 'modify', { action: 'hold' });
  const hold = bench.last('reinvite');
  bench.say(
    bench.voice.respondReinvite(hold.leg, hold.tx, 200, { sdp: sdpOf('platform', 'recvonly') }, bench.now),
  );
  bench.call('s1', 'u', 'modify', { action: 'updateMedia', sdp: sdpOf('fresh') });
  const { leg, tx, sdp } = bench.last('reinvite');
  assert.match(sdp!, /a=sendonly/);
  bench.say(bench.voice.respondReinvite(leg, tx, 200, { sdp: sdpOf('platform2', 'recvonly') }, bench.now));
  const { result } = bench.reply('s1', 'u');
  assert.equal(result.holdState, 'held');
  assert.match(result.sdp, /a=sendrecv/);
});

test('an ICE restart that is refused or not answered fails that request alone', () => {
  const bench = active();
  bench.call('s1', 'u', 'modify', { action: 'updateMedia', sdp: sdpOf('fresh') });
  const { leg, tx } = bench.last('reinvite');
  bench.say(bench.voice.respondReinvite(leg, tx, 488, {}, bench.now));
  assert.equal(bench.reply('s1', 'u')['error'].code, -32002);

  bench.call('s1', 'v', 'modify', { action: 'updateMedia', sdp: sdpOf('fresh2') });
  bench.advance(9499);
  assert.deepEqual(bench.reply('s1', 'v'), {});
  bench.advance(1);
  assert.equal(bench.reply('s1', 'v')['error'].code, -32002);
  assert.equal(bench.told('s1', 'bye'), undefined);
});

test('candidates are answered, and go no further: media is ICE-lite', () => {
  const bench = calling({}, { trickle: true });
  const candidate = 'candidate:1 1 udp 1 192.0.2.1 9 typ host';
  const done = (id: string, method: string, params: object, more: object = {}): void =>
    assert.ok('result' in bench.call('s1', id, method, params, more));
  done('c1', 'candidate', { candidate, sdpMid: '0', sdpMLineIndex: 0 });
  bench.respond(180);
  done('c2', 'candidate', { candidate, sdpMid: '0', sdpMLineIndex: 0 });
  done('c3', 'endOfCandidates', { endOfCandidates: true });
  done('c4', 'candidate', { candidate: '' });
  assert.ok(!bench.trace.includes('voice < INFO'));
  // Behind the end of a call they are harmless.
  done('c5', 'candidate', { candidate }, { callID: 'nobody' });
});

test('a re-INVITE of voice is answered for the client, who hears nothing', () => {
  const bench = active();
  const frames = bench.frames.length;
  const { leg } = bench.last('incoming');
  for (const [offered, answered] of [
    ['sendonly', 'recvonly'],
    ['inactive', 'inactive'],
    ['sendrecv', 'sendrecv'],
  ] as const) {
    bench.say(bench.voice.reinvite(leg, sdpOf('platform', offered), offered, bench.now));
    const result = bench.last('reinviteResult');
    assert.deepEqual([result.token, result.status], [offered, 200]);
    assert.match(result.sdp!, new RegExp(`a=${answered}`));
    assert.match(result.sdp!, /a=ice-ufrag:client/);
    assert.match(result.sdp!, /a=setup:active/);
  }
  assert.equal(bench.frames.length, frames);
});
