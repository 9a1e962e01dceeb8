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
  /** Have something to ask and a place of their own, but none of the common ones; the longest waiting first. */
  readonly #starved = new Set<string>();
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
    for (const other of [...this.#starved]) {
      this.#starved.delete(other);
      const starved = this.#endpoints.get(other);
      if (starved !== undefined) this.#pump(other, starved, 1);
      if (!this.#free) break;
    }
    this.#pump(key, endpoint);
    this.#tidy(key, endpoint);
  }

  get #free(): boolean {
    return this.#shares.has('');
  }

  #pump(key: string, endpoint: Endpoint<T>, most = Number.POSITIVE_INFINITY): void {
    for (let begun = 0; endpoint.flying < this.#each; begun++) {
      const item = next(endpoint);
      if (item === undefined) return;
      if (begun >= most || !this.#shares.take(endpoint.account)) {
        this.#starved.add(key);
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
    this.#starved.delete(key);
  }
}

function next<T>({ holding, beside, turn }: Endpoint<T>): T | undefined {
  const [first, second] = turn % BESIDE_TURN === BESIDE_TURN - 1 ? [beside, holding] : [holding, beside];
  return first.values().next().value ?? second.values().next().value;
}
