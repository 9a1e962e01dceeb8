import type { Ms } from '@sidetone/core';

const USER = 'user ';

/** The name under which a user who calls, or has a call made, is counted. */
export const userCount = (name: string): string => USER + name;

/** The user again; `undefined` for the count of something else. */
export const countedUser = (count: string): string | undefined =>
  count.startsWith(USER) ? count.slice(USER.length) : undefined;

const HOLDER = 'by ';

/** All whom we do not know, together. */
export const STRANGERS = `${HOLDER}strangers`;

/** The name of whose share of the platform a call takes: the account that calls, the trunk it comes by, or strangers. */
export const holderCount = (account: string | undefined, trunk: string | undefined): string =>
  account !== undefined
    ? `${HOLDER}account ${account}`
    : trunk === undefined
      ? STRANGERS
      : `${HOLDER}trunk ${trunk}`;

const ACCOUNT = 'account ';

/** The account that a leg counts against: that of the caller, where there are two. */
export const countedAccount = (counts: readonly string[]): string | undefined =>
  counts.find((count) => count.startsWith(ACCOUNT))?.slice(ACCOUNT.length);

export const accountCount = (id: string): string => ACCOUNT + id;

export const countedHolder = (counts: readonly string[]): string | undefined =>
  counts.find((count) => count.startsWith(HOLDER));

/**
 * What calls count against: an account, a connection in or out, a profile, a user. A leg carries the names of what it counts against
 * (`Leg.counts`), from its first moment to its last, also through a restart. A counter holds sessions that have a live leg with that
 * name: a call is one, however many legs it has. One process decides, one call after the other: a limit is exact whoever races.
 */
export class Counters {
  /** Legs by session, by name. */
  readonly #sessions = new Map<string, Map<string, number>>();

  of(name: string): number {
    return this.#sessions.get(name)?.size ?? 0;
  }

  /** How many legs of a session have this name. */
  legs(name: string, session: string): number {
    return this.#sessions.get(name)?.get(session) ?? 0;
  }

  add(session: string, names: readonly string[]): void {
    for (const name of names) {
      const sessions = this.#sessions.get(name) ?? new Map<string, number>();
      sessions.set(session, (sessions.get(session) ?? 0) + 1);
      this.#sessions.set(name, sessions);
    }
  }

  remove(session: string, names: readonly string[]): void {
    for (const name of names) {
      const sessions = this.#sessions.get(name);
      const left = (sessions?.get(session) ?? 1) - 1;
      if (left > 0) sessions?.set(session, left);
      else sessions?.delete(session);
      if (sessions?.size === 0) this.#sessions.delete(name);
    }
  }
}
const SECOND: Ms = 1_000;

/** Calls that began within the last second, by account. */
export class CallRate {
  #begun: { readonly account: string; readonly at: Ms }[] = [];
  readonly #counts = new Map<string, number>();

  /** How many calls of an account began within the last second. */
  of(account: string, now: Ms): number {
    const current = this.#begun.findIndex(({ at }) => now - at < SECOND);
    const old = current < 0 ? this.#begun.length : current;
    for (const { account: past } of this.#begun.slice(0, old)) {
      const left = (this.#counts.get(past) ?? 1) - 1;
      if (left > 0) this.#counts.set(past, left);
      else this.#counts.delete(past);
    }
    if (old > 0) this.#begun = this.#begun.slice(old);
    return this.#counts.get(account) ?? 0;
  }

  began(account: string, now: Ms): void {
    this.#begun.push({ account, at: now });
    this.#counts.set(account, (this.#counts.get(account) ?? 0) + 1);
  }
}
