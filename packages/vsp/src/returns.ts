import type { Ms } from '@sidetone/core';
import type { Call } from './call.ts';
import { needsAttach } from './call-attachment.ts';
import type { Place } from './call-book.ts';

/*
 * What a client that is back hears of its calls, each once a login, in this order (what ended meanwhile has been told before):
 *
 *   attach of the calls it talks in ──▶ attach of those it holds ──▶ what rings or is being set up
 *
 * The next group waits until voice has made the offers of the one before, but a second at most in all. So it is where each answered call
 * needs an attach. Others hear of all at once, in the order in which the calls began: whether media is to be offered shows later, and in a
 * page the call that is attached last plays.
 */
interface Return {
  /** Names of the calls of each group that has not been told yet. */
  readonly groups: readonly (readonly string[])[];
  /** Those whose offer is awaited. */
  readonly awaited: readonly string[];
  readonly until: Ms;
}

/** How long the answer to `gatewayState` may wait for offers: a client asks again after 3 s. */
const OFFERS_MS = 1000;

const groupOf = (call: Call): number => (!needsAttach(call) ? 2 : call.held ? 1 : 0);

const isAwaited = (call: Call | undefined): boolean =>
  call !== undefined && call.renewal === 'asked' && needsAttach(call);

export interface ReturnHost {
  call(place: Place): Call | undefined;
  /** The client may hear of this call. */
  back(place: Place, now: Ms): void;
  /** It has heard of all. */
  told(contact: string, now: Ms): void;
  timer(contact: string, at: Ms | null): void;
}

/** Clients that are back and are being told of their calls, by contact. */
export class Returns {
  readonly #host: ReturnHost;
  readonly #returns = new Map<string, Return>();
  /** Those that may hear more. */
  readonly #moved = new Set<string>();

  constructor(host: ReturnHost) {
    this.#host = host;
  }

  begin(contact: string, calls: readonly Call[], now: Ms): void {
    const groups = [0, 1, 2].map((group) =>
      calls.filter((call) => groupOf(call) === group).map(({ callId }) => callId),
    );
    const until = now + OFFERS_MS;
    this.#returns.set(contact, { groups: groups.filter((names) => names.length > 0), awaited: [], until });
    this.#host.timer(contact, until);
    this.#moved.add(contact);
  }

  /** A call of this contact has changed, or its time is over. */
  moved(contact: string): void {
    if (this.#returns.has(contact)) this.#moved.add(contact);
  }

  forget(contact: string): void {
    if (this.#returns.delete(contact)) this.#host.timer(contact, null);
  }

  /** Tells what it is time for. */
  run(now: Ms): void {
    for (const contact of this.#moved) this.#tell(contact, now);
    this.#moved.clear();
  }

  #tell(contact: string, now: Ms): void {
    for (let state = this.#returns.get(contact); state !== undefined; state = this.#returns.get(contact)) {
      const waits = state.awaited.some((callId) => isAwaited(this.#host.call({ contact, callId })));
      if (waits && now < state.until) return;
      const [names, ...groups] = state.groups;
      if (names === undefined) {
        this.forget(contact);
        return this.#host.told(contact, now);
      }
      this.#returns.set(contact, { ...state, groups, awaited: names });
      for (const callId of names) this.#host.back({ contact, callId }, now);
    }
  }
}
