import type { RoomCommand } from '@sidetone/wire';
import type { PcmRate } from '../codec.ts';
import { Ended } from '../ended.ts';
import { FilePlay } from '../file-play.ts';
import type { SharedSounds } from '../shared-sounds.ts';
import { Voice } from './voice.ts';

export type RoomPlayWish = Omit<Extract<RoomCommand, { op: 'roomPlay' }>, 'op' | 'room'>;
export type PlayEnd = {
  readonly id: string;
  readonly status: 'completed' | 'stopped' | 'failed';
  readonly atMs: number;
};

/**
 * The file that is played into a room, as one more voice.
 *
 *   none ──start──▶ playing ──the end of the last pass──▶ completed
 *                     ├──stop, another in its place, the room ends──▶ stopped
 *                     └──no such file──▶ failed
 */
export class RoomPlay {
  /** While it plays. */
  voice: Voice | undefined;
  readonly #sounds: SharedSounds;
  readonly #told: (end: PlayEnd) => void;
  readonly #ended = new Ended();
  #id = '';
  #file: FilePlay | undefined;

  constructor(sounds: SharedSounds, told: (end: PlayEnd) => void) {
    this.#sounds = sounds;
    this.#told = told;
  }

  /** `tick`: that of the room, whose next one it begins with. */
  start({ id, file, loop }: RoomPlayWish, rate: PcmRate, tick: number): void {
    if ((this.#file !== undefined && this.#id === id) || this.#ended.has(id)) return;
    this.stop(this.#id, rate, tick);
    this.#id = id;
    this.#file = new FilePlay(this.#sounds, file, loop, 0);
    this.voice = new Voice();
  }

  /** `undefined`: whatever plays. */
  stop(id: string | undefined, rate: PcmRate, tick: number): void {
    if (this.#file === undefined || (id !== undefined && this.#id !== id)) return;
    // What comes next is there yet, to fade.
    this.#sound(rate, tick + 1);
    this.#end('stopped');
  }

  close(): void {
    if (this.#file !== undefined) this.#end('stopped');
  }

  /** `true`: there is another voice, or none. */
  tick(rate: PcmRate, tick: number): boolean {
    const before = this.voice;
    if (this.#file !== undefined) this.#sound(rate, tick);
    return this.voice !== before;
  }

  #sound(rate: PcmRate, tick: number): void {
    const frame = this.#file!.pcm(rate);
    this.voice!.sound(typeof frame === 'string' ? undefined : frame, rate, tick);
    this.voice!.fade(1, 1);
    if (frame === 'end') this.#end('completed');
    if (frame === 'failed') this.#end('failed');
  }

  #end(status: PlayEnd['status']): void {
    const file = this.#file;
    this.#file = undefined;
    this.voice = undefined;
    if (file === undefined) return;
    const atMs = Math.round(file.atMs);
    file.free();
    this.#ended.add(this.#id);
    this.#told({ id: this.#id, status, atMs });
  }
}
