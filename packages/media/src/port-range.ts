/** Which ports rather not. */
type Avoid = (port: number) => boolean;

/**
 * The UDP ports of the engine. A freed port goes to the end of the queue, and one that somebody still sends to waits as long as there
 * are others, so that late packets of an ended call meet no other call.
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

  /** One port, or `undefined` when the range is used up. Halves of broken pairs go first, so that pairs are left. */
  takeOne(avoid: Avoid = never): number | undefined {
    const single = first(this.#singles, avoid);
    if (single !== undefined && (this.#pairs.length === 0 || !avoid(single)))
      return take(this.#singles, single);
    const pair = this.takePair(avoid);
    if (pair !== undefined) this.#singles.push(pair + 1);
    return pair;
  }

  /** An even port whose successor is also ours, or `undefined`. */
  takePair(avoid: Avoid = never): number | undefined {
    const pair = first(this.#pairs, (port) => avoid(port) || avoid(port + 1));
    return pair === undefined ? undefined : take(this.#pairs, pair);
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

const never: Avoid = () => false;

/** The one that was free for the longest, of those not to avoid if there are any. */
const first = (ports: readonly number[], avoid: Avoid): number | undefined =>
  ports.find((port) => !avoid(port)) ?? ports[0];

function take(ports: number[], port: number): number {
  ports.splice(ports.indexOf(port), 1);
  return port;
}
