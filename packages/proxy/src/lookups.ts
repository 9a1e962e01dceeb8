import { Deadlines, type Ms, networkOf, Shares } from '@sidetone/core';
import { type Flow, hostOf, type SipRequest } from '@sidetone/sip';

export interface PendingLookup {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly user: string;
  /** What to challenge with when the proof fails. */
  readonly status: 401 | 407;
  readonly authorization: readonly string[];
  /** Equal for copies of one request. */
  readonly key: string;
}

/** Requests that wait for a password: the only thing kept before a proof of identity, so it is bounded in number and time. */
export class Lookups {
  readonly #pending = new Map<string, PendingLookup>();
  readonly #idOf = new Map<string, string>();
  readonly #due = new Deadlines<string>();
  /** By address: anybody can ask for a nonce and answer it. */
  readonly #shares: Shares;
  readonly #ms: Ms;
  #serial = 0;

  constructor(most: number, ms: Ms) {
    this.#shares = new Shares(most);
    this.#ms = ms;
  }

  get size(): number {
    return this.#pending.size;
  }

  deadline(): Ms | null {
    return this.#due.next();
  }

  /** The id to ask with; `copy`: already asked; `full`: no room. */
  start(lookup: PendingLookup, now: Ms): { readonly id: string } | 'copy' | 'full' {
    if (this.#idOf.has(lookup.key)) return 'copy';
    if (!this.#shares.take(networkOf(hostOf(lookup.flow)))) return 'full';
    this.#serial += 1;
    const id = `l${this.#serial}`;
    this.#pending.set(id, lookup);
    this.#idOf.set(lookup.key, id);
    this.#due.set(id, now + this.#ms);
    return { id };
  }

  take(id: string): PendingLookup | undefined {
    const lookup = this.#pending.get(id);
    if (lookup === undefined) return undefined;
    this.#pending.delete(id);
    this.#idOf.delete(lookup.key);
    this.#shares.give(networkOf(hostOf(lookup.flow)));
    this.#due.delete(id);
    return lookup;
  }

  /** Gives up what was not answered in time; the client will ask again. */
  tick(now: Ms): void {
    for (let id = this.#due.takeDue(now); id !== undefined; id = this.#due.takeDue(now)) this.take(id);
  }
}
