import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ok, park } from './command-rig.ts';
import { about, Hall, type Party } from './conference-rig.ts';
import { sdp } from './voice-bench.ts';

/** Three answered calls; the first has made a conference. */
function meeting(): { h: Hall; a: Party; b: Party; c: Party; room: string } {
  const h = new Hall();
  const [a, b, c] = [h.client(), h.client(), h.client()];
  h.b.news.length = 0;
  return { h, a, b, c, room: h.create(a) };
}

const all = (h: Hall, room: string, ...parties: Party[]): void => {
  for (const party of parties) h.join(room, party);
};

describe('conferences: who is in', () => {
  it('takes the leg that it is made with in at once, then others; each is told once, and hears the room', () => {
    const { h, a, b, c, room } = meeting();
    all(h, room, b, c);
    assert.deepEqual(h.told(a, b, c), ['- conferenceCreated', 'a joined', 'b joined', 'c joined']);
    for (const party of [a, b, c]) assert.deepEqual(h.hears(party), { kind: 'room', room, to: 'all' });
    assert.equal(h.status(room), 'in_progress');
    assert.deepEqual(
      h.members(room).map(({ control, status }) => [control, status]),
      [a, b, c].map(({ control }) => [control, 'joined']),
    );
  });

  it('lets a leg go: it is parked, hears nobody, and may come again', () => {
    const { h, a, b, room } = meeting();
    all(h, room, b);
    h.told();
    h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
    assert.deepEqual(h.told(a, b), ['b left']);
    assert.deepEqual(h.hears(b), { kind: 'silence' });
    assert.equal(h.b.voice.legOf(b.control)?.alive, true);
    all(h, room, b);
    assert.deepEqual(h.told(a, b), ['b joined']);
  });

  it('ends when all have left, and is known for ten minutes', () => {
    const { h, a, b, room } = meeting();
    all(h, room, b);
    h.told();
    h.hangup(a);
    h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
    assert.deepEqual(h.told(a, b), ['a left', 'a hangup', 'b left', '- conferenceEnded all_left']);
    const view = h.b.voice.conferences.viewOf('default', room);
    assert.deepEqual([view?.status, view?.endReason, view?.endedBy], ['completed', 'all_left', null]);
    h.b.advance(599_999);
    assert.ok(h.status(room) !== undefined);
    h.b.advance(1);
    assert.equal(h.status(room), undefined);
    assert.ok(![...h.b.journal.keys()].some((key) => key.startsWith('conference')));
  });

  it('is free of a leg that goes elsewhere: bridged, queued, transferred', () => {
    const { h, a, b, c, room } = meeting();
    all(h, room, b);
    h.told();
    ok(h.b, { type: 'bridge', ...about, control: b.control, with: c.control });
    assert.deepEqual(h.told(a, b, c), ['b left', 'c bridged', 'b bridged']);
    assert.deepEqual(h.hears(c), { kind: 'leg', leg: b.leg });
    ok(h.b, { type: 'enqueue', ...about, control: a.control, queue: 'q' });
    assert.deepEqual(h.told(a, b, c), ['a left', 'a enqueued', '- conferenceEnded all_left']);
  });

  it('takes a leg out of its bridge: the other side goes by its own rule', () => {
    const { h, a, b, c, room } = meeting();
    ok(h.b, { type: 'bridge', ...about, control: b.control, with: c.control, after: 'park' });
    h.told();
    h.join(room, c);
    assert.deepEqual(h.told(a, b, c), ['c joined']);
    assert.deepEqual(h.hears(b), { kind: 'silence' });
    assert.equal(h.b.voice.legOf(b.control)?.alive, true);
  });

  it('takes a leg out of a queue, and out of another conference', () => {
    const { h, a, b, c, room } = meeting();
    ok(h.b, { type: 'enqueue', ...about, control: b.control, queue: 'q' });
    const other = h.create(c, { name: 'other' });
    h.told();
    h.join(room, b);
    assert.deepEqual(h.told(a, b, c), ['b dequeued', 'b joined']);
    h.join(room, c);
    assert.deepEqual(h.told(a, b, c), ['c left', '- conferenceEnded all_left', 'c joined']);
    assert.equal(h.status(other), 'completed');
  });

  it('takes in a leg that is being answered, and tells it when it is up', () => {
    const { h, room } = meeting();
    const [control] = park(h.b);
    let status: string | undefined;
    h.b.mediaReply = (command) => {
      if (command.op === 'answer' && status === undefined) {
        h.join(room, { control });
        status = h.members(room).at(-1)?.status;
      }
      return undefined;
    };
    h.b.news.length = 0;
    ok(h.b, { type: 'answer', ...about, control });
    assert.equal(status, 'joining');
    assert.deepEqual(
      h.b.news.map(({ what }) => what.type),
      ['answered', 'joined'],
    );
    assert.equal(h.members(room).at(-1)?.status, 'joined');
  });

  it('that nobody has come into ends after a minute, unless somebody comes', () => {
    for (const comes of [false, true]) {
      const h = new Hall();
      const late = h.client();
      const [control, dialog] = park(h.b);
      let room = '';
      h.b.mediaReply = (command) => {
        if (command.op !== 'answer' || room !== '') return undefined;
        room = h.create({ control });
        return { ok: false, error: 'engine', message: 'no' };
      };
      ok(h.b, { type: 'answer', ...about, control });
      h.b.mediaReply = () => undefined;
      assert.ok(dialog !== '');
      assert.equal(h.status(room), 'in_progress');
      h.told();
      if (comes) h.join(room, late);
      h.b.advance(59_999);
      assert.equal(h.status(room), 'in_progress');
      h.b.advance(1);
      assert.equal(h.status(room), comes ? 'in_progress' : 'completed');
      assert.deepEqual(h.told(late), comes ? ['a joined'] : ['- conferenceEnded all_left']);
    }
  });
});

describe('conferences: who hears whom', () => {
  it('mutes some, or all, and takes it back', () => {
    const { h, a, b, c, room } = meeting();
    all(h, room, b, c);
    const mute = (muted: boolean, ...who: Party[]): void =>
      void h.do({
        type: 'muteMembers',
        ...about,
        conference: room,
        controls: who.map(({ control }) => control),
        muted,
      });
    mute(true, b);
    assert.deepEqual(
      [a, b, c].map((one) => h.reach(one)),
      ['all', 'none', 'all'],
    );
    mute(true);
    assert.deepEqual(
      [a, b, c].map((one) => h.reach(one)),
      ['none', 'none', 'none'],
    );
    assert.deepEqual(
      h.members(room).map(({ muted }) => muted),
      [true, true, true],
    );
    mute(false, a, c);
    assert.deepEqual(
      [a, b, c].map((one) => h.reach(one)),
      ['all', 'none', 'all'],
    );
  });

  it('holds: a sound that is fetched once for all who hear it, music until then or without one', () => {
    const { h, a, b, c, room } = meeting();
    all(h, room, b, c);
    const hold = (held: boolean, who: Party[], url?: string): void =>
      void h.do({
        type: 'holdMembers',
        ...about,
        conference: room,
        controls: who.map(({ control }) => control),
        held,
        ...(url === undefined ? {} : { hold: { kind: 'url', url } }),
      });
    hold(true, [a]);
    assert.deepEqual(h.hears(a), { kind: 'music' });
    hold(true, [a], 'https://files.example/h.wav');
    hold(true, [b], 'https://files.example/h.wav');
    assert.equal(h.b.sounds.length, 1);
    assert.deepEqual([h.hears(a), h.hears(b)], [{ kind: 'silence' }, { kind: 'silence' }]);
    const { id } = h.b.sounds[0]!;
    h.b.tell({ type: 'sound', id, result: { ok: true, file: 'h.wav', ms: 1000 } });
    assert.deepEqual(
      [h.hears(a), h.hears(b)],
      [
        { kind: 'file', file: 'h.wav' },
        { kind: 'file', file: 'h.wav' },
      ],
    );
    assert.deepEqual(
      h.members(room).map(({ held }) => held),
      [true, true, false],
    );
    hold(false, [a, b]);
    assert.deepEqual(
      [a, b, c].map((one) => h.reach(one)),
      ['all', 'all', 'all'],
    );
    // Nobody hears it any more: it is forgotten, and asked for anew.
    hold(true, [c], 'https://files.example/h.wav');
    assert.equal(h.b.sounds.length, 2);
    h.b.tell({
      type: 'sound',
      id: h.b.sounds[1]!.id,
      result: { ok: false, why: 'not-found', detail: '404' },
    });
    assert.deepEqual(h.hears(c), { kind: 'music' });
  });

  it('asks for what is heard on hold again before it would be thrown away, and keeps it when it cannot be had', () => {
    const { h, a, room } = meeting();
    const hold = { kind: 'url', url: 'https://files.example/h.wav' } as const;
    const all = { ...about, conference: room, controls: [] };
    h.do({ type: 'holdMembers', ...all, held: true, hold });
    const { id } = h.b.sounds.splice(0)[0]!;
    h.b.tell({ type: 'sound', id, result: { ok: true, file: 'h.wav', ms: 1 } });
    for (const ok of [true, false]) {
      h.b.advance(1_800_000);
      assert.deepEqual(
        h.b.sounds.splice(0).map((asked) => asked.id),
        [id],
      );
      const result = ok
        ? ({ ok, file: 'h.wav', ms: 1 } as const)
        : ({ ok, why: 'failed', detail: 'no' } as const);
      h.b.tell({ type: 'sound', id, result });
      assert.deepEqual(h.hears(a), { kind: 'file', file: 'h.wav' });
    }
    h.do({ type: 'holdMembers', ...all, controls: [a.control], held: false });
    h.b.advance(1_800_000);
    assert.deepEqual(h.b.sounds, []);
  });

  it('gives each its role: whispers reach those who are named and are there', () => {
    const { h, a, b, c, room } = meeting();
    h.join(room, b, { role: 'monitor' });
    h.join(room, c, { role: 'whisper', whisperTo: [a.control] });
    assert.deepEqual(
      [a, b, c].map((one) => h.reach(one)),
      ['all', 'none', [a.leg]],
    );
    assert.deepEqual(h.members(room).at(-1)?.whisperTo, [a.control]);
    const role = (who: Party, role: 'none' | 'monitor' | 'whisper' | 'barge', ...to: Party[]): void =>
      void h.do({
        type: 'setRole',
        ...about,
        conference: room,
        control: who.control,
        role,
        whisperTo: to.map(({ control }) => control),
      });
    role(c, 'whisper');
    assert.equal(h.reach(c), 'none');
    role(c, 'whisper', a, b);
    assert.deepEqual(h.reach(c), [a.leg, b.leg]);
    h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
    assert.deepEqual(h.reach(c), [a.leg]);
    role(c, 'barge');
    assert.equal(h.reach(c), 'all');
    ok(h.b, { type: 'switchRole', ...about, control: c.control, role: 'monitor' });
    assert.equal(h.reach(c), 'none');
  });

  it('starts with the first who is to start it: until then all hear what waits for them', () => {
    const h = new Hall();
    const [a, b, c] = [h.client(), h.client(), h.client()];
    const hold = { kind: 'url', url: 'https://files.example/w.wav' } as const;
    const room = h.create(a, { startOnCreate: false, hold });
    h.join(room, b);
    assert.equal(h.status(room), 'init');
    h.b.tell({ type: 'sound', id: h.b.sounds[0]!.id, result: { ok: true, file: 'w.wav', ms: 1 } });
    assert.deepEqual(
      [h.hears(a), h.hears(b)],
      [
        { kind: 'file', file: 'w.wav' },
        { kind: 'file', file: 'w.wav' },
      ],
    );
    assert.deepEqual(
      h.members(room).map(({ held }) => held),
      [true, true],
    );
    h.join(room, c, { startOnEnter: true });
    assert.equal(h.status(room), 'in_progress');
    assert.deepEqual(
      [a, b, c].map((one) => h.reach(one)),
      ['all', 'all', 'all'],
    );
  });

  it('does not let who is on hold by its own client be heard', () => {
    const { h, a, b, room } = meeting();
    h.join(room, b);
    h.b.vsp.act(h.b.vsp.agent.reinvite(b.dialog, sdp('sendonly'), 'hold', h.b.now));
    assert.deepEqual(h.hears(b), { kind: 'silence' });
    assert.equal(h.reach(a), 'all');
    h.b.vsp.act(h.b.vsp.agent.reinvite(b.dialog, sdp('sendrecv'), 'hold', h.b.now));
    assert.equal(h.reach(b), 'all');
  });
});

describe('conferences: how they end', () => {
  it('by command: all are hung up, and it is told once they have left', () => {
    const { h, a, b, room } = meeting();
    all(h, room, b);
    h.told();
    h.do({ type: 'endConference', ...about, conference: room });
    assert.deepEqual(h.told(a, b), [
      'a left',
      'b left',
      '- conferenceEnded ended_via_api',
      'a hangup',
      'b hangup',
    ]);
    assert.equal(h.b.voice.legOf(a.control)?.alive, false);
  });

  it('with a host: all others are hung up, or parked where it ends softly', () => {
    for (const soft of [false, true]) {
      const { h, a, b, c, room } = meeting();
      h.join(room, b, soft ? { softEndOnExit: true } : { endOnExit: true });
      h.join(room, c);
      h.told();
      if (soft) h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
      else h.hangup(b);
      const told = h.told(a, b, c);
      assert.deepEqual(
        told.filter((line) => !line.endsWith('hangup')),
        ['b left', 'a left', 'c left', '- conferenceEnded host_left'],
      );
      assert.deepEqual(
        [a, b, c].map(({ control }) => h.b.voice.legOf(control)?.alive),
        soft ? [true, true, true] : [false, false, false],
      );
      const view = h.b.voice.conferences.viewOf('default', room);
      assert.equal(view?.endedBy?.control, b.control);
    }
  });

  it('when a patched host leaves', () => {
    const { h, a, b, room } = meeting();
    h.join(room, b);
    const [first] = h.members(room);
    h.do({ type: 'setMember', ...about, conference: room, member: first!.id, endOnExit: true });
    assert.equal(h.members(room)[0]?.endOnExit, true);
    h.hangup(a);
    assert.equal(h.b.voice.legOf(b.control)?.alive, false);
  });

  it('when its time is over: that of the command, and four hours at most', () => {
    for (const [durationMs, lasts] of [
      [60_000, 60_000],
      [99_999_999, 4 * 3_600_000],
      [undefined, 4 * 3_600_000],
    ] as const) {
      const h = new Hall();
      const a = h.client();
      const room = h.create(a, durationMs === undefined ? {} : { durationMs });
      h.told();
      h.b.advance(lasts - 1);
      assert.equal(h.status(room), 'in_progress');
      h.b.advance(1);
      assert.deepEqual(h.told(a), ['a left', '- conferenceEnded time_exceeded', 'a hangup']);
    }
  });

  it('fifty legs an input, until none is left', () => {
    const h = new Hall({ limits: { callsPerUser: 200 } });
    const parties = Array.from({ length: 120 }, () => h.client());
    const room = h.create(parties[0]!);
    for (const party of parties.slice(1)) h.join(room, party);
    h.told();
    h.do({ type: 'endConference', ...about, conference: room });
    assert.equal(h.members(room).length, 70);
    assert.equal(h.refusal({ type: 'endConference', ...about, conference: room }), 'conferenceEnded');
    h.b.advance(0);
    assert.equal(h.members(room).length, 0);
    assert.equal(h.told().filter((line) => line.startsWith('- conferenceEnded')).length, 1);
  });
});
