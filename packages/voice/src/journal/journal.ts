import type { JournalLine } from '@sidetone/core';
import type { ExtraHeaders, LegId, LegSnapshot, UserAgent } from '@sidetone/sip';
import { IDLE } from '../activity/activity.ts';
import { BLANK, type Branch, type Negotiation, PLAIN } from '../leg/branch.ts';
import { ALONE, isEarly, isEnding, type Leg } from '../leg/leg.ts';
import { askedKey, askedOfLeg, type WrittenActivities, writtenActivities } from './asked.ts';

/*
 * What voice writes down (`JournalLine`): one line a leg and input, and only when a process that follows would do something else for it.
 *
 *   leg <id>             until the leg is over; then, while our BYEs are unanswered, what it takes to send them again; then null
 *   asked <leg> <name>   what it has been asked to play and to gather (`asked.ts`)
 *
 * A bridge is what its legs say (`Leg.place`), so it has no line of its own. Times are of the machine's monotonic clock, and so is the
 * offset to the wall clock.
 */

/** A branch as it is written: what differs from a new one, without descriptions and what is asked anew anyway. */
export type WrittenBranch = Partial<Branch> & Pick<Branch, 'id' | 'kind' | 'phase'>;

/** A leg as it is written: without what only its set-up needs. */
export type WrittenLeg = Omit<
  Leg,
  'activities' | 'branches' | 'dial' | 'answerHeaders' | 'progressed' | 'rung' | 'audio' | 'early'
> & {
  readonly branches: readonly WrittenBranch[];
  /** Absent: none. */
  readonly activities?: WrittenActivities;
};

/** An unanswered INVITE of ours, by what its 2xx would carry. */
export interface EarlyDialog {
  readonly branch: string;
  readonly callId: string;
  readonly fromTag: string;
}

/** A dialog of a branch of ours. */
export interface WrittenDialog {
  readonly branch: string;
  readonly dialog: LegSnapshot;
}

export interface LegEntry {
  readonly v: 2;
  readonly leg: WrittenLeg;
  readonly dialogs: readonly WrittenDialog[];
  readonly early: readonly EarlyDialog[];
}

/** A BYE that is unanswered. */
export interface Bye {
  readonly dialog: LegSnapshot;
  readonly headers: ExtraHeaders;
}

/** A leg that is over, but not all of our BYEs are answered. */
export interface ByeEntry {
  readonly byes: readonly Bye[];
}

const PREFIX = 'leg ';
export const keyOf = (leg: string): string => PREFIX + leg;
/** The leg of a key, `null` for the key of something else. */
export const legOfKey = (key: string): string | null =>
  key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;

/** Branches are never changed in place, and most stay as they are from line to line. */
const WRITTEN = new WeakMap<Branch, WrittenBranch>();

function writtenBranch(branch: Branch): WrittenBranch {
  const known = WRITTEN.get(branch);
  if (known !== undefined) return known;
  const { media, exchange, attachment, digits, family: _f, ...own } = branch;
  const { sdp: _s, sdpSent: _t, ...kept } = media;
  const { offer: _o, remote: _r, accepting: _a, ...agreed } = exchange;
  const written: Record<string, unknown> = differing(own, PLAIN);
  const parts = {
    media: differing(kept, BLANK.media),
    exchange: differing(agreed, BLANK.exchange),
    attachment: differing({ at: attachment.at, lost: attachment.lost }, BLANK.attachment),
    digits: differing(digits, BLANK.digits),
  };
  for (const [name, part] of Object.entries(parts)) if (Object.keys(part).length > 0) written[name] = part;
  const out = written as unknown as WrittenBranch;
  WRITTEN.set(branch, out);
  return out;
}

/** The fields that are not as in `plain`. */
function differing(record: object, plain: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(record))
    if (!isPlain(value, plain[name as keyof typeof plain])) out[name] = value;
  return out;
}

const isPlain = (value: unknown, plain: unknown): boolean =>
  value === plain || (isIdle(value) && isIdle(plain));
const isIdle = (value: unknown): boolean => (value as Negotiation | null)?.name === 'idle';

function legEntry(leg: Leg, dialogs: readonly WrittenDialog[], early: readonly EarlyDialog[]): LegEntry {
  const {
    branches,
    activities,
    dial: _,
    answerHeaders: _a,
    progressed: _p,
    rung: _r,
    audio: _u,
    early: _e,
    ...rest
  } = leg;
  const active = activities === IDLE ? {} : { activities: writtenActivities(activities) };
  // A leg without an answer ends with its process.
  const program = rest.program === null ? null : { ...rest.program, onAnswer: null };
  return {
    v: 2,
    leg: { ...rest, ...active, program, branches: branches.map(writtenBranch) },
    dialogs,
    early,
  };
}

/** Fields of no use to a process that follows, or that it finds anew. */
const PASSING: ReadonlySet<string> = new Set<keyof Leg>([
  'dial',
  'answerHeaders',
  'progressed',
  'rung',
  'audio',
  'early',
  'digitCount',
]);

/** Answered, but the other side is not: a process that follows ends both. */
const waits = (leg: Leg): boolean =>
  leg.state.name === 'accepting' ||
  (leg.state.name === 'up' && leg.place?.in === 'bridge' && leg.audio.alone && leg.audio.hears === null);

/** Whether a process that follows would treat the two alike. Before the answer all that counts is who is called. */
function sameLeg(a: Leg, b: Leg): boolean {
  if (a === b) return true;
  const early = isEarly(b) || waits(b);
  for (const key in b) {
    if (PASSING.has(key) || key === 'branches') continue;
    if (early && key === 'state') {
      if (waits(a) !== waits(b) || !(isEarly(a) || waits(a))) return false;
    } else if (a[key as keyof Leg] !== b[key as keyof Leg]) return false;
  }
  if (a.branches.length !== b.branches.length) return false;
  return b.branches.every((branch, i) => sameBranch(a.branches[i]!, branch, early, b.program !== null));
}

/** `told`: a back end hears of the leg, each report once. */
function sameBranch(a: Branch, b: Branch, early: boolean, told: boolean): boolean {
  if (a === b) return true;
  if (a.id !== b.id || a.phase !== b.phase || a.trunk !== b.trunk) return false;
  if (early) return true;
  const { media, exchange, attachment, digits } = a;
  return (
    a.ending === b.ending &&
    (!told || a.reported === b.reported) &&
    a.signalledFrom === b.signalledFrom &&
    media.phase === b.media.phase &&
    media.codec === b.media.codec &&
    media.source === b.media.source &&
    media.stats === b.media.stats &&
    exchange.connected === b.exchange.connected &&
    exchange.negotiation === b.exchange.negotiation &&
    exchange.holding === b.exchange.holding &&
    exchange.moved === b.exchange.moved &&
    exchange.stated === b.exchange.stated &&
    attachment.at === b.attachment.at &&
    attachment.lost === b.attachment.lost &&
    digits.waiting === b.digits.waiting &&
    digits.out === b.digits.out
  );
}

const sameDialog = (a: LegSnapshot, b: LegSnapshot): boolean =>
  a.leg === b.leg &&
  a.localSeq === b.localSeq &&
  a.acked === b.acked &&
  a.open === b.open &&
  a.target === b.target &&
  a.unacked?.seq === b.unacked?.seq;

interface Last {
  readonly leg: Leg;
  readonly dialogs: readonly WrittenDialog[];
}

function same(a: Last, b: Last): boolean {
  if (!sameLeg(a.leg, b.leg)) return false;
  // A BYE that is answered may be sent once more.
  if (b.dialogs.length === 0 && isEnding(b.leg)) return true;
  return (
    a.dialogs.length === b.dialogs.length &&
    a.dialogs.every(({ dialog }, i) => sameDialog(dialog, b.dialogs[i]!.dialog))
  );
}

const NOTHING: readonly JournalLine[] = [];

/** Which legs have to be written, and what was written last. */
export class LegJournal {
  readonly #agent: UserAgent;
  /** Our branch ids → the user agent's dialogs. */
  readonly #dialogOf: (branch: string) => LegId | undefined;
  readonly #written = new Set<string>();
  readonly #last = new Map<string, Last>();
  /** Names of what stands under keys of its own, by leg. */
  readonly #asked = new Map<string, ReadonlySet<string>>();
  /** Dialogs of ended legs whose BYE is unanswered, and their legs. */
  readonly #leaving = new Map<LegId, string>();
  #lines: JournalLine[] = [];

  constructor(agent: UserAgent, dialogOf: (branch: string) => LegId | undefined) {
    this.#agent = agent;
    this.#dialogOf = dialogOf;
  }

  /** The process before wrote of this leg, and what was asked of it. */
  inherited(leg: string, asked: Iterable<string>): void {
    this.#written.add(leg);
    const names = new Set(asked);
    if (names.size > 0) this.#asked.set(leg, names);
  }

  /** The leg is over; `byes` are those on their way. */
  over(leg: string, byes: readonly Bye[]): void {
    this.#last.delete(leg);
    const written = this.#written.delete(leg);
    for (const name of this.#asked.get(leg) ?? []) this.#push(askedKey(leg, name), null);
    this.#asked.delete(leg);
    for (const { dialog } of byes) this.#leaving.set(dialog.leg, leg);
    if (byes.length > 0) this.#line(leg, { byes } satisfies ByeEntry);
    else if (written) this.#line(leg, null);
  }

  /** A dialog without a leg is gone; behind the last one nothing is left to do for its leg. */
  gone(dialog: LegId): void {
    const leg = this.#leaving.get(dialog);
    if (leg === undefined) return;
    this.#leaving.delete(dialog);
    for (const other of this.#leaving.values()) if (other === leg) return;
    this.#line(leg, null);
  }

  /** The lines of an input that touched these legs. */
  take(touched: ReadonlySet<string>, find: (id: string) => Leg | undefined): readonly JournalLine[] {
    for (const id of touched) {
      const leg = find(id);
      if (leg === undefined) continue;
      const now = { leg, dialogs: this.#answered(leg) };
      const last = this.#last.get(id);
      if (last !== undefined && same(last, now)) continue;
      this.#last.set(id, now);
      this.#written.add(id);
      this.#keepAsked(leg);
      this.#line(id, legEntry(leg, now.dialogs, this.#early(leg)));
    }
    if (this.#lines.length === 0) return NOTHING;
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  /** What is asked anew is written, and what is over is gone. */
  #keepAsked({ id, activities }: Leg): void {
    const before = this.#asked.get(id);
    if (activities === IDLE && before === undefined) return;
    const now = askedOfLeg(activities);
    for (const name of before ?? []) if (!now.has(name)) this.#push(askedKey(id, name), null);
    for (const [name, value] of now) if (before?.has(name) !== true) this.#push(askedKey(id, name), value);
    if (now.size > 0) this.#asked.set(id, new Set(now.keys()));
    else this.#asked.delete(id);
  }

  #answered({ branches }: Leg): readonly WrittenDialog[] {
    return branches.flatMap(({ id }) => {
      const dialog = this.#agent.snapshot(this.#dialogOf(id) ?? '');
      return dialog === null ? [] : [{ branch: id, dialog }];
    });
  }

  #early({ branches }: Leg): readonly EarlyDialog[] {
    return branches.flatMap(({ id }) => {
      const early = this.#agent.early(this.#dialogOf(id) ?? '');
      return early === null ? [] : [{ branch: id, ...early }];
    });
  }

  #line(leg: string, value: object | null): void {
    this.#push(keyOf(leg), value);
  }

  #push(key: string, value: object | null): void {
    this.#lines.push({ type: 'journal', key, value });
  }
}

/** What a written leg lacks. */
export const REST: Pick<Leg, 'dial' | 'answerHeaders' | 'progressed' | 'rung' | 'audio' | 'early'> = {
  dial: null,
  answerHeaders: [],
  progressed: false,
  rung: [],
  audio: ALONE,
  early: null,
};
