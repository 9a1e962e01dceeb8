import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordEvent } from '@sidetone/wire';
import { dialIt, ok } from './command-rig.ts';
import { about, Hall, type On, type Party } from './conference-rig.ts';

type Start = Partial<Omit<On<'recordConference'>, 'type' | 'conference'>>;

/** Conferences whose media closes files when it is told to. */
class Studio extends Hall {
  readonly a = this.client();
  readonly c = this.client();
  readonly room: string;

  constructor(more: Partial<On<'createConference'>> = {}) {
    super();
    this.b.news.length = 0;
    this.room = this.create(this.a, more);
  }

  ask(more: Start = {}): On<'recordConference'> {
    return {
      type: 'recordConference',
      ...about,
      conference: this.room,
      format: 'wav',
      channels: 1,
      ...more,
    };
  }

  start(more: Start = {}): string {
    const result = this.b.command(this.ask(more));
    assert.ok(result.ok && result.recording !== undefined, JSON.stringify(result));
    return result.recording;
  }

  change(to: 'paused' | 'running' | 'stopped', recording?: string): On<'changeConferenceRecord'> {
    const named = recording === undefined ? {} : { recording };
    return { type: 'changeConferenceRecord', ...about, conference: this.room, to, ...named };
  }

  closes(id: string, why: RecordEvent['why'], n = 1): void {
    const end = { durationMs: 4000, wallMs: 5000, lostMs: 0 };
    this.b.tell({ type: 'mediaEvent', event: { event: 'recorded', room: this.room, n, id, why, ...end } });
  }

  saved(id: string, isSaved = true): void {
    const result = isSaved
      ? ({ ok: true, url: `https://voice.example/${id}`, durationMs: 4000 } as const)
      : ({ ok: false, problem: 'Internal server error' } as const);
    this.b.tell({ type: 'saved', id, result });
  }

  end(): void {
    this.do({ type: 'endConference', ...about, conference: this.room });
  }

  hold(party: Party, held: boolean): void {
    const controls = [party.control];
    this.do({ type: 'holdMembers', ...about, conference: this.room, controls, held });
  }

  /** What media was told of a recording, in one word each. */
  said(id: string): string[] {
    return this.b.media.flatMap((c) => ('id' in c && c.id === id ? [c.op] : []));
  }

  /** What is told of the conference, numbered without gaps. */
  get lane(): string[] {
    const lane = this.b.news.filter((event) => event.lane === this.room);
    assert.deepEqual(
      lane.map(({ n }) => n),
      lane.map((_, n) => n),
    );
    return lane.map(({ what }) => what.type);
  }

  get kept(): string[] {
    return [...this.b.journal.keys()].filter((key) => key.startsWith('recording '));
  }
}

describe('a recording of a conference', () => {
  it('that media refuses is no more, though it was told to pause before', () => {
    const h = new Studio();
    h.b.mediaReply = ({ op }) => (op === 'record' ? null : undefined);
    h.start();
    h.do(h.change('paused'));
    const id = h.b.media.findIndex(({ op }) => op === 'record') + 1;
    h.b.tell({ type: 'media', id, reply: { ok: false, error: 'engine', message: 'no' } });
    h.refusal(h.change('running'));
    h.start();
  });

  it('begins, pauses, goes on and ends by command; it is told when it is saved', () => {
    const h = new Studio();
    h.join(h.room, h.c);
    const id = h.start({
      channels: 2,
      beep: true,
      maxMs: 60_000,
      trim: true,
      fileName: 'desk',
      clientState: 'aGk=',
    });
    assert.deepEqual(
      h.b.media.filter(({ op }) => op === 'record'),
      [
        {
          op: 'record',
          room: h.room,
          id,
          file: `recordings/open/${id}.wav`,
          channels: 2,
          track: 'both',
          first: h.a.leg,
          beep: true,
          maxMs: 60_000,
        },
      ],
    );
    h.do(h.change('paused'));
    h.do(h.change('running', id));
    h.do(h.change('stopped', id));
    assert.deepEqual(h.said(id), ['record', 'recordPause', 'recordResume', 'recordStop']);
    assert.deepEqual(h.b.saves, []);
    h.closes(id, 'stopped');
    const { leg, at } = h.b.news.find(({ lane }) => lane === h.room)!;
    const startedAt = Math.floor(at);
    assert.deepEqual(h.b.saves, [
      {
        type: 'save',
        id,
        recording: {
          format: 'wav',
          channels: 2,
          trim: true,
          account: 'default',
          by: 'StartConferenceRecordingAPI',
          control: h.a.control,
          leg: h.a.leg,
          session: leg.session,
          conference: h.room,
          connection: leg.connection,
          from: leg.from,
          to: leg.to,
          file: `recordings/open/${id}.wav`,
          name: `desk-${Math.floor(startedAt / 1000)}`,
          startedAt,
          endedAt: startedAt + 5000,
          why: 'stopped',
          lostMs: 0,
        },
      },
    ]);
    h.saved(id);
    h.saved(id);
    assert.deepEqual(h.lane, ['conferenceCreated', 'conferenceRecorded']);
    const told = h.b.news.at(-1)!;
    assert.deepEqual(told.what, {
      type: 'conferenceRecorded',
      conference: h.room,
      recording: {
        id,
        format: 'wav',
        channels: 2,
        startedAt,
        endedAt: startedAt + 5000,
        url: `https://voice.example/${id}`,
      },
    });
    assert.deepEqual(
      [told.clientState, told.leg.control, told.hook?.url],
      ['aGk=', h.a.control, 'https://app.example/hook'],
    );
    assert.deepEqual(h.kept, []);
    assert.equal(h.said(h.start()).length, 1);
  });

  it('waits for somebody to be heard, and may be stopped before', () => {
    const h = new Studio({ startOnCreate: false });
    const first = h.start();
    assert.deepEqual(h.said(first), []);
    assert.equal(h.refusal(h.change('paused')), 'badField');
    h.do(h.change('stopped'));
    const id = h.start();
    h.b.restart();
    assert.deepEqual(h.said(id), []);
    h.join(h.room, h.c, { startOnEnter: true });
    assert.deepEqual(h.said(id), ['record']);
    assert.deepEqual(h.said(first), []);
    h.do(h.change('stopped'));
    h.closes(id, 'stopped');
    assert.deepEqual(
      h.b.saves.map((save) => save.id),
      [id],
    );
  });

  it('is refused twice, by a name that is none of its, where there is none, and behind the end', () => {
    const h = new Studio();
    for (const to of ['paused', 'running', 'stopped'] as const)
      assert.equal(h.refusal(h.change(to)), 'badField', to);
    const id = h.start({ commandId: 'one' });
    assert.equal(h.start({ commandId: 'one' }), id);
    assert.equal(h.refusal(h.ask()), 'badField');
    for (const to of ['paused', 'running', 'stopped'] as const)
      assert.equal(h.refusal(h.change(to, 'another')), 'badField', to);
    assert.equal(h.refusal({ ...h.ask(), account: 'another' }), 'unknownConference');
    assert.deepEqual(h.said(id), ['record']);
    h.end();
    assert.equal(h.refusal(h.ask({ commandId: 'two' })), 'conferenceEnded');
    assert.equal(h.refusal(h.change('stopped')), 'conferenceEnded');
  });

  it('ends with its conference, and is told behind its end, also when that is forgotten', () => {
    for (const late of [false, true]) {
      const h = new Studio();
      const stopped = h.start();
      h.do(h.change('stopped'));
      const id = h.start();
      h.do(h.change('paused'));
      h.end();
      assert.deepEqual(h.said(id), ['record', 'recordPause', 'recordStop']);
      h.closes(stopped, 'stopped');
      h.closes(id, 'closed', 2);
      if (late) {
        h.b.advance(700_000);
        assert.equal(h.status(h.room), undefined);
        h.b.restart();
      }
      h.saved(id);
      h.saved(stopped);
      assert.deepEqual(h.lane, [
        'conferenceCreated',
        'conferenceEnded',
        'conferenceRecorded',
        'conferenceRecorded',
      ]);
      assert.deepEqual(h.kept, []);
    }
  });

  it('ends when all have left, by a limit, by the disk, or with its room, and is saved as far as it goes', () => {
    for (const [why, first] of [
      ['closed', (h: Studio) => h.hangup(h.a)],
      ['closed', (h: Studio) => h.hold(h.a, true)],
      ['max', () => {}],
      ['failed', () => {}],
    ] as const) {
      const h = new Studio();
      const id = h.start();
      first(h);
      h.closes(id, why);
      h.closes(id, why);
      assert.deepEqual(
        h.b.saves.map(({ recording }) => recording.why),
        [why],
      );
      h.saved(id);
      assert.equal(h.lane.filter((type) => type === 'conferenceRecorded').length, 1);
      if (h.status(h.room) !== 'in_progress') continue;
      // The report is read once by its number: another recording of this name is none.
      assert.equal(h.refusal(h.change('stopped')), 'badField');
      h.hold(h.a, false);
      assert.deepEqual(h.said(h.start()), ['record']);
    }
  });

  it('that media refuses is no more, and the next may begin; one that is not saved is told by nothing', () => {
    const h = new Studio();
    h.b.mediaReply = ({ op }) =>
      op === 'record' ? { ok: false, error: 'no-room', message: 'no' } : undefined;
    h.start();
    assert.ok(h.b.logs.some(({ event, level }) => event === 'media does not record' && level === 'warn'));
    h.b.mediaReply = () => undefined;
    const id = h.start();
    h.do(h.change('stopped'));
    h.closes(id, 'stopped');
    h.saved(id, false);
    assert.deepEqual(h.lane, ['conferenceCreated']);
    assert.deepEqual(h.kept, []);
  });

  it('of a media process that died is saved as far as it goes, without waiting', () => {
    for (const joined of [true, false]) {
      const h = new Studio();
      const id = h.start();
      if (!joined) {
        h.do({ type: 'leaveConference', ...about, conference: h.room, control: h.a.control });
        assert.equal(h.status(h.room), 'completed');
      }
      h.b.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'up' } });
      h.b.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'down' } });
      assert.deepEqual(
        h.b.saves.map(({ id: saved, recording }) => [saved, recording.why]),
        [[id, null]],
      );
    }
  });
});

describe('a recording of a conference that outlives media, since somebody is still looked for', () => {
  function lost(more: Partial<On<'createConference'>>): { h: Studio; id: string } {
    const h = new Studio(more);
    ok(h.b, dialIt(h.a.control, { to: ['sip:line2@sip.localhost'], conference: { conference: h.room } }));
    const id = h.start();
    h.b.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'up' } });
    h.b.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'down' } });
    assert.deepEqual(
      h.members(h.room).map(({ status }) => status),
      ['joining'],
    );
    return { h, id };
  }

  it('is saved where it had begun, and another may begin', () => {
    const { h, id } = lost({});
    assert.deepEqual(
      h.b.saves.map((save) => save.id),
      [id],
    );
    h.join(h.room, h.client());
    assert.deepEqual(h.said(h.start()), ['record']);
  });

  it('still waits where it had not', () => {
    const { h, id } = lost({ startOnCreate: false });
    assert.deepEqual([h.b.saves, h.said(id)], [[], []]);
    h.join(h.room, h.client(), { startOnEnter: true });
    assert.deepEqual(h.said(id), ['record']);
  });
});

describe('a recording of a conference over the death of the process', () => {
  it('goes on: the wish is said again, and its state is what it was', () => {
    const h = new Studio();
    const id = h.start({ channels: 2 });
    h.b.restart();
    assert.deepEqual(h.said(id), ['record', 'record', 'recordResume']);
    const [first, second] = h.b.media.filter(({ op }) => op === 'record');
    assert.deepEqual(first, second);
    h.do(h.change('paused'));
    h.b.restart();
    assert.deepEqual(h.said(id).slice(3), ['recordPause', 'record', 'recordPause']);
    assert.equal(h.refusal(h.ask()), 'badField');
    h.do(h.change('stopped', id));
    h.b.restart();
    // Media may not have read it before the death.
    assert.deepEqual(h.said(id).slice(6), ['recordStop', 'recordStop']);
    h.closes(id, 'stopped');
    h.b.restart();
    assert.deepEqual(h.b.saves[0], h.b.saves[1]);
    h.saved(id);
    h.b.restart();
    assert.deepEqual(h.lane, ['conferenceCreated', 'conferenceRecorded']);
    assert.equal(h.b.saves.length, 2);
  });

  it('whose start media has not answered is asked for again', () => {
    const h = new Studio();
    h.b.mediaReply = ({ op }) => (op === 'record' ? null : undefined);
    const id = h.start();
    h.b.mediaReply = () => undefined;
    h.b.restart();
    assert.deepEqual(h.said(id), ['record', 'record']);
    h.do(h.change('stopped'));
    h.closes(id, 'stopped');
    assert.equal(h.b.saves.length, 1);
  });

  it('ended with its conference: its end is asked of media by the name of the room', () => {
    const h = new Studio();
    const id = h.start();
    h.end();
    const before = h.b.media.length;
    h.b.restart();
    const after = h.b.media.slice(before);
    const claim = after.find(({ op }) => op === 'claim');
    assert.ok(claim?.op === 'claim' && claim.seen?.[h.room] === 0 && !claim.legs.includes(h.room));
    assert.ok(after.some((c) => c.op === 'recordStop' && 'room' in c && c.room === h.room && c.id === id));
    assert.ok(!after.some((c) => c.op === 'close' && c.leg === h.room));
    h.closes(id, 'closed');
    h.b.restart();
    h.saved(id);
    assert.deepEqual(h.lane, ['conferenceCreated', 'conferenceEnded', 'conferenceRecorded']);
  });

  it('whose end media never tells is saved as far as it goes', () => {
    const h = new Studio();
    const id = h.start();
    h.end();
    h.b.restart();
    h.b.advance(30_000);
    assert.deepEqual(
      h.b.saves.map(({ recording }) => recording.why),
      [null],
    );
    h.saved(id);
    assert.equal(h.lane.at(-1), 'conferenceRecorded');
  });

  it('is never lost or told twice, wherever the process dies', () => {
    const steps: ((h: Studio, id: string) => void)[] = [
      (h) => void h.b.command(h.change('stopped')),
      (h, id) => h.closes(id, 'stopped'),
      (h) => h.hangup(h.a),
      (h, id) => h.saved(id),
    ];
    for (let dies = 0; dies < steps.length; dies++) {
      const h = new Studio();
      const id = h.start();
      for (const [i, step] of steps.entries()) {
        if (i === dies) h.b.dying = true;
        if (i === 0 && dies === 0) h.b.tell({ type: 'tick' });
        step(h, id);
      }
      h.saved(id);
      assert.equal(h.lane.filter((type) => type === 'conferenceRecorded').length, 1, `${dies}`);
      assert.deepEqual(h.kept, [], `${dies}`);
      assert.ok(h.b.saves.every((save) => save.id === id));
    }
  });

  it('reads conferences of releases that recorded none', () => {
    const h = new Studio();
    const key = `conference ${h.room}`;
    const { recording, ...earlier } = JSON.parse(h.b.journal.get(key)!) as Record<string, unknown>;
    assert.equal(recording, null);
    h.b.journal.set(key, JSON.stringify(earlier));
    h.b.restart();
    assert.equal(h.status(h.room), 'in_progress');
    assert.deepEqual(h.said(h.start()), ['record']);
    // What makes no sense is no conference.
    h.b.journal.set(key, JSON.stringify({ ...earlier, recording: { id: 1 } }));
    h.b.restart();
    assert.equal(h.status(h.room), undefined);
  });
});
