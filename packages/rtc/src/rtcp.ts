import type { Ms, Result } from '@sidetone/core';

/** RFC 3550 §6.4.1. */
export interface ReportBlock {
  readonly ssrc: number;
  /** 0-255, in 1/256. */
  readonly fractionLost: number;
  /** Signed 24 bits. */
  readonly cumulativeLost: number;
  readonly highestSequence: number;
  /** In timestamp units. */
  readonly jitter: number;
  /** Middle 32 bits of the last sender report's NTP stamp; 0: none. */
  readonly lastSenderReport: number;
  /** In 1/65536 s. */
  readonly delaySinceLast: number;
}

export interface SenderInfo {
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly rtpTimestamp: number;
  readonly packets: number;
  readonly octets: number;
}

export type RtcpPacket =
  | {
      readonly type: 'sr';
      readonly ssrc: number;
      readonly sender: SenderInfo;
      readonly blocks: readonly ReportBlock[];
    }
  | { readonly type: 'rr'; readonly ssrc: number; readonly blocks: readonly ReportBlock[] }
  | {
      readonly type: 'sdes';
      readonly chunks: readonly { readonly ssrc: number; readonly cname: string | null }[];
    }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[] }
  /** RTPFB (RFC 4585 §6.2) and PSFB (§6.3): `format` is the FMT field. */
  | {
      readonly type: 'rtpfb' | 'psfb';
      readonly format: number;
      readonly ssrc: number;
      readonly media: number;
    }
  | { readonly type: 'other'; readonly packetType: number };

export type RtcpError = 'too-short' | 'bad-version' | 'bad-length' | 'bad-packet' | 'too-many';

/** Reads a compound packet (or a reduced-size one, RFC 5506) from `packet[0..length)`. Total; at most 32 packets. */
export function parseRtcp(packet: Uint8Array, length: number): Result<readonly RtcpPacket[], RtcpError> {
  throw new Error(String(packet) + length);
}

export interface ReportDraft {
  readonly ssrc: number;
  readonly cname: string;
  /** With it a sender report, without it a receiver report. */
  readonly sender: SenderInfo | null;
  /** At most 31. */
  readonly blocks: readonly ReportBlock[];
  /** Ends the compound with a BYE. */
  readonly bye?: boolean;
}

/** Writes SR or RR, SDES with CNAME, and BYE if wanted, at the start of `packet`. The length, or -1 without room. */
export function writeReport(packet: Uint8Array, draft: ReportDraft): number {
  throw new Error(String(packet) + draft);
}

/** An NTP stamp for a sender report from any clock in milliseconds; only differences matter to receivers. */
export function ntpFrom(ms: Ms): { readonly ntpSeconds: number; readonly ntpFraction: number } {
  throw new Error(String(ms));
}

/** Round-trip time in milliseconds from a block about our stream, on the clock given to `ntpFrom`; `null`: unknown. */
export function roundTrip(block: ReportBlock, now: Ms): number | null {
  throw new Error(String(block) + now);
}
