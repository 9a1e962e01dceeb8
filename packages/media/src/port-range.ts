/** So many halves of broken pairs may rest before one is used again. */
const RESTING = 16;

/**
 * The UDP ports of the engine. A freed port goes to the end of the queue, so that late packets of an ended call meet a
 * closed port, not the next call.
 */
export class PortRange {
  readonly #pairs: number[] = [];
  readonly #singles: number[] = [];

  /** `first`..`last` inclusive. Even ports start a pair (RFC 3550 §11: RTP even, RTCP the odd one above). */
  constructor(first: number, last: number) {
    for (let port = first + (first & 1); port + 1 <= last; port += 2) this.#pairs.push(port);
  }

  /** Ports not handed out. */
  get free(): number {
    return this.#pairs.length * 2 + this.#singles.length;
  }

  /** One port, or `undefined` when the range is used up. */
  takeOne(): number | undefined {
    if (this.#singles.length > RESTING || this.#pairs.length === 0) return this.#singles.shift();
    const pair = this.#pairs.shift()!;
    this.#singles.push(pair + 1);
    return pair;
  }

  /** An even port whose successor is also ours, or `undefined`. */
  takePair(): number | undefined {
    return this.#pairs.shift();
  }

  giveOne(port: number): void {
    const sibling = this.#singles.indexOf(port ^ 1);
    if (sibling < 0) {
      this.#singles.push(port);
      return;
    }
    this.#singles.splice(sibling, 1);
    this.#pairs.push(port & ~1);
  }

  givePair(port: number): void {
    this.#pairs.push(port);
  }
}
