import { FRAME_MS } from './tick.ts';

/**
 * Sends digits as RFC 4733 events, one step a tick:
 *
 *   idle ──digit──▶ sounding ──duration over──▶ ending (end packet three times) ──▶ gap ──▶ idle | next digit
 *
 * Every update carries the whole duration so far (§2.5.1.2); the end is sent three times, a tick apart, so that a burst
 * of loss does not swallow it (§2.5.1.4). Audio is suppressed from the first packet of an event to the last.
 */

export interface Digit {
  readonly digit: string;
  readonly durationMs: number;
  readonly gapMs: number;
}

export const DIGITS = '0123456789*#ABCD';
const END_PACKETS = 3;
/** So many digits may wait: more than anyone dials, less than a peer could pile up. */
const MAX_WAITING = 128;

/** Carries out a step. `elapsedMs` is the event's duration so far. */
export type DigitStep = (digit: string, elapsedMs: number, first: boolean, end: boolean) => void;

export class DigitSender {
  readonly #waiting: Digit[] = [];
  #current: Digit | undefined;
  #elapsed = 0;
  #ends = 0;
  #gap = 0;

  /** Is a digit sounding, so that audio must not be sent? */
  get busy(): boolean {
    return this.#current !== undefined && this.#ends < END_PACKETS;
  }

  /** Is there nothing to send, so that a tick would do nothing? */
  get idle(): boolean {
    return this.#current === undefined && this.#waiting.length === 0;
  }

  /** Queues one digit; `false`: the queue is full. */
  add(digit: string, durationMs: number, gapMs: number): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push({ digit, durationMs: clamp(durationMs, 40, 6000), gapMs: clamp(gapMs, 60, 6000) });
    return true;
  }

  /** One tick. Returns whether audio is suppressed in it. */
  tick(step: DigitStep): boolean {
    if (this.#current === undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) return false;
      this.#current = next;
      this.#elapsed = 0;
      this.#ends = 0;
      this.#gap = next.gapMs;
    }
    const { digit, durationMs } = this.#current;
    if (this.#ends === 0) {
      const first = this.#elapsed === 0;
      this.#elapsed += FRAME_MS;
      const end = this.#elapsed >= durationMs;
      if (end) this.#ends = 1;
      step(digit, this.#elapsed, first, end);
      return true;
    }
    this.#gap -= FRAME_MS;
    if (this.#ends < END_PACKETS) {
      this.#ends++;
      step(digit, this.#elapsed, false, true);
      return true;
    }
    if (this.#gap <= 0) this.#current = undefined;
    return false;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, Math.round(value))) : least;
}
