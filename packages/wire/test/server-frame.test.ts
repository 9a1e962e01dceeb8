import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAUSE, FrameWriter } from '../src/index.ts';
import { NATIVE_PARSERS } from './natives/all.ts';
import { parseReplyForFlutter } from './natives/flutter.ts';
import { strictProblems } from './strict-clients.ts';

const UUID = '0c1d0000-0000-4000-8000-000000000001';
const writer = new FrameWriter({ voiceSdkId: 'vsdk', sessid: 'sess' });
const ids = { session: UUID, leg: UUID, control: 'v3:x' };
const ann = { name: 'Ann', number: '+1555' };
const bob = { name: '', number: 'bob' };
const customHeaders = [{ name: 'X-A', value: '1' }];

test('every frame passes the strictest clients', () => {
  const frames = [
    writer.loggedIn('a'),
    writer.loggedIn('a', [{ urls: ['stun:s'] }, { urls: ['turn:t'], username: '1:u', credential: 'c' }]),
    writer.error('a', -32003, 'CALL DOES NOT EXIST'),
    writer.attachFailed('a'),
    writer.attached('a'),
    writer.registered('a', { reportId: 'r', dc: 'd', region: 'e' }),
    writer.pong(7),
    writer.callCreated('a', UUID),
    writer.callResult('a', UUID),
    writer.holdResult('a', UUID, 'hold', true),
    writer.mediaResult('a', UUID, 'v=0', false),
    writer.sent('a'),
    writer.channels('a', 'subscribe'),
    writer.channels('a', 'unsubscribe'),
    writer.channels('a', 'broadcast'),
    writer.pushDisabled('a'),
    writer.empty('a'),
    writer.clientReady(1, []),
    writer.ping(2, 1),
    writer.invite(3, { callId: UUID, sdp: 'v=0', caller: ann, callee: bob, ids, customHeaders }),
    writer.ringing(4, { callId: UUID, caller: ann, callee: bob, ids, customHeaders: [] }),
    writer.media(5, UUID, 'v=0', ids),
    writer.answer(6, { callId: UUID, ids: { session: UUID, leg: UUID }, customHeaders }),
    writer.answer(7, { callId: UUID, sdp: 'v=0', ids, customHeaders: [] }),
    writer.display(8, UUID, ann),
    writer.candidate(9, UUID, 'candidate:1', '0'),
    writer.bye(10, {
      callId: UUID,
      cause: CAUSE.userBusy,
      sipCode: 486,
      sipReason: 'Busy Here',
      sipCallId: 'x',
      customHeaders,
    }),
  ];
  const usedIds = new Set<number>();
  for (const frame of frames) assert.deepEqual(strictProblems(frame, { usedIds }), [], frame);
  for (const frame of frames) for (const parse of NATIVE_PARSERS) parse(frame);
  assert.deepEqual(strictProblems(writer.loginRefused('a', 'Login Incorrect'), { answersLogin: true }), []);
});

test('the strict reader notices what would hurt', () => {
  const usedIds = new Set([1]);
  assert.ok(strictProblems(writer.clientReady(1, []), { usedIds }).length > 0);
  assert.ok(strictProblems(writer.error('a', -32000, 'no'), { answersLogin: true }).length > 0);
  assert.ok(strictProblems('{"jsonrpc":"2.0","id":"x","result":null,"voice_sdk_id":"v"}').length > 0);
  assert.ok(strictProblems('{"jsonrpc":"2.0","id":"x","method":"telnyx_rtc.ping","params":{}}').length > 0);
});

test('native: each parser says which rule a frame breaks', () => {
  const bye = (params: object, id: unknown = 9) =>
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      method: 'telnyx_rtc.bye',
      params: { callID: UUID, cause: 'X', causeCode: 16, sipCode: 200, sipReason: 'OK', ...params },
      voice_sdk_id: 'v',
    });
  const result = (of: unknown, id: unknown = 'x') =>
    JSON.stringify({ jsonrpc: '2.0', id, result: of, voice_sdk_id: 'v' });
  const refusing = (frame: string): number =>
    NATIVE_PARSERS.filter((parse) => {
      try {
        parse(frame);
        return false;
      } catch {
        return true;
      }
    }).length;
  assert.equal(refusing(bye({})), 0);
  for (const bad of [
    bye({ callID: 'no uuid' }),
    bye({ causeCode: '16' }),
    bye({ sipCode: 200.5 }),
    bye({ sipReason: null }),
    bye({ cause: '' }),
    bye({}, 'nine'),
    bye({ state: 7 }),
    bye({ variables: [] }),
    result([]),
    result({ params: { state: 'REGED' } }),
    result({ action: 'hold', callID: UUID, holdState: 'active', sessid: 's' }),
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'telnyx_rtc.ping', params: { serno: 1 } }),
    '[]',
    'x',
  ])
    assert.ok(refusing(bad) > 0, bad);
  assert.throws(() => parseReplyForFlutter(result({ sessid: 's' }, 7)), /text that was sent/);
});

test('hold is told by the word that clients know', () => {
  const state = (held: boolean) =>
    JSON.parse(writer.holdResult('a', UUID, 'toggleHold', held)).result.holdState;
  assert.equal(state(true), 'held');
  assert.equal(state(false), 'active');
});
