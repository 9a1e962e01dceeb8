import { type Ms, networkOf, Shelf } from '@sidetone/core';
import { ownText } from '@sidetone/sip';

const WINDOW_MS = 60_000;
const TRIES = 10;
const MAX_ENTRIES = 20_000;
/** User names are shorter; what strangers make up is kept no longer than this. */
const MAX_NAME = 65;

/**
 * Failed logins per user and source: at most 10 a minute. Keyed by both, so that guessing from one address never locks the
 * user out elsewhere; a source in IPv6 is a /64. Bounded: the oldest entry of the address with most leaves first, so that one who makes
 * up names clears nobody.
 */
export class LoginBudget {
  readonly #failures = new Map<string, { count: number; since: Ms }>();
  readonly #shelf = new Shelf<string>(MAX_ENTRIES);

  allows(userName: string, address: string, now: Ms): boolean {
    const entry = this.#failures.get(keyOf(userName, address));
    return entry === undefined || now - entry.since >= WINDOW_MS || entry.count < TRIES;
  }

  failed(userName: string, address: string, now: Ms): void {
    const key = ownText(keyOf(userName, address));
    const entry = this.#failures.get(key);
    if (entry !== undefined && now - entry.since < WINDOW_MS) {
      entry.count += 1;
      return;
    }
    this.#shelf.delete(key);
    const gone = this.#shelf.add(networkOf(address), key);
    if (gone !== undefined) this.#failures.delete(gone);
    this.#failures.set(key, { count: 1, since: now });
  }
}

const keyOf = (userName: string, address: string): string =>
  `${networkOf(address)} ${userName.slice(0, MAX_NAME)}`;
