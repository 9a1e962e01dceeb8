import { err, type Ms, ok, type Result } from '@sidetone/core';
import { readUint32, writeUint32 } from './rtp.ts';

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

const MAX_PACKETS = 32;
const SR = 200;
const RR = 201;
const SDES = 202;
const BYE = 203;
const RTPFB = 205;
const PSFB = 206;
const BLOCK = 24;
const CNAME = 1;

/** Reads a compound packet (or a reduced-size one, RFC 5506) from `packet[0..length)`. Total; at most 32 packets. */
export function parseRtcp(packet: Uint8Array, length: number): Result<readonly RtcpPacket[], RtcpError> {
  if (length < 4 || length > packet.length) return err('too-short');
  const out: RtcpPacket[] = [];
  for (let at = 0; at < length; ) {
    if (at + 4 > length) return err('bad-length');
    const first = packet[at]!;
    if (first >> 6 !== 2) return err('bad-version');
    const end = at + 4 + 4 * ((packet[at + 2]! << 8) | packet[at + 3]!);
    if (end > length) return err('bad-length');
    if (out.length === MAX_PACKETS) return err('too-many');
    const padding = (first & 0x20) !== 0 ? packet[end - 1]! : 0;
    const body = packet.subarray(at + 4, Math.max(at + 4, end - padding));
    const read = readOne(packet[at + 1]!, first & 0x1f, body);
    if (read === null) return err('bad-packet');
    out.push(read);
    at = end;
  }
  return ok(out);
}

function readOne(packetType: number, count: number, body: Uint8Array): RtcpPacket | null {
  switch (packetType) {
    case SR: {
      if (body.length < 24 + count * BLOCK) return null;
      const sender = {
        ntpSeconds: readUint32(body, 4),
        ntpFraction: readUint32(body, 8),
        rtpTimestamp: readUint32(body, 12),
        packets: readUint32(body, 16),
        octets: readUint32(body, 20),
      };
      return { type: 'sr', ssrc: readUint32(body, 0), sender, blocks: readBlocks(body, 24, count) };
    }
    case RR:
      if (body.length < 4 + count * BLOCK) return null;
      return { type: 'rr', ssrc: readUint32(body, 0), blocks: readBlocks(body, 4, count) };
    case SDES:
      return readSdes(body, count);
    case BYE:
      if (body.length < 4 * count) return null;
      return { type: 'bye', ssrcs: Array.from({ length: count }, (_, i) => readUint32(body, 4 * i)) };
    case RTPFB:
    case PSFB:
      if (body.length < 8) return null;
      return {
        type: packetType === RTPFB ? 'rtpfb' : 'psfb',
        format: count,
        ssrc: readUint32(body, 0),
        media: readUint32(body, 4),
      };
    default:
      return { type: 'other', packetType };
  }
}

function readBlocks(body: Uint8Array, from: number, count: number): ReportBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const at = from + i * BLOCK;
    return {
      ssrc: readUint32(body, at),
      fractionLost: body[at + 4]!,
      cumulativeLost: (readUint32(body, at + 4) << 8) >> 8,
      highestSequence: readUint32(body, at + 8),
      jitter: readUint32(body, at + 12),
      lastSenderReport: readUint32(body, at + 16),
      delaySinceLast: readUint32(body, at + 20),
    };
  });
}

const utf8 = new TextDecoder();

/** §6.5: chunks of items, each chunk ended by zero bytes up to a word's end. */
function readSdes(body: Uint8Array, count: number): RtcpPacket | null {
  const chunks: { ssrc: number; cname: string | null }[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > body.length) return null;
    const ssrc = readUint32(body, at);
    let cname: string | null = null;
    at += 4;
    while (at < body.length && body[at] !== 0) {
      const end = at + 2 + (body[at + 1] ?? 0);
      if (at + 2 > body.length || end > body.length) return null;
      if (body[at] === CNAME) cname = utf8.decode(body.subarray(at + 2, end));
      at = end;
    }
    if (at >= body.length) return null;
    at = (at + 4) & ~3;
    chunks.push({ ssrc, cname });
  }
  return { type: 'sdes', chunks };
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

const text = new TextEncoder();

/** Writes SR or RR, SDES with CNAME, and BYE if wanted, at the start of `packet`. The length, or -1 without room. */
export function writeReport(packet: Uint8Array, draft: ReportDraft): number {
  const blocks = draft.blocks.slice(0, 31);
  const cname = text.encode(draft.cname).subarray(0, 255);
  const reportSize = (draft.sender === null ? 8 : 28) + blocks.length * BLOCK;
  // SSRC, item header, text, and at least one zero byte.
  const sdesSize = 4 + ((4 + 2 + cname.length + 4) & ~3);
  const total = reportSize + sdesSize + (draft.bye ? 8 : 0);
  if (packet.length < total) return -1;
  packet.fill(0, 0, total);

  let at = writeHead(packet, 0, blocks.length, draft.sender === null ? RR : SR, reportSize, draft.ssrc);
  if (draft.sender !== null) {
    const { ntpSeconds, ntpFraction, rtpTimestamp, packets, octets } = draft.sender;
    for (const word of [ntpSeconds, ntpFraction, rtpTimestamp, packets, octets]) {
      writeUint32(packet, at, word);
      at += 4;
    }
  }
  for (const block of blocks) {
    writeUint32(packet, at, block.ssrc);
    writeUint32(packet, at + 4, (block.fractionLost << 24) | (block.cumulativeLost & 0xffffff));
    writeUint32(packet, at + 8, block.highestSequence);
    writeUint32(packet, at + 12, block.jitter);
    writeUint32(packet, at + 16, block.lastSenderReport);
    writeUint32(packet, at + 20, block.delaySinceLast);
    at += BLOCK;
  }
  const item = writeHead(packet, at, 1, SDES, sdesSize, draft.ssrc);
  packet[item] = CNAME;
  packet[item + 1] = cname.length;
  packet.set(cname, item + 2);
  at += sdesSize;
  if (draft.bye) at = writeHead(packet, at, 1, BYE, 8, draft.ssrc);
  return at;
}

/** Header and first SSRC; the offset behind them. */
function writeHead(
  packet: Uint8Array,
  at: number,
  count: number,
  type: number,
  size: number,
  ssrc: number,
): number {
  packet[at] = 0x80 | count;
  packet[at + 1] = type;
  packet[at + 2] = (size / 4 - 1) >> 8;
  packet[at + 3] = size / 4 - 1;
  writeUint32(packet, at + 4, ssrc);
  return at + 8;
}

/** An NTP stamp for a sender report from any clock in milliseconds; only differences matter to receivers. */
export function ntpFrom(ms: Ms): { readonly ntpSeconds: number; readonly ntpFraction: number } {
  const seconds = Math.floor(ms / 1000);
  return { ntpSeconds: seconds >>> 0, ntpFraction: Math.floor((ms / 1000 - seconds) * 4_294_967_296) >>> 0 };
}

/** The middle 32 bits of an NTP stamp (§4): seconds and fraction, 16 bits each. */
export function ntpMiddle(stamp: { readonly ntpSeconds: number; readonly ntpFraction: number }): number {
  return ((stamp.ntpSeconds << 16) | (stamp.ntpFraction >>> 16)) >>> 0;
}

/** Round-trip time in milliseconds from a block about our stream, on the clock given to `ntpFrom`; `null`: unknown. */
export function roundTrip(block: ReportBlock, now: Ms): number | null {
  if (block.lastSenderReport === 0) return null;
  const units = (ntpMiddle(ntpFrom(now)) - block.lastSenderReport - block.delaySinceLast) | 0;
  // Clocks tick apart by a rounding; anything longer than a minute is nonsense.
  if (units < -66 || units > 60 * 65_536) return null;
  return Math.max(0, units) / 65.536;
}
