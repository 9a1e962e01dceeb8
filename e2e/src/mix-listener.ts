import { decodeG711, encodeG711 } from './g711.ts';
import { sine, toneShare } from './tone.ts';

const RATE = 8_000;
const FRAME = 160;
/** Below this part of a frame's energy a voice is not in it. */
const LEAST_SHARE = 0.05;

/** 20 ms of a tone, as PCMU; of a multiple of 50 Hz, so that frames join without a seam. */
export const toneFrame = (hz: number, amplitude = 0.2): Uint8Array =>
  encodeG711('PCMU', sine(hz, RATE, FRAME, amplitude));

export const SILENT_FRAME = new Uint8Array(FRAME).fill(0xff);

/** Counts frames of PCMU by whether each wanted voice is in them, and no other; and the longest time without a right one. */
export class MixListener {
  wanted: readonly number[] = [];
  unwanted: readonly number[] = [];
  frames = 0;
  wrong = 0;
  longestMs = 0;
  #last = performance.now();

  frame(payload: Uint8Array): void {
    const now = performance.now();
    this.frames += 1;
    const samples = decodeG711('PCMU', payload);
    const isIn = (hz: number): boolean => toneShare(samples, RATE, hz) > LEAST_SHARE;
    if (!this.wanted.every(isIn) || this.unwanted.some(isIn)) {
      this.wrong += 1;
      return;
    }
    this.longestMs = Math.max(this.longestMs, now - this.#last);
    this.#last = now;
  }

  forget(): void {
    this.frames = 0;
    this.wrong = 0;
    this.longestMs = 0;
    this.#last = performance.now();
  }
}
