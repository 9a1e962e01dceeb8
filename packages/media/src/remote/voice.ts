import { FrameResampler } from '../frame-resampler.ts';
import type { Mixed } from '../overlay.ts';
import type { SpeechQueue } from './speech-queue.ts';

/** What the other end of a stream says, as one leg's peer hears it: mixed into whatever else that is. */
export class Voice implements Mixed {
  readonly #queue: SpeechQueue;
  #rate = 0;
  #resampler: FrameResampler | undefined;

  constructor(queue: SpeechQueue) {
    this.#queue = queue;
  }

  get speaks(): boolean {
    return this.#queue.speaks;
  }

  pcm(rate: number): Int16Array {
    const frame = this.#queue.frame();
    if (rate === this.#queue.rate) return frame;
    if (rate !== this.#rate) {
      this.#rate = rate;
      this.#resampler = new FrameResampler(this.#queue.rate, rate);
    }
    return this.#resampler!.push(frame);
  }
}
