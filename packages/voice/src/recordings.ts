import {
  type Checks,
  Deadlines,
  isFlag,
  isNumber,
  isString,
  isText,
  type JournalEntry,
  type JournalLine,
  type Ms,
  maybe,
  oneOf,
  orNull,
  recordOf,
  uuid,
} from '@sidetone/core';
import type { CallNews, MediaCommand, RecordingResult, RecordingToSave } from '@sidetone/wire';
import {
  conferenceLane,
  type RecordingFacts as Facts,
  type Lane,
  type LateRecording,
  laneOf,
  lateOfConference,
  lateRecording,
} from './command/late-recording.ts';
import { isEventLeg, isHook } from './journal/read-event.ts';
import { isEnding, type Leg } from './leg/leg.ts';
import type { Inherited } from './media/media-desk.ts';
import type { RecordEnd, Wish } from './message.ts';
import type { ConferenceOut } from './place/conference-draft.ts';
import type { Conferences } from './place/conferences.ts';
import type { Registry } from './registry.ts';
import type { Transactions } from './transaction.ts';
import type { VoiceOutput } from './voice-events.ts';
import type { VoiceOptions } from './voice-options.ts';

/*
 * Recordings that legs and conferences have no part in any more. Each has an entry of its own in the journal, which outlives its owner.
 *
 *   closing ──media has closed the file, or never says so──▶ saving ──saved, or not──▶ told: by its owner if that is still up, else behind
 *                                                                                            its end, as the next event of its lane
 *   recording <id>
 */

/** Media has told the end of a file by then, or never will. */
const CLOSE_MS: Ms = 30_000;

type ConferenceRecorded = Extract<ConferenceOut, { type: 'recorded' }>;
type News = Extract<CallNews, { type: 'recorded' | 'recordFailed' | 'conferenceRecorded' }>;

interface Late {
  readonly id: string;
  /** The leg or conference that it is of. */
  readonly owner: string;
  /** Its name in media, and the last report of it that was read. */
  readonly branch: string;
  readonly seen: number;
  readonly facts: Facts;
  /** null: media has not told the end. Times are epoch milliseconds. */
  readonly end: Pick<RecordingToSave, 'endedAt' | 'why' | 'lostMs'> | null;
  /** Until when media may tell it. */
  readonly until: Ms | null;
  /** Once its owner is over: by what its event is told; null: by nobody. */
  readonly lane: Lane | null;
  /** It is saved, or not, and its leg is about to end. */
  readonly result: RecordingResult | null;
}

interface World {
  readonly options: Pick<VoiceOptions, 'random' | 'epoch'>;
  readonly registry: Registry;
  readonly conferences: Conferences;
  readonly legs: Transactions;
  readonly out: (out: VoiceOutput) => void;
}

export class Recordings {
  readonly #world: World;
  readonly #all = new Map<string, Late>();
  readonly #times = new Deadlines<string>();
  #lines: JournalLine[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  get size(): number {
    return this.#all.size;
  }

  deadline(): Ms | null {
    return this.#times.next();
  }

  begin(wish: Extract<Wish, { type: 'recorded' }>, now: Ms): void {
    const leg = this.#world.registry.legs.get(wish.leg);
    if (leg !== undefined) this.#begin(lateRecording(leg, wish, now), now);
  }

  beginOfConference(id: string, wish: ConferenceRecorded, now: Ms): void {
    const conference = this.#world.conferences.get(id);
    if (conference !== undefined) this.#begin(lateOfConference(conference, wish, now), now);
  }

  /** Media has closed a file. */
  closed(end: RecordEnd): void {
    const late = this.#all.get(end.id);
    if (late?.end === null) this.#closed(late, end);
  }

  saved(id: string, result: RecordingResult): void {
    const late = this.#all.get(id);
    if (late === undefined || late.end === null || late.result !== null) return;
    const state = this.#stateOf(late.owner);
    if (state === 'ending') this.#put({ ...late, result });
    else if (state === 'up') {
      const news = newsOf(late, late.end, result);
      if (news !== null) this.#tell(late.owner, news);
      this.#drop(id);
    } else this.#tellLate(late, result);
  }

  legOver(leg: Leg): void {
    this.#over(leg.id, laneOf(leg));
  }

  conferenceOver(id: string): void {
    const conference = this.#world.conferences.get(id);
    if (conference !== undefined) this.#over(id, conferenceLane(conference));
  }

  /** What becomes of its recordings is told by `lane`. */
  #over(owner: string, lane: Lane | null): void {
    const own = [...this.#all.values()].filter((late) => late.owner === owner);
    for (const late of own) this.#put({ ...late, lane });
    // Of several, each is told one number behind the other.
    for (const { id } of own) {
      const late = this.#all.get(id)!;
      if (late.result !== null) this.#tellLate(late, late.result);
    }
  }

  /** Media is lost, and with it the ends of files: what is in them is saved. */
  mediaLost(): void {
    for (const late of [...this.#all.values()]) if (late.end === null) this.#lost(late);
  }

  tick(now: Ms): void {
    for (let id = this.#times.takeDue(now); id !== undefined; id = this.#times.takeDue(now)) {
      const late = this.#all.get(id);
      if (late?.end === null) this.#lost(late);
    }
  }

  /** Takes what the process before has written; returns how many make no sense. */
  restore(entries: readonly JournalEntry[], now: Ms): number {
    let foreign = 0;
    for (const { key, value } of entries) {
      if (!key.startsWith(PREFIX)) continue;
      const late = isLate(value) ? (value as Late) : null;
      if (late !== null && PREFIX + late.id === key)
        this.#put(late.end === null ? { ...late, until: now + CLOSE_MS } : late);
      else {
        foreign += 1;
        this.#lines.push({ type: 'journal', key, value: null });
      }
    }
    return foreign;
  }

  /**
   * What the process before was about to do is done: legs and conferences that were restored are there. What media may not have read of
   * it: that they are stopped, or that their leg is over.
   */
  resume(): readonly (MediaCommand & ({ readonly leg: string } | { readonly room: string }))[] {
    for (const late of [...this.#all.values()]) {
      if (late.end !== null && late.result === null) this.#save(late, late.end);
      // Its leg was about to be over, and is not there.
      if (this.#stateOf(late.owner) === 'over' && late.result !== null) this.#tellLate(late, late.result);
    }
    return this.#closing.map((late) => {
      const { id, owner, branch: leg } = late;
      if (isOfRoom(late)) return { op: 'recordStop', room: leg, id };
      return this.#stateOf(owner) === 'over' ? { op: 'close', leg } : { op: 'recordStop', leg, id };
    });
  }

  /** Those whose end media has still to tell. */
  get #closing(): readonly Late[] {
    return [...this.#all.values()].filter(({ end }) => end === null);
  }

  /** What a process that follows claims of media, with their legs in it. */
  inherited({ legs, seen }: Inherited): Inherited {
    const closing = this.#closing;
    return {
      legs: [...new Set([...legs, ...closing.flatMap((late) => (isOfRoom(late) ? [] : [late.branch]))])],
      seen: { ...Object.fromEntries(closing.map((late) => [late.branch, late.seen])), ...seen },
    };
  }

  /** What changed since it was asked last. */
  takeLines(): readonly JournalLine[] {
    if (this.#lines.length === 0) return this.#lines;
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #begin({ end, ...about }: LateRecording, now: Ms): void {
    const late = { ...about, end: null, until: now + CLOSE_MS, lane: null, result: null };
    this.#put(late);
    if (end !== null) this.#closed(late, end);
  }

  /** While its owner is up, that tells its events itself. */
  #stateOf(owner: string): 'up' | 'ending' | 'over' {
    const { registry, conferences } = this.#world;
    const conference = conferences.get(owner);
    if (conference !== undefined) return conference.state === 'over' ? 'over' : 'up';
    const leg = registry.legs.get(owner);
    return leg === undefined ? 'over' : isEnding(leg) ? 'ending' : 'up';
  }

  #tell(owner: string, news: News): void {
    const { legs } = this.#world;
    if (news.type === 'conferenceRecorded') legs.toConference(owner, { type: 'saved', news });
    else legs.post(owner, { type: 'saved', news });
  }

  #closed(late: Late, { why, wallMs, lostMs }: RecordEnd): void {
    this.#ended(late, { endedAt: late.facts.startedAt + wallMs, why, lostMs });
  }

  #lost(late: Late): void {
    this.#ended(late, { endedAt: this.#world.options.epoch(), why: null, lostMs: 0 });
  }

  #ended(late: Late, end: NonNullable<Late['end']>): void {
    this.#put({ ...late, end, until: null });
    this.#save(late, end);
  }

  #save({ id, facts }: Late, end: NonNullable<Late['end']>): void {
    this.#world.out({ type: 'save', id, recording: { ...facts, ...end } });
  }

  #tellLate(late: Late, result: RecordingResult): void {
    this.#drop(late.id);
    const { lane, end, owner } = late;
    if (lane === null || end === null) return;
    const what = newsOf(late, end, result);
    if (what === null) return;
    const { saved, failed, ...about } = lane;
    const hook = what.type === 'recordFailed' ? failed : saved;
    const event = {
      id: uuid(this.#world.options.random),
      at: this.#world.options.epoch(),
      ...about,
      hook,
      what,
    };
    this.#world.out({ type: 'event', event });
    for (const other of [...this.#all.values()])
      if (other.owner === owner && other.lane !== null)
        this.#put({ ...other, lane: { ...other.lane, n: other.lane.n + 1 } });
  }

  #put(late: Late): void {
    this.#all.set(late.id, late);
    this.#times.set(late.id, late.until);
    this.#lines.push({ type: 'journal', key: PREFIX + late.id, value: late });
  }

  #drop(id: string): void {
    this.#all.delete(id);
    this.#times.delete(id);
    this.#lines.push({ type: 'journal', key: PREFIX + id, value: null });
  }
}

const PREFIX = 'recording ';

const isOfRoom = ({ facts }: Pick<Late, 'facts'>): boolean => facts.conference !== null;

/** null: the published API has no event for it. */
function newsOf(
  { id, facts }: Late,
  { endedAt }: NonNullable<Late['end']>,
  result: RecordingResult,
): News | null {
  const { format, channels, startedAt, conference } = facts;
  if (!result.ok) return conference === null ? { type: 'recordFailed', id, problem: result.problem } : null;
  const recording = { id, format, channels, startedAt, endedAt, url: result.url };
  return conference === null
    ? { type: 'recorded', recording }
    : { type: 'conferenceRecorded', conference, recording };
}

const FACTS: Checks<Facts> = {
  format: oneOf('wav', 'mp3'),
  channels: oneOf(1, 2),
  trim: maybe(isFlag),
  account: isText,
  by: oneOf('StartCallRecordingAPI', 'OutboundAPI', 'StartConferenceRecordingAPI'),
  control: orNull(isText),
  leg: orNull(isText),
  session: orNull(isText),
  conference: orNull(isText),
  connection: orNull(isText),
  from: isString,
  to: isString,
  file: isText,
  name: isText,
  startedAt: isNumber,
};
const isLate = recordOf<Late>({
  id: isText,
  owner: isText,
  branch: isText,
  seen: isNumber,
  facts: recordOf(FACTS),
  end: orNull(
    recordOf<NonNullable<Late['end']>>({
      endedAt: isNumber,
      why: oneOf('stopped', 'closed', 'max', 'silence', 'failed', null),
      lostMs: isNumber,
    }),
  ),
  until: orNull(isNumber),
  lane: orNull(
    recordOf<Lane>({
      lane: isText,
      n: isNumber,
      account: isText,
      leg: isEventLeg,
      clientState: orNull(isString),
      saved: orNull(isHook),
      failed: orNull(isHook),
    }),
  ),
  result: orNull((value) => isResult(value)),
});
const isSaved = recordOf<Extract<RecordingResult, { ok: true }>>({
  ok: oneOf(true),
  url: isText,
  durationMs: isNumber,
});
const isNotSaved = recordOf<Extract<RecordingResult, { ok: false }>>({ ok: oneOf(false), problem: isText });
const isResult = (value: unknown): boolean => isSaved(value) || isNotSaved(value);
