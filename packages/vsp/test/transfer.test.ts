import assert from 'node:assert/strict';
import { test } from 'node:test';
import { header } from '@sidetone/sip';
import { type Bench, CALL, LEG, sdpOf } from './bench.ts';
import { active, calling } from './scripted-calls.ts';

/** Answers the REFER that voice heard. */
function refer(bench: Bench, status: number) {
  const out = bench.last('request');
  assert.equal(out.request.method, 'REFER');
  bench.say(bench.voice.respondRequest(out.tx, status, {}, bench.now));
  return out;
}

function notify(bench: Bench, leg: string, status: string, state = 'active;expires=60'): void {
  const headers = [
    ['Event', 'refer'],
    ['Subscription-State', state],
  ] as const;
  const contentType = 'message/sipfrag;version=2.0';
  const body = `SIP/2.0 ${status}\r\n`;
  bench.say(
    bench.voice.requestInDialog(leg, { method: 'NOTIFY', contentType, body, headers }, 'n', bench.now),
  );
}

const DONE = 'terminated;reason=noresource';

test('a blind transfer is answered when the target has answered; then voice ends the call', () => {
  const bench = active();
  assert.deepEqual(
    bench.call('s1', 't', 'modify', { action: 'transfer', destination: '+1 (312) 5550101' }),
    {},
  );
  const { request, leg } = refer(bench, 202);
  assert.equal(header(request, 'Refer-To'), '<sip:+13125550101@sip.localhost>');
  notify(bench, leg!, '100 Trying');
  notify(bench, leg!, '180 Ringing');
  assert.deepEqual(bench.reply('s1', 't'), {});
  notify(bench, leg!, '200 OK', DONE);
  assert.deepEqual(bench.reply('s1', 't')['result'], {
    action: 'transfer',
    callID: CALL,
    sessid: bench.reply('s1', 't')['result'].sessid,
  });
  bench.say(bench.voice.bye(leg!, [['Reason', 'Q.850;cause=16;text="NORMAL_CLEARING"']], bench.now));
  assert.equal(bench.told('s1', 'bye')?.['cause'], 'NORMAL_CLEARING');
  bench.advance(200_000);
  assert.equal(bench.frames.filter(({ json }) => json['id'] === 't').length, 1);
});

test('a failed transfer names its cause and leaves the call up', () => {
  const bench = active();
  bench.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' });
  const { leg } = refer(bench, 202);
  notify(bench, leg!, '486 Busy Here\r\nReason: Q.850;cause=17;text="USER_BUSY"', DONE);
  assert.deepEqual(bench.reply('s1', 't')['error'], {
    code: -32002,
    message: 'The transfer failed: USER_BUSY (486)',
  });
  assert.equal(bench.call('s1', 'h', 'modify', { action: 'hold' })['result'].holdState, 'held');
});

test('a refused REFER, silence, an end in between, and a second request are all answered', () => {
  const refused = active();
  refused.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' });
  assert.match(
    refused.call('s1', 't2', 'modify', { action: 'transfer', destination: 'line2' })['error'].message,
    /under way/,
  );
  refer(refused, 403);
  assert.match(refused.reply('s1', 't')['error'].message, /not allowed/);

  const silent = active();
  silent.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' });
  refer(silent, 202);
  for (let i = 0; i < 13; i++) {
    silent.advance(10_000);
    silent.request('s1', `p${i}`, 'telnyx_rtc.ping');
  }
  assert.match(silent.reply('s1', 't')['error'].message, /in time/);

  const over = active();
  over.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' });
  const { leg } = refer(over, 202);
  over.say(over.voice.bye(leg!, [], over.now));
  assert.match(over.reply('s1', 't')['error'].message, /over/);

  const left = active();
  left.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' });
  refer(left, 202);
  left.call('s1', 'b', 'bye');
  assert.match(left.reply('s1', 't')['error'].message, /goes on/);

  const early = calling();
  assert.match(
    early.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' })['error'].message,
    /not answered/,
  );
});

test('an attended transfer names the dialog of the other call as voice sees it', () => {
  const bench = active();
  const ring = bench.ring('line1');
  bench.call('s1', 'a', 'answer', { sdp: sdpOf('second') }, { callID: LEG });
  bench.call('s1', 'r', 'modify', { action: 'replace', replaceCallID: LEG });
  const { request, leg } = refer(bench, 202);
  const [, text] = /Replaces=([^>]+)>/.exec(header(request, 'Refer-To')!)!;
  const { callId, localTag, remoteTag } = bench.voice.dialogOf(ring)!;
  assert.equal(decodeURIComponent(text!), `${callId};to-tag=${localTag};from-tag=${remoteTag}`);
  assert.equal(bench.voice.legWith({ callId, localTag, remoteTag }), ring);
  notify(bench, leg!, '200 OK', DONE);
  assert.equal(bench.reply('s1', 'r')['result'].action, 'replace');

  assert.match(
    bench.call('s1', 'x', 'modify', { action: 'replace', replaceCallID: 'nobody' })['error'].message,
    /no such call/,
  );
  assert.match(
    bench.call('s1', 'y', 'modify', { action: 'replace', replaceCallID: CALL })['error'].message,
    /itself/,
  );
});

test('a client that went away is told nothing of its transfer, and NOTIFYs of something else are refused', () => {
  const bench = active();
  bench.call('s1', 't', 'modify', { action: 'transfer', destination: 'line2' });
  const { leg } = refer(bench, 202);
  bench.input({ type: 'closed', socket: 's1' });
  notify(bench, leg!, '200 OK', DONE);
  assert.deepEqual(bench.reply('s1', 't'), {});
  const headers = [['Event', 'presence']] as const;
  bench.say(bench.voice.requestInDialog(leg!, { method: 'NOTIFY', headers }, 'p', bench.now));
  assert.equal(bench.last('inDialogResult').status, 405);
});
