import type { Ms } from '@sidetone/core';

const USER = 'user ';

/** The charge of a user who calls, or has a call made. */
export const userCharge = (name: string): string => USER + name;

/** Its name again; `undefined` for a charge of something else. */
export const userCharged = (charge: string): string | undefined =>
  charge.startsWith(USER) ? charge.slice(USER.length) : undefined;

const HOLDER = 'by ';

/** The charge of whose share of the platform a call takes: the account that calls, or the trunk it comes by. */
export const holderCharge = (account: string | undefined, trunk: string | undefined): string =>
  account === undefined ? `${HOLDER}trunk ${trunk ?? ''}` : `${HOLDER}account ${account}`;

export const holderCharged = (charges: readonly string[]): string | undefined =>
  charges.find((charge) => charge.startsWith(HOLDER));

/**
 * What calls count against: an account, a connection in or out, a profile, a user. A call carries the names of what it is charged to
 * (`Call.charges`), from its first moment to its last, also through a restart; a call that was joined of two carries those of both.
 * One process decides, one call after the other: a limit is exact whoever races.
 */
export class Charges {
  readonly #counts = new Map<string, number>();

  of(charge: string): number {
    return this.#counts.get(charge) ?? 0;
  }

  add(charges: readonly string[]): void {
    for (const charge of charges) this.#counts.set(charge, this.of(charge) + 1);
  }

  remove(charges: readonly string[]): void {
    for (const charge of charges) {
      const left = this.of(charge) - 1;
      if (left > 0) this.#counts.set(charge, left);
      else this.#counts.delete(charge);
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
