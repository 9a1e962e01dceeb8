import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from '@sidetone/sip';
import { ATTACHMENT, HEADER } from '@sidetone/wire';
import { Bench, CALL, LEG, sdpOf, VOICE_IDS } from './bench.ts';
import { active, becomesReady, calling, comesBack, infos, voiceSdkId } from './scripted-calls.ts';

/** voice's offer of fresh media. */
const renew = (bench: Bench, leg: string, name = 'fresh'): void =>
  bench.say(bench.voice.reinvite(leg, sdpOf(name), 'renew', bench.now));

test('a call outlives its socket: the same session, the same ids, and voice knows', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  const { sessid } = bench.reply('s1', 'login-s1')['result'];
  const contact = bench.registers.at(-1)!.contact;
  assert.deepEqual([...bench.watched], ['s1']);
  bench.input({ type: 'closed', socket: 's1' });
  assert.equal(bench.registers.at(-1)!.expires, '0');
  assert.deepEqual(infos(bench), [ATTACHMENT.away]);
  bench.advance(90_000);
  assert.deepEqual(comesBack(bench, 's2', { token }), [CALL]);
  assert.equal(bench.reply('s2', 'login-s2')['result'].sessid, sessid);
  assert.equal(voiceSdkId(bench, 's2'), token);
  assert.deepEqual([bench.registers.at(-1)!.contact, bench.registers.at(-1)!.expires], [contact, '600']);
  assert.deepEqual(infos(bench), [ATTACHMENT.away]);
  becomesReady(bench, 's2');
  assert.deepEqual(infos(bench), [ATTACHMENT.away, ATTACHMENT.back]);
  assert.ok(bench.watched.has('s2'));
  // Its media lives: voice says nothing, and neither do we.
  assert.equal(bench.told('s2', 'attach'), undefined);
  assert.equal(bench.call('s2', 'h', 'modify', { action: 'hold' })['result'].holdState, 'held');
  bench.call('s2', 'b', 'bye');
  assert.equal(bench.last('bye').type, 'bye');
  assert.ok(!bench.watched.has('s2'));
  bench.input({ type: 'closed', socket: 's2' });
  bench.advance(40_000);
  assert.equal(bench.vsp.size, 0);
});

test('dead media: the client is attached with a fresh offer, and its answer goes back', () => {
  const bench = active();
  const { leg } = bench.last('incoming');
  const token = voiceSdkId(bench);
  bench.call('s1', 'h', 'modify', { action: 'hold' });
  const held = bench.last('reinvite');
  bench.say(bench.voice.respondReinvite(leg, held.tx, 200, { sdp: sdpOf('platform') }, bench.now));
  bench.input({ type: 'closed', socket: 's1' });
  comesBack(bench, 's2', { token });
  becomesReady(bench, 's2');
  renew(bench, leg);
  const told = bench.told('s2', 'attach')!;
  assert.equal(told['callID'], CALL);
  assert.equal(told['sdp'], sdpOf('fresh'));
  assert.equal(told['callee_id_number'], '+1 (555) 123'.replace(/[^+\d]/g, ''));
  assert.equal(told['telnyx_leg_id'], LEG);
  assert.deepEqual(told['dialogParams'], { custom_headers: [] });
  const sdp = sdpOf('rebuilt', 'sendrecv', 'active');
  assert.ok('result' in bench.call('s2', 'a', 'attach', { sdp }, { attach: true }));
  // Held it was, held it stays; and unholding speaks of the new transport.
  const result = bench.last('reinviteResult');
  assert.equal(result.status, 200);
  assert.match(result.sdp!, /a=ice-ufrag:rebuilt/);
  assert.match(result.sdp!, /a=sendonly/);
  bench.call('s2', 'u', 'modify', { action: 'unhold' });
  assert.match(bench.last('reinvite').sdp!, /a=ice-ufrag:rebuilt[\s\S]*a=sendrecv/);
});

test('old-offer-behind-a-new-one: a hold that collides with fresh media speaks of the new transport', () => {
  for (const first of ['hold', 'unhold']) {
    const bench = active();
    const { leg } = bench.last('incoming');
    const token = voiceSdkId(bench);
    if (first === 'unhold') {
      bench.call('s1', 'h', 'modify', { action: 'hold' });
      const { tx } = bench.last('reinvite');
      bench.say(bench.voice.respondReinvite(leg, tx, 200, { sdp: sdpOf('platform') }, bench.now));
    }
    bench.input({ type: 'closed', socket: 's1' });
    comesBack(bench, 's2', { token });
    becomesReady(bench, 's2');
    bench.underWay = [];
    bench.call('s2', 'm', 'modify', { action: first });
    renew(bench, leg);
    const before = bench.heard.length;
    bench.arrive();
    // voice tries again first: it has not made the call.
    bench.advance(2_050);
    assert.equal(bench.told('s2', 'attach')!['sdp'], sdpOf('fresh'));
    const sdp = sdpOf('rebuilt', 'sendrecv', 'active');
    assert.ok('result' in bench.call('s2', 'a', 'attach', { sdp }, { attach: true }));
    bench.advance(5_000);
    const said = bench.heard.slice(before).filter((out) => out.type === 'reinvite');
    assert.equal(said.length, 1, 'behind the attach');
    assert.match(said[0]!.sdp!, /a=ice-ufrag:rebuilt/);
    assert.match(said[0]!.sdp!, first === 'hold' ? /a=sendonly/ : /a=sendrecv/);
  }
});

test('an attach without an offer of ours: the running transport is confirmed, another is not', () => {
  const bench = active();
  assert.ok('result' in bench.call('s1', 'a', 'attach', { sdp: sdpOf('client') }));
  assert.equal(bench.call('s1', 'b', 'attach', { sdp: sdpOf('other') })['error'].code, -32003);
});

test('a client that does not answer its attach, or is lost again', () => {
  const bench = active();
  const { leg } = bench.last('incoming');
  const token = voiceSdkId(bench);
  bench.input({ type: 'closed', socket: 's1' });
  comesBack(bench, 's2', { token });
  becomesReady(bench, 's2');
  renew(bench, leg);
  bench.advance(20_000);
  assert.equal(bench.last('reinviteResult').status, 480);
  bench.input({ type: 'closed', socket: 's2' });
  assert.deepEqual(comesBack(bench, 's3', { token }), [CALL]);
  becomesReady(bench, 's3');
  renew(bench, leg, 'again');
  bench.input({ type: 'closed', socket: 's3' });
  assert.deepEqual(infos(bench).slice(-2), [ATTACHMENT.back, ATTACHMENT.away]);
  assert.equal(bench.heard.filter((out) => out.type === 'reinviteResult').length, 2);
  assert.deepEqual(comesBack(bench, 's4', { token }), [CALL]);
});

test('nobody else gets a session: not another user, not a plain login', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  const { sessid } = bench.reply('s1', 'login-s1')['result'];
  bench.input({ type: 'closed', socket: 's1' });
  assert.deepEqual(comesBack(bench, 's2', { token, sessid }, 'line2'), []);
  assert.notEqual(voiceSdkId(bench, 's2'), token);
  assert.equal(
    bench.call('s2', 'x', 'info', { dtmf: '1' })['error'].code,
    -32003,
    'the call belongs to line1',
  );
  assert.deepEqual(comesBack(bench, 's3', {}), []);
  assert.deepEqual(comesBack(bench, 's4', { token: 'unknown', sessid: 'unknown' }), []);
  assert.deepEqual(comesBack(bench, 's5', { sessid }), [CALL]);
});

test('a wrong password leaves the session where it is', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  bench.input({ type: 'closed', socket: 's1' });
  bench.open('s2', { voice_sdk_id: token });
  assert.equal(bench.request('s2', 'l', 'login', { login: 'line1', passwd: 'wrong' })['error'].code, -32001);
  assert.deepEqual(comesBack(bench, 's3', { token }), [CALL]);
});

test('a registrar that fails leaves the calls to the next login, of the same user', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  bench.input({ type: 'closed', socket: 's1' });
  bench.registrar = () => 500;
  bench.open('s2', { voice_sdk_id: token });
  bench.request('s2', 'l', 'login', { login: 'line1', passwd: 'one' });
  bench.registrar = () => 200;
  const other = bench.request('s2', 'm', 'login', { login: 'line2', passwd: 'two' });
  assert.equal(other['error'].code, -32001);
  bench.input({ type: 'closed', socket: 's2' });
  assert.deepEqual(comesBack(bench, 's3', { token }), [CALL]);
});

test('a half-dead socket is closed when its client is back on another; without calls two logins stand side by side', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  assert.deepEqual(comesBack(bench, 's2', { token }), [CALL]);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1001 }]);
  bench.input({ type: 'closed', socket: 's1' });
  becomesReady(bench, 's2');
  bench.call('s2', 'b', 'bye');
  assert.deepEqual(comesBack(bench, 's3', { token }), []);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1001 }]);
});

test('silence: the socket goes, the call stays', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  bench.advance(60_000);
  assert.deepEqual(bench.closed, [{ socket: 's1', code: 1001 }]);
  assert.deepEqual(comesBack(bench, 's2', { token }), [CALL]);
});

test('what ended meanwhile is missing from the list, and told after REGED', () => {
  const bench = active();
  const { leg } = bench.last('incoming');
  const token = voiceSdkId(bench);
  bench.input({ type: 'closed', socket: 's1' });
  bench.say(bench.voice.bye(leg, [['Reason', 'Q.850;cause=16']], bench.now));
  assert.deepEqual(comesBack(bench, 's2', { token }), []);
  assert.equal(bench.told('s2', 'bye'), undefined);
  becomesReady(bench, 's2');
  assert.equal(bench.told('s2', 'bye')!['cause'], 'NORMAL_CLEARING');
  const byes = bench.frames.filter((f) => f.json['method'] === 'telnyx_rtc.bye').length;
  becomesReady(bench, 's2');
  assert.equal(bench.frames.filter((f) => f.json['method'] === 'telnyx_rtc.bye').length, byes);
});

test('nobody comes back: after the limit every leg ends with NETWORK_LOST and nothing is left', () => {
  const up = active();
  const ringing = new Bench();
  ringing.login('s1');
  ringing.ring('line1');
  const early = calling();
  early.respond(180);
  for (const bench of [up, ringing, early]) {
    bench.input({ type: 'closed', socket: 's1' });
    bench.advance(119_000);
    assert.ok(bench.vsp.size > 0);
    bench.advance(2000);
  }
  assert.equal(header(up.last('bye').request, HEADER.cause), 'NETWORK_LOST');
  assert.equal(ringing.last('failed').status, 480);
  assert.equal(header(ringing.last('failed').response!, HEADER.cause), 'NETWORK_LOST');
  assert.equal(early.last('cancelled').type, 'cancelled');
  for (const bench of [up, ringing, early]) {
    bench.advance(60_000);
    assert.equal(bench.vsp.size, 0);
    assert.equal(bench.vsp.deadline(), null);
  }
});

test('a call that still rings, rings again; new calls do not reach a client that is away', () => {
  const bench = new Bench();
  bench.login('s1');
  bench.ring('line1', { headers: [['X-From', 'afar']] });
  const token = voiceSdkId(bench);
  const first = bench.told('s1', 'invite');
  bench.input({ type: 'closed', socket: 's1' });
  assert.deepEqual(comesBack(bench, 's2', { token }), [LEG]);
  becomesReady(bench, 's2');
  assert.deepEqual(bench.told('s2', 'invite'), first);
  const own = { callID: LEG };
  bench.call('s2', 'a', 'answer', { sdp: sdpOf('client', 'sendrecv', 'active') }, own);
  assert.equal(bench.last('accepted').type, 'accepted');

  const away = active();
  away.input({ type: 'closed', socket: 's1' });
  away.ring('line1');
  assert.equal(away.last('failed').status, 480);
});

test('the platform stops: calls of lost clients end, too', () => {
  const bench = active();
  bench.input({ type: 'closed', socket: 's1' });
  bench.input({ type: 'drain' });
  assert.equal(bench.last('bye').type, 'bye');
  bench.advance(40_000);
  assert.equal(bench.vsp.size, 0);
});

test('a call in set-up goes on: what was missed is told, an answer with a description becomes an attach', () => {
  const ringing = calling();
  const token = voiceSdkId(ringing);
  ringing.input({ type: 'closed', socket: 's1' });
  ringing.respond(180);
  assert.deepEqual(infos(ringing), [ATTACHMENT.away]);
  assert.deepEqual(comesBack(ringing, 's2', { token }), [CALL]);
  assert.equal(ringing.told('s2', 'ringing'), undefined);
  becomesReady(ringing, 's2');
  assert.equal(ringing.told('s2', 'ringing')!['callID'], CALL);
  assert.deepEqual(infos(ringing), [ATTACHMENT.away, ATTACHMENT.back]);
  ringing.respond(200, { sdp: sdpOf('platform') });
  assert.equal(ringing.told('s2', 'answer')!['sdp'], sdpOf('platform'));

  const answered = calling();
  answered.respond(180);
  const kept = voiceSdkId(answered);
  answered.input({ type: 'closed', socket: 's1' });
  answered.respond(200, { sdp: sdpOf('platform') });
  assert.deepEqual(comesBack(answered, 's2', { token: kept }), [CALL]);
  becomesReady(answered, 's2');
  assert.equal(answered.told('s2', 'answer'), undefined);
  renew(answered, answered.last('incoming').leg);
  assert.equal(answered.told('s2', 'attach')!['sdp'], sdpOf('fresh'));

  const early = calling();
  early.respond(183, { sdp: sdpOf('platform') });
  const early1 = voiceSdkId(early);
  early.input({ type: 'closed', socket: 's1' });
  early.respond(200, { sdp: sdpOf('platform'), headers: VOICE_IDS });
  comesBack(early, 's2', { token: early1 });
  becomesReady(early, 's2');
  assert.equal(early.told('s2', 'answer')!['callID'], CALL);
  assert.equal(early.told('s2', 'answer')!['sdp'], undefined);
});

test('an ICE restart that the loss cut off is answered to nobody', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  bench.call('s1', 'u', 'modify', { action: 'updateMedia', sdp: sdpOf('moved') });
  bench.input({ type: 'closed', socket: 's1' });
  const { leg, tx } = bench.last('reinvite');
  bench.say(bench.voice.respondReinvite(leg, tx, 200, { sdp: sdpOf('platform') }, bench.now));
  comesBack(bench, 's2', { token });
  becomesReady(bench, 's2');
  assert.deepEqual(bench.reply('s2', 'u'), {});
  bench.call('s2', 'h', 'modify', { action: 'hold' });
  assert.match(bench.last('reinvite').sdp!, /a=ice-ufrag:moved/);
});
