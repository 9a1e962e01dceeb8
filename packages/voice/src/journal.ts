import type { JournalLine } from '@sidetone/core';
import type { ExtraHeaders, LegId, LegSnapshot, UserAgent } from '@sidetone/sip';
import type { Call } from './call.ts';
import { type Leg, newLeg } from './leg.ts';

/*
 * What voice writes down of its calls (`JournalLine`): one line a call and input, and only when a process that follows
 * would do something else for it.
 *
 *   call <id>  until the call is over; then, while our BYEs are unanswered, what it takes to send them again; then null
 *
 * Times are of the machine's monotonic clock, and so is the offset to the wall clock.
 */

/** What a leg is written as: what differs from a new leg, without descriptions and what is asked anew anyway. */
export type WrittenLeg = Partial<Leg> & Pick<Leg, 'id' | 'control' | 'role' | 'kind' | 'phase' | 'startedAt'>;

/** An unanswered INVITE of ours, by what its 2xx would carry. */
export interface EarlyDialog {
  readonly leg: string;
  readonly callId: string;
  readonly fromTag: string;
}

/** A dialog of a leg of ours. */
export interface WrittenDialog {
  readonly leg: string;
  readonly dialog: LegSnapshot;
}

export interface CallEntry {
  readonly call: Omit<Call, 'legs' | 'settings' | 'answerHeaders' | 'heard' | 'early' | 'transfer'> & {
    readonly legs: readonly WrittenLeg[];
  };
  readonly dialogs: readonly WrittenDialog[];
  readonly early: readonly EarlyDialog[];
}

/** A BYE that is unanswered. */
export interface Bye {
  readonly dialog: LegSnapshot;
  readonly headers: ExtraHeaders;
}

/** A call that is over, but not all of our BYEs are answered. */
export interface ByeEntry {
  readonly byes: readonly Bye[];
}

const PREFIX = 'call ';
export const keyOf = (call: string): string => PREFIX + call;
/** The call of a key, `null` for the key of something else. */
export const callOfKey = (key: string): string | null =>
  key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;

/** Facts of set-up, large and of no use afterwards, and questions that the next process asks anew. */
const PASSING: ReadonlySet<string> = new Set<keyof Leg>([
  'family',
  'offer',
  'sdp',
  'sdpSent',
  'remote',
  'accepting',
  'candidates',
  'probe',
  'probeAt',
  'renewing',
  'digitCount',
]);

const BLANK = newLeg({
  id: '',
  control: '',
  role: 'caller',
  kind: 'client',
  phase: 'over',
  codecs: [],
  startedAt: 0,
});
const ALWAYS: ReadonlySet<string> = new Set<keyof Leg>([
  'id',
  'control',
  'role',
  'kind',
  'phase',
  'startedAt',
]);

const plain = (key: string, value: unknown): boolean =>
  !ALWAYS.has(key) &&
  (value === BLANK[key as keyof Leg] ||
    (key === 'negotiation' && (value as Leg['negotiation']).name === 'idle') ||
    (Array.isArray(value) && value.length === 0));

/** Legs are never changed in place, and most stay as they are from line to line. */
const WRITTEN = new WeakMap<Leg, WrittenLeg>();

function writtenLeg(leg: Leg): WrittenLeg {
  const known = WRITTEN.get(leg);
  if (known !== undefined) return known;
  const out: Record<string, unknown> = {};
  for (const key in leg) {
    const value = leg[key as keyof Leg];
    if (!PASSING.has(key) && value !== undefined && !plain(key, value)) out[key] = value;
  }
  const written = out as unknown as WrittenLeg;
  WRITTEN.set(leg, written);
  return written;
}

export function callEntry(
  call: Call,
  dialogs: readonly WrittenDialog[],
  early: readonly EarlyDialog[],
): CallEntry {
  const { legs, settings: _, answerHeaders: _a, heard: _h, early: _e, transfer: _t, ...rest } = call;
  return { call: { ...rest, legs: legs.map(writtenLeg) }, dialogs, early };
}

/** Whether a process that follows would treat the two alike. Before the answer all that counts is who is called. */
function sameCall(a: Call, b: Call): boolean {
  if (a === b) return true;
  if (a.state !== b.state || a.legs.length !== b.legs.length) return false;
  const early = b.state.name !== 'up';
  return b.legs.every((leg, i) => {
    const before = a.legs[i]!;
    if (leg === before) return true;
    if (early)
      return (
        leg.id === before.id &&
        leg.phase === before.phase &&
        leg.recorded === before.recorded &&
        leg.trunk === before.trunk
      );
    for (const key in leg)
      if (!PASSING.has(key) && leg[key as keyof Leg] !== before[key as keyof Leg]) return false;
    return true;
  });
}

const sameDialog = (a: LegSnapshot, b: LegSnapshot): boolean =>
  a.leg === b.leg &&
  a.localSeq === b.localSeq &&
  a.acked === b.acked &&
  a.open === b.open &&
  a.target === b.target &&
  a.unacked?.seq === b.unacked?.seq;

interface Last {
  readonly call: Call;
  readonly dialogs: readonly WrittenDialog[];
}

/** What the journal asks the user agent about a call. */
export interface Dialogs {
  answered(call: Call): readonly WrittenDialog[];
  early(call: Call): readonly EarlyDialog[];
}

/** `uses`: our leg ids → the user agent's. */
export function dialogsOf(agent: UserAgent, uses: ReadonlyMap<string, LegId>): Dialogs {
  return {
    answered: (call) =>
      call.legs.flatMap(({ id }) => {
        const dialog = agent.snapshot(uses.get(id) ?? '');
        return dialog === null ? [] : [{ leg: id, dialog }];
      }),
    early: (call) =>
      call.legs.flatMap(({ id }) => {
        const early = agent.early(uses.get(id) ?? '');
        return early === null ? [] : [{ leg: id, ...early }];
      }),
  };
}

const NOTHING: readonly JournalLine[] = [];

/** Which calls have to be written, and what was written last. */
export class CallJournal {
  readonly #touched = new Set<string>();
  readonly #written = new Set<string>();
  readonly #last = new Map<string, Last>();
  /** Dialogs of ended calls whose BYE is unanswered, and their calls. */
  readonly #leaving = new Map<LegId, string>();
  readonly #dialogs: Dialogs;
  #lines: JournalLine[] = [];

  constructor(dialogs: Dialogs) {
    this.#dialogs = dialogs;
  }

  /** The process before wrote of this call. */
  inherited(call: string): void {
    this.#written.add(call);
    this.#touched.add(call);
  }

  /** Something happened in a call, or in a dialog of it. */
  touch(call: string): void {
    this.#touched.add(call);
  }

  /** The call is over; `byes` are those on their way. */
  over(call: string, byes: readonly Bye[]): void {
    this.#touched.delete(call);
    this.#last.delete(call);
    const written = this.#written.delete(call);
    for (const { dialog } of byes) this.#leaving.set(dialog.leg, call);
    if (byes.length > 0) this.#line(call, { byes } satisfies ByeEntry);
    else if (written) this.#line(call, null);
  }

  /** A dialog without a call is gone; behind the last one nothing is left to do for its call. */
  gone(dialog: LegId): void {
    const call = this.#leaving.get(dialog);
    if (call === undefined) return;
    this.#leaving.delete(dialog);
    for (const other of this.#leaving.values()) if (other === call) return;
    this.#line(call, null);
  }

  /** The lines of this input. */
  take(find: (id: string) => Call | undefined): readonly JournalLine[] {
    if (this.#touched.size === 0 && this.#lines.length === 0) return NOTHING;
    for (const id of this.#touched) {
      const call = find(id);
      if (call === undefined) continue;
      const now = { call, dialogs: this.#dialogs.answered(call) };
      const last = this.#last.get(id);
      if (last !== undefined && same(last, now)) continue;
      this.#last.set(id, now);
      this.#written.add(id);
      this.#line(id, callEntry(call, now.dialogs, this.#dialogs.early(call)));
    }
    this.#touched.clear();
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #line(call: string, value: object | null): void {
    this.#lines.push({ type: 'journal', key: keyOf(call), value });
  }
}

const same = (a: Last, b: Last): boolean =>
  sameCall(a.call, b.call) &&
  a.dialogs.length === b.dialogs.length &&
  a.dialogs.every(({ dialog }, i) => sameDialog(dialog, b.dialogs[i]!.dialog));
