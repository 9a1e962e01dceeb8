import type { Random } from '@sidetone/core';
import type { MediaCommand, MediaEvent, MediaReply, RoomEvent, Source } from '@sidetone/wire';
import type { World } from './world.ts';

/** How often it may be another who is heard above the others. */
const FLOOR_MS = 2_000;
const MOST_KEPT = 64;

type Report = RoomEvent & { readonly n: number };

interface Play {
  readonly room: string;
  readonly id: string;
}

/**
 * Rooms without sound: there is one while a leg hears it. What is played ends by itself, or with its room; who is loudest changes. Reports are
 * numbered, and told again to an owner that has not read them.
 */
export class PretendRooms {
  readonly #world: World;
  readonly #random: Random;
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #event: (event: MediaEvent) => void;
  readonly #plays = new Map<string, Play>();
  readonly #reports = new Map<string, Report[]>();
  readonly #counts = new Map<string, number>();

  constructor(
    world: World,
    random: Random,
    sources: ReadonlyMap<string, Source>,
    event: (event: MediaEvent) => void,
  ) {
    this.#world = world;
    this.#random = random;
    this.#sources = sources;
    this.#event = event;
  }

  members(room: string): readonly string[] {
    return [...this.#sources]
      .filter(([, one]) => one.kind === 'room' && one.room === room)
      .map(([leg]) => leg);
  }

  command(command: Extract<MediaCommand, { op: 'roomPlay' | 'roomStop' | 'roomBeep' }>): MediaReply {
    const { room } = command;
    if (command.op === 'roomBeep') return { ok: true };
    if (command.op === 'roomStop') {
      if (this.#plays.get(room)?.id === command.id) this.#ended(room, 'stopped');
      return { ok: true };
    }
    const playing = this.#plays.get(room);
    if (playing?.id === command.id) return { ok: true };
    if (this.members(room).length === 0) return { ok: false, error: 'no-room', message: room };
    if (playing !== undefined) this.#ended(room, 'stopped');
    const play: Play = { room, id: command.id };
    this.#plays.set(room, play);
    if (command.loop !== null)
      this.#world.after(200 + this.#random.int(5_000), () => {
        if (this.#plays.get(room) === play) this.#ended(room, 'completed');
      });
    return { ok: true };
  }

  /** What a leg hears has changed, or it is gone. */
  changed(before: Source | undefined, after: Source | undefined): void {
    if (before?.kind === 'room' && this.members(before.room).length === 0)
      this.#ended(before.room, 'stopped');
    if (after?.kind === 'room' && this.members(after.room).length === 1) this.#speak(after.room);
  }

  /** An owner that has read the reports up to these. */
  claimed(seen: Readonly<Record<string, number>>): void {
    for (const [room, last] of Object.entries(seen))
      for (const report of this.#reports.get(room) ?? []) if (report.n > last) this.#event(report);
  }

  #speak(room: string): void {
    this.#world.after(FLOOR_MS + this.#random.int(FLOOR_MS), () => {
      const here = this.members(room);
      if (here.length === 0) return;
      const leg = here[this.#random.int(here.length + 1)] ?? null;
      this.#report(room, { event: 'floor', room, leg });
      this.#speak(room);
    });
  }

  #ended(room: string, status: 'completed' | 'stopped'): void {
    const play = this.#plays.get(room);
    if (play === undefined) return;
    this.#plays.delete(room);
    this.#report(room, { event: 'roomPlayed', room, id: play.id, status, atMs: 100 });
  }

  #report(room: string, event: RoomEvent): void {
    const n = (this.#counts.get(room) ?? 0) + 1;
    this.#counts.set(room, n);
    const report: Report = { ...event, n };
    this.#reports.set(room, [...(this.#reports.get(room) ?? []), report].slice(-MOST_KEPT));
    this.#event(report);
  }
}
