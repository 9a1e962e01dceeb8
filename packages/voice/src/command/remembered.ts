import { Deadlines, isFields, isText, type JournalEntry, type JournalLine, type Ms } from '@sidetone/core';
import type { LegIds, LegView } from '@sidetone/wire';
import { DONE_MS, isDone, type Program } from '../leg/program.ts';

/*
 * What is known of legs that are over, and of commands that made legs, for a while: that a leg has ended is another answer than that
 * there never was one, and a `dial` that is sent again must not call twice. Both outlive the process.
 *
 *   over <leg>                    for 10 minutes
 *   dialled <account> <command>   for a minute
 */

export const OVER_MS: Ms = 600_000;
/** The oldest are forgotten first. */
const MOST_OVER = 20_000;
const MOST_DIALLED = 20_000;

interface Kept {
  readonly key: string;
  readonly until: Ms;
  readonly view?: LegView;
  readonly ids?: LegIds;
  /** Of a leg that is over: the commands of its last minute. */
  readonly done?: Done;
}

type Done = Program['done'];

export class Remembered {
  /** By key, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #overOf = new Map<string, string>();
  readonly #times = new Deadlines<string>();
  #over = 0;
  #lines: JournalLine[] = [];

  deadline(): Ms | null {
    return this.#times.next();
  }

  tick(now: Ms): void {
    for (let key = this.#times.takeDue(now); key !== undefined; key = this.#times.takeDue(now))
      this.#forget(key);
  }

  /** A leg that is over. */
  over(view: LegView, done: Done, now: Ms): void {
    const lately = done.filter(({ at }) => now - at < DONE_MS);
    const key = `over ${view.leg}`;
    this.#keep({ key, until: now + OVER_MS, view, ...(lately.length === 0 ? {} : { done: lately }) });
    if (this.#over > MOST_OVER) this.#forgetFirst('over ');
  }

  /** The leg that was called so, when it is over. */
  ended(control: string): LegView | undefined {
    return this.#kept.get(this.#overOf.get(control) ?? '')?.view;
  }

  /** The leg that was called so is over, and has been commanded by this id of late. */
  wasDone(control: string, commandId: string | undefined, now: Ms): boolean {
    return isDone(this.#kept.get(this.#overOf.get(control) ?? '')?.done ?? [], commandId, now);
  }

  dialled(account: string, commandId: string, ids: LegIds, now: Ms): void {
    this.#keep({ key: `dialled ${account} ${commandId}`, until: now + DONE_MS, ids });
    if (this.#kept.size - this.#over > MOST_DIALLED) this.#forgetFirst('dialled ');
  }

  /** The leg that this `dial` has made already. */
  dialledBefore(account: string, commandId: string, now: Ms): LegIds | undefined {
    const kept = this.#kept.get(`dialled ${account} ${commandId}`);
    return kept !== undefined && kept.until > now ? kept.ids : undefined;
  }

  /** Takes what the process before has written; entries of others are left alone. */
  restore(entries: readonly JournalEntry[], now: Ms): void {
    for (const { key, value } of entries) {
      if (!key.startsWith('over ') && !key.startsWith('dialled ')) continue;
      const read = readKept(key, value);
      if (read !== null && read.until > now) this.#put(read);
      else this.#lines.push({ type: 'journal', key, value: null });
    }
  }

  /** What changed since it was asked last. */
  takeLines(): readonly JournalLine[] {
    if (this.#lines.length === 0) return this.#lines;
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #keep(kept: Kept): void {
    this.#put(kept);
    const { key, until, view, ids, done } = kept;
    const value = { until, ...(view ?? ids), ...(done === undefined ? {} : { done }) };
    this.#lines.push({ type: 'journal', key, value });
  }

  #put(kept: Kept): void {
    this.#kept.set(kept.key, kept);
    this.#times.set(kept.key, kept.until);
    if (kept.view === undefined) return;
    this.#over += 1;
    this.#overOf.set(kept.view.control, kept.key);
  }

  #forget(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#times.delete(key);
    if (kept.view !== undefined) {
      this.#over -= 1;
      this.#overOf.delete(kept.view.control);
    }
    this.#lines.push({ type: 'journal', key, value: null });
  }

  #forgetFirst(prefix: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(prefix)) return this.#forget(key);
  }
}

const textOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';
const timeOrNull = (value: unknown): value is number | null => value === null || typeof value === 'number';

function readKept(key: string, value: unknown): Kept | null {
  if (!isFields(value)) return null;
  const { until, control, leg, session } = value;
  if (typeof until !== 'number' || !isText(control) || !isText(leg) || !isText(session)) return null;
  const ids: LegIds = { control, leg, session };
  if (key.startsWith('dialled ')) return { key, until, ids };
  const { account, connection, clientState, startedAt, answeredAt, endedAt } = value;
  if (!isText(account) || !textOrNull(connection) || !textOrNull(clientState)) return null;
  if (typeof startedAt !== 'number' || !timeOrNull(answeredAt) || !timeOrNull(endedAt)) return null;
  const times = { startedAt, answeredAt, endedAt };
  const read = { key, until, view: { ...ids, account, connection, alive: false, clientState, ...times } };
  const { done } = value;
  return Array.isArray(done) && done.every(isCommand) ? { ...read, done } : read;
}

const isCommand = (value: unknown): value is Done[number] =>
  isFields(value) && isText(value['id']) && typeof value['at'] === 'number';
