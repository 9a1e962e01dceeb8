import type { Ms } from '@sidetone/core';

/** Packets of sequence-number memory against duplicates; the SRTP layer has its own, plain RTP only this one. */
const WINDOW = 128;
/** RFC 3550 appendix A.1. */
const MAX_DROPOUT = 3000;

/**
 * What is known of the one stream that a peer sends: sequence state, loss and jitter (RFC 3550 §6.4.1, A.3, A.8). A new
 * SSRC of the same, approved source is a new stream and starts again; the counts of a call go on.
 */
export class StreamIn {
  /** Of the packet just accepted. */
  ssrc = 0;
  packets = 0;
  octets = 0;
  /** Changes with every restart of the sender, so that relays re-anchor. */
  generation = 0;
  lastAt: Ms | undefined;
  firstAt: Ms | undefined;

  #started = false;
  #base = 0;
  #highest = 0;
  #cycles = 0;
  #receivedHere = 0;
  #lostBefore = 0;
  #jitter = 0;
  #transit: number | undefined;
  #clock = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  readonly #seen = new Int32Array(WINDOW).fill(-1);

  /** Takes the numbers of a packet; `false`: a duplicate or too old, to be dropped. `rate` 0: no timing to be learned. */
  accept(ssrc: number, seq: number, timestamp: number, octets: number, rate: number, now: Ms): boolean {
    if (!this.#started || ssrc !== this.ssrc) this.#restart(ssrc, seq);
    let ahead = ((seq - this.#highest) << 16) >> 16;
    if (ahead > MAX_DROPOUT || ahead < -MAX_DROPOUT) {
      this.#restart(ssrc, seq);
      ahead = 0;
    }
    if (ahead <= -WINDOW) return false;
    const slot = seq % WINDOW;
    if (this.#seen[slot] === seq && this.#receivedHere > 0) return false;
    this.#seen[slot] = seq;
    if (ahead > 0) {
      if (seq < this.#highest) this.#cycles += 0x10000;
      this.#highest = seq;
    }
    this.#receivedHere++;
    this.packets++;
    this.octets += octets;
    this.lastAt = now;
    this.firstAt ??= now;
    if (rate === 0) return true;
    // A clock change makes two transit times incomparable.
    if (this.#clock !== rate) {
      this.#jitter = this.#clock === 0 ? 0 : (this.#jitter * rate) / this.#clock;
      this.#clock = rate;
      this.#transit = undefined;
    }
    const transit = (Math.round((now * rate) / 1000) - timestamp) | 0;
    if (this.#transit !== undefined) {
      const change = Math.abs((transit - this.#transit) | 0);
      if (change < rate * 10) this.#jitter += (change - this.#jitter) / 16;
    }
    this.#transit = transit;
    return true;
  }

  get extendedHighest(): number {
    return (this.#cycles + this.#highest) >>> 0;
  }

  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#expected - this.#receivedHere);
  }

  /** In timestamp units. */
  get jitter(): number {
    return Math.round(this.#jitter);
  }

  get jitterMs(): number {
    return this.#clock === 0 ? 0 : (this.#jitter * 1000) / this.#clock;
  }

  /** The fraction lost since the last call, in 1/256 (RFC 3550 A.3). */
  takeFractionLost(): number {
    const expected = this.#expected - this.#expectedPrior;
    const received = this.#receivedHere - this.#receivedPrior;
    this.#expectedPrior = this.#expected;
    this.#receivedPrior = this.#receivedHere;
    const lost = expected - received;
    return expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected));
  }

  get #expected(): number {
    return this.#started ? this.#cycles + this.#highest - this.#base + 1 : 0;
  }

  #restart(ssrc: number, seq: number): void {
    this.#lostBefore = this.lost;
    this.#started = true;
    this.ssrc = ssrc;
    this.#base = seq;
    this.#highest = seq;
    this.#cycles = 0;
    this.#receivedHere = 0;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#transit = undefined;
    this.#seen.fill(-1);
    this.generation++;
  }
}
