import type { Source } from '@sidetone/wire';
import type { Leg } from './leg.ts';
import type { Rooms } from './room/rooms.ts';

/** Whose sound a source is; `undefined`: no leg's. */
const heardBy = (leg: Leg, source: Source): string | undefined =>
  source.kind === 'leg' ? source.leg : source.kind === 'echo' ? leg.id : undefined;

function isSame(a: Source, b: Source): boolean {
  switch (a.kind) {
    case 'leg':
      return b.kind === 'leg' && a.leg === b.leg && a.digits === b.digits;
    case 'tone':
      return b.kind === 'tone' && a.hz === b.hz;
    case 'file':
      return b.kind === 'file' && a.file === b.file;
    case 'room':
      return false;
    default:
      return a.kind === b.kind;
  }
}

/** Who hears whom. A source may name a leg that does not exist (yet): it is heard as soon as it does. */
export class Routes {
  readonly #legs: (id: string) => Leg | undefined;
  readonly #rooms: Rooms;
  /** Who hears a leg, by the leg's id. */
  readonly #hearers = new Map<string, Set<Leg>>();

  constructor(legs: (id: string) => Leg | undefined, rooms: Rooms) {
    this.#legs = legs;
    this.#rooms = rooms;
  }

  /** What `leg` hears from now on. The same again changes nothing: a music does not begin anew, nor a codec. Returns why it cannot be. */
  set(leg: Leg, source: Source): string | undefined {
    if (isSame(leg.source, source)) return undefined;
    if (source.kind === 'room') return this.#enter(leg, source);
    this.remove(leg);
    leg.setSource(source);
    const id = heardBy(leg, source);
    if (id === undefined) return undefined;
    const set = this.#hearers.get(id) ?? new Set<Leg>();
    set.add(leg);
    this.#hearers.set(id, set);
    this.publish(id);
    return undefined;
  }

  #enter(leg: Leg, source: Extract<Source, { kind: 'room' }>): string | undefined {
    const { room, to } = source;
    if (leg.source.kind === 'room' && leg.source.room === room) {
      // It is there already: nothing that it hears begins anew.
      const why = this.#rooms.refusesReach(to);
      if (why !== undefined) return why;
      leg.source = source;
      this.#rooms.get(room)?.reach(leg.id, to);
      return undefined;
    }
    const why = this.#rooms.refuses(room) ?? this.#rooms.refusesReach(to);
    if (why !== undefined) return why;
    this.remove(leg);
    leg.setSource(source, this.#rooms.join(room, leg, to));
    return undefined;
  }

  /** `leg` hears nobody any more. */
  remove(leg: Leg): void {
    if (leg.source.kind === 'room') this.#rooms.part(leg.source.room, leg.id);
    const id = heardBy(leg, leg.source);
    if (id === undefined) return;
    const set = this.#hearers.get(id);
    set?.delete(leg);
    if (set?.size === 0) this.#hearers.delete(id);
    this.publish(id);
  }

  /** Tells a leg who hears it. */
  publish(id: string): void {
    this.#legs(id)?.setHearers([...(this.#hearers.get(id) ?? [])]);
  }
}
