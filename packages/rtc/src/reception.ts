import type { Ms } from '@sidetone/core';
import type { ReportBlock } from './rtcp.ts';

/** Statistics of one received stream (RFC 3550 appendix A.1, A.3, A.8). Mutable; one per SSRC. */
export interface Reception {
  readonly ssrc: number;
  /** One packet. `now` in milliseconds, fractions welcome. `false`: the sequence number is not yet credible (A.1). */
  receive(sequence: number, timestamp: number, now: Ms): boolean;
  /** The peer's sender report: the middle 32 bits of its NTP stamp, and when it came. */
  senderReport(ntpMiddle: number, now: Ms): void;
  /** The report block for our next RTCP packet; closes the interval of `fractionLost`. */
  report(now: Ms): ReportBlock;
  readonly packets: number;
  /** Expected minus received, may be negative with duplicates. */
  readonly lost: number;
  readonly jitterMs: number;
}

export function createReception(ssrc: number, clockRate: number): Reception {
  throw new Error(String(ssrc + clockRate));
}
