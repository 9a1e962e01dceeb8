import type { Outlet } from './outlet.ts';
import type { Hearer, Sink } from './sink.ts';

/** Recordings of a leg, as far as they are sinks. */
interface Recorded {
  readonly inbound: readonly Hearer[];
  readonly outbound: readonly Sink[];
}

/**
 * Who is given a leg's packets, and who is given what its peer hears. Lists are replaced by wishes and never changed, so that a packet meets
 * an array.
 */
export class Sinks<Peer extends Hearer> {
  /** Of what the peer says: all that a packet is given to. */
  inbound: readonly Hearer[] = [];
  /** Legs that hear this one. */
  hearers: readonly Peer[] = [];
  ears: Hearer | undefined;
  recorded: Recorded | undefined;
  readonly #outlet: Outlet;
  #taps: readonly Hearer[] = [];
  #outTaps: readonly Sink[] = [];

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** One of the others has changed. */
  settle(): void {
    const ears = this.ears === undefined ? [] : [this.ears];
    this.inbound = [...this.hearers, ...ears, ...this.#taps, ...(this.recorded?.inbound ?? [])];
    this.#outlet.sinks = [...this.#outTaps, ...(this.recorded?.outbound ?? [])];
  }

  tap(tap: Hearer, on: boolean): void {
    const others = this.#taps.filter((other) => other !== tap);
    this.#taps = on ? [...others, tap] : others;
    this.settle();
  }

  tapOut(tap: Sink, on: boolean): void {
    const others = this.#outTaps.filter((other) => other !== tap);
    this.#outTaps = on ? [...others, tap] : others;
    this.settle();
  }
}
