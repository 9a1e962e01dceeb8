import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordAsk, RecordEvent } from '@sidetone/wire';
import { BackEnd, type Party } from './back-end.ts';

const ASK: RecordAsk = { format: 'wav', channels: 2, track: 'both' };

/** A back end whose media closes files when it is told to. */
class Studio extends BackEnd {
  /** Begun in media, with their legs. */
  get wishes() {
    return this.media.filter((command) => command.op === 'record');
  }

  start(party: Party, more: Partial<RecordAsk> = {}): string {
    this.do('record', party, { ...ASK, ...more });
    const wish = this.wishes.at(-1)!;
    assert.ok('leg' in wish && wish.leg === party.leg);
    return wish.id;
  }

  /** Media has closed the file. */
  closes(leg: string, id: string, why: RecordEvent['why'], n = 1): void {
    const about = { durationMs: 4000, wallMs: 5000, lostMs: 0 } as const;
    this.tell({ type: 'mediaEvent', event: { event: 'recorded', leg, n, id, why, ...about } });
  }

  saved(id: string, isSaved = true): void {
    const result = isSaved
      ? ({ ok: true, url: `https://voice.example/${id}`, durationMs: 4000 } as const)
      : ({ ok: false, problem: 'Internal server error' } as const);
    this.tell({ type: 'saved', id, result });
  }

  /** What is still recorded at the end is saved, too. */
  override clean(): void {
    this.tell({ type: 'drain' });
    this.advance(700_000);
    for (const { id } of this.saves) this.saved(id);
    super.clean();
  }

  /** What media was told of a recording, in one word each. */
  said(id: string): string[] {
    return this.media.flatMap((c) => ('id' in c && c.id === id ? [c.op] : []));
  }
}

describe('a recording of a leg', () => {
  it('that media refuses has failed, though it was told to pause before', () => {
    const b = new Studio();
    const w = b.talking();
    b.mediaReply = ({ op }) => (op === 'record' ? null : undefined);
    const id = b.start(w);
    b.do('pauseRecord', w);
    const asked = b.media.findIndex((command) => command.op === 'record') + 1;
    b.tell({ type: 'media', id: asked, reply: { ok: false, error: 'engine', message: 'no' } });
    assert.ok(b.news.some(({ what }) => what.type === 'recordFailed' && what.id === id));
    assert.equal(b.tries('resumeRecord', w), 'badField');
    b.mediaReply = () => undefined;
    b.start(w);
    b.clean();
  });

  it('begins, pauses, goes on and ends by command; it is told when it is saved', () => {
    const b = new Studio();
    const w = b.talking();
    const id = b.start(w, { beep: true, maxMs: 60_000, silenceMs: 5000, trim: true, fileName: 'desk' });
    assert.deepEqual(b.wishes, [
      {
        op: 'record',
        leg: w.leg,
        id,
        file: `recordings/open/${id}.wav`,
        channels: 2,
        track: 'both',
        beep: true,
        maxMs: 60_000,
        silenceMs: 5000,
      },
    ]);
    b.do('pauseRecord', w);
    b.do('resumeRecord', w, { recording: id });
    b.do('setClientState', w, { clientState: 'aGk=' });
    b.do('stopRecord', w, { recording: id });
    assert.deepEqual(b.said(id), ['record', 'recordPause', 'recordResume', 'recordStop']);
    assert.equal(b.tries('stopRecord', w), 'badField');
    assert.deepEqual(b.saves, []);
    b.closes(w.leg, id, 'stopped');
    assert.deepEqual(b.saves, [
      {
        type: 'save',
        id,
        recording: {
          format: 'wav',
          channels: 2,
          trim: true,
          account: 'default',
          by: 'StartCallRecordingAPI',
          control: w.control,
          leg: w.leg,
          session: b.last(w).leg.session,
          conference: null,
          connection: b.last(w).leg.connection,
          from: b.last(w).leg.from,
          to: b.last(w).leg.to,
          file: `recordings/open/${id}.wav`,
          name: `desk-${Math.floor(b.last(w).leg.startedAt / 1000)}`,
          startedAt: b.last(w).leg.startedAt,
          endedAt: b.last(w).leg.startedAt + 5000,
          why: 'stopped',
          lostMs: 0,
        },
      },
    ]);
    b.saved(id);
    const { what, clientState, n } = b.last(w);
    assert.deepEqual(what, {
      type: 'recorded',
      recording: {
        id,
        format: 'wav',
        channels: 2,
        startedAt: b.last(w).leg.startedAt,
        endedAt: b.last(w).leg.startedAt + 5000,
        url: `https://voice.example/${id}`,
      },
    });
    assert.deepEqual([clientState, n], ['aGk=', 2]);
    b.saved(id);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'recorded']);
    b.clean();
  });

  it('that the hang-up ends is told behind it, as the next events of its lane', () => {
    for (const early of [false, true]) {
      const b = new Studio();
      const w = b.talking();
      const first = b.start(w);
      b.do('stopRecord', w);
      b.closes(w.leg, first, 'stopped');
      const second = b.start(w, { track: 'inbound' });
      if (early) b.mediaReply = ({ op }) => (op === 'close' ? null : undefined);
      b.hangsUp(w);
      b.closes(w.leg, second, 'closed', 2);
      assert.equal(b.saves[1]!.recording.channels, 1);
      b.saved(second);
      b.saved(first, false);
      if (early) {
        // Its statistics are still to come, and so is its hang-up.
        assert.deepEqual(b.of(w), ['initiated', 'answered']);
        b.advance(8000);
      }
      assert.deepEqual(
        b.of(w).toSorted(),
        ['initiated', 'answered', 'hangup', 'recorded', 'recordFailed'].toSorted(),
      );
      assert.equal(b.of(w).indexOf('hangup'), 2);
      assert.equal(b.last(w).hook?.url, 'https://app.example/hook');
      b.clean();
    }
  });

  it('waits for the answer where a command that answers or calls asks for it', () => {
    const b = new Studio();
    const w = b.parked();
    const answered = b.command({ type: 'answer', account: 'default', control: w.control, record: ASK });
    assert.ok(answered.ok && answered.recording !== undefined);
    assert.deepEqual(
      b.wishes.map(({ id }) => id),
      [answered.recording],
    );
    const called = b.command(b.dialCommand({ record: ASK, commandId: 'one' }));
    assert.ok(called.ok && called.recording !== undefined && called.ids !== undefined);
    assert.deepEqual(b.command(b.dialCommand({ record: ASK, commandId: 'one' })), called);
    assert.equal(b.wishes.length, 1);
    const p = { ...b.rings(), ...called.ids };
    b.answers(p);
    assert.equal(b.wishes.at(-1)?.id, called.recording);
    b.hangsUp(p);
    b.closes(p.leg, called.recording, 'closed');
    assert.equal(b.saves[0]?.recording.by, 'OutboundAPI');
    const away = b.dialled({ record: ASK });
    b.answers(away, 486);
    assert.equal(b.wishes.length, 2);
    assert.equal(b.saves.length, 1);
    b.saved(called.recording);
    b.clean();
  });

  it('of a transfer is of the leg that is called, of a bridge of the leg of the URL', () => {
    const b = new Studio();
    const [w, p] = [b.talking(), b.up()];
    b.do('bridge', w, { with: p.control, record: ASK });
    assert.ok(b.wishes.length === 1 && 'leg' in b.wishes[0]! && b.wishes[0].leg === w.leg);
    b.do('transfer', w, { to: '+15550144', record: ASK });
    const next = b.transferred();
    b.answers(next);
    assert.ok('leg' in b.wishes[1]! && b.wishes[1].leg === next.leg);
    // It goes on wherever its leg is.
    assert.deepEqual(b.said(b.wishes[0].id), ['record']);
    b.clean();
  });

  it('is refused before the answer, twice, and by a name that is none of its', () => {
    const b = new Studio();
    const w = b.parked();
    assert.equal(b.tries('record', w, ASK), 'notRecordable');
    b.talking(w);
    for (const type of ['pauseRecord', 'resumeRecord', 'stopRecord'] as const)
      assert.equal(b.tries(type, w), 'badField', type);
    const id = b.start(w);
    assert.equal(b.tries('record', w, ASK), 'badField');
    const p = b.up();
    assert.equal(b.tries('bridge', w, { with: p.control, record: ASK }), 'badField record');
    assert.equal(b.tries('answer', w, { record: ASK }), 'badField record');
    for (const type of ['pauseRecord', 'resumeRecord', 'stopRecord'] as const)
      assert.equal(b.tries(type, w, { recording: 'another' }), 'badField recording_id', type);
    b.closes(w.leg, 'another', 'stopped');
    b.closes(p.leg, id, 'stopped');
    b.saved('another');
    b.saved(id);
    assert.deepEqual(b.of(w), ['initiated', 'answered']);
    b.hangsUp(w);
    assert.equal(b.tries('record', w, ASK), 'ended');
    b.clean();
  });

  it('that media refuses is told as failed, and the next may begin', () => {
    const b = new Studio();
    const w = b.talking();
    b.mediaReply = ({ op }) =>
      op === 'record' ? { ok: false, error: 'wrong-state', message: 'no' } : undefined;
    b.do('record', w, ASK);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'recordFailed']);
    b.mediaReply = () => undefined;
    b.start(w);
    b.clean();
  });

  it('ends by a limit, or by the disk, and is saved as far as it goes', () => {
    for (const why of ['max', 'silence', 'failed'] as const) {
      const b = new Studio();
      const w = b.talking();
      const id = b.start(w);
      b.closes(w.leg, id, why);
      b.closes(w.leg, id, why);
      assert.equal(b.saves.length, 1);
      assert.equal(b.saves[0]!.recording.why, why);
      assert.equal(b.tries('stopRecord', w), 'badField');
      b.saved(id);
      assert.deepEqual(b.of(w), ['initiated', 'answered', 'recorded']);
      b.clean();
    }
  });

  it('of a media process that died is saved as far as it goes, without waiting', () => {
    const b = new Studio();
    const w = b.talking();
    const id = b.start(w);
    b.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'up' } });
    b.tell({ type: 'mediaEvent', event: { event: 'engine', state: 'down' } });
    assert.deepEqual(
      b.saves.map(({ id: saved, recording }) => [saved, recording.why]),
      [[id, null]],
    );
    b.saved(id);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'hangup', 'recorded']);
    b.clean();
  });
});

describe('a recording over the death of the process', () => {
  it('goes on: the wish is said again, and its state is what it was', () => {
    const b = new Studio();
    const w = b.talking();
    const id = b.start(w);
    b.restart();
    assert.deepEqual(b.said(id), ['record', 'record', 'recordResume']);
    b.do('pauseRecord', w);
    b.restart();
    assert.deepEqual(b.said(id).slice(3), ['recordPause', 'record', 'recordPause']);
    assert.equal(b.tries('record', w, ASK), 'badField');
    b.do('stopRecord', w, { recording: id });
    b.restart();
    // Media may not have read it before the death.
    assert.deepEqual(b.said(id).slice(6), ['recordStop', 'recordStop']);
    b.closes(w.leg, id, 'stopped');
    b.restart();
    assert.deepEqual(
      b.saves.map((save) => save.id),
      [id, id],
    );
    assert.deepEqual(b.saves[0], b.saves[1]);
    b.saved(id);
    b.restart();
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'recorded']);
    assert.equal(b.saves.length, 2);
    b.clean();
  });

  it('ended by a hang-up: its end is asked of media, and told behind the hang-up', () => {
    const b = new Studio();
    const w = b.talking();
    const first = b.start(w);
    b.hangsUp(w);
    const media = b.media.length;
    b.restart();
    const claim = b.media.slice(media).find(({ op }) => op === 'claim');
    assert.ok(claim?.op === 'claim' && claim.legs.includes(w.leg) && claim.seen?.[w.leg] === 0);
    // Whether media has heard that the leg is over is not known.
    assert.ok(b.media.slice(media).some((c) => c.op === 'close' && c.leg === w.leg));
    b.closes(w.leg, first, 'closed');
    b.restart();
    b.saved(first);
    assert.deepEqual(b.of(w), ['initiated', 'answered', 'hangup', 'recorded']);
    b.clean();
  });

  it('whose end media never tells is saved as far as it goes', () => {
    const b = new Studio();
    const w = b.talking();
    const id = b.start(w);
    b.hangsUp(w);
    b.restart();
    b.advance(30_000);
    assert.deepEqual(
      b.saves.map(({ recording }) => recording.why),
      [null],
    );
    b.saved(id);
    assert.equal(b.last(w).what.type, 'recorded');
    b.clean();
  });

  it('is never lost or told twice, wherever the process dies', () => {
    const steps: ((b: Studio, w: Party, id: string) => void)[] = [
      (b, w) => b.do('stopRecord', w),
      (b, w, id) => b.closes(w.leg, id, 'stopped'),
      (b, w) => b.hangsUp(w),
      (b, _w, id) => b.saved(id),
    ];
    for (let dies = 0; dies < steps.length; dies++) {
      const b = new Studio();
      const w = b.talking();
      const id = b.start(w);
      for (const [i, step] of steps.entries()) {
        if (i === dies) b.dying = true;
        if (i === 0 && dies === 0) b.tell({ type: 'tick' });
        step(b, w, id);
      }
      // Whoever died before it was told tells it when it is saved again.
      b.saved(id);
      assert.deepEqual(
        b.of(w).filter((type) => type === 'recorded'),
        ['recorded'],
        `${dies}`,
      );
      assert.ok(b.saves.every((save) => save.id === id));
      b.clean();
    }
  });
});
