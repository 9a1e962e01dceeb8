import type { Ms } from '@sidetone/core';
import type { ReportBlock } from './rtcp.ts';

/** Statistics of one received stream (RFC 3550 appendix A.1, A.3, A.8). Mutable; one per SSRC. */
export interface Reception {
  readonly ssrc: number;
  /** One packet. `now` in milliseconds, fractions welcome. `false`: the sequence number is not credible (A.1). */
  receive(sequence: number, timestamp: number, now: Ms): boolean;
  /** The peer's sender report: the middle 32 bits of its NTP stamp (`ntpMiddle`), and when it came. */
  senderReport(ntpMiddle: number, now: Ms): void;
  /** The report block for our next RTCP packet; closes the interval of `fractionLost`. */
  report(now: Ms): ReportBlock;
  readonly packets: number;
  /** Expected minus received, may be negative with duplicates. */
  readonly lost: number;
  readonly jitterMs: number;
}

/** A jump ahead by more is a restart of the source, credible when the next packet confirms it. */
const MAX_DROPOUT = 3000;
/** A packet late by more belongs to another count. */
const MAX_MISORDER = 100;

/**
 * Statistics for `ssrc`. A.1's probation is left out: packets come from an authenticated or latched source, so the first
 * one counts.
 */
export function createReception(ssrc: number, clockRate: number): Reception {
  return new StreamReception(ssrc, clockRate);
}

class StreamReception implements Reception {
  readonly ssrc: number;
  readonly #unitsPerMs: number;
  #base = 0;
  #cycles = 0;
  #highest = 0;
  #packets = 0;
  /** The sequence number that would confirm a jump, or -1. */
  #bad = -1;
  #expectedPrior = 0;
  #receivedPrior = 0;
  #transit = Number.NaN;
  #jitter = 0;
  #lastReport = 0;
  #lastReportAt: Ms = 0;

  constructor(ssrc: number, clockRate: number) {
    this.ssrc = ssrc;
    this.#unitsPerMs = clockRate / 1000;
  }

  get packets(): number {
    return this.#packets;
  }

  get lost(): number {
    return this.#packets === 0 ? 0 : this.#expected() - this.#packets;
  }

  get jitterMs(): number {
    return this.#jitter / this.#unitsPerMs;
  }

  receive(sequence: number, timestamp: number, now: Ms): boolean {
    if (this.#packets === 0) this.#begin(sequence);
    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead < MAX_DROPOUT) {
      if (sequence < this.#highest) this.#cycles += 65_536;
      this.#highest = sequence;
      this.#bad = -1;
    } else if (ahead <= 65_536 - MAX_MISORDER) {
      if (sequence !== this.#bad) {
        this.#bad = (sequence + 1) & 0xffff;
        return false;
      }
      this.#begin(sequence);
    }
    this.#packets++;
    this.#measure(timestamp, now);
    return true;
  }

  senderReport(ntpMiddle: number, now: Ms): void {
    this.#lastReport = ntpMiddle >>> 0;
    this.#lastReportAt = now;
  }

  report(now: Ms): ReportBlock {
    const expected = this.#packets === 0 ? 0 : this.#expected();
    const expectedNow = expected - this.#expectedPrior;
    const lostNow = expectedNow - (this.#packets - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#packets;
    const delay = this.#lastReport === 0 ? 0 : Math.round((now - this.#lastReportAt) * 65.536);
    return {
      ssrc: this.ssrc,
      fractionLost:
        expectedNow <= 0 || lostNow <= 0 ? 0 : Math.min(255, Math.floor((lostNow * 256) / expectedNow)),
      cumulativeLost: Math.min(0x7fffff, Math.max(-0x800000, this.lost)),
      highestSequence: (this.#cycles + this.#highest) >>> 0,
      jitter: Math.floor(this.#jitter),
      lastSenderReport: this.#lastReport,
      delaySinceLast: Math.max(0, delay) >>> 0,
    };
  }

  #expected(): number {
    return this.#cycles + this.#highest - this.#base + 1;
  }

  #begin(sequence: number): void {
    this.#base = sequence;
    this.#highest = sequence;
    this.#cycles = 0;
    this.#bad = -1;
    this.#packets = 0;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#transit = Number.NaN;
  }

  /** A.8: the mean deviation of transit times, smoothed by 1/16. */
  #measure(timestamp: number, now: Ms): void {
    const arrival = now * this.#unitsPerMs;
    const transit = arrival - timestamp;
    if (!Number.isNaN(this.#transit)) {
      // Timestamps wrap at 2^32.
      let d = Math.abs(transit - this.#transit) % 4_294_967_296;
      if (d > 2_147_483_648) d = 4_294_967_296 - d;
      // A jump of over ten seconds is a new start of the clock, not jitter.
      if (d < 10_000 * this.#unitsPerMs) this.#jitter += (d - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}
