import type { Ms } from '@sidetone/core';

/** Reports come at the end of calls and after a socket is lost. */
const KEPT_MS = 10 * 60_000;
const MAX_KEPT = 10_000;

/** The `call_report_id`s of logged-in clients, and for ten minutes of those that left. */
export class ReportIds {
  readonly #live = new Set<string>();
  /** In the order they left, so the oldest is first. */
  readonly #left = new Map<string, Ms>();

  has(id: string): boolean {
    return this.#live.has(id) || this.#left.has(id);
  }

  add(id: string): void {
    this.#live.add(id);
  }

  leave(id: string, now: Ms): void {
    if (!this.#live.delete(id)) return;
    this.#left.set(id, now + KEPT_MS);
    for (const [old, until] of this.#left) {
      if (until > now && this.#left.size <= MAX_KEPT) break;
      this.#left.delete(old);
    }
  }
}
