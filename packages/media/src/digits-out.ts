import type { Ms } from '@sidetone/core';
import { DTMF_DIGITS, writeTelephoneEvent } from '@sidetone/rtc';
import { clockRate, type PcmEncoder, pcmEncoder } from './codec.ts';
import { DigitSender } from './digit-sender.ts';
import type { LegWorld } from './leg-world.ts';
import { type Outlet, TONES } from './outlet.ts';
import { renderDigit } from './synth.ts';

/** The longest duration that one event packet can state (RFC 4733 §2.3.4), in units of its clock. */
const EVENT_SEGMENT = 0xffff;
/** In-band digits are telephone audio. */
const DIGIT_RATE = 8000;
const DIGIT_FRAME = DIGIT_RATE / 50;

/** The digits that a leg's peer is sent: as telephone-events, or as tones to who has not agreed to those. */
export class DigitsOut {
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  readonly #sender = new DigitSender();
  /** When a digit last sounded as a tone. */
  toneAt: Ms | undefined;
  /** Of the event being sent. */
  #segment = 0;
  #tones: PcmEncoder | undefined;
  readonly #tonePcm = new Int16Array(DIGIT_FRAME);
  #lastElapsed = 0;

  constructor(outlet: Outlet, world: LegWorld) {
    this.#outlet = outlet;
    this.#world = world;
  }

  /** Queues one digit; `false`: the queue is full. */
  add(digit: string, durationMs: number, gapMs: number): boolean {
    return this.#sender.add(digit, durationMs, gapMs);
  }

  /** One tick. Returns whether audio is suppressed in it. */
  tick(): boolean {
    if (this.#sender.idle) return false;
    const suppressed = this.#sender.tick(this.#step);
    this.#outlet.digit = this.#sender.busy;
    return suppressed;
  }

  /** Codec or direction changed. */
  reset(): void {
    this.#tones?.free();
    this.#tones = undefined;
  }

  readonly #step = (digit: string, elapsedMs: number, first: boolean, end: boolean): void => {
    const how = this.#outlet.negotiated?.dtmf.send;
    const now = this.#world.now();
    if (how === null || how === undefined) return this.#tone(digit, elapsedMs, first, end, now);
    const units = Math.round((elapsedMs * how.clockRate) / 1000);
    if (first) this.#segment = 0;
    // RFC 4733 §2.5.1.3: a segment that is full is told to its end, and the next one begins.
    while (units - this.#segment * EVENT_SEGMENT > EVENT_SEGMENT) {
      this.#event(digit, EVENT_SEGMENT, false, false, how.clockRate, now);
      this.#segment++;
    }
    this.#event(digit, units - this.#segment * EVENT_SEGMENT, first, end, how.clockRate, now);
  };

  #event(digit: string, units: number, first: boolean, end: boolean, clock: number, now: Ms): void {
    const rate = clockRate(this.#outlet.codec!);
    const offset = Math.round((this.#segment * EVENT_SEGMENT * rate) / clock);
    this.#outlet.event(first, now, offset, (payload) =>
      writeTelephoneEvent(payload, 0, DTMF_DIGITS.indexOf(digit), end, units),
    );
  }

  /** The repeated ends carry nothing. */
  #tone(digit: string, elapsedMs: number, first: boolean, end: boolean, now: Ms): void {
    const outlet = this.#outlet;
    this.toneAt = now;
    if (first) this.#tones ??= pcmEncoder(outlet.codec!, DIGIT_RATE, this.#world.opus, outlet.limits);
    if (end && !first && elapsedMs === this.#lastElapsed) return;
    this.#lastElapsed = end ? elapsedMs : 0;
    renderDigit(digit, (elapsedMs / 20 - 1) * DIGIT_FRAME, this.#tonePcm);
    const frame = this.#tones?.encode(this.#tonePcm);
    if (frame !== undefined) outlet.frame(frame, TONES, now);
  }
}
