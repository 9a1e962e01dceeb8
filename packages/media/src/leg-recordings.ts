import type { Ms } from '@sidetone/core';
import type { RecordCommand } from '@sidetone/wire';
import { Ended } from './ended.ts';
import type { LegWorld } from './leg-world.ts';
import type { Outlet } from './outlet.ts';
import { mixRate } from './overlay.ts';
import { RecordedTrack } from './recorded-track.ts';
import { type Recorded, Recorder } from './recorder.ts';
import type { Hearer, Sink } from './sink.ts';

export type LegRecordWish = Omit<Extract<RecordCommand, { op: 'record' }>, 'op'> & { readonly leg: string };

/** At a time. */
export const MOST_RECORDINGS = 4;

interface Running {
  readonly recorder: Recorder;
  readonly inbound: RecordedTrack | undefined;
  readonly outbound: RecordedTrack | undefined;
}

/** What is recorded of a leg: what its peer says, from its packets, and what it hears, from those that leave. */
export class LegRecordings {
  readonly #leg: string;
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  /** Whoever is to be given packets has changed. */
  readonly #changed: () => void;
  readonly #running = new Map<string, Running>();
  readonly #ended = new Ended();

  constructor(leg: string, outlet: Outlet, world: LegWorld, changed: () => void) {
    this.#leg = leg;
    this.#outlet = outlet;
    this.#world = world;
    this.#changed = changed;
  }

  /** Of the peer's packets, and of those that leave. */
  get inbound(): readonly Hearer[] {
    return this.#active(({ inbound }) => inbound);
  }

  get outbound(): readonly Sink[] {
    return this.#active(({ outbound }) => outbound);
  }

  /** `false`: too many. `begun`: it is a new one. */
  start(wish: LegRecordWish): 'begun' | 'known' | 'full' {
    const { id, channels, track } = wish;
    if (this.#running.has(id) || this.#ended.has(id)) return 'known';
    if (this.#running.size >= MOST_RECORDINGS) return 'full';
    const rate = mixRate(this.#outlet.codec ?? 'PCMU') as 8000 | 16000;
    const recorder = new Recorder(
      { ...wish, channels: track === 'both' ? channels : 1 },
      rate,
      this.#world.recordings,
      this.#world.now(),
      (end) => this.#told(end),
      () => this.#end(id, 'failed'),
    );
    const into = recorder.channels;
    const trackInto = (i: number): RecordedTrack =>
      new RecordedTrack(this.#world, rate, recorder, into[Math.min(i, into.length - 1)]!);
    this.#running.set(id, {
      recorder,
      inbound: track === 'outbound' ? undefined : trackInto(0),
      outbound: track === 'inbound' ? undefined : trackInto(1),
    });
    this.#changed();
    return 'begun';
  }

  pause(id: string, on: boolean): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    const now = this.#world.now();
    if (on) running.recorder.pause(now);
    else running.recorder.resume(now);
    running.inbound?.restart();
    running.outbound?.restart();
    this.#changed();
  }

  stop(id: string): void {
    this.#end(id, 'stopped');
  }

  /** The leg is closed. */
  close(): void {
    for (const id of [...this.#running.keys()]) this.#end(id, 'closed');
  }

  tick(now: Ms): void {
    for (const [id, { recorder }] of this.#running) {
      const why = recorder.tick(now);
      if (why !== undefined) this.#end(id, why);
    }
  }

  #active<T extends object>(of: (running: Running) => T | undefined): readonly T[] {
    return [...this.#running.values()]
      .filter(({ recorder }) => !recorder.paused)
      .map(of)
      .filter((track) => track !== undefined);
  }

  #end(id: string, why: Recorded['why']): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#running.delete(id);
    this.#ended.add(id);
    running.inbound?.free();
    running.outbound?.free();
    this.#changed();
    running.recorder.end(why, this.#world.now());
  }

  #told(end: Recorded): void {
    this.#world.report({ event: 'recorded', leg: this.#leg, ...end });
  }
}
