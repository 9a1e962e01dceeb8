import { decodeG711 } from './g711.ts';
import { SILENCE_LEVEL, toneShare } from './tone.ts';
import { wavOf } from './wav.ts';

const RATE = 8_000;
const STEP_MS = 1_000;
/** Multiples of 50 Hz, so that 20 ms of one are not in those of another. */
const hzOf = (step: number): number => 400 + 150 * step;

/** A sound of rising tones, a second each: what is heard of it says where it is. */
export function scale(steps: number): Buffer {
  const perStep = (RATE * STEP_MS) / 1000;
  const samples = new Int16Array(steps * perStep);
  for (let i = 0; i < samples.length; i++)
    samples[i] = 8_000 * Math.sin((2 * Math.PI * hzOf(Math.floor(i / perStep)) * i) / RATE);
  return wavOf(samples, RATE);
}

/** Hears which steps of a scale are in frames of PCMU, in their order. */
export class ScaleListener {
  /** Steps as they were heard: each change is one entry. */
  readonly heard: number[] = [];
  frames = 0;
  readonly #steps: number;

  constructor(steps: number) {
    this.#steps = steps;
  }

  frame(payload: Uint8Array): void {
    const samples = decodeG711('PCMU', payload);
    const squares = samples.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0);
    if (Math.sqrt(squares / samples.length) < 20 * SILENCE_LEVEL) return;
    for (let step = 0; step < this.#steps; step++) {
      // A frame with two steps in it says nothing.
      if (toneShare(samples, RATE, hzOf(step)) < 0.8) continue;
      this.frames += 1;
      if (this.heard.at(-1) !== step) this.heard.push(step);
      return;
    }
  }

  /** Begins anew. */
  forget(): void {
    this.heard.length = 0;
    this.frames = 0;
  }
}
