import { onAbort } from './abort.ts';
import type { Environment } from './environment.ts';
import type { WarningName } from './errors.ts';
import { frameOf, type StatsFrame } from './quality.ts';
import { type Listening, NO_QUALITY, type QualityState, stepQuality } from './quality-machine.ts';

const EVERY_MS = 1_000;
/** An hour of seconds. */
const MOST_FRAMES = 3_600;

/** What a monitor needs of its call. */
export interface Monitored {
  /** `undefined` without media. */
  stats(): Promise<RTCStatsReport> | undefined;
  listening(): Listening;
  frame(frame: StatsFrame): void;
  warn(name: WarningName): void;
}

/** Looks at the statistics of a call every second, from its first media to its end. */
export class CallMonitor {
  readonly frames: { readonly at: number; readonly frame: StatsFrame }[] = [];
  readonly #env: Environment;
  readonly #stamp: () => number;
  readonly #call: Monitored;
  #quality: QualityState = NO_QUALITY;
  #cancel: (() => void) | undefined;
  #readers = new Set<(frame: StatsFrame | undefined) => void>();
  #ended = false;

  /** @param stamp the time of day of a frame */
  constructor(env: Environment, stamp: () => number, call: Monitored) {
    this.#env = env;
    this.#stamp = stamp;
    this.#call = call;
  }

  start(): void {
    if (this.#cancel === undefined && !this.#ended) this.#wait();
  }

  stop(): void {
    this.#ended = true;
    this.#cancel?.();
    for (const read of this.#readers) read(undefined);
    this.#readers.clear();
  }

  /** The media was made anew: its counters begin at nothing. */
  restart(): void {
    this.#quality = NO_QUALITY;
  }

  /** Frames from now on; ends with the call, or by the signal. A slow reader misses frames, it never delays them. */
  async *read(signal: AbortSignal | undefined): AsyncGenerator<StatsFrame, void, undefined> {
    while (!this.#ended && signal?.aborted !== true) {
      const frame = await new Promise<StatsFrame | undefined>((resolve) => {
        const done = (next: StatsFrame | undefined): void => {
          this.#readers.delete(done);
          deaf();
          resolve(next);
        };
        const deaf = onAbort(signal, () => done(undefined));
        this.#readers.add(done);
      });
      if (frame === undefined) return;
      yield frame;
    }
  }

  #wait(): void {
    this.#cancel = this.#env.after(EVERY_MS, () => {
      this.#wait();
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    const report = await this.#call.stats()?.catch(() => undefined);
    if (report === undefined || this.#ended) return;
    const frame = frameOf(report.values(), this.#quality.before);
    const step = stepQuality(this.#quality, frame, this.#env.now(), this.#call.listening());
    this.#quality = step.state;
    if (this.frames.length < MOST_FRAMES) this.frames.push({ at: this.#stamp(), frame });
    this.#call.frame(frame);
    for (const name of step.warnings) this.#call.warn(name);
    for (const read of [...this.#readers]) read(frame);
  }
}
