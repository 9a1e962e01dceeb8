import type { CodecName } from '@sidetone/wire';
import { type EncoderLimits, type PcmEncoder, type PcmRate, pcmEncoder } from '../codec.ts';
import { limit } from '../loudness.ts';
import type { OpusFactory } from '../opus.ts';
import { loopFrames, render } from '../synth.ts';
import type { Tracks } from '../track.ts';
import { fading, type Voice } from './voice.ts';

/** In what form a mix is wanted: PCM, or packets of a codec for peers with the same limits. */
export interface Form {
  readonly key: string;
  readonly rate: PcmRate;
  readonly codec?: CodecName;
  readonly limits?: EncoderLimits;
}

let mixes = 0;

/** What mixes share. */
export interface MixWorld {
  readonly opus: OpusFactory;
  readonly tracks: Tracks;
}

/** Ticks of comfort noise after which no encoder makes it. */
const REST_AFTER = 25;
const COMFORT = { kind: 'comfort' } as const;

/**
 * What some members of a room hear, all of them the same: a set of voices in one form, made once a tick. The set may change under way:
 * what comes in and what goes out fades, so that those who stay hear one sound that goes on.
 */
export class Mix {
  /** Another one for each mix of the process. */
  readonly id = ++mixes;
  readonly form: Form;
  voices: readonly Voice[] = [];
  /** The tick since which that is so. */
  since = 0;
  /** What was heard in the last tick. */
  before: readonly Voice[] = [];
  /** The next frame is to be understood by who has heard another mix. */
  alone = true;
  readonly #encoder: PcmEncoder | undefined;
  readonly #sums: Int32Array;
  readonly #pcm: Int16Array;
  #tick = -1;
  #frame: Uint8Array | undefined;
  /** What those who come from another mix have heard last: a codec that has not heard it begins with a hole. */
  #lead: Int16Array | undefined;
  /** Frames of comfort noise so far, and of them those since anything was heard. */
  #quiet = 0;
  #still = 0;
  readonly #tracks: Tracks;

  constructor(form: Form, { opus, tracks }: MixWorld) {
    this.form = form;
    this.#tracks = tracks;
    this.#sums = new Int32Array(form.rate / 50);
    this.#pcm = new Int16Array(form.rate / 50);
    if (form.codec !== undefined) this.#encoder = pcmEncoder(form.codec, form.rate, opus, form.limits ?? {});
  }

  /** Was it asked for in the tick before `tick`? */
  isOn(tick: number): boolean {
    return this.#tick >= tick - 1;
  }

  /** Goes on from `tick` where `other` was: with its voices and, of the same form, the state of its codec, or else the frame before as a lead. */
  follow(other: Mix, tick: number): void {
    this.before = other.before;
    this.#tick = tick - 1;
    this.#quiet = other.#quiet;
    if (other.form.key !== this.form.key || other.#encoder === undefined || other.#tick !== tick - 1) return;
    if (this.#encoder?.follow !== undefined) this.#encoder.follow(other.#encoder);
    else this.#lead = other.#pcm.slice();
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
    if (this.form.codec === 'OPUS' && this.#still > REST_AFTER) this.#rest();
    else {
      if (this.#lead !== undefined) this.#encoder!.encode(this.#lead);
      this.#lead = undefined;
      this.#frame = this.#encoder!.encode(this.#pcm, this.alone);
      this.alone = this.#frame === undefined;
    }
    return this.#frame;
  }

  free(): void {
    this.#encoder?.free();
  }

  /** Comfort noise that was encoded once for all: a room in which nobody speaks costs no encoder. */
  #rest(): void {
    const { maxBitrate } = this.form.limits ?? {};
    this.#frame = this.#tracks.get(COMFORT, 'OPUS', maxBitrate).frame(this.#quiet);
    this.#lead ??= new Int16Array(this.#pcm.length);
    this.#lead.set(this.#pcm);
    this.alone = true;
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
    if (!sounds) return this.#comfort();
    this.#still = 0;
    limit(sums, this.#pcm);
  }

  /** Nobody speaks, and the line stands. What fades is heard over it. */
  #comfort(): void {
    this.#still++;
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
