import type { Ms } from '@sidetone/core';
import type { Reach } from '@sidetone/wire';
import type { PcmRate } from '../codec.ts';
import type { Leg } from '../leg.ts';
import type { LegWorld } from '../leg-world.ts';
import { meanSquare } from '../loudness.ts';
import { Ear, type Heard } from './ear.ts';
import type { Sounding } from './mixes.ts';
import { Slot } from './slot.ts';
import { isSpeech, Level, type Speaker } from './speakers.ts';
import { Voice } from './voice.ts';

/** A second without a word: whoever goes on speaking is not decoded anew at each pause. */
const STILL_TICKS = 50;

/** A leg in a room: what it hears, and what is heard of it. */
export class Member extends Ear implements Sounding, Speaker {
  declare readonly id: string;
  readonly voice = new Voice();
  readonly level = new Level();
  readonly #leg: Leg;
  readonly #world: LegWorld;
  #slot: Slot | undefined;
  /** Ticks for which nothing has been said. */
  #still = 0;
  #to: Reach = 'none';
  #some: ReadonlySet<string> | undefined;

  constructor(room: Heard, leg: Leg, world: LegWorld) {
    super(room, leg.id, (other) => other !== leg.id);
    this.#leg = leg;
    this.#world = world;
  }

  get to(): Reach {
    return this.#to;
  }

  /** Whom its voice reaches. */
  set to(to: Reach) {
    this.#to = to;
    this.#some = typeof to === 'string' ? undefined : new Set(to);
  }

  reaches(ear: Ear): boolean {
    if (this.#to === 'none' || !ear.hears(this.id)) return false;
    return this.#some === undefined || (ear.id !== undefined && this.#some.has(ear.id));
  }

  /** What it says is decoded. */
  openSlot(rate: PcmRate): void {
    if (this.#slot !== undefined) {
      this.#slot.most = rate;
      return;
    }
    this.#slot = new Slot(this.#world, rate);
    this.#leg.tap(this.#slot, true);
  }

  closeSlot(): void {
    if (this.#slot === undefined) return;
    this.#leg.tap(this.#slot, false);
    this.#slot.free();
    this.#slot = undefined;
    this.level.value = 0;
  }

  /** What it says in `tick`. */
  pull(at: Ms, tick: number): void {
    const slot = this.#slot;
    if (slot === undefined) return;
    const frame = slot.pull(at);
    this.level.frame(frame === undefined ? 0 : meanSquare(frame));
    this.#still = isSpeech(this.level) ? 0 : this.#still + 1;
    slot.still = this.#still > STILL_TICKS;
    this.voice.sound(frame, slot.rate, tick);
  }
}
