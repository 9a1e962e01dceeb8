import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from '@sidetone/sip';
import { ATTACHMENT } from '@sidetone/wire';
import { Bench, CALL, LEG, sdpOf } from './bench.ts';
import { active, becomesReady, calling, comesBack, infos, voiceSdkId } from './scripted-calls.ts';

/** Everything the journal holds, as one text. */
const written = (bench: Bench): string => [...bench.journal].flat().join('\n');

const emptyAtLast = (bench: Bench): void => {
  bench.advance(200_000);
  assert.equal(bench.vsp.size, 0);
  assert.equal(bench.vsp.deadline(), null);
  assert.deepEqual([...bench.journal], []);
};

test('an answered call goes on in the next process: the client finds it, and both sides can speak in it', () => {
  const bench = active();
  const { leg } = bench.last('incoming');
  const token = voiceSdkId(bench);
  const { sessid } = bench.reply('s1', 'login-s1')['result'];
  const report = bench.request('s1', 'g', 'telnyx_rtc.gatewayState')['result'].params.call_report_id;
  const registers = bench.registers.at(-1)!;
  bench.call('s1', 'd', 'info', { dtmf: '1' });
  bench.restart();
  assert.equal(infos(bench).at(-1), ATTACHMENT.away, 'voice hears that the client is away');
  assert.ok(bench.vsp.hasReportId(report), 'reports of the lost socket are taken');
  bench.advance(60_000);
  assert.deepEqual(comesBack(bench, 's2', { token }), [CALL]);
  assert.equal(voiceSdkId(bench, 's2'), token);
  assert.equal(bench.reply('s2', 'login-s2')['result'].sessid, sessid);
  assert.equal(bench.registers.at(-1)!.contact, registers.contact);
  assert.ok(bench.registers.at(-1)!.seq > registers.seq);
  becomesReady(bench, 's2');
  assert.equal(infos(bench).at(-1), ATTACHMENT.back);
  assert.ok(bench.watched.has('s2'));
  // voice: a re-INVITE, answered for the client; the client: hold, digits, and the end.
  bench.say(bench.voice.reinvite(leg, sdpOf('fresh'), 'renew', bench.now));
  assert.equal(bench.told('s2', 'attach')!['callID'], CALL);
  assert.equal(bench.told('s2', 'attach')!['telnyx_leg_id'], LEG);
  bench.call('s2', 'a', 'attach', { sdp: sdpOf('rebuilt', 'sendrecv', 'active') }, { attach: true });
  assert.equal(bench.last('reinviteResult').status, 200);
  assert.equal(bench.call('s2', 'h', 'modify', { action: 'hold' })['result'].holdState, 'held');
  assert.match(bench.last('reinvite').sdp!, /a=ice-ufrag:rebuilt[\s\S]*a=sendonly/);
  assert.ok('result' in bench.call('s2', 'e', 'info', { dtmf: '2' }));
  bench.call('s2', 'b', 'bye');
  assert.equal(bench.last('bye').type, 'bye');
  bench.input({ type: 'closed', socket: 's2' });
  emptyAtLast(bench);
});

test('voice hangs up after the restart, and the client hears it when it is back', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  bench.restart();
  bench.say(bench.voice.bye(bench.last('incoming').leg, [['Reason', 'Q.850;cause=16']], bench.now));
  bench.restart();
  assert.deepEqual(comesBack(bench, 's2', { token }), []);
  becomesReady(bench, 's2');
  assert.equal(bench.told('s2', 'bye')!['cause'], 'NORMAL_CLEARING', 'remembered over a second restart');
  bench.input({ type: 'closed', socket: 's2' });
  emptyAtLast(bench);
});

test('a held call stays held; a hold that was on its way is said again', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  bench.underWay = [];
  bench.call('s1', 'h', 'modify', { action: 'hold' });
  bench.underWay = null;
  bench.restart();
  assert.match(bench.last('reinvite').sdp!, /a=sendonly/);
  const { leg, tx } = bench.last('reinvite');
  bench.say(bench.voice.respondReinvite(leg, tx, 200, { sdp: sdpOf('platform') }, bench.now));
  comesBack(bench, 's2', { token });
  becomesReady(bench, 's2');
  assert.equal(bench.call('s2', 't', 'modify', { action: 'toggleHold' })['result'].holdState, 'active');
});

test('a call that the client answered, to the client', () => {
  const bench = new Bench();
  bench.login('s1');
  const leg = bench.ring('line1', { headers: [['X-From', 'afar']] });
  const token = voiceSdkId(bench);
  const own = { callID: LEG };
  bench.call('s1', 'a', 'answer', { sdp: sdpOf('client', 'sendrecv', 'active') }, own);
  bench.restart();
  assert.deepEqual(comesBack(bench, 's2', { token }), [LEG]);
  becomesReady(bench, 's2');
  bench.say(bench.voice.reinvite(leg, sdpOf('fresh'), 'renew', bench.now));
  assert.deepEqual(bench.told('s2', 'attach')!['dialogParams'], {
    custom_headers: [{ name: 'X-From', value: 'afar' }],
  });
  bench.call('s2', 'b', 'bye', {}, own);
  assert.equal(bench.last('bye').type, 'bye');
});

test('calls in set-up end by name: the client hears it when it is back', () => {
  const outbound = calling();
  outbound.respond(180);
  const inbound = new Bench();
  inbound.login('s1');
  inbound.ring('line1');
  for (const bench of [outbound, inbound]) {
    const token = voiceSdkId(bench);
    bench.restart();
    assert.deepEqual(comesBack(bench, 's2', { token }), []);
    becomesReady(bench, 's2');
    const bye = bench.told('s2', 'bye')!;
    assert.equal(bye['callID'], bench === outbound ? CALL : LEG);
    assert.deepEqual(
      [bye['cause'], bye['causeCode'], bye['sipCode'], bye['sipReason']],
      ['NORMAL_TEMPORARY_FAILURE', 41, 503, 'Server restarted'],
    );
    bench.input({ type: 'closed', socket: 's2' });
    emptyAtLast(bench);
  }
});

test('voice answers a call whose process has died: ACK, and BYE', () => {
  const bench = calling();
  bench.underWay = [];
  bench.restart();
  bench.underWay = null;
  bench.respond(200, { sdp: sdpOf('platform') });
  bench.advance(1000);
  assert.equal(bench.last('confirmed').type, 'confirmed');
  assert.equal(header(bench.last('bye').request, 'Reason'), 'Q.850;cause=41;text="NORMAL_TEMPORARY_FAILURE"');
});

test('a BYE that voice may not have got is sent again', () => {
  const bench = active();
  bench.underWay = [];
  bench.call('s1', 'b', 'bye');
  bench.underWay = null;
  bench.restart();
  assert.equal(bench.last('bye').type, 'bye');
  emptyAtLast(bench);
});

test('nobody comes back: the limit counts from the restart', () => {
  const bench = active();
  bench.restart();
  bench.advance(119_000);
  assert.equal(bench.journal.size, 2);
  bench.advance(2000);
  assert.equal(header(bench.last('bye').request, 'X-Sidetone-Cause'), 'NETWORK_LOST');
  emptyAtLast(bench);
});

test('the journal: sessions with calls only, no password, nothing for a call that is over', () => {
  const bench = new Bench();
  bench.login('s1');
  assert.deepEqual([...bench.journal], []);
  const up = active();
  assert.deepEqual([...up.journal.keys()].map((key) => key.split(' ')[0]).sort(), ['call', 'session']);
  assert.doesNotMatch(written(up), /passw|"one"/);
  const before = written(up);
  for (let i = 0; i < 20; i++) up.call('s1', `d${i}`, 'info', { dtmf: '1' });
  assert.equal(written(up), before, 'digits are no reason to write');
  up.call('s1', 'b', 'bye');
  assert.deepEqual([...up.journal], []);
});

test('lines that cannot be read are taken out; a call without its session is hung up', () => {
  const bench = active();
  const [session, call] = [...bench.journal.keys()].sort().reverse() as [string, string];
  for (const text of ['null', '7', '[]', '{}', '{"kind":"up"}']) {
    bench.journal.set(`session ${text}`, text);
    bench.journal.set(`call x ${text}`, text);
    bench.journal.set(`else ${text}`, text);
  }
  const broken = JSON.parse(bench.journal.get(session)!) as { unheard: object[] };
  broken.unheard = [{ call: {}, bye: { end: {} } }];
  bench.journal.set(session, JSON.stringify(broken));
  bench.restart();
  assert.equal(bench.last('bye').type, 'bye');
  assert.ok(!bench.journal.has(call));
  emptyAtLast(bench);
});

test('handover: browsers are sent away first, native clients last, no call ends, none begins', () => {
  const bench = active();
  bench.login('s2', 'line2', 'Android-3.5.0');
  bench.open('s3');
  const token = voiceSdkId(bench);
  bench.input({ type: 'handover', sockets: 'browsers' });
  assert.deepEqual(bench.closed, [
    { socket: 's1', code: 1012 },
    { socket: 's3', code: 1012 },
  ]);
  assert.equal(infos(bench).at(-1), ATTACHMENT.away);
  bench.open('s4');
  assert.equal(bench.closed.at(-1)!.socket, 's4');
  const dialog = { callID: '44444444-4444-4444-8444-444444444444', destination_number: '1' };
  const refused = bench.call('s2', 'i', 'invite', { sdp: sdpOf('x') }, dialog);
  assert.match(refused['error'].message, /restarting/);
  bench.ring('line2');
  assert.equal(bench.last('failed').status, 503);
  bench.input({ type: 'handover', sockets: 'all' });
  assert.equal(bench.closed.at(-1)!.socket, 's2');
  assert.ok(!bench.heard.some((out) => out.type === 'bye'));
  bench.restart();
  assert.deepEqual(comesBack(bench, 's5', { token }), [CALL]);
});
