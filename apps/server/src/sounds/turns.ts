import type { Ms } from '@sidetone/core';
import { SoundFault } from './limits.ts';

export interface TurnsOptions {
  /** Pieces of work at a time. One account has half of them at most, so that its slow ones keep nobody else waiting. */
  readonly slots: number;
  /** Of one account. */
  readonly waiting: number;
  readonly waitMs: Ms;
}

interface Waiting {
  readonly begin: () => void;
  readonly timer: NodeJS.Timeout;
}

/** A bounded queue in which accounts take turns. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #share: number;
  /** Accounts with work that waits; who had a turn goes to the end. */
  readonly #queues = new Map<string, Waiting[]>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.#share = Math.max(1, Math.ceil(options.slots / 2));
  }

  get running(): number {
    return this.#running;
  }

  /** @throws SoundFault `failed` when too much waits already, or it waited too long; what `work` throws */
  async run<T>(account: string, work: () => Promise<T>): Promise<T> {
    if (this.#free(account)) this.#count(account, 1);
    // The place is taken for it before it hears that it has one.
    else await this.#wait(account);
    try {
      return await work();
    } finally {
      this.#count(account, -1);
      this.#next();
    }
  }

  #free(account: string): boolean {
    return this.#running < this.#options.slots && (this.#runningOf.get(account) ?? 0) < this.#share;
  }

  #count(account: string, by: 1 | -1): void {
    this.#running += by;
    const now = (this.#runningOf.get(account) ?? 0) + by;
    if (now === 0) this.#runningOf.delete(account);
    else this.#runningOf.set(account, now);
  }

  #wait(account: string): Promise<void> {
    const queue = this.#queues.get(account) ?? [];
    if (queue.length >= this.#options.waiting)
      throw new SoundFault('failed', 'Too many sounds of this account wait already.');
    this.#queues.set(account, queue);
    return new Promise((begin, fail) => {
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(entry), 1);
        if (queue.length === 0) this.#queues.delete(account);
        fail(new SoundFault('failed', 'Too many sounds are being prepared; this one has waited too long.'));
      }, this.#options.waitMs);
      timer.unref();
      const entry: Waiting = { begin, timer };
      queue.push(entry);
    });
  }

  #next(): void {
    for (const [account, queue] of this.#queues) {
      if (!this.#free(account)) continue;
      const { begin, timer } = queue.shift()!;
      clearTimeout(timer);
      this.#count(account, 1);
      this.#queues.delete(account);
      if (queue.length > 0) this.#queues.set(account, queue);
      return begin();
    }
  }
}
