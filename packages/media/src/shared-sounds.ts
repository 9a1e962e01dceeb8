import type { Ms } from '@sidetone/core';
import type { CodecName } from '@sidetone/wire';
import { type PcmRate, pcmEncoder } from './codec.ts';
import type { OpusFactory } from './opus.ts';
import type { SoundPort } from './ports.ts';
import { EncodedFeed, type NoFrame, PcmFeed } from './sound-feed.ts';
import { soundRate, trackBitrate } from './track.ts';

/** A longer file is encoded for each listener: ten minutes are 5 MB of G.711. */
const LONGEST_SHARED_MS: Ms = 600_000;

/**
 * A file in one codec, encoded once for all who hear it from its beginning at the same time. Who came first is at its front, and makes
 * the frames; the others find them.
 */
export class SharedSound {
  readonly key: string;
  users = 0;
  #feed: EncodedFeed | undefined;
  readonly #frames: Uint8Array[] = [];
  #over: 'end' | 'failed' | undefined;

  constructor(key: string, feed: EncodedFeed) {
    this.key = key;
    this.#feed = feed;
  }

  lengthMs: Ms | undefined;

  /** Frame `index`, which is no further than one behind the front; `long`: it is too long to be kept. */
  frame(index: number): Uint8Array | NoFrame | 'long' {
    const made = this.#frames[index];
    if (made !== undefined) return made;
    if (this.#over !== undefined) return this.#over;
    const feed = this.#feed!;
    this.lengthMs ??= feed.pcm.lengthMs;
    if (this.lengthMs !== undefined && this.lengthMs > LONGEST_SHARED_MS) return 'long';
    const next = feed.next();
    if (next === 'late') return next;
    if (typeof next === 'string') {
      this.lengthMs ??= feed.pcm.lengthMs;
      this.#over = next;
      this.free();
      return next;
    }
    this.#frames.push(next.slice());
    return next;
  }

  free(): void {
    this.#feed?.free();
    this.#feed = undefined;
  }
}

/** The files that legs hear at the moment. A file is read anew when nobody hears it, so that one that is replaced is heard as it is. */
export class SharedSounds {
  readonly #sounds: SoundPort;
  readonly #opus: OpusFactory;
  readonly #shared = new Map<string, SharedSound>();

  constructor(sounds: SoundPort | undefined, opus: OpusFactory) {
    this.#sounds = sounds ?? { open: async () => undefined };
    this.#opus = opus;
  }

  pcm(file: string, fromMs: Ms, rate: PcmRate): PcmFeed {
    return new PcmFeed(this.#sounds, file, fromMs, rate);
  }

  encoded(file: string, fromMs: Ms, codec: CodecName, maxBitrate: number | undefined): EncodedFeed {
    const rate = soundRate(codec);
    const encoder = pcmEncoder(codec, rate, this.#opus, { maxBitrate: trackBitrate(maxBitrate) });
    return new EncodedFeed(this.pcm(file, fromMs, rate), encoder);
  }

  /** The file from its beginning, with others who hear it. */
  join(file: string, codec: CodecName, maxBitrate: number | undefined): SharedSound {
    const key = `${codec} ${codec === 'OPUS' ? trackBitrate(maxBitrate) : ''} ${file}`;
    let sound = this.#shared.get(key);
    if (sound === undefined) {
      sound = new SharedSound(key, this.encoded(file, 0, codec, maxBitrate));
      this.#shared.set(key, sound);
    }
    sound.users++;
    return sound;
  }

  leave(sound: SharedSound): void {
    if (--sound.users > 0) return;
    if (this.#shared.get(sound.key) === sound) this.#shared.delete(sound.key);
    sound.free();
  }
}
