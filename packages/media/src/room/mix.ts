import type { CodecName } from '@sidetone/wire';
import { type EncoderLimits, type PcmEncoder, type PcmRate, pcmEncoder } from '../codec.ts';
import { limit } from '../loudness.ts';
import type { OpusFactory } from '../opus.ts';
import { loopFrames, render } from '../synth.ts';
import { fading, type Voice } from './voice.ts';

/** In what form a mix is wanted: PCM, or packets of a codec for peers with the same limits. */
export interface Form {
  readonly key: string;
  readonly rate: PcmRate;
  readonly codec?: CodecName;
  readonly limits?: EncoderLimits;
}

const COMFORT = { kind: 'comfort' } as const;

/**
 * What some members of a room hear, all of them the same: a set of voices in one form, made once a tick. The set may change under way:
 * what comes in and what goes out fades, so that those who stay hear one sound that goes on.
 */
export class Mix {
  readonly form: Form;
  voices: readonly Voice[] = [];
  /** What was heard in the last tick. */
  before: readonly Voice[] = [];
  /** The next frame is to be understood by who has heard another mix. */
  alone = true;
  readonly #encoder: PcmEncoder | undefined;
  readonly #sums: Int32Array;
  readonly #pcm: Int16Array;
  #tick = -1;
  #frame: Uint8Array | undefined;
  #quiet = 0;

  constructor(form: Form, opus: OpusFactory) {
    this.form = form;
    this.#sums = new Int32Array(form.rate / 50);
    this.#pcm = new Int16Array(form.rate / 50);
    if (form.codec !== undefined) this.#encoder = pcmEncoder(form.codec, form.rate, opus, form.limits ?? {});
  }

  /** Was it asked for in the tick before `tick`? */
  isOn(tick: number): boolean {
    return this.#tick >= tick - 1;
  }

  /** Goes on from `tick` where another mix was. */
  follow(before: readonly Voice[], tick: number): void {
    this.before = before;
    this.#tick = tick - 1;
  }

  /** The frame of `tick`, valid until the next. */
  pcm(tick: number): Int16Array {
    if (tick !== this.#tick) this.#make(tick);
    return this.#pcm;
  }

  /** The packet of `tick`; `undefined` in the moment before the codec exists. */
  encoded(tick: number): Uint8Array | undefined {
    if (tick === this.#tick) return this.#frame;
    this.#make(tick);
    this.#frame = this.#encoder!.encode(this.#pcm, this.alone);
    this.alone = this.#frame === undefined;
    return this.#frame;
  }

  free(): void {
    this.#encoder?.free();
  }

  #make(tick: number): void {
    // Nobody asked for a while: who asks now has heard something else.
    if (tick !== this.#tick + 1) {
      this.alone = true;
      this.before = [];
    }
    this.#tick = tick;
    const sums = this.#sums.fill(0);
    const { rate } = this.form;
    let sounds = false;
    for (const voice of this.voices) {
      const frame = voice.at(rate, tick);
      if (frame === undefined) continue;
      sounds = true;
      // One that has just begun in the room fades in by itself.
      if (voice.from === 0 || this.before.includes(voice)) add(sums, frame);
      else addFading(sums, frame, 0);
    }
    for (const voice of this.before) {
      if (this.voices.includes(voice) || voice.from === 0) continue;
      const frame = voice.at(rate, tick);
      if (frame === undefined) continue;
      if (voice.to === 0) add(sums, frame);
      else addFading(sums, frame, 1);
    }
    this.before = this.voices;
    if (sounds) limit(sums, this.#pcm);
    else this.#comfort();
  }

  /** Nobody speaks, and the line stands. What fades is heard over it. */
  #comfort(): void {
    render(COMFORT, this.#quiet++ % loopFrames(COMFORT), this.#pcm);
    for (let i = 0; i < this.#pcm.length; i++) this.#sums[i] = this.#sums[i]! + this.#pcm[i]!;
    limit(this.#sums, this.#pcm);
  }
}

function add(sums: Int32Array, frame: Int16Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + frame[i]!;
}

function addFading(sums: Int32Array, frame: Int16Array, from: 0 | 1): void {
  for (let i = 0; i < sums.length; i++)
    sums[i] = sums[i]! + Math.round(frame[i]! * fading(i, frame.length, from));
}
