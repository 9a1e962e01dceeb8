import { Shares } from './shares.ts';
import type { Ms } from './time.ts';

/** All times in milliseconds. */
export interface IntakeOptions {
  /** What has waited longer is late. */
  readonly patienceMs: Ms;
  /** So long lateness is forgiven: a pause of the process is no overload. */
  readonly forgivenMs: Ms;
  /** What has waited this long is refused even then. */
  readonly worstMs: Ms;
  /** Things that may wait their turn at a time; shared as in `Shares`. */
  readonly most: number;
}

export interface Taken<T> {
  readonly item: T;
  /** It has waited too long while others did, too: it shall be refused before it costs anything. */
  readonly late: boolean;
}

interface Line<T> {
  readonly source: string;
  /** Oldest first; what lies before `next` is taken. */
  readonly waiting: { readonly item: T; readonly at: Ms }[];
  next: number;
  /** Since when everything taken had waited too long, or (while refusing) was in time. */
  since: Ms | null;
  refusing: boolean;
  /** When something was taken last. */
  at: Ms;
}

/**
 * What has come in and was not looked at yet, in the order in which it should be: first what belongs to work that has begun, then what
 * begins new work, of each source in turn. New work is judged by the time that it has waited, not by how much there is of it (as
 * FQ-CoDel does, RFC 8289, RFC 8290), and each source by its own: who sends more than its turn has to give waits, and is refused, alone.
 *
 *              late for `forgivenMs`: from now on refuse what is late
 *      ┌──────────┐ ──────────────────────────────▶ ┌──────────┐
 *      │ handling │                                 │ refusing │
 *      └──────────┘ ◀────────────────────────────── └──────────┘
 *              quick (half of `patienceMs`) for `forgivenMs`
 */
export class Intake<T> {
  readonly #options: IntakeOptions;
  readonly #shares: Shares;
  readonly #first: { items: T[]; next: number } = { items: [], next: 0 };
  readonly #lines = new Map<string, Line<T>>();
  /** Sources in the order of their turns. */
  #turns: Line<T>[] = [];

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#shares = new Shares(options.most);
  }

  /** What waits. */
  get size(): number {
    return this.#first.items.length - this.#first.next + this.#shares.taken;
  }

  /** Sources that are known: who waits, or is being refused. */
  get sources(): number {
    return this.#lines.size;
  }

  /** Something that belongs to work that has begun. It is never late. */
  putFirst(item: T): void {
    this.#first.items.push(item);
  }

  /** Something that begins new work. `false`: too much of this source waits, it shall be refused at once. */
  put(item: T, source: string, now: Ms): boolean {
    if (!this.#shares.take(source)) return false;
    let line = this.#lines.get(source);
    // Who has been quiet for a while begins anew.
    const quiet = line !== undefined && line.waiting.length === line.next;
    if (line === undefined || (quiet && now - line.at >= this.#options.forgivenMs)) {
      line = { source, waiting: [], next: 0, since: null, refusing: false, at: now };
      this.#lines.set(source, line);
    }
    if (line.waiting.length === line.next) this.#turns.push(line);
    line.waiting.push({ item, at: now });
    return true;
  }

  /** The next thing to look at. `lag`: how long what new work needs takes elsewhere at the moment. */
  take(now: Ms, lag: Ms = 0): Taken<T> | undefined {
    const first = this.#first;
    if (first.next < first.items.length) {
      const item = first.items[first.next++]!;
      if (first.next === first.items.length) {
        first.items = [];
        first.next = 0;
      }
      return { item, late: false };
    }
    const line = this.#turns.shift();
    if (line === undefined) return this.#forgetIdle(now);
    const { item, at } = line.waiting[line.next++]!;
    this.#shares.give(line.source);
    if (line.next < line.waiting.length) this.#turns.push(line);
    if (line.next === line.waiting.length || line.next > 1024) {
      line.waiting.splice(0, line.next);
      line.next = 0;
    }
    line.at = now;
    return { item, late: this.#isLate(line, now - at + lag, now) };
  }

  #isLate(line: Line<T>, waited: Ms, now: Ms): boolean {
    const { patienceMs, forgivenMs, worstMs } = this.#options;
    const turns = line.refusing ? waited <= patienceMs / 2 : waited > patienceMs;
    if (!turns) line.since = null;
    else if (line.since === null) line.since = now;
    else if (now - line.since >= forgivenMs) {
      line.refusing = !line.refusing;
      line.since = null;
    }
    return waited > (line.refusing ? patienceMs : worstMs);
  }

  /** Nobody waits. Who was refused and has been quiet since is forgotten. */
  #forgetIdle(now: Ms): undefined {
    for (const [source, line] of this.#lines)
      if (!line.refusing || now - line.at >= this.#options.forgivenMs) this.#lines.delete(source);
    return undefined;
  }
}
