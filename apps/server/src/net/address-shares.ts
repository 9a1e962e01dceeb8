/**
 * How many connections one address may hold at a time, so that a single stranger cannot take every place. This machine's own
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
    if (isOwn(address)) return true;
    const held = this.#held.get(address) ?? 0;
    if (held >= this.#most) return false;
    this.#held.set(address, held + 1);
    return true;
  }

  /** Gives a place back that `take` has granted. */
  give(address: string): void {
    const held = this.#held.get(address);
    if (held === undefined) return;
    if (held > 1) this.#held.set(address, held - 1);
    else this.#held.delete(address);
  }

  /** Addresses that hold a place. */
  get size(): number {
    return this.#held.size;
  }
}

const isOwn = (address: string): boolean => address === '::1' || address.startsWith('127.');
