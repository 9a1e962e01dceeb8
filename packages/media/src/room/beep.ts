import type { PcmRate } from '../codec.ts';
import { meanSquareOf } from '../loudness.ts';
import { Voice } from './voice.ts';

/** Two notes: up for who comes, down for who goes. */
const NOTES = { enter: [660, 880], leave: [660, 440] } as const;
const NOTE_MS = 120;
const RAMP_MS = 8;
/** The peak of a sine at -18 decibels. */
const PEAK = Math.sqrt(2 * meanSquareOf(-18));

/** A short tone to all in a room but one. */
export class Beep {
  readonly voice = new Voice();
  readonly except: string | undefined;
  readonly #notes: readonly [number, number];
  #frames = 0;

  constructor(kind: 'enter' | 'leave', except: string | undefined) {
    this.#notes = NOTES[kind];
    this.except = except;
  }

  /** One tick; `false`: it is over. */
  tick(rate: PcmRate, tick: number): boolean {
    if (this.#frames * 20 >= 2 * NOTE_MS) return false;
    const frame = new Int16Array(rate / 50);
    const first = this.#frames++ * frame.length;
    for (let i = 0; i < frame.length; i++) frame[i] = this.#sample(((first + i) * 1000) / rate);
    this.voice.sound(frame, rate, tick);
    this.voice.fade(1, 1);
    return true;
  }

  #sample(ms: number): number {
    const inNote = ms % NOTE_MS;
    const gain = Math.min(1, inNote / RAMP_MS, (NOTE_MS - inNote) / RAMP_MS);
    const hz = this.#notes[ms < NOTE_MS ? 0 : 1];
    return Math.round(PEAK * gain * Math.sin((2 * Math.PI * hz * inNote) / 1000));
  }
}
