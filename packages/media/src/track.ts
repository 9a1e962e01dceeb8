import type { CodecName } from '@sidetone/wire';
import { type EncoderLimits, type PcmEncoder, type PcmRate, pcmEncoder } from './codec.ts';
import { G722Encoder } from './g722.ts';
import type { OpusFactory } from './opus.ts';
import { loopFrames, render, type Sound } from './synth.ts';

/**
 * A sound in one codec, encoded once for all legs that hear it: frames are made on first use and kept for the loop, so
 * that ten thousand callers on hold cost no encoder.
 */
export class Track {
  readonly #sound: Sound;
  readonly #loop: number;
  readonly #frames: Uint8Array[] = [];
  readonly #pcm: Int16Array;
  #encoder: PcmEncoder | undefined;

  constructor(sound: Sound, codec: CodecName, opus: OpusFactory, limits: EncoderLimits) {
    const rate = soundRate(codec);
    this.#sound = sound;
    this.#loop = loopFrames(sound);
    this.#pcm = new Int16Array(rate / 50);
    this.#encoder = pcmEncoder(codec, rate, opus, limits);
  }

  /** Frame `index` since the sound began; `undefined` while there is no codec for it. */
  frame(index: number): Uint8Array | undefined {
    const wanted = index % this.#loop;
    while (this.#frames.length <= wanted && this.#encoder !== undefined) {
      render(this.#sound, this.#frames.length, this.#pcm);
      const packet = this.#encoder.encode(this.#pcm);
      if (packet === undefined) return undefined;
      this.#frames.push(packet.slice());
      if (this.#frames.length === this.#loop) {
        this.#encoder.free();
        this.#encoder = undefined;
      }
    }
    return this.#frames[wanted];
  }

  free(): void {
    this.#encoder?.free();
    this.#encoder = undefined;
  }
}

/** The rate at which what we play is encoded. */
export function soundRate(codec: CodecName): PcmRate {
  if (codec === 'OPUS') return 24_000;
  return codec === 'G722' ? 16_000 : 8000;
}

/** The bit rate of an Opus track for a peer with that limit. */
export const trackBitrate = (maxBitrate: number | undefined): number =>
  STEPS.find((step) => step <= (maxBitrate ?? Number.POSITIVE_INFINITY)) ?? 8000;

/** Bit rates of Opus tracks, so that few distinct `maxaveragebitrate` values make few tracks. */
const STEPS = [32_000, 20_000, 12_000, 8000];

/** All tracks of an engine. Tones are free to choose, so their number is bounded; the oldest goes. */
export class Tracks {
  readonly #opus: OpusFactory;
  readonly #tracks = new Map<string, Track>();

  constructor(opus: OpusFactory) {
    this.#opus = opus;
  }

  get(sound: Sound, codec: CodecName, maxBitrate: number | undefined): Track {
    const step = trackBitrate(maxBitrate);
    const key = `${codec} ${sound.kind} ${sound.kind === 'tone' ? Math.round(sound.hz) : ''} ${codec === 'OPUS' ? step : ''}`;
    let track = this.#tracks.get(key);
    if (track === undefined) {
      if (this.#tracks.size >= MAX_TRACKS) this.#drop(this.#tracks.keys().next().value!);
      track = new Track(sound, codec, this.#opus, { maxBitrate: step });
      this.#tracks.set(key, track);
    }
    return track;
  }

  #drop(key: string): void {
    this.#tracks.get(key)?.free();
    this.#tracks.delete(key);
  }
}

const MAX_TRACKS = 64;

/** 20 ms of silence: the Opus frame of digital silence, or the codec's zero. */
export function silence(codec: CodecName): Uint8Array {
  return SILENCE[codec];
}

const SILENCE: Readonly<Record<CodecName, Uint8Array>> = {
  OPUS: Uint8Array.of(0xf8, 0xff, 0xfe),
  PCMU: new Uint8Array(160).fill(0xff),
  PCMA: new Uint8Array(160).fill(0xd5),
  // The smallest differences of both sub-bands, which a G.722 encoder makes of digital silence.
  G722: new G722Encoder().encode(new Int16Array(3200), 8000).slice(-160),
};
