import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { carrierAnswers, dialIt, ok, park } from './command-rig.ts';
import { about, Hall, type On, type Party } from './conference-rig.ts';
import { sdp } from './voice-bench.ts';

const URL = { kind: 'url', url: 'https://files.example/a.wav' } as const;
const SPEECH = { kind: 'speech', text: 'Hello', voice: 'female' } as const;
const NOBODY = 'v3:nobody';

function meeting(more: Partial<On<'createConference'>> = {}): { h: Hall; a: Party; b: Party; room: string } {
  const h = new Hall();
  const [a, b] = [h.client(), h.client()];
  const room = h.create(a, more);
  h.join(room, b);
  h.b.media.length = 0;
  h.b.news.length = 0;
  return { h, a, b, room };
}

describe('conferences: what is refused, and changes nothing', () => {
  it('of a name that is taken, a leg that is not there, not answered, or over', () => {
    const { h, a, b, room } = meeting();
    const make = (control: string, name = 'other'): string =>
      h.refusal({
        type: 'createConference',
        ...about,
        control,
        name,
        startOnCreate: true,
        beep: 'never',
        maxMembers: 2,
      });
    assert.equal(make(a.control, 'room'), 'conferenceNameTaken');
    assert.equal(make(NOBODY), 'unknownLeg');
    assert.equal(make(park(h.b)[0]), 'unanswered');
    h.hangup(b);
    assert.equal(make(b.control), 'ended');
    h.do({ type: 'endConference', ...about, conference: room });
    // The name is free again.
    assert.notEqual(h.create(h.client()), room);
  });

  it('of a second join, a full conference, one that is over, unknown or of somebody else', () => {
    const { h, a, b, room } = meeting({ maxMembers: 2 });
    const c = h.client();
    const join = (conference: string, control: string, account = 'default'): string =>
      h.refusal({ type: 'joinConference', account, conference, control });
    assert.equal(join(room, b.control), 'conferenceTwice');
    assert.equal(join(room, c.control), 'conferenceFull');
    assert.equal(join('nothing', c.control), 'unknownConference');
    assert.equal(join(room, c.control, 'somebody'), 'unknownConference');
    assert.equal(join(room, NOBODY), 'unknownLeg');
    h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
    assert.equal(join(room, park(h.b)[0]), 'unanswered');
    h.hangup(b);
    assert.equal(join(room, b.control), 'ended');
    h.hangup(a);
    assert.equal(join(room, c.control), 'conferenceEnded');
  });

  it('of legs that are not in it, of each command that names some', () => {
    const { h, room } = meeting();
    const out = h.client();
    const on = { ...about, conference: room };
    for (const control of [out.control, NOBODY]) {
      const controls = [control];
      for (const command of [
        { type: 'leaveConference', ...on, control },
        { type: 'muteMembers', ...on, controls, muted: true },
        { type: 'holdMembers', ...on, controls, held: true },
        { type: 'playInto', ...on, controls, sound: URL },
        { type: 'stopInto', ...on, controls },
        { type: 'sendDigitsTo', ...on, controls, digits: '1' },
        { type: 'setRole', ...on, control, role: 'monitor', whisperTo: [] },
      ] as const)
        assert.equal(h.refusal(command), 'unknownLeg', command.type);
    }
    assert.equal(h.refusal({ type: 'setMember', ...on, member: 'm', endOnExit: true }), 'notFound');
    const [first] = h.members(room);
    const whisper = { role: 'whisper', whisperTo: [NOBODY] } as const;
    assert.equal(h.refusal({ type: 'setRole', ...on, control: first!.control, ...whisper }), 'unknownLeg');
  });

  it('of more different sounds for who is held than it keeps', () => {
    const { h, a, b, room } = meeting();
    const hold = (who: Party, n: number) =>
      ({
        type: 'holdMembers',
        ...about,
        conference: room,
        controls: [who.control],
        held: true,
        hold: { kind: 'url', url: `https://files.example/${n}.wav` },
      }) as const;
    h.do(hold(a, 0));
    // What nobody hears any more makes room.
    for (let n = 1; n < 40; n++) h.do(hold(b, n));
    assert.equal(h.b.sounds.length, 40);
    const others = Array.from({ length: 14 }, () => h.client());
    for (const [n, other] of others.entries()) {
      h.join(room, other);
      h.do(hold(other, 100 + n));
    }
    const last = h.client();
    h.join(room, last);
    assert.equal(h.refusal(hold(last, 999)), 'badField');
    h.do(hold(last, 0));
  });
});

describe('conferences: command_id', () => {
  it('of what makes one: the same one again; of others: no second effect', () => {
    const h = new Hall();
    const [a, b] = [h.client(), h.client()];
    const room = h.create(a, { commandId: 'x' });
    assert.equal(h.create(a, { commandId: 'x' }), room);
    const join = { type: 'joinConference', ...about, conference: room, control: b.control } as const;
    h.do({ ...join, commandId: 'y' });
    h.do({ ...join, commandId: 'y' });
    assert.equal(h.refusal(join), 'conferenceTwice');
    const digits = { type: 'sendDigitsTo', ...about, conference: room, controls: [], digits: '1' } as const;
    h.b.media.length = 0;
    for (let i = 0; i < 2; i++) h.do({ ...digits, commandId: 'z' });
    assert.equal(h.b.media.filter(({ op }) => op === 'dtmf').length, 2);
    const end = { type: 'endConference', ...about, conference: room, commandId: 'end' } as const;
    h.do(end);
    h.do(end);
    // Its minute is over.
    h.b.advance(60_000);
    assert.equal(h.refusal(end), 'conferenceEnded');
  });

  it('outlives the process', () => {
    const h = new Hall();
    const a = h.client();
    const room = h.create(a, { commandId: 'x' });
    h.b.restart();
    assert.equal(h.create(a, { commandId: 'x' }), room);
  });
});

describe('conferences: whose state events carry', () => {
  it('that of the conference, which its owner may change; of a member its own', () => {
    const h = new Hall();
    const [a, b] = [h.client(), h.client()];
    h.b.news.length = 0;
    const room = h.create(a, { clientState: 'b25l' });
    h.join(room, b, { clientState: 'dHdv' });
    h.do({ type: 'leaveConference', ...about, conference: room, control: a.control });
    h.join(room, a, { clientState: 'dGhyZWU=' });
    h.do({ type: 'endConference', ...about, conference: room });
    assert.deepEqual(
      h.b.news.map(({ what, clientState }) => `${what.type} ${clientState}`),
      [
        'conferenceCreated b25l',
        'joined b25l',
        'joined dHdv',
        'left b25l',
        'joined dGhyZWU=',
        'left dHdv',
        'left dGhyZWU=',
        'conferenceEnded dGhyZWU=',
        'hangup dHdv',
        'hangup dGhyZWU=',
      ],
    );
    const lane = h.b.news.filter((event) => event.lane === room);
    assert.deepEqual(
      lane.map(({ n }) => n),
      [0, 1],
    );
    assert.deepEqual(new Set(lane.map(({ leg }) => leg.control)), new Set([a.control]));
    assert.equal(lane[0]?.hook?.url, 'https://app.example/hook');
  });
});

describe('conferences: what is played to all', () => {
  it('waits for its sound and its turn, and is told once each', () => {
    const { h, room } = meeting();
    const play = (sound: typeof URL | typeof SPEECH, loop: number | null = 1): void =>
      void h.do({ type: 'playInto', ...about, conference: room, controls: [], sound, loop });
    play(URL, null);
    play(SPEECH);
    const [first, second] = h.b.sounds.map(({ id }) => id);
    h.b.tell({ type: 'sound', id: second!, result: { ok: true, file: 's.wav', ms: 1 } });
    assert.deepEqual(h.rooms(), []);
    h.b.tell({ type: 'sound', id: first!, result: { ok: true, file: 'a.wav', ms: 1 } });
    assert.deepEqual(h.rooms(), ['play a.wav null']);
    const played = (id: string, n: number, status: 'completed' | 'stopped' = 'completed'): void =>
      h.b.tell({ type: 'mediaEvent', event: { event: 'roomPlayed', room, id, n, status, atMs: 1 } });
    played(first!, 1, 'stopped');
    played(first!, 1, 'stopped');
    assert.deepEqual(h.rooms(), ['play s.wav 1']);
    played(second!, 2);
    assert.deepEqual(h.told(), [
      '- conferencePlayStarted',
      '- conferencePlayEnded',
      '- conferenceSpeakStarted',
      '- conferenceSpeakEnded',
    ]);
  });

  it('is stopped, all of it; and tells what cannot be had', () => {
    const { h, room } = meeting();
    const on = { ...about, conference: room, controls: [] };
    h.do({ type: 'playInto', ...on, sound: URL });
    h.do({ type: 'playInto', ...on, sound: URL });
    h.b.tell({ type: 'sound', id: h.b.sounds[0]!.id, result: { ok: true, file: 'a.wav', ms: 1 } });
    h.do({ type: 'stopInto', ...on });
    assert.deepEqual(h.rooms(), ['play a.wav 1', 'stop']);
    h.b.tell({ type: 'sound', id: h.b.sounds[1]!.id, result: { ok: true, file: 'a.wav', ms: 1 } });
    h.do({ type: 'playInto', ...on, sound: URL });
    h.b.tell({
      type: 'sound',
      id: h.b.sounds[2]!.id,
      result: { ok: false, why: 'not-found', detail: '' },
    });
    assert.deepEqual(
      h.b.news.map(({ what }) => ('status' in what ? `${what.type} ${what.status}` : what.type)),
      [
        'conferencePlayStarted',
        'conferencePlayEnded cancelled',
        'conferencePlayStarted',
        'conferencePlayEnded file_not_found',
      ],
    );
  });

  it('ends with the conference, and where media refuses it', () => {
    const { h, room } = meeting();
    const on = { ...about, conference: room, controls: [] };
    h.b.mediaReply = (command) =>
      command.op === 'roomPlay' ? { ok: false, error: 'no-room', message: '' } : undefined;
    h.do({ type: 'playInto', ...on, sound: URL });
    h.b.tell({ type: 'sound', id: h.b.sounds[0]!.id, result: { ok: true, file: 'a.wav', ms: 1 } });
    h.b.mediaReply = () => undefined;
    h.do({ type: 'playInto', ...on, sound: URL });
    h.b.tell({ type: 'sound', id: h.b.sounds[1]!.id, result: { ok: true, file: 'a.wav', ms: 1 } });
    h.do({ type: 'endConference', ...about, conference: room });
    assert.deepEqual(
      h.b.news.map(({ what }) => ('status' in what ? `${what.type} ${what.status}` : what.type)),
      [
        'conferencePlayStarted',
        'conferencePlayEnded failed',
        'conferencePlayStarted',
        'conferencePlayEnded cancelled',
        'left',
        'left',
        'conferenceEnded',
        'hangup',
        'hangup',
      ],
    );
  });

  it('waits until the conference has started and somebody hears its room', () => {
    const { h, b, room } = meeting({ startOnCreate: false });
    h.do({ type: 'playInto', ...about, conference: room, controls: [], sound: URL });
    h.b.tell({ type: 'sound', id: h.b.sounds[0]!.id, result: { ok: true, file: 'a.wav', ms: 1 } });
    assert.deepEqual(h.rooms(), []);
    h.do({ type: 'leaveConference', ...about, conference: room, control: b.control });
    h.join(room, b, { startOnEnter: true, held: true });
    assert.deepEqual(h.rooms(), ['play a.wav 1']);
  });

  it('to some: each plays it for itself, and tells it of the conference', () => {
    const { h, a, b, room } = meeting();
    const on = { ...about, conference: room, controls: [b.control] };
    h.do({ type: 'playInto', ...on, sound: URL });
    h.do({ type: 'playInto', ...on, sound: SPEECH });
    for (const { id } of [...h.b.sounds])
      h.b.tell({ type: 'sound', id, result: { ok: true, file: 'a.wav', ms: 1 } });
    const plays = h.b.media.filter((c) => c.op === 'play');
    assert.deepEqual(
      plays.map(({ leg }) => leg),
      [b.leg],
    );
    h.do({ type: 'stopInto', ...about, conference: room, controls: [] });
    assert.deepEqual(h.told(a, b), ['b memberPlayStarted', 'b memberPlayEnded']);
    assert.ok(h.b.media.some((c) => c.op === 'stop' && c.leg === b.leg));
  });
});

describe('conferences: beeps, digits and who speaks', () => {
  it('tells the others who comes and goes, as the conference or the member says', () => {
    const { h, a, b, room } = meeting({ beep: 'on_enter' });
    const c = h.client();
    h.rooms();
    h.join(room, c);
    assert.deepEqual(h.rooms(), [`beep enter ${c.leg}`]);
    h.do({ type: 'leaveConference', ...about, conference: room, control: c.control });
    assert.deepEqual(h.rooms(), []);
    h.join(room, c, { beep: 'on_exit' });
    assert.deepEqual(h.rooms(), []);
    h.do({ type: 'leaveConference', ...about, conference: room, control: c.control });
    assert.deepEqual(h.rooms(), [`beep leave ${c.leg}`]);
    h.do({ type: 'leaveConference', ...about, conference: room, control: b.control, beep: 'always' });
    assert.deepEqual(h.rooms(), [`beep leave ${b.leg}`]);
    h.do({ type: 'leaveConference', ...about, conference: room, control: a.control, beep: 'always' });
    assert.deepEqual(h.rooms(), []);
  });

  it('sends digits to all or some, and gathers from one', () => {
    const { h, a, b, room } = meeting();
    const digits = (controls: readonly string[]): readonly string[] => {
      h.b.media.length = 0;
      h.do({ type: 'sendDigitsTo', ...about, conference: room, controls, digits: '5', durationMs: 120 });
      return h.b.media.flatMap((c) => (c.op === 'dtmf' ? [`${c.leg} ${c.digits}`] : []));
    };
    assert.deepEqual(digits([b.control]), [`${b.leg} 5`]);
    assert.deepEqual(digits([]), [`${a.leg} 5`, `${b.leg} 5`]);
    const ask = {
      minDigits: 1,
      maxDigits: 1,
      timeoutMs: 5000,
      initialMs: 5000,
      interDigitMs: 5000,
      terminating: '#',
      valid: '0123456789',
      tries: 1,
    };
    h.told();
    h.do({ type: 'gatherFrom', ...about, conference: room, control: b.control, ask });
    h.b.tell({ type: 'mediaEvent', event: { event: 'dtmf', leg: b.leg, digit: '7', durationMs: 100 } });
    assert.deepEqual(h.told(a, b), ['b digit', 'b gathered']);
  });

  it('tells who has the floor, once a report', () => {
    const { h, a, b, room } = meeting();
    const floor = (leg: string | null, n: number): void =>
      h.b.tell({ type: 'mediaEvent', event: { event: 'floor', room, leg, n } });
    floor(b.leg, 1);
    floor(b.leg, 1);
    floor(null, 2);
    floor(a.leg, 3);
    assert.deepEqual(
      h.b.news.map(({ lane, leg, what }) => [lane, leg.control, what.type]),
      [
        [room, b.control, 'floorChanged'],
        [room, a.control, 'floorChanged'],
      ],
    );
  });
});

describe('conferences: dialled into', () => {
  it('on answer, by its id: how it is said', () => {
    const { h, a, b, room } = meeting();
    const conference = { conference: room, muted: true, endOnExit: true, earlyMedia: false } as const;
    const c = h.called({ conference }, a);
    assert.deepEqual(h.told(a, b, c).slice(-2), ['c answered', 'c joined']);
    assert.equal(h.reach(c), 'none');
    assert.equal(h.members(room).at(-1)?.endOnExit, true);
  });

  it('with its early media, from the beginning', () => {
    const { h, a, room } = meeting();
    const ids = ok(h.b, dialIt(a.control, { conference: { conference: room } }))!;
    assert.deepEqual(
      h.members(room).map(({ status }) => status),
      ['joined', 'joined', 'joining'],
    );
    assert.equal(h.hears({ ...a, leg: ids.leg }), undefined);
    h.b.media.length = 0;
    const { leg } = h.b.proxy.take('incoming');
    h.b.proxy.act(h.b.proxy.agent.respond(leg, 183, { sdp: sdp() }, h.b.now));
    assert.equal(h.reach({ ...a, leg: ids.leg }), 'all');
    h.told();
    h.b.proxy.act(h.b.proxy.agent.respond(leg, 200, { sdp: sdp() }, h.b.now));
    assert.deepEqual(h.told(), ['? answered', '? joined']);
    assert.equal(h.members(room).at(-1)?.status, 'joined');
  });

  it('that is not answered leaves no trace in it', () => {
    const { h, a, b, room } = meeting();
    ok(h.b, dialIt(a.control, { conference: { conference: room, endOnExit: true } }));
    const { leg } = h.b.proxy.take('incoming');
    h.told();
    h.b.proxy.act(h.b.proxy.agent.respond(leg, 486, {}, h.b.now));
    assert.deepEqual(h.told(a, b), ['? hangup']);
    assert.equal(h.members(room).length, 2);
  });

  it('by a name: there, or made with it', () => {
    const { h, a, room } = meeting();
    const there = h.called({ conference: { name: 'room' } }, a);
    assert.equal(h.members(room).length, 3);
    assert.equal(h.reach(there), 'all');
    h.told();
    const c = h.called({ conference: { name: 'new', startOnCreate: false } }, a);
    assert.deepEqual(h.told(c).slice(-3), ['a answered', '- conferenceCreated', 'a joined']);
    assert.deepEqual(h.hears(c), { kind: 'music' });
  });

  it('refused for another reason it leaves no trace there', () => {
    const { h, a, room } = meeting();
    const hold = { kind: 'url', url: 'https://files.example/h.wav' } as const;
    const conference = { conference: room, held: true, hold };
    const why = h.refusal(dialIt(a.control, { conference, to: ['9196'] }));
    assert.equal(why, 'badField');
    assert.deepEqual(h.b.sounds, []);
  });

  it('that is over when it answers is hung up; refused when it is over before', () => {
    const { h, a, b, room } = meeting();
    ok(h.b, dialIt(b.control, { conference: { conference: room, earlyMedia: false } }));
    h.do({ type: 'endConference', ...about, conference: room });
    h.told();
    carrierAnswers(h.b);
    assert.deepEqual(h.told(), ['? answered', '? hangup']);
    const c = h.client();
    for (const [conference, why] of [
      [room, 'conferenceEnded'],
      ['nothing', 'unknownConference'],
    ] as const)
      assert.equal(h.refusal(dialIt(c.control, { conference: { conference } })), why);
    assert.ok(a.control !== '');
  });
});
