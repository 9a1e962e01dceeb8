import type { Ms } from '@sidetone/core';
import type { Reach, RecordCommand, RoomCommand } from '@sidetone/wire';
import type { Feed } from '../feed.ts';
import type { Leg } from '../leg.ts';
import type { LegWorld } from '../leg-world.ts';
import type { ReportLog } from '../report-log.ts';
import { Room } from './room.ts';

/** Members of a room. */
const MOST_MEMBERS = 800;
const MOST_NAME = 256;

/** The rooms of an engine. The first leg that hears a room makes it; it goes with the last, or with the last recording of it. */
export class Rooms {
  readonly #world: LegWorld;
  readonly #rooms = new Map<string, Room>();
  readonly #reports: ReportLog;

  constructor(world: LegWorld, reports: ReportLog) {
    this.#world = world;
    this.#reports = reports;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** Why a leg that is not in the room cannot come in. */
  refuses(name: string): string | undefined {
    if (typeof name !== 'string' || name === '' || name.length > MOST_NAME)
      return `the name of a room has 1 to ${MOST_NAME} characters`;
    if ((this.#rooms.get(name)?.size ?? 0) >= MOST_MEMBERS) return `a room has up to ${MOST_MEMBERS} members`;
    return undefined;
  }

  refusesReach(to: Reach): string | undefined {
    if (to === 'all' || to === 'none') return undefined;
    if (Array.isArray(to) && to.length <= MOST_MEMBERS && to.every((leg) => typeof leg === 'string'))
      return undefined;
    return `to is all, none, or up to ${MOST_MEMBERS} legs`;
  }

  /** `leg` is in the room from now on. What it hears there. */
  join(name: string, leg: Leg, to: Reach): Feed {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name, this.#world);
      this.#rooms.set(name, room);
      this.#reports.opened(name);
    }
    return room.join(leg, to);
  }

  part(name: string, leg: string): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    room.part(leg);
    this.#settle(room);
  }

  /** Closes those that are there for a recording alone, but for the named ones. */
  closeEmpty(but: ReadonlySet<string> = new Set()): void {
    for (const room of this.#rooms.values()) if (room.size === 0 && !but.has(room.name)) this.#close(room);
  }

  #settle(room: Room): void {
    if (room.size === 0 && room.recordings.size === 0) this.#close(room);
  }

  #close(room: Room): void {
    room.close();
    this.#rooms.delete(room.name);
    this.#reports.closed(room.name);
  }

  /** Does to a room what is asked; `false`: there is none of that name. */
  command(command: RoomCommand): boolean {
    const room = this.#rooms.get(command.room);
    switch (command.op) {
      case 'roomPlay':
        room?.play(command);
        return room !== undefined;
      case 'roomStop':
        room?.stopPlay(command.id);
        return true;
      case 'roomBeep':
        room?.beep(command.kind === 'leave' ? 'leave' : 'enter', command.except);
        return true;
    }
  }

  /** Records a room, or changes how; `undefined`: there is none of that name, `false`: too much of it is recorded. */
  record(command: RecordCommand & { readonly room: string }): boolean | undefined {
    const room = this.#rooms.get(command.room);
    if (command.op === 'record') return room?.recordings.start(command);
    if (room === undefined) return true;
    if (command.op === 'recordStop') {
      room.recordings.stop(command.id);
      this.#settle(room);
    } else room.recordings.pause(command.id, command.op === 'recordPause');
    return true;
  }

  tick(now: Ms): void {
    for (const room of this.#rooms.values()) {
      room.tick(now);
      this.#settle(room);
    }
  }
}
