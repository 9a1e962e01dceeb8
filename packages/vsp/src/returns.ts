import type { Ms } from '@sidetone/core';
import type { Call } from './call.ts';
import { needsAttach } from './call-attachment.ts';
import type { CallBook } from './call-book.ts';
import type { Times } from './times.ts';

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

/** Who may hear of which calls now, or has heard of all. */
export type ReturnStep =
  | { readonly type: 'calls'; readonly contact: string; readonly callIds: readonly string[] }
  | { readonly type: 'told'; readonly contact: string };

/** Clients that are back and are being told of their calls, by contact. */
export class Returns {
  readonly #calls: CallBook;
  readonly #times: Times;
  readonly #returns = new Map<string, Return>();
  /** Those that may hear more. */
  readonly #moved = new Set<string>();

  constructor(calls: CallBook, times: Times) {
    this.#calls = calls;
    this.#times = times;
  }

  begin(contact: string, now: Ms): void {
    const calls = this.#calls.of(contact);
    const groups = [0, 1, 2].map((group) =>
      calls.filter((call) => groupOf(call) === group).map(({ callId }) => callId),
    );
    const until = now + OFFERS_MS;
    this.#returns.set(contact, { groups: groups.filter((names) => names.length > 0), awaited: [], until });
    this.#times.set(`return ${contact}`, until);
    this.#moved.add(contact);
  }

  /** A call of this contact has changed, or its time is over. */
  moved(contact: string): void {
    if (this.#returns.has(contact)) this.#moved.add(contact);
  }

  forget(contact: string): void {
    if (this.#returns.delete(contact)) this.#times.delete(`return ${contact}`);
  }

  /** What it is time for; each is asked for anew, since what a client hears may move its calls. */
  next(now: Ms): ReturnStep | null {
    for (const contact of this.#moved) {
      const state = this.#returns.get(contact);
      const waits = state?.awaited.some((callId) => isAwaited(this.#calls.get({ contact, callId }))) ?? false;
      if (state === undefined || (waits && now < state.until)) {
        this.#moved.delete(contact);
        continue;
      }
      const [names, ...groups] = state.groups;
      if (names === undefined) {
        this.forget(contact);
        return { type: 'told', contact };
      }
      this.#returns.set(contact, { ...state, groups, awaited: names });
      return { type: 'calls', contact, callIds: names };
    }
    return null;
  }
}
