import { frameResampler } from '../frame-resampler.ts';
import type { Pcm } from '../overlay.ts';
import type { NoFrame } from '../sound-feed.ts';
import type { SpeechQueue } from './speech-queue.ts';

/** What the other end of a stream says, as one leg's peer hears it: mixed into whatever else that is. */
export class Voice implements Pcm {
  readonly #queue: SpeechQueue;
  #rate = 0;
  #resample: ((frame: Int16Array) => void) | undefined;
  #made: Int16Array[] = [];

  constructor(queue: SpeechQueue) {
    this.#queue = queue;
  }

  get speaks(): boolean {
    return this.#queue.speaks;
  }

  pcm(rate: number): Int16Array | NoFrame {
    const frame = this.#queue.frame();
    if (rate === this.#queue.rate) return frame;
    if (rate !== this.#rate || this.#resample === undefined) {
      this.#rate = rate;
      this.#made = [];
      this.#resample = frameResampler(this.#queue.rate, rate, (made) => this.#made.push(made));
    }
    this.#resample(frame);
    return this.#made.shift() ?? 'late';
  }
}
