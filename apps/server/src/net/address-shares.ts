import { isLoopbackAddress, networkOf } from '@sidetone/core';

/**
 * How many connections one address may hold at a time, so that a single stranger cannot take every place; in IPv6 that is a /64, in which
 * a host has as many addresses as it likes. This machine's own
 * addresses are not counted: a reverse proxy in front of us speaks for everybody.
 */
export class AddressShares {
  readonly #most: number;
  readonly #held = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes a place for this address; `false`: it has its share already. */
  take(address: string): boolean {
    if (isLoopbackAddress(address)) return true;
    const network = networkOf(address);
    const held = this.#held.get(network) ?? 0;
    if (held >= this.#most) return false;
    this.#held.set(network, held + 1);
    return true;
  }

  /** Gives a place back that `take` has granted. */
  give(address: string): void {
    const network = networkOf(address);
    const held = this.#held.get(network);
    if (held === undefined) return;
    if (held > 1) this.#held.set(network, held - 1);
    else this.#held.delete(network);
  }

  /** Addresses that hold a place. */
  get size(): number {
    return this.#held.size;
  }
}
