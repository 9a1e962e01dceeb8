import { Shares } from '@sidetone/core';

/** What waits for a place at an endpoint. */
export interface Waiting {
  readonly account: string;
  /** Holds what is behind it in its lane. */
  readonly holds: boolean;
}

interface Endpoint<T> {
  readonly account: string;
  flying: number;
  /** Turns taken, so that neither of the two starves. */
  turn: number;
  readonly holding: Set<T>;
  readonly beside: Set<T>;
}

/** One turn in so many is for what holds nobody, when both wait. */
const BESIDE_TURN = 4;

/**
 * Who may be asked now: some requests at a time for each endpoint, and some for all of them, of which an account that is not alone has no
 * more than its share. So an endpoint that is slow delays what goes to it and nothing else. Accounts do not share endpoints, be the
 * address the same.
 */
export class Endpoints<T extends Waiting> {
  readonly #each: number;
  readonly #shares: Shares;
  readonly #endpoints = new Map<string, Endpoint<T>>();
  /** Endpoints that have something to ask and a place of their own, but none of the common ones: by account, both the longest waiting first. */
  readonly #starved = new Map<string, Set<string>>();
  readonly #fly: (item: T) => void;

  constructor(limits: { readonly each: number; readonly all: number }, fly: (item: T) => void) {
    this.#each = limits.each;
    this.#shares = new Shares(limits.all);
    this.#fly = fly;
  }

  get flying(): number {
    return this.#shares.taken;
  }

  wait(key: string, item: T): void {
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = { account: item.account, flying: 0, turn: 0, holding: new Set(), beside: new Set() };
      this.#endpoints.set(key, endpoint);
    }
    (item.holds ? endpoint.holding : endpoint.beside).add(item);
    this.#pump(key, endpoint);
  }

  /** It does not wait any more. */
  leave(key: string, item: T): void {
    const endpoint = this.#endpoints.get(key);
    endpoint?.holding.delete(item);
    endpoint?.beside.delete(item);
    if (endpoint !== undefined) this.#tidy(key, endpoint);
  }

  /** Its request has ended. */
  landed(key: string): void {
    const endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) return;
    endpoint.flying -= 1;
    this.#shares.give(endpoint.account);
    // Each turn that feeds somebody takes a place. An account may have thousands of endpoints that starve, so it is asked once, not they.
    for (let fed = true; fed; ) {
      fed = false;
      for (const account of [...this.#starved.keys()]) fed = this.#feed(account) || fed;
    }
    this.#pump(key, endpoint);
    this.#tidy(key, endpoint);
  }

  /** One place for the endpoint of an account that has starved the longest; `false`: the account gets none. */
  #feed(account: string): boolean {
    const starved = this.#starved.get(account);
    const [key] = starved ?? [];
    if (starved === undefined || key === undefined || !this.#shares.has(account)) return false;
    // Both go to the end, if they starve on.
    this.#starved.delete(account);
    starved.delete(key);
    if (starved.size > 0) this.#starved.set(account, starved);
    const endpoint = this.#endpoints.get(key);
    if (endpoint !== undefined) this.#pump(key, endpoint, 1);
    return true;
  }

  #starves(key: string, { account }: Endpoint<T>): void {
    const starved = this.#starved.get(account);
    if (starved === undefined) this.#starved.set(account, new Set([key]));
    else starved.add(key);
  }

  #pump(key: string, endpoint: Endpoint<T>, most = Number.POSITIVE_INFINITY): void {
    for (let begun = 0; endpoint.flying < this.#each; begun++) {
      const item = next(endpoint);
      if (item === undefined) return;
      if (begun >= most || !this.#shares.take(endpoint.account)) {
        this.#starves(key, endpoint);
        return;
      }
      endpoint.holding.delete(item);
      endpoint.beside.delete(item);
      endpoint.flying += 1;
      endpoint.turn += 1;
      this.#fly(item);
    }
  }

  #tidy(key: string, endpoint: Endpoint<T>): void {
    if (endpoint.flying > 0 || endpoint.holding.size > 0 || endpoint.beside.size > 0) return;
    this.#endpoints.delete(key);
    const starved = this.#starved.get(endpoint.account);
    starved?.delete(key);
    if (starved?.size === 0) this.#starved.delete(endpoint.account);
  }
}

function next<T>({ holding, beside, turn }: Endpoint<T>): T | undefined {
  const [first, second] = turn % BESIDE_TURN === BESIDE_TURN - 1 ? [beside, holding] : [holding, beside];
  return first.values().next().value ?? second.values().next().value;
}
