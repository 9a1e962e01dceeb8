import type { Ms } from '@sidetone/core';
import { type Flow, ownText, type SipRequest } from '@sidetone/sip';
import { transactionKey } from './passed-requests.ts';

/** Timer H, and what copies take beside it (RFC 3261 §17.2.1). */
const COPIES_MS: Ms = 32_000;
const MOST = 20_000;
/** Characters of a key that is worth its memory; real ones have a hundred. */
const LONGEST = 512;

/** INVITEs that were sent away with 503 and of which nothing else is kept: a copy that was on its way hears the same and does not ring. */
export class SentAway {
  // Two halves of which the older goes as a whole: a Map that loses its first entry each time looks for it among all that it has lost.
  #young = new Map<string, Ms>();
  #old: ReadonlyMap<string, Ms> = new Map();
  readonly #sourceOf: (flow: Flow) => string;

  constructor(sourceOf: (flow: Flow) => string) {
    this.#sourceOf = sourceOf;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  add(request: SipRequest, flow: Flow, now: Ms): void {
    if (!begins(request)) return;
    const key = this.#keyOf(request, flow);
    if (key.length > LONGEST) return;
    if (this.#young.size >= MOST / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(ownText(key), now + COPIES_MS);
  }

  has(request: SipRequest, flow: Flow, now: Ms): boolean {
    if (this.size === 0 || !begins(request)) return false;
    const key = this.#keyOf(request, flow);
    return (this.#young.get(key) ?? this.#old.get(key) ?? now) > now;
  }

  #keyOf(request: SipRequest, flow: Flow): string {
    return transactionKey(request, 'INVITE', this.#sourceOf(flow));
  }
}

/** Whatever its branch says, one in a dialog is no copy of one that was to begin a call. */
const begins = ({ method, headers }: SipRequest): boolean =>
  method === 'INVITE' && headers.to.params['tag'] === undefined;
