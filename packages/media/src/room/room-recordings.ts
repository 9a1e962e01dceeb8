import type { Ms } from '@sidetone/core';
import type { RecordCommand } from '@sidetone/wire';
import { Ended } from '../ended.ts';
import type { LegWorld } from '../leg-world.ts';
import { type Recorded, Recorder } from '../recorder.ts';
import type { Ear, Hears } from './ear.ts';

export type RoomRecordWish = Omit<Extract<RecordCommand, { op: 'record' }>, 'op'> & { readonly room: string };

/** At a time. */
const MOST_RECORDINGS = 4;
/** What members of Opus and G.722 hear of each other. */
const RATE = 16_000;

/** Who listens for a recording. */
export interface Listening {
  readonly room: string;
  listen(hears: Hears): Ear;
  unlisten(ear: Ear): void;
  /** A tone to all. */
  beep(): void;
}

interface Running {
  readonly recorder: Recorder;
  /** One a channel. */
  readonly ears: readonly Ear[];
  /** Where the next frame belongs; `undefined`: where it comes. */
  next: number | undefined;
}

/** What is recorded of a room: mixes as members hear them, one for each channel. Whispers reach nobody but whom they name. */
export class RoomRecordings {
  readonly #room: Listening;
  readonly #world: LegWorld;
  readonly #running = new Map<string, Running>();
  readonly #ended = new Ended();

  constructor(room: Listening, world: LegWorld) {
    this.#room = room;
    this.#world = world;
  }

  get size(): number {
    return this.#running.size;
  }

  /** `false`: too many. */
  start(wish: RoomRecordWish): boolean {
    const { id, channels, first, beep } = wish;
    if (this.#running.has(id) || this.#ended.has(id)) return true;
    if (this.#running.size >= MOST_RECORDINGS) return false;
    const recorder = new Recorder(
      wish,
      RATE,
      this.#world.recordings,
      this.#world.now(),
      (end) => this.#world.report({ event: 'recorded', room: this.#room.room, ...end }),
      () => this.#end(id, 'failed'),
    );
    const hears: readonly Hears[] =
      channels === 1 ? [() => true] : [(leg) => leg === first, (leg) => leg === undefined || leg !== first];
    this.#running.set(id, { recorder, ears: hears.map((one) => this.#room.listen(one)), next: undefined });
    if (beep === true) this.#room.beep();
    return true;
  }

  pause(id: string, on: boolean): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    if (on) running.recorder.pause(this.#world.now());
    else running.recorder.resume(this.#world.now());
    running.next = undefined;
  }

  stop(id: string): void {
    this.#end(id, 'stopped');
  }

  /** The room is no more. */
  close(): void {
    for (const id of [...this.#running.keys()]) this.#end(id, 'closed');
  }

  /** Every 20 ms, behind what the room has mixed. */
  tick(now: Ms): void {
    for (const [id, running] of this.#running) {
      if (!running.recorder.paused) take(running, now);
      const why = running.recorder.tick(now);
      if (why !== undefined) this.#end(id, why);
    }
  }

  #end(id: string, why: Recorded['why']): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    this.#ended.add(id);
    for (const ear of running.ears) this.#room.unlisten(ear);
    running.recorder.end(why, this.#world.now());
  }
}

function take(running: Running, now: Ms): void {
  const { recorder, ears } = running;
  const samples = RATE / 50;
  // Ticks are the beat; the clock says where it begins, and where it stumbled.
  const clock = Math.max(0, recorder.place(now) - samples);
  const { next = clock } = running;
  const at = Math.abs(clock - next) > samples ? Math.max(clock, next - samples) : next;
  for (const [channel, ear] of ears.entries()) {
    const frame = ear.pcm(RATE);
    if (typeof frame !== 'string') recorder.channels[channel]!.add(at, frame);
  }
  running.next = at + samples;
}
