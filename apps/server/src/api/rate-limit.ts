import type { Ms } from '@sidetone/core';

const WINDOW_MS = 60_000;
const MAX_ENTRIES = 20_000;

export interface Allowance {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until all of it is there again. */
  readonly reset: number;
}

/** So many requests a minute, per name. Bounded: the oldest name leaves first. */
export class RateLimit {
  readonly #limit: number;
  readonly #windows = new Map<string, { used: number; since: Ms }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** What is left, without using any of it. */
  look(name: string, now: Ms): Allowance {
    return this.#tell(this.#windows.get(name), now);
  }

  use(name: string, now: Ms): Allowance {
    let window = this.#windows.get(name);
    if (window === undefined || now - window.since >= WINDOW_MS) {
      this.#windows.delete(name);
      if (this.#windows.size >= MAX_ENTRIES) this.#windows.delete(this.#windows.keys().next().value!);
      window = { used: 0, since: now };
      this.#windows.set(name, window);
    }
    window.used += 1;
    const told = this.#tell(window, now);
    return { ...told, allowed: window.used <= this.#limit };
  }

  #tell(window: { used: number; since: Ms } | undefined, now: Ms): Allowance {
    const fresh = window === undefined || now - window.since >= WINDOW_MS;
    const used = fresh ? 0 : window.used;
    const reset = fresh ? WINDOW_MS : window.since + WINDOW_MS - now;
    return {
      allowed: used < this.#limit,
      limit: this.#limit,
      remaining: Math.max(0, this.#limit - used),
      reset: Math.ceil(reset / 1000),
    };
  }
}
