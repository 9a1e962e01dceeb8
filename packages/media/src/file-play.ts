import type { Ms } from '@sidetone/core';
import type { CodecName } from '@sidetone/wire';
import type { EncoderLimits, PcmRate } from './codec.ts';
import type { Feed } from './feed.ts';
import type { SharedSound, SharedSounds } from './shared-sounds.ts';
import type { EncodedFeed, NoFrame, PcmFeed } from './sound-feed.ts';
import { trackBitrate } from './track.ts';

/** A file being played, asked for as frames of a codec or as PCM; what it is asked for may change under way, and then it is opened anew where it is. */
export class FilePlay implements Feed {
  readonly #sounds: SharedSounds;
  readonly #file: string;
  /** Passes that are still to come after this one; null: no end. */
  #loops: number | null;
  #fromMs: Ms;
  /** Frames of this pass so far, those before `#fromMs` not counted. */
  #frames = 0;
  #lengthMs: Ms | undefined;
  #form = '';
  #shared: SharedSound | undefined;
  #encoded: EncodedFeed | undefined;
  #pcm: PcmFeed | undefined;

  constructor(sounds: SharedSounds, file: string, loop: number | null, fromMs: Ms) {
    this.#sounds = sounds;
    this.#file = file;
    this.#loops = loop === null ? null : loop - 1;
    this.#fromMs = fromMs;
  }

  /** How far it has come in the file. */
  get atMs(): Ms {
    return Math.min(this.#fromMs + 20 * this.#frames, this.#lengthMs ?? Number.POSITIVE_INFINITY);
  }

  /** The next frame of a codec. `end`: it has been played as often as was asked. */
  encoded(codec: CodecName, { maxBitrate }: EncoderLimits): Uint8Array | NoFrame {
    const form = `${codec} ${trackBitrate(maxBitrate)}`;
    if (form !== this.#form) {
      this.#take(form);
      if (this.#fromMs === 0) this.#shared = this.#sounds.join(this.#file, codec, maxBitrate);
      else this.#encoded = this.#sounds.encoded(this.#file, this.#fromMs, codec, maxBitrate);
    }
    for (;;) {
      let frame: Uint8Array | NoFrame | 'long';
      if (this.#shared !== undefined) {
        frame = this.#shared.frame(this.#frames);
        this.#lengthMs ??= this.#shared.lengthMs;
        if (frame === 'long') {
          this.#form = '';
          this.#take(form);
          this.#encoded = this.#sounds.encoded(this.#file, this.#fromMs, codec, maxBitrate);
          return 'late';
        }
      } else {
        frame = this.#encoded!.next();
        this.#lengthMs ??= this.#encoded!.pcm.lengthMs;
      }
      if (frame === 'end' && this.#again()) continue;
      if (typeof frame !== 'string') this.#frames++;
      return frame;
    }
  }

  /** The next frame as PCM, valid until the next one. */
  pcm(rate: PcmRate): Int16Array | NoFrame {
    const form = String(rate);
    if (form !== this.#form) {
      this.#take(form);
      this.#pcm = this.#sounds.pcm(this.#file, this.#fromMs, rate);
    }
    for (;;) {
      const frame = this.#pcm!.next();
      this.#lengthMs ??= this.#pcm!.lengthMs;
      if (frame === 'end' && this.#again()) continue;
      if (typeof frame !== 'string') this.#frames++;
      return frame;
    }
  }

  free(): void {
    if (this.#shared !== undefined) this.#sounds.leave(this.#shared);
    this.#encoded?.free();
    this.#pcm?.free();
    this.#shared = undefined;
    this.#encoded = undefined;
    this.#pcm = undefined;
  }

  /** From here on in another form. */
  #take(form: string): void {
    this.free();
    this.#form = form;
    this.#fromMs = this.atMs;
    this.#frames = 0;
  }

  /** The end of the file: is there another pass? One without a frame, which has no end, is the last. */
  #again(): boolean {
    const isEmpty = this.#frames === 0 && this.#fromMs === 0;
    if (this.#loops === 0 || isEmpty) return false;
    if (this.#loops !== null) this.#loops--;
    this.#fromMs = 0;
    this.#frames = 0;
    this.#encoded?.pcm.rewind();
    this.#pcm?.rewind();
    return true;
  }
}
