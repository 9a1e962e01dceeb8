import type { Ms } from '@sidetone/core';
import type { KeptSessions } from './kept-sessions.ts';
import type { Session } from './session.ts';

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

export interface LostHost {
  readonly kept: KeptSessions;
  readonly keepMs: Ms;
  timer(contact: string, at: Ms): void;
  ask(contact: string, now: Ms): void;
  giveUp(contact: string, now: Ms): void;
}

export class LostClients {
  readonly #host: LostHost;

  constructor(host: LostHost) {
    this.#host = host;
  }

  /** Its time begins. */
  keep(session: Session, now: Ms): void {
    const { kept, keepMs, timer } = this.#host;
    kept.lose(session, now + keepMs);
    timer(session.contact, now + keepMs - ASK_MS);
  }

  /** Its timer is due. */
  due(contact: string, now: Ms): void {
    const until = this.#host.kept.until(contact);
    if (now >= until) return this.#host.giveUp(contact, now);
    this.#host.timer(contact, until);
    this.#host.ask(contact, now);
  }

  heard(contact: string, msAgo: Ms, now: Ms): void {
    const { kept, keepMs, timer } = this.#host;
    if (kept.get(contact) === undefined) return;
    kept.extend(contact, now - msAgo + keepMs);
    const until = kept.until(contact);
    timer(contact, now < until - ASK_MS ? until - ASK_MS : until);
  }
}
