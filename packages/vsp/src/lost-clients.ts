import type { Ms } from '@sidetone/core';
import type { KeptSessions } from './kept-sessions.ts';
import type { Session } from './session.ts';
import type { Times } from './times.ts';

/*
 * How long a client without a socket is waited for:
 *
 *   lost ──a second before its time is over──▶ voice is asked whether it still talks ──▶ given up
 *    ▲                                            │
 *    └──────── heard: its time counts from then ──┘
 *
 * Some published clients never come back by themselves and talk on, since media goes another way.
 */

const ASK_MS = 1000;

export class LostClients {
  readonly #kept: KeptSessions;
  readonly #times: Times;
  readonly #keepMs: Ms;

  constructor(kept: KeptSessions, times: Times, keepMs: Ms) {
    this.#kept = kept;
    this.#times = times;
    this.#keepMs = keepMs;
  }

  /** Its time begins. */
  keep(session: Session, now: Ms): void {
    const until = now + this.#keepMs;
    this.#kept.lose(session, until);
    this.#times.set(`kept ${session.contact}`, until - ASK_MS);
  }

  /** Its timer is due: is it time to ask, or to give it up? */
  due(contact: string, now: Ms): 'ask' | 'give up' {
    const until = this.#kept.until(contact);
    if (now >= until) return 'give up';
    this.#times.set(`kept ${contact}`, until);
    return 'ask';
  }

  heard(contact: string, msAgo: Ms, now: Ms): void {
    if (this.#kept.get(contact) === undefined) return;
    this.#kept.extend(contact, now - msAgo + this.#keepMs);
    const until = this.#kept.until(contact);
    this.#times.set(`kept ${contact}`, now < until - ASK_MS ? until - ASK_MS : until);
  }
}
