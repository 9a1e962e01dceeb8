import type { Ms } from '@sidetone/core';
import type { LegWorld } from './leg-world.ts';
import { type Outlet, PLAYED } from './outlet.ts';
import type { Sound } from './synth.ts';
import { silence, type Track } from './track.ts';

/** Sounds that the engine makes itself, as a leg's peer hears them: tone, music, ringback, comfort noise. */
export class SynthOut {
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  #track: Track | undefined;
  /** Frames since the sound began. */
  #position = 0;

  constructor(outlet: Outlet, world: LegWorld) {
    this.#outlet = outlet;
    this.#world = world;
  }

  /** The next 20 ms of a sound; after a `reset` it may be another one. */
  play(sound: Sound, now: Ms): void {
    const codec = this.#outlet.codec!;
    this.#track ??= this.#world.tracks.get(sound, codec, this.#outlet.limits.maxBitrate);
    const frame = this.#track.frame(this.#position++);
    this.#outlet.frame(frame ?? silence(codec), PLAYED, now);
  }

  reset(): void {
    this.#track = undefined;
    this.#position = 0;
  }
}
