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
  push(ssrc: number, timestamp: number, payload: Uint8Array, clockRate: number): DtmfDetected | undefined;
  /** A digit whose end packets were all lost: call when nothing came for a while, or audio goes on. */
  flush(): DtmfDetected | undefined;
}

interface Event {
  readonly ssrc: number;
  readonly timestamp: number;
  readonly code: number;
  durationMs: number;
}

/** Ends remembered, so that late duplicates of them are known. */
const REMEMBERED = 8;

/**
 * An event is (SSRC, timestamp, code). Chromium sends some events as three end packets and nothing else, all marked; so
 * neither the marker nor a start packet is needed. The end counts once; its repetitions are known by their key.
 *
 *   idle ──update──▶ sounding ──end──▶ idle (digit)
 *    │                  └──packet of another event──▶ (digit) sounding | idle
 *    └──end──▶ idle (digit)
 */
export function createDtmfDetector(): DtmfDetector {
  let sounding: Event | undefined;
  const ended: Event[] = [];

  const same = (e: Event, ssrc: number, timestamp: number, code: number): boolean =>
    e.ssrc === ssrc && e.timestamp === timestamp && e.code === code;

  const finish = (event: Event): DtmfDetected => {
    ended.push(event);
    if (ended.length > REMEMBERED) ended.shift();
    return { digit: DTMF_DIGITS[event.code]!, durationMs: Math.round(event.durationMs) };
  };

  const flush = (): DtmfDetected | undefined => {
    const event = sounding;
    sounding = undefined;
    return event === undefined ? undefined : finish(event);
  };

  return {
    push(ssrc, timestamp, payload, clockRate) {
      if (payload.length < 4) return undefined;
      const word = readUint32(payload, 0);
      const code = word >>> 24;
      if (code >= DTMF_DIGITS.length || ended.some((e) => same(e, ssrc, timestamp, code))) return undefined;
      const durationMs = ((word & 0xffff) * 1000) / clockRate;
      const end = (word & 0x800000) !== 0;
      let out: DtmfDetected | undefined;
      if (sounding === undefined || !same(sounding, ssrc, timestamp, code)) {
        out = flush();
        sounding = { ssrc, timestamp, code, durationMs };
      }
      sounding.durationMs = Math.max(sounding.durationMs, durationMs);
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
