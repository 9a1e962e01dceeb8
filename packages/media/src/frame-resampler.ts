import { Resampler } from './resampler.ts';

/** Silence before the first frame, so that each frame in is a frame out: half a filter of any two rates, 1.6 ms. */
const LEAD_S = 0.0016;

/** Frames of 20 ms of one rate in, as many of another out. */
export class FrameResampler {
  readonly #resampler: Resampler;
  readonly #out: Int16Array;
  readonly #lead: number;
  #input: Int16Array | undefined;
  #begun = false;

  constructor(from: number, to: number) {
    this.#resampler = new Resampler(from, to);
    this.#out = new Int16Array(to / 50);
    this.#lead = Math.ceil(from * LEAD_S);
  }

  /** The frame in the other rate, valid until the next. */
  push(frame: Int16Array): Int16Array {
    this.#input = frame;
    this.#resampler.pull(this.#out, this.#read);
    return this.#out;
  }

  /** The stream begins anew. */
  reset(): void {
    this.#resampler.reset();
    this.#begun = false;
  }

  readonly #read = (into: Int16Array): number => {
    if (!this.#begun) {
      this.#begun = true;
      into.fill(0, 0, this.#lead);
      return this.#lead;
    }
    const frame = this.#input;
    if (frame === undefined) return -1;
    this.#input = undefined;
    into.set(frame);
    return frame.length;
  };
}
