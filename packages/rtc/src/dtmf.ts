/** The digits of RFC 4733 §3.2, by event code 0-15. */
export const DTMF_DIGITS = '0123456789*#ABCD';

export interface DtmfDetected {
  readonly digit: string;
  /** At the end packet: the whole length. */
  readonly durationMs: number;
}

/** Recognises digits in telephone-event packets of one leg. */
export interface DtmfDetector {
  /** One packet's payload; a digit exactly once per event, when its end is seen or the next event begins. */
  push(ssrc: number, timestamp: number, payload: Uint8Array, clockRate: number): DtmfDetected | undefined;
  /** A digit whose end packets were all lost: call when nothing came for a while, or audio goes on. */
  flush(): DtmfDetected | undefined;
}

export function createDtmfDetector(): DtmfDetector {
  throw new Error();
}

/** Writes the 4-byte payload of RFC 4733 §2.3 at `offset`. `duration` in timestamp units, capped at 65,535. */
export function writeTelephoneEvent(
  packet: Uint8Array,
  offset: number,
  event: number,
  end: boolean,
  duration: number,
): void {
  throw new Error(String([packet, offset, event, end, duration]));
}
