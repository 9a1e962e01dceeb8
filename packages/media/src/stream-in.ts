import type { Ms } from '@sidetone/core';
import { createReception, type Reception } from '@sidetone/rtc';

/** Packets of sequence-number memory against duplicates; the SRTP layer has its own, plain RTP only this one. */
const WINDOW = 128;
/** RFC 3550 appendix A.1: a jump this far is a restart of the sender. */
const MAX_DROPOUT = 3000;

/**
 * What is known of the one stream that a peer sends. A new SSRC of the same, approved source is a new stream and starts
 * again; the counts of the call go on.
 */
export class StreamIn {
  packets = 0;
  octets = 0;
  /** Changes with every restart of the sender, so that relays re-anchor. */
  generation = 0;
  lastAt: Ms | undefined;
  #reception: Reception | undefined;
  #clockRate = 0;
  #lostBefore = 0;
  #highest = 0;
  readonly #seen = new Int32Array(WINDOW).fill(-1);

  /**
   * Takes the numbers of a packet; `false`: a duplicate or too old, to be dropped. `timed`: its timestamp says when it was
   * sampled (that of a telephone-event does not).
   */
  accept(
    ssrc: number,
    sequence: number,
    timestamp: number,
    octets: number,
    clockRate: number,
    timed: boolean,
    now: Ms,
  ): boolean {
    let ahead = ((sequence - this.#highest) << 16) >> 16;
    const known = this.#reception !== undefined && this.#reception.ssrc === ssrc;
    if (!known || ahead > MAX_DROPOUT || ahead < -MAX_DROPOUT || (timed && clockRate !== this.#clockRate)) {
      this.#restart(ssrc, clockRate, sequence);
      ahead = 0;
    }
    if (ahead <= -WINDOW) return false;
    const slot = sequence % WINDOW;
    if (this.#seen[slot] === sequence) return false;
    this.#seen[slot] = sequence;
    if (ahead > 0) this.#highest = sequence;
    this.packets++;
    this.octets += octets;
    this.lastAt = now;
    // An event's packets count for loss at the time they would have had as audio: no jitter comes of it.
    this.#reception!.receive(sequence, timed ? timestamp : Math.round((now * clockRate) / 1000) >>> 0, now);
    return true;
  }

  get reception(): Reception | undefined {
    return this.#reception;
  }

  get lost(): number {
    return this.#lostBefore + Math.max(0, this.#reception?.lost ?? 0);
  }

  #restart(ssrc: number, clockRate: number, sequence: number): void {
    this.#lostBefore = this.lost;
    this.#reception = createReception(ssrc, clockRate);
    this.#clockRate = clockRate;
    this.#highest = sequence;
    this.#seen.fill(-1);
    this.generation++;
  }
}
