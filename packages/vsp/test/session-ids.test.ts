import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import { SessionIds } from '../src/session-ids.ts';
import { newSession, settingsOf } from '../src/settings.ts';
import { Bench, CALL } from './bench.ts';
import { active, comesBack, voiceSdkId } from './scripted-calls.ts';

const PROPOSED = '5f6f7a30-0000-4000-8000-000000000001';

/** Logs a user in with a sessid that it proposes; the one it gets. */
function logIn(bench: Bench, socket: string, user: string, sessid: string): string {
  bench.open(socket);
  return bench.request(socket, `login-${socket}`, 'login', { login_token: user, sessid })['result'].sessid;
}

test('session-ids: what a live session of another user bears is not given again', () => {
  const bench = new Bench();
  assert.equal(logIn(bench, 's1', 'line1', PROPOSED), PROPOSED);
  const other = logIn(bench, 's2', 'line2', PROPOSED);
  assert.match(other, /^[0-9a-f-]{36}$/);
  assert.notEqual(other, PROPOSED);
  // Nor is the one that the server made for the other.
  const theirs = logIn(bench, 's3', 'line1', other);
  assert.ok(theirs !== other && theirs !== PROPOSED);
  // Its own user goes on naming it, and once it is over it is anybody's.
  assert.equal(logIn(bench, 's4', 'line1', PROPOSED), PROPOSED);
  bench.input({ type: 'closed', socket: 's1' });
  assert.notEqual(logIn(bench, 's5', 'line2', PROPOSED), PROPOSED);
  bench.input({ type: 'closed', socket: 's4' });
  assert.equal(logIn(bench, 's6', 'line2', PROPOSED), PROPOSED);
});

test('session-ids: nor while that session waits for its client, in this process or the next', () => {
  for (const restarted of [false, true]) {
    const bench = active();
    const { sessid } = bench.reply('s1', 'login-s1')['result'];
    const token = voiceSdkId(bench);
    if (restarted) bench.restart();
    else bench.input({ type: 'closed', socket: 's1' });
    assert.notEqual(logIn(bench, 's2', 'line2', sessid), sessid);
    assert.deepEqual(comesBack(bench, 's3', { token, sessid }), [CALL]);
    assert.equal(bench.reply('s3', 'login-s3')['result'].sessid, sessid);
  }
});

test('session-ids: nor to a client that comes back to a session of its own by another name', () => {
  const bench = active();
  const token = voiceSdkId(bench);
  const { sessid } = bench.reply('s1', 'login-s1')['result'];
  const theirs = logIn(bench, 's2', 'line2', PROPOSED);
  bench.input({ type: 'closed', socket: 's1' });
  assert.deepEqual(comesBack(bench, 's3', { token, sessid: theirs }), [CALL]);
  assert.equal(bench.reply('s3', 'login-s3')['result'].sessid, sessid);
});

test('session-ids: are borne by whom they were given to, whatever comes and goes', () => {
  const settings = settingsOf({
    random: seededRandom(1),
    epoch: () => 0,
    domain: 'd',
    region: 'r',
    dc: 'd',
    keepMs: 1_000,
  });
  const blank = newSession('s', 'a', undefined, seededRandom(1), 0, settings);
  const step = fc.record({
    contact: fc.constantFrom('a', 'b', 'c'),
    owner: fc.constantFrom('one', 'two', null),
    sessid: fc.constantFrom('x', 'y'),
    ends: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const ids = new SessionIds();
      const owner = new Map<string, string>();
      const alive = new Map<string, { owner: string; sessid: string }>();
      for (const { contact, sessid, ends, ...one } of steps) {
        // A session keeps its owner.
        const by = owner.get(contact) ?? one.owner;
        if (ends) {
          ids.release(contact);
          alive.delete(contact);
          owner.delete(contact);
        } else {
          ids.hold({ ...blank, contact, owner: by, sessid });
          if (by !== null) {
            alive.set(contact, { owner: by, sessid });
            owner.set(contact, by);
          }
        }
        assert.equal(ids.size, alive.size);
        for (const user of ['one', 'two'])
          for (const id of ['x', 'y'])
            assert.equal(
              ids.isOfAnother(user, id),
              [...alive.values()].some((s) => s.sessid === id && s.owner !== user),
            );
      }
    }),
  );
});
