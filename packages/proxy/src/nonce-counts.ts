import type { Ms } from '@sidetone/core';

/**
 * The highest count that each nonce was used with (RFC 7616 §3.4: it rises with every use), so that an answer is good once. Only
 * proven answers are written down, so strangers cost nothing. When there is no room the nonce that was first used longest ago is
 * forgotten, and with it every nonce as old whose count is not known: those who hold one are challenged once more (`stale`).
 *
 *   nonce ──known──▶ count above the last?  yes: take it    no: stale
 *     └───unknown──▶ made at `horizon` or after?  yes: take it    no: stale
 */
export class NonceCounts {
  readonly #counts = new Map<string, { readonly issuedAt: Ms; last: number }>();
  readonly #most: number;
  readonly #lifetime: Ms;
  #horizon = Number.NEGATIVE_INFINITY;

  /** @param lifetime how long a nonce is good */
  constructor(most: number, lifetime: Ms) {
    this.#most = most;
    this.#lifetime = lifetime;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** What was used before is not known: the nonces of the process before. */
  forgetBefore(now: Ms): void {
    this.#horizon = Math.max(this.#horizon, Math.floor(now));
  }

  /** Uses a proven answer; false: it was used before, or may have been. */
  use(nonce: string, issuedAt: Ms, count: number, now: Ms): boolean {
    const known = this.#counts.get(nonce);
    if (known !== undefined) {
      if (count <= known.last) return false;
      known.last = count;
      return true;
    }
    if (count < 1 || issuedAt < this.#horizon) return false;
    this.#makeRoom(now);
    this.#counts.set(nonce, { issuedAt, last: count });
    return true;
  }

  /** Nonces leave in the order of their first use: those that are too old for any use, and one more where room is needed. */
  #makeRoom(now: Ms): void {
    for (const [nonce, { issuedAt }] of this.#counts) {
      const over = now - issuedAt > this.#lifetime;
      if (!over && this.#counts.size < this.#most) return;
      this.#counts.delete(nonce);
      // Stamps are whole milliseconds.
      if (!over) this.forgetBefore(issuedAt + 1);
    }
  }
}
