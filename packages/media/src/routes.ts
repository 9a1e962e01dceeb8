import type { Source } from '@sidetone/wire';
import type { Leg } from './leg.ts';

/** Whose sound a source is; `undefined`: no leg's. */
const heardBy = (leg: Leg, source: Source): string | undefined =>
  source.kind === 'leg' ? source.leg : source.kind === 'echo' ? leg.id : undefined;

function isSame(a: Source, b: Source): boolean {
  switch (a.kind) {
    case 'leg':
      return b.kind === 'leg' && a.leg === b.leg && a.digits === b.digits;
    case 'tone':
      return b.kind === 'tone' && a.hz === b.hz;
    default:
      return a.kind === b.kind;
  }
}

/** Who hears whom. A source may name a leg that does not exist (yet): it is heard as soon as it does. */
export class Routes {
  readonly #legs: (id: string) => Leg | undefined;
  /** Who hears a leg, by the leg's id. */
  readonly #hearers = new Map<string, Set<Leg>>();

  constructor(legs: (id: string) => Leg | undefined) {
    this.#legs = legs;
  }

  /** What `leg` hears from now on. The same again changes nothing: a music does not begin anew, nor a codec. */
  set(leg: Leg, source: Source): void {
    if (isSame(leg.source, source)) return;
    this.remove(leg);
    leg.setSource(source);
    const id = heardBy(leg, source);
    if (id === undefined) return;
    const set = this.#hearers.get(id) ?? new Set<Leg>();
    set.add(leg);
    this.#hearers.set(id, set);
    this.publish(id);
  }

  /** `leg` hears nobody any more. */
  remove(leg: Leg): void {
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
