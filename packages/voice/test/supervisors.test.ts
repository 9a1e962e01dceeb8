import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { carrierAnswers, dialIt, ok } from './command-rig.ts';
import { about, Hall, type Party } from './conference-rig.ts';
import { sdp } from './voice-bench.ts';

type Role = 'monitor' | 'whisper' | 'barge';

/** Two who talk, the first of them parked when the other goes. */
function talk(after: 'park' | 'hangup' = 'hangup'): { h: Hall; a: Party; b: Party } {
  const h = new Hall();
  const [a, b] = [h.client(), h.client()];
  ok(h.b, { type: 'bridge', ...about, control: a.control, with: b.control, after });
  h.told();
  return { h, a, b };
}

const supervise = (of: Party, role: Role) => ({ supervise: { control: of.control, role } });

describe('supervisors: who hears whom', () => {
  for (const role of ['monitor', 'whisper', 'barge'] as const)
    it(`${role}: the bridge is a room while the supervisor is there, and a relay again`, () => {
      const { h, a, b } = talk();
      const s = h.called(supervise(a, role), a);
      assert.deepEqual(h.told(a, b, s), ['c initiated', 'c answered', 'c bridged']);
      assert.deepEqual(
        [a, b].map((one) => h.reach(one)),
        ['all', 'all'],
      );
      const to = { monitor: 'none', whisper: [a.leg], barge: 'all' }[role];
      assert.deepEqual(h.reach(s), to);
      const rooms = [a, b, s].map((one) => h.hears(one));
      assert.equal(new Set(rooms.map((one) => (one?.kind === 'room' ? one.room : ''))).size, 1);
      h.hangup(s);
      assert.deepEqual(h.told(a, b, s), ['c hangup']);
      assert.deepEqual(h.hears(a), { kind: 'leg', leg: b.leg });
      assert.deepEqual(h.hears(b), { kind: 'leg', leg: a.leg });
    });

  it('changes its role while it lasts', () => {
    const { h, a, b } = talk();
    const s = h.called(supervise(b, 'monitor'), a);
    for (const [role, to] of [
      ['whisper', [b.leg]],
      ['barge', 'all'],
      ['monitor', 'none'],
    ] as const) {
      ok(h.b, { type: 'switchRole', ...about, control: s.control, role });
      assert.deepEqual(h.reach(s), to);
    }
  });

  it('several beside each other: the bridge stays a room until the last has gone', () => {
    const { h, a, b } = talk();
    const s = h.called(supervise(a, 'monitor'), a);
    const t = h.called(supervise(b, 'barge'), a);
    h.hangup(s);
    assert.equal(h.reach(a), 'all');
    h.hangup(t);
    assert.deepEqual(h.hears(a), { kind: 'leg', leg: b.leg });
  });

  it('passes digits on, which a room does not', () => {
    const { h, a, b } = talk();
    h.called(supervise(a, 'monitor'), a);
    h.b.media.length = 0;
    h.b.tell({ type: 'mediaEvent', event: { event: 'dtmf', leg: a.leg, digit: '4', durationMs: 100 } });
    assert.deepEqual(
      h.b.media.flatMap((c) => (c.op === 'dtmf' ? [`${c.leg} ${c.digits}`] : [])),
      [`${b.leg} 4`],
    );
  });

  it('leaves who is held with music', () => {
    const { h, a, b } = talk();
    h.called(supervise(a, 'barge'), a);
    h.b.vsp.act(h.b.vsp.agent.reinvite(a.dialog, sdp('sendonly'), 'hold', h.b.now));
    assert.deepEqual(h.hears(b), { kind: 'music' });
    h.b.vsp.act(h.b.vsp.agent.reinvite(a.dialog, sdp('sendrecv'), 'hold', h.b.now));
    assert.equal(h.reach(b), 'all');
  });
});

describe('supervisors: how it ends', () => {
  it('with the bridge: also where one of the two is parked', () => {
    for (const after of ['hangup', 'park'] as const) {
      const { h, a, b } = talk(after);
      const s = h.called(supervise(b, 'barge'), a);
      h.hangup(b);
      assert.equal(h.b.voice.legOf(s.control)?.alive, false);
      assert.equal(h.b.voice.legOf(a.control)?.alive, after === 'park');
      if (after === 'park') assert.deepEqual(h.hears(a), { kind: 'silence' });
    }
  });

  it('with a command that takes it elsewhere: the two go on', () => {
    const { h, a, b } = talk();
    const s = h.called(supervise(a, 'barge'), a);
    const c = h.client();
    ok(h.b, { type: 'bridge', ...about, control: s.control, with: c.control });
    assert.deepEqual(h.hears(a), { kind: 'leg', leg: b.leg });
    assert.deepEqual(h.hears(s), { kind: 'leg', leg: c.leg });
    // A later end is no end by a command.
    h.hangup(b);
    assert.equal(h.b.voice.legOf(a.control)?.alive, false);
  });

  it('takes the supervisor into the conversation by bridge: the other side goes', () => {
    const { h, a, b } = talk();
    const s = h.called(supervise(a, 'whisper'), a);
    ok(h.b, { type: 'bridge', ...about, control: s.control, with: a.control });
    assert.deepEqual(h.hears(a), { kind: 'leg', leg: s.leg });
    assert.equal(h.b.voice.legOf(b.control)?.alive, false);
  });

  it('of nobody is refused; of somebody who has gone meanwhile the call is hung up', () => {
    const { h, a, b } = talk('park');
    const alone = h.client();
    assert.equal(h.refusal(dialIt(alone.control, supervise(alone, 'barge'))), 'badField');
    const nobody = { supervise: { control: 'v3:x', role: 'barge' } } as const;
    assert.equal(h.refusal(dialIt(alone.control, nobody)), 'unknownLeg');
    assert.equal(h.refusal({ type: 'switchRole', ...about, control: a.control, role: 'barge' }), 'badField');
    const ids = ok(h.b, dialIt(alone.control, supervise(a, 'barge')))!;
    h.hangup(b);
    carrierAnswers(h.b);
    assert.equal(h.b.voice.legOf(ids.control)?.alive, false);
  });
});

describe('conferences and supervisors: over a death of the process', () => {
  it('a conference goes on: who is in, how, and what is heard; wishes are said again', () => {
    const h = new Hall();
    const [a, b, c] = [h.client(), h.client(), h.client()];
    const room = h.create(a, { beep: 'always' });
    h.join(room, b, { muted: true, endOnExit: true });
    h.join(room, c, { role: 'whisper', whisperTo: [a.control] });
    const hold = { kind: 'url', url: 'https://files.example/h.wav' } as const;
    h.do({ type: 'holdMembers', ...about, conference: room, controls: [a.control], held: true, hold });
    h.b.tell({ type: 'sound', id: h.b.sounds[0]!.id, result: { ok: true, file: 'h.wav', ms: 1 } });
    const before = [h.members(room), [a, b, c].map((one) => h.hears(one))];
    h.told();
    h.b.media.length = 0;
    h.b.restart();
    assert.deepEqual([h.members(room), [a, b, c].map((one) => h.hears(one))], before);
    assert.deepEqual(h.told(), []);
    const claim = h.b.media.find((command) => command.op === 'claim');
    assert.equal(claim?.op === 'claim' ? claim.seen?.[room] : undefined, 0);
    assert.ok(!h.rooms().some((line) => line.startsWith('beep')));
    h.hangup(b);
    assert.equal(h.status(room), 'completed');
    assert.equal(h.b.voice.legOf(c.control)?.alive, false);
  });

  it('dies with members leaving: what had begun goes on', () => {
    const h = new Hall();
    const parties = Array.from({ length: 60 }, () => h.client());
    const room = h.create(parties[0]!);
    for (const party of parties.slice(1)) h.join(room, party);
    h.do({ type: 'endConference', ...about, conference: room });
    assert.equal(h.members(room).length, 10);
    h.b.restart();
    h.b.advance(0);
    assert.equal(h.members(room).length, 0);
    assert.equal(h.status(room), 'completed');
    assert.equal(h.b.news.filter(({ what }) => what.type === 'conferenceEnded').length, 1);
  });

  it('plays go on, sounds are asked for again, and a report that was read is not read twice', () => {
    const h = new Hall();
    const a = h.client();
    const room = h.create(a);
    const play = { type: 'playInto', ...about, conference: room, controls: [] } as const;
    const url = (name: string) => ({ kind: 'url', url: `https://files.example/${name}.wav` }) as const;
    h.do({ ...play, sound: url('a') });
    h.do({ ...play, sound: url('b') });
    const [first, second] = h.b.sounds.map(({ id }) => id);
    h.b.tell({ type: 'sound', id: first!, result: { ok: true, file: 'a.wav', ms: 1 } });
    h.b.tell({ type: 'mediaEvent', event: { event: 'floor', room, leg: a.leg, n: 1 } });
    h.told();
    h.rooms();
    h.b.sounds.length = 0;
    h.b.restart();
    assert.deepEqual(h.rooms(), ['play a.wav 1']);
    assert.deepEqual(
      h.b.sounds.map(({ id }) => id),
      [second],
    );
    h.b.tell({ type: 'mediaEvent', event: { event: 'floor', room, leg: a.leg, n: 1 } });
    h.b.tell({
      type: 'mediaEvent',
      event: { event: 'roomPlayed', room, id: first!, n: 2, status: 'completed', atMs: 1 },
    });
    assert.deepEqual(h.told(), ['- conferencePlayEnded']);
  });

  it('a conference whose legs are gone ends; one that nobody can read is gone, and its legs are parked', () => {
    for (const torn of [false, true]) {
      const h = new Hall();
      const a = h.client();
      const room = h.create(a);
      if (torn) h.b.journal.set(`conference ${room}`, '{"id":1}');
      else h.b.engine.clear();
      h.b.restart();
      assert.equal(h.status(room), torn ? undefined : 'completed');
      assert.equal(h.b.voice.legOf(a.control)?.alive, torn);
    }
  });

  it('a supervised bridge goes on as it was', () => {
    const { h, a, b } = talk();
    const s = h.called(supervise(a, 'whisper'), a);
    const before = [a, b, s].map((one) => h.hears(one));
    h.b.restart();
    assert.deepEqual(
      [a, b, s].map((one) => h.hears(one)),
      before,
    );
    h.hangup(b);
    assert.equal(h.b.voice.legOf(s.control)?.alive, false);
  });
});
