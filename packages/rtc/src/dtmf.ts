import { readUint32 } from './rtp.ts';

/** The digits of RFC 4733 §3.2, by event code 0-15. */
export const DTMF_DIGITS = '0123456789*#ABCD';

export interface DtmfDetected {
  readonly digit: string;
  /** The event's length as its packets state it. */
  readonly durationMs: number;
}

/** Recognises digits in telephone-event packets of one leg. */
export interface DtmfDetector {
  /** One packet's payload; a digit exactly once per event, when its end is seen or the next event begins. */
  push(
    ssrc: number,
    timestamp: number,
    payload: Uint8Array,
    clockRate: number,
    marker?: boolean,
  ): DtmfDetected | undefined;
  /** A digit whose end packets were all lost: call when nothing came for a while, or audio goes on. */
  flush(): DtmfDetected | undefined;
}

interface Packet {
  readonly ssrc: number;
  readonly timestamp: number;
  readonly code: number;
  readonly duration: number;
  readonly end: boolean;
  readonly marker: boolean;
}

interface Event {
  readonly ssrc: number;
  readonly code: number;
  readonly clockRate: number;
  /** The timestamps of its segments, the last few; one, if it is no long event. */
  readonly segments: number[];
  /** How far the last segment lies behind the first. */
  before: number;
  /** The longest duration of the whole event so far, in timestamp units. */
  units: number;
  /** Its end was heard, so nothing can follow. */
  over: boolean;
}

/** Ends remembered, so that late duplicates of them are known. */
const REMEMBERED = 8;
/** What the duration field holds: a longer event goes on in segments of this many units. */
const SEGMENT = 0xffff;
/** Chromium begins a segment at the time of its next packet, so up to a packet late. */
const LATE_MS = 120;
/** No loss hides an event for longer than this. */
const LONGEST_GAP_MS = 2000;
const SEGMENTS = 8;

/**
 * An event is (SSRC, timestamp, code). Chromium sends some events as three end packets and nothing else, all marked; so
 * neither the marker nor a start packet is needed. The end counts once; its repetitions are known by their key.
 *
 *   idle ──update──▶ sounding ──end──▶ idle (digit)
 *    │                  └──packet of another event──▶ (digit) sounding | idle
 *    └──end──▶ idle (digit)
 *
 * A long event comes in segments (RFC 4733 §2.5.1.3, §2.5.2): the timestamp advances by 65535, no end was heard, and no marker begins
 * it. Any packets may be lost, those that fill a segment too; what ended for want of packets is still the same event when it goes on.
 */
export function createDtmfDetector(): DtmfDetector {
  /** Of an event that ends with the packet that begins a segment, Chromium marks the end of the one before, too. */
  const isOver = ({ end, duration }: Packet): boolean => end && duration < SEGMENT;
  let sounding: Event | undefined;
  const ended: Event[] = [];

  /** How many segments lie between two timestamps; 0: something else does. */
  const segmentsBetween = (from: number, to: number, clockRate: number): number => {
    const ahead = (to - from) >>> 0;
    const count = Math.floor(ahead / SEGMENT);
    return ahead <= count * (SEGMENT + (LATE_MS * clockRate) / 1000) ? count : 0;
  };

  /** Takes a packet of a known event; `false`: it belongs to another one. */
  const belongs = (e: Event, packet: Packet): boolean => {
    const { ssrc, timestamp, code, duration, marker } = packet;
    if (e.ssrc !== ssrc || e.code !== code) return false;
    const last = e.segments.at(-1)!;
    if (timestamp !== last) {
      if (e.segments.includes(timestamp)) return true;
      // A packet of the segment before the first that was heard came late.
      if (segmentsBetween(timestamp, e.segments[0]!, e.clockRate) === 1) return true;
      if (e.over || marker || segmentsBetween(last, timestamp, e.clockRate) === 0) return false;
      const before = e.before + ((timestamp - last) >>> 0);
      if ((before + duration - e.units) * 1000 > LONGEST_GAP_MS * e.clockRate) return false;
      e.before = before;
      e.segments.push(timestamp);
      if (e.segments.length > SEGMENTS) e.segments.shift();
    }
    e.units = Math.max(e.units, e.before + duration);
    e.over ||= isOver(packet);
    return true;
  };

  const flush = (): DtmfDetected | undefined => {
    const event = sounding;
    if (event === undefined) return undefined;
    sounding = undefined;
    ended.push(event);
    if (ended.length > REMEMBERED) ended.shift();
    const durationMs = Math.round((event.units * 1000) / event.clockRate);
    return { digit: DTMF_DIGITS[event.code]!, durationMs };
  };

  return {
    push(ssrc, timestamp, payload, clockRate, marker = false) {
      if (payload.length < 4) return undefined;
      const word = readUint32(payload, 0);
      const code = word >>> 24;
      if (code >= DTMF_DIGITS.length) return undefined;
      const duration = word & 0xffff;
      const end = (word & 0x800000) !== 0;
      const packet: Packet = { ssrc, timestamp, code, duration, end, marker };
      if (ended.some((e) => belongs(e, packet))) return undefined;
      let out: DtmfDetected | undefined;
      if (sounding === undefined || !belongs(sounding, packet)) {
        out = flush();
        // Another event has begun: none before it goes on.
        for (const e of ended) e.over = true;
        sounding = {
          ssrc,
          code,
          clockRate,
          segments: [timestamp],
          before: 0,
          units: duration,
          over: isOver(packet),
        };
      }
      // With two digits in one packet (the first lost its ends) the second is reported by its next end packet.
      return out ?? (end ? flush() : undefined);
    },
    flush,
  };
}

/** Writes the 4-byte payload of RFC 4733 §2.3 at `offset`, at -10 dBm0. `duration` in timestamp units, capped at 65,535. */
export function writeTelephoneEvent(
  packet: Uint8Array,
  offset: number,
  event: number,
  end: boolean,
  duration: number,
): void {
  const units = Math.min(0xffff, Math.max(0, Math.round(duration)));
  packet[offset] = event;
  packet[offset + 1] = (end ? 0x80 : 0) | 10;
  packet[offset + 2] = units >> 8;
  packet[offset + 3] = units;
}
