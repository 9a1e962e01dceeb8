import { type Ms, Shelf } from '@sidetone/core';
import { ownText } from '@sidetone/sip';

/**
 * The highest count that each user used each nonce with (RFC 7616 §3.4: it rises with every use), so that an answer is good once. Only
 * proven answers are written down, so strangers cost nothing. When there is no room the user with most loses the nonce that it used first
 * longest ago, and with it every nonce of its as old whose count is not known: it is challenged once more (`stale`), and nobody else.
 *
 *   nonce ──known──▶ count above the last?  yes: take it    no: stale
 *     └───unknown──▶ made at the user's `horizon` or after?  yes: take it    no: stale
 */
export class NonceCounts {
  /** By nonce and user, in the order of their first use. */
  readonly #counts = new Map<string, { readonly user: string; readonly issuedAt: Ms; last: number }>();
  readonly #shelf: Shelf<string>;
  readonly #lifetime: Ms;
  #horizon = Number.NEGATIVE_INFINITY;
  /** Of users that lost nonces which may still be good. */
  readonly #horizons = new Map<string, Ms>();

  /** @param lifetime how long a nonce is good */
  constructor(most: number, lifetime: Ms) {
    this.#shelf = new Shelf(most);
    this.#lifetime = lifetime;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** What was used before is not known: the nonces of the process before. */
  forgetBefore(now: Ms): void {
    this.#horizon = Math.max(this.#horizon, Math.floor(now));
  }

  /** Uses a proven answer of a user; false: it was used before, or may have been. */
  use(by: string, nonce: string, issuedAt: Ms, count: number, now: Ms): boolean {
    const known = this.#counts.get(`${nonce} ${by}`);
    if (known !== undefined) {
      if (count <= known.last) return false;
      known.last = count;
      return true;
    }
    this.#forgetOld(now);
    const user = ownText(by);
    const key = ownText(`${nonce} ${user}`);
    if (count < 1 || issuedAt < Math.max(this.#horizon, this.#horizons.get(user) ?? this.#horizon))
      return false;
    const gone = this.#shelf.add(user, key);
    const lost = gone === undefined ? undefined : this.#counts.get(gone);
    if (gone !== undefined && lost !== undefined) {
      this.#counts.delete(gone);
      // Stamps are whole milliseconds.
      const horizon = Math.max(this.#horizons.get(lost.user) ?? 0, lost.issuedAt + 1);
      this.#horizons.delete(lost.user);
      this.#horizons.set(lost.user, horizon);
    }
    this.#counts.set(key, { user, issuedAt, last: count });
    return true;
  }

  /** Nonces that are too old for any use, and horizons before which all are. */
  #forgetOld(now: Ms): void {
    for (const [key, { issuedAt }] of this.#counts) {
      if (now - issuedAt <= this.#lifetime) break;
      this.#counts.delete(key);
      this.#shelf.delete(key);
    }
    for (const [user, horizon] of this.#horizons) {
      if (now - horizon <= this.#lifetime) break;
      this.#horizons.delete(user);
    }
  }
}
