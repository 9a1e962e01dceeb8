import type { Ms } from '@sidetone/core';
import type { PcmEncoder, PcmRate } from './codec.ts';
import { BROKEN, LATE, type SoundPort, type SoundReader } from './ports.ts';
import { Resampler } from './resampler.ts';

/** Why there is no frame: not yet, no more, or never. */
export type NoFrame = 'late' | 'end' | 'failed';

/** A file, from a place in it to its end, in frames of 20 ms of one rate. It is opened at once, and read as it is pulled. */
export class PcmFeed {
  readonly #frame: Int16Array;
  #reader: SoundReader | undefined;
  #resampler: Resampler | undefined;
  #filled = 0;
  /** Frames since the feed, or the pass of a loop, began. */
  #frames = 0;
  #fromMs: Ms;
  #state: 'opening' | 'open' | 'failed' | 'closed' = 'opening';
  #ended = false;

  constructor(sounds: SoundPort, file: string, fromMs: Ms, rate: PcmRate) {
    this.#frame = new Int16Array(rate / 50);
    this.#fromMs = fromMs;
    sounds.open(file, fromMs).then(
      (reader) => this.#opened(reader, rate),
      () => this.#opened(undefined, rate),
    );
  }

  /** How long the file is; `undefined`: not known yet. */
  get lengthMs(): Ms | undefined {
    return this.#reader === undefined ? undefined : (this.#reader.samples * 1000) / this.#reader.rate;
  }

  /** How far it has come in the file. */
  get atMs(): Ms {
    return Math.min(this.#fromMs + 20 * this.#frames, this.lengthMs ?? Number.POSITIVE_INFINITY);
  }

  /** The next frame, valid until the next one; the last is filled up with silence. */
  next(): Int16Array | NoFrame {
    if (this.#state === 'opening') return 'late';
    if (this.#reader === undefined) return 'failed';
    if (this.#ended) return 'end';
    const code = this.#resampler?.pull(this.#frame, this.#read) ?? this.#copy(this.#reader);
    if (code === LATE) return 'late';
    if (code === BROKEN) {
      this.#state = 'failed';
      this.#reader.close();
      this.#reader = undefined;
      return 'failed';
    }
    if (code === 0) {
      this.#ended = true;
      const filled = this.#resampler?.filled ?? this.#filled;
      if (filled === 0) return 'end';
      this.#frame.fill(0, filled);
    }
    this.#frames++;
    return this.#frame;
  }

  /** Goes on at the beginning of the file. */
  rewind(): void {
    this.#reader?.rewind();
    this.#resampler?.reset();
    this.#filled = 0;
    this.#frames = 0;
    this.#fromMs = 0;
    this.#ended = false;
  }

  free(): void {
    this.#state = 'closed';
    this.#reader?.close();
    this.#reader = undefined;
  }

  #opened(reader: SoundReader | undefined, rate: PcmRate): void {
    if (this.#state === 'closed') return reader?.close();
    if (reader === undefined) {
      this.#state = 'failed';
      return;
    }
    this.#state = 'open';
    this.#reader = reader;
    if (reader.rate !== rate) this.#resampler = new Resampler(reader.rate, rate);
  }

  readonly #read = (out: Int16Array): number => this.#reader!.read(out);

  #copy(reader: SoundReader): number {
    while (this.#filled < this.#frame.length) {
      const got = reader.read(this.#filled === 0 ? this.#frame : this.#frame.subarray(this.#filled));
      if (got <= 0) return got;
      this.#filled += got;
    }
    this.#filled = 0;
    return 1;
  }
}

/** A codec that does not exist after so many ticks never will. */
const MOST_TRIES = 50;

/** A feed, encoded. */
export class EncodedFeed {
  readonly pcm: PcmFeed;
  readonly #encoder: PcmEncoder;
  /** A frame that the codec, which does not exist yet, has not taken. */
  #waiting: Int16Array | undefined;
  #tries = 0;

  constructor(pcm: PcmFeed, encoder: PcmEncoder) {
    this.pcm = pcm;
    this.#encoder = encoder;
  }

  next(): Uint8Array | NoFrame {
    const frame = this.#waiting ?? this.pcm.next();
    if (typeof frame === 'string') return frame;
    const packet = this.#encoder.encode(frame);
    if (packet === undefined) {
      this.#waiting = frame;
      return ++this.#tries > MOST_TRIES ? 'failed' : 'late';
    }
    this.#waiting = undefined;
    this.#tries = 0;
    return packet;
  }

  free(): void {
    this.pcm.free();
    this.#encoder.free();
  }
}
