/**
 * One channel of a recording while it may still change: sound is put where it belongs in time, and what nobody says is silence. Places are
 * counted in samples from the beginning of the recording.
 */
export class Timeline {
  readonly #ring: Int16Array;
  /** Everything before it has been taken. */
  #from = 0;

  /** `samples`: how far what comes may lie ahead of what has been taken. */
  constructor(samples: number) {
    this.#ring = new Int16Array(samples);
  }

  get from(): number {
    return this.#from;
  }

  /** Adds sound, within 16 bits, to what is there. What comes too late, or lies too far ahead, is left out. */
  add(at: number, pcm: Int16Array): void {
    const ring = this.#ring;
    const first = Math.max(0, this.#from - at);
    const end = Math.min(pcm.length, this.#from + ring.length - at);
    for (let i = first; i < end; i++) {
      const place = (at + i) % ring.length;
      const sum = ring[place]! + pcm[i]!;
      ring[place] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
    }
  }

  /** Takes the next `samples` into every `step`th place of `out`, from `offset` on. */
  take(samples: number, out: Int16Array, offset: number, step: number): void {
    const ring = this.#ring;
    for (let i = 0; i < samples; i++) {
      const place = (this.#from + i) % ring.length;
      out[offset + i * step] = ring[place]!;
      ring[place] = 0;
    }
    this.#from += samples;
  }
}
