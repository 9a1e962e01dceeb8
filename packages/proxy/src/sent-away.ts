import type { Ms } from '@sidetone/core';
import type { Flow, SipRequest } from '@sidetone/sip';
import { transactionKey } from './passed-requests.ts';

/** Timer H, and what copies take beside it (RFC 3261 §17.2.1). */
const COPIES_MS: Ms = 32_000;
const MOST = 20_000;

/** INVITEs that were sent away with 503 and of which nothing else is kept: a copy that was on its way hears the same and does not ring. */
export class SentAway {
  readonly #until = new Map<string, Ms>();
  readonly #sourceOf: (flow: Flow) => string;

  constructor(sourceOf: (flow: Flow) => string) {
    this.#sourceOf = sourceOf;
  }

  add(request: SipRequest, flow: Flow, now: Ms): void {
    if (request.method !== 'INVITE') return;
    const key = this.#keyOf(request, flow);
    this.#until.delete(key);
    const [oldest] = this.#until.keys();
    if (this.#until.size >= MOST && oldest !== undefined) this.#until.delete(oldest);
    this.#until.set(key, now + COPIES_MS);
  }

  has(request: SipRequest, flow: Flow, now: Ms): boolean {
    if (request.method !== 'INVITE' || this.#until.size === 0) return false;
    return (this.#until.get(this.#keyOf(request, flow)) ?? now) > now;
  }

  #keyOf(request: SipRequest, flow: Flow): string {
    return transactionKey(request, 'INVITE', this.#sourceOf(flow));
  }
}
