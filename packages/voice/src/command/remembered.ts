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
/** Of more, the oldest of the account that has most is forgotten. */
const MOST = 40_000;
/** Characters of keys and values: client states and command ids are other people's, and may be long. */
const MOST_WEIGHT = 16 * 1024 * 1024;

interface Kept {
  readonly key: string;
  readonly account: string;
  readonly until: Ms;
  readonly view?: LegView;
  readonly ids?: LegIds;
  /** Of a leg that is over: the commands of its last minute. */
  readonly done?: Done;
}

type Done = Program['done'];

interface Holder {
  /** The oldest first. */
  readonly keys: Map<string, number>;
  weight: number;
}

export class Remembered {
  /** By key, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  readonly #overOf = new Map<string, string>();
  readonly #times = new Deadlines<string>();
  readonly #holders = new Map<string, Holder>();
  #weight = 0;
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
    const about = lately.length === 0 ? {} : { done: lately };
    this.#keep({ key, account: view.account, until: now + OVER_MS, view, ...about });
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
    this.#keep({ key: `dialled ${account} ${commandId}`, account, until: now + DONE_MS, ids });
  }

  /** The leg that this `dial` has made already. */
  dialledBefore(account: string, commandId: string, now: Ms): LegIds | undefined {
    const kept = this.#kept.get(`dialled ${account} ${commandId}`);
    return kept !== undefined && kept.until > now ? kept.ids : undefined;
  }

  /** Takes what the process before has written; entries of others are left alone. Returns how many make no sense. */
  restore(entries: readonly JournalEntry[], now: Ms): number {
    let foreign = 0;
    for (const { key, value } of entries) {
      if (!key.startsWith('over ') && !key.startsWith('dialled ')) continue;
      const read = readKept(key, value);
      // Longer than it can have had is no time of ours.
      const isOurs = read !== null && read.until <= now + OVER_MS;
      if (!isOurs) foreign += 1;
      if (isOurs && read.until > now) this.#put(read, entryOf(read));
      else this.#lines.push({ type: 'journal', key, value: null });
    }
    return foreign;
  }

  /** What changed since it was asked last. */
  takeLines(): readonly JournalLine[] {
    if (this.#lines.length === 0) return this.#lines;
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #keep(kept: Kept): void {
    const value = entryOf(kept);
    this.#lines.push({ type: 'journal', key: kept.key, value });
    this.#put(kept, value);
  }

  #put(kept: Kept, value: object): void {
    const { key, account, view, until } = kept;
    this.#drop(key);
    const weight = key.length + JSON.stringify(value).length;
    let holder = this.#holders.get(account);
    if (holder === undefined) {
      holder = { keys: new Map(), weight: 0 };
      this.#holders.set(account, holder);
    }
    holder.keys.set(key, weight);
    holder.weight += weight;
    this.#weight += weight;
    this.#kept.set(key, kept);
    this.#times.set(key, until);
    if (view !== undefined) this.#overOf.set(view.control, key);
    while (this.#kept.size > MOST || this.#weight > MOST_WEIGHT) this.#forget(this.#oldestOfMost() ?? key);
  }

  #oldestOfMost(): string | undefined {
    let most: Holder | undefined;
    for (const holder of this.#holders.values())
      if (most === undefined || holder.weight > most.weight) most = holder;
    return most?.keys.keys().next().value;
  }

  #forget(key: string): void {
    if (this.#drop(key)) this.#lines.push({ type: 'journal', key, value: null });
  }

  #drop(key: string): boolean {
    const kept = this.#kept.get(key);
    if (kept === undefined) return false;
    this.#kept.delete(key);
    this.#times.delete(key);
    if (kept.view !== undefined) this.#overOf.delete(kept.view.control);
    const holder = this.#holders.get(kept.account);
    const weight = holder?.keys.get(key) ?? 0;
    this.#weight -= weight;
    if (holder !== undefined) {
      holder.weight -= weight;
      holder.keys.delete(key);
      if (holder.keys.size === 0) this.#holders.delete(kept.account);
    }
    return true;
  }
}

const entryOf = ({ until, view, ids, done }: Kept): object => ({
  until,
  ...(view ?? ids),
  ...(done === undefined ? {} : { done }),
});

const textOrNull = (value: unknown): value is string | null => value === null || typeof value === 'string';
const timeOrNull = (value: unknown): value is number | null => value === null || typeof value === 'number';

function readKept(key: string, value: unknown): Kept | null {
  if (!isFields(value)) return null;
  const { until, control, leg, session } = value;
  if (typeof until !== 'number' || !isText(control) || !isText(leg) || !isText(session)) return null;
  const ids: LegIds = { control, leg, session };
  if (key.startsWith('dialled ')) return { key, account: key.split(' ', 2)[1]!, until, ids };
  const { account, connection, clientState, startedAt, answeredAt, endedAt } = value;
  if (!isText(account) || !textOrNull(connection) || !textOrNull(clientState)) return null;
  if (typeof startedAt !== 'number' || !timeOrNull(answeredAt) || !timeOrNull(endedAt)) return null;
  const times = { startedAt, answeredAt, endedAt };
  const read = {
    key,
    account,
    until,
    view: { ...ids, account, connection, alive: false, clientState, ...times },
  };
  const { done } = value;
  return Array.isArray(done) && done.every(isCommand) ? { ...read, done } : read;
}

const isCommand = (value: unknown): value is Done[number] =>
  isFields(value) && isText(value['id']) && typeof value['at'] === 'number';
