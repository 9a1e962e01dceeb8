import {
  type Checks,
  Deadlines,
  isFields,
  isFlag,
  isNumber,
  isString,
  isText,
  type JournalEntry,
  type JournalLine,
  listOf,
  type Ms,
  oneOf,
  orNull,
  readRecord,
  recordOf,
} from '@sidetone/core';
import type { ConferenceView, EventLeg, MemberView } from '@sidetone/wire';
import { MOST_PLAYS } from '../activity/activity.ts';
import { HOOK } from '../journal/read.ts';
import { isPlay, isRecording, isSoundAsk } from '../journal/read-activities.ts';
import type { Registry } from '../registry.ts';
import { isOpen } from './conference.ts';
import {
  type Conference,
  conferenceDeadline,
  type HoldSound,
  LONGEST_MS,
  MOST_SOUNDS,
  OVER_MS,
  stayOf,
} from './conference-draft.ts';

/** What is read of conferences. */
export interface ConferenceReads {
  /** By its id, also for 10 minutes behind its end; `undefined` also for one of another account. */
  viewOf(account: string, id: string): ConferenceView | undefined;
  /** All of the account, those that last longest first. */
  viewsOf(account: string): readonly ConferenceView[];
  /** Who is in it, in the order in which they came; `undefined`: there is no such conference. */
  membersOf(account: string, id: string): readonly MemberView[] | undefined;
}

const PREFIX = 'conference ';
/** Of an account that are over, and kept for reads; of more the oldest goes. */
const MOST_OVER = 1000;

/** All conferences: by id, and by the name that each has for itself while it is active. They outlive the process (`conference <id>`). */
export class Conferences implements ConferenceReads {
  readonly #registry: Registry;
  readonly #all = new Map<string, Conference>();
  readonly #byName = new Map<string, string>();
  /** By account, the oldest first. */
  readonly #over = new Map<string, Set<string>>();
  readonly #times = new Deadlines<string>();
  readonly #touched = new Set<string>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  deadline(): Ms | null {
    return this.#times.next();
  }

  takeDue(now: Ms): string | undefined {
    return this.#times.takeDue(now);
  }

  get(id: string): Conference | undefined {
    return this.#all.get(id);
  }

  /** Of the account. */
  find(account: string, id: string): Conference | undefined {
    const found = this.#all.get(id);
    return found?.account === account ? found : undefined;
  }

  /** The active one of this name. */
  named(account: string, name: string): Conference | undefined {
    return this.#all.get(this.#byName.get(nameKey(account, name)) ?? '');
  }

  /** One that begins, or has changed. */
  put(conference: Conference): void {
    this.#touched.add(conference.id);
    this.#adopt(conference);
  }

  forget(id: string): void {
    const conference = this.#all.get(id);
    if (conference === undefined) return;
    const { account } = conference;
    this.#all.delete(id);
    this.#times.delete(id);
    const over = this.#over.get(account);
    over?.delete(id);
    if (over?.size === 0) this.#over.delete(account);
    this.#touched.add(id);
  }

  // ---- for reads

  viewOf(account: string, id: string): ConferenceView | undefined {
    const found = this.find(account, id);
    return found && viewOf(found);
  }

  viewsOf(account: string): readonly ConferenceView[] {
    return [...this.#all.values()]
      .filter((one) => one.account === account)
      .map(viewOf)
      .sort((a, b) => b.expiresAt - a.expiresAt || (a.id < b.id ? -1 : 1));
  }

  membersOf(account: string, id: string): readonly MemberView[] | undefined {
    const conference = this.find(account, id);
    if (conference === undefined) return undefined;
    const stays = this.#registry.inPlace(id).flatMap((leg) => {
      const stay = stayOf(leg);
      return stay === null ? [] : [{ leg, stay }];
    });
    return stays
      .sort((a, b) => a.stay.ticket - b.stay.ticket)
      .map(({ leg, stay }) => ({
        id: stay.member,
        control: leg.control,
        leg: leg.id,
        conference: { id, name: conference.name },
        status: stay.joined ? 'joined' : 'joining',
        muted: stay.muted,
        // Who waits for the start is on hold like who is put there.
        held: stay.held || conference.state === 'init',
        endOnExit: stay.endOnExit,
        softEndOnExit: stay.softEndOnExit,
        role: stay.role,
        whisperTo: stay.to.flatMap((other) => this.#registry.legs.get(other)?.control ?? []),
        since: Math.round(leg.epochOffset + stay.since),
        updatedAt: Math.round(leg.epochOffset + stay.updatedAt),
      }));
  }

  // ---- the process before

  /** Takes what it has written; entries of others are left alone. Returns how many make no sense. */
  restore(entries: readonly JournalEntry[], now: Ms): number {
    let foreign = 0;
    for (const { key, value } of entries) {
      if (!key.startsWith(PREFIX)) continue;
      const read = readRecord(CONFERENCE, isFields(value) ? { ...BEFORE, ...value } : value);
      if (read !== null && PREFIX + read.id === key && willEnd(read, now)) this.#adopt(read);
      else {
        foreign += 1;
        this.#touched.add(key.slice(PREFIX.length));
      }
    }
    return foreign;
  }

  get all(): readonly Conference[] {
    return [...this.#all.values()];
  }

  takeLines(): readonly JournalLine[] {
    const lines = [...this.#touched].map((id): JournalLine => {
      const value = this.#all.get(id) ?? null;
      return { type: 'journal', key: PREFIX + id, value };
    });
    this.#touched.clear();
    return lines;
  }

  // ----

  #adopt(conference: Conference): void {
    const { id, account, name } = conference;
    this.#all.set(id, conference);
    const due = conferenceDeadline(conference);
    if (due === null) this.#times.delete(id);
    else this.#times.set(id, due);
    const key = nameKey(account, name);
    if (isOpen(conference)) this.#byName.set(key, id);
    else if (this.#byName.get(key) === id) this.#byName.delete(key);
    if (conference.state === 'over') this.#keepOver(account, id);
  }

  #keepOver(account: string, id: string): void {
    const over = this.#over.get(account) ?? new Set();
    this.#over.set(account, over.add(id));
    const [oldest] = over;
    if (over.size > MOST_OVER && oldest !== undefined) this.forget(oldest);
  }
}

/** Times beyond what it can have had are no times of ours. */
const willEnd = ({ state, endsAt, nextAt }: Conference, now: Ms): boolean =>
  endsAt <= now + LONGEST_MS && (nextAt === null ? state !== 'over' : nextAt <= now + OVER_MS);

const nameKey = (account: string, name: string): string => `${account} ${name}`;

const STATUS = {
  init: 'init',
  'in-progress': 'in_progress',
  ending: 'completed',
  over: 'completed',
} as const;

const viewOf = (one: Conference): ConferenceView => ({
  id: one.id,
  account: one.account,
  name: one.name,
  status: STATUS[one.state],
  connection: one.creator.connection,
  createdAt: Math.round(one.epochOffset + one.createdAt),
  updatedAt: Math.round(one.epochOffset + one.updatedAt),
  expiresAt: Math.round(one.epochOffset + one.endsAt),
  endReason: one.ended?.reason ?? null,
  endedBy: one.ended?.by ?? null,
});

const isBeep = oneOf('always', 'never', 'on_enter', 'on_exit');

/** What entries of earlier releases do not say. */
const BEFORE = { recording: null } as const satisfies Partial<Conference>;

/** A field without a check does not compile. */
const CONFERENCE: Checks<Conference> = {
  id: isText,
  name: isText,
  account: isText,
  state: oneOf('init', 'in-progress', 'ending', 'over'),
  creator: recordOf<EventLeg>({
    control: isText,
    leg: isText,
    session: isText,
    connection: orNull(isText),
    from: isString,
    to: isString,
    direction: oneOf('incoming', 'outgoing'),
    party: oneOf('pstn', 'sip'),
    startedAt: isNumber,
  }),
  clientState: orNull(isString),
  hook: recordOf(HOOK),
  told: isNumber,
  beep: isBeep,
  maxMembers: isNumber,
  waitHears: orNull(isText),
  sounds: listOf(
    recordOf<HoldSound>({
      id: isText,
      ask: isSoundAsk,
      state: oneOf('asked', 'there', 'failed'),
      file: orNull(isText),
    }),
    MOST_SOUNDS,
  ),
  renewAt: orNull(isNumber),
  plays: listOf(isPlay, MOST_PLAYS),
  recording: orNull(isRecording),
  reported: isNumber,
  joined: isFlag,
  emptyBy: orNull(isNumber),
  endsAt: isNumber,
  ended: orNull(
    recordOf<NonNullable<Conference['ended']>>({
      reason: oneOf('all_left', 'ended_via_api', 'host_left', 'time_exceeded'),
      by: orNull(
        recordOf<{ readonly control: string; readonly session: string }>({
          control: isText,
          session: isText,
        }),
      ),
      parks: isFlag,
    }),
  ),
  nextAt: orNull(isNumber),
  createdAt: isNumber,
  updatedAt: isNumber,
  epochOffset: isNumber,
  madeBy: orNull(isText),
  done: listOf(recordOf<Conference['done'][number]>({ id: isText, at: isNumber })),
};
