import type { Ms } from '@sidetone/core';

/** Where virtual time begins, as people tell it. */
export const EPOCH = 1_700_000_000_000;

/** Virtual time: things happen in the order of their instants, and nothing waits for a real clock. */
export class World {
  now: Ms = 0;
  readonly trace: string[] = [];
  #queue: { at: Ms; order: number; act: () => void }[] = [];
  #order = 0;

  /** Does `act` after `delay` milliseconds of virtual time. */
  after(delay: Ms, act: () => void): void {
    const entry = { at: this.now + delay, order: this.#order++, act };
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#queue[middle]!.at <= entry.at) low = middle + 1;
      else high = middle;
    }
    this.#queue.splice(low, 0, entry);
  }

  /** One line of the trace: the same seed gives the same lines. */
  note(line: string): void {
    this.trace.push(`${this.now.toFixed(1).padStart(9)} ${line}`);
  }

  /** The instant of the next thing to happen, or `null`. */
  next(): Ms | null {
    return this.#queue[0]?.at ?? null;
  }

  /** Lets the next thing happen. */
  step(): void {
    const entry = this.#queue.shift();
    if (entry === undefined) return;
    this.now = Math.max(this.now, entry.at);
    entry.act();
  }
}
