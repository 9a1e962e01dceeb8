import type { Ms } from '@sidetone/core';
import type { SchedulePort } from './ports.ts';

/** One frame of audio. */
export const FRAME_MS = 20;
/** Who is later than this lets the packets in first that came meanwhile: the ticks that are made up for are theirs. */
const LATE_MS = FRAME_MS / 2;
/** Ticks made up for after a stall; what is older is skipped rather than sent as a burst. */
const MAX_CATCH_UP = 5;

/**
 * The engine's beat: `call` every 20 ms of the monotonic clock, by absolute deadlines, so that lateness of one tick never
 * delays the next. Forwarding does not wait for it: it only feeds what is played, digits, reports and time-outs.
 */
export class Tick {
  readonly #now: () => Ms;
  readonly #schedule: SchedulePort;
  readonly #call: (now: Ms) => void;
  #due: Ms = 0;
  #cancel: (() => void) | undefined;
  #waited = false;

  constructor(now: () => Ms, schedule: SchedulePort, call: (now: Ms) => void) {
    this.#now = now;
    this.#schedule = schedule;
    this.#call = call;
  }

  start(): void {
    if (this.#cancel !== undefined) return;
    this.#due = this.#now() + FRAME_MS;
    this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel = this.#schedule.at(this.#due, () => this.#run());
  }

  #run(): void {
    const now = this.#now();
    if (now - this.#due > LATE_MS && !this.#waited) {
      this.#waited = true;
      this.#cancel = this.#schedule.at(now, () => this.#run());
      return;
    }
    this.#waited = false;
    // Timers may fire a fraction early; that counts as on time.
    if (now - this.#due > MAX_CATCH_UP * FRAME_MS) {
      this.#due = now - ((now - this.#due) % FRAME_MS);
    }
    do {
      this.#call(this.#due);
      this.#due += FRAME_MS;
    } while (this.#due <= now);
    if (this.#cancel !== undefined) this.#arm();
  }
}
