import type { Branch } from './leg/branch.ts';
import { isEarly, type Leg } from './leg/leg.ts';
import { Counters } from './limits/counters.ts';
import { MediaPorts } from './limits/media-ports.ts';
import type { Bridge, Members } from './place/bridge-draft.ts';
import { type Side, sharedPlace } from './place/place.ts';

/** The legs and places that live, and where to find them: by branch, by bridge, by session. */
export class Registry {
  readonly legs = new Map<string, Leg>();
  readonly bridges = new Map<string, Bridge>();
  readonly counters = new Counters();
  readonly ports = new MediaPorts();
  readonly #legOfBranch = new Map<string, string>();
  readonly #legOfControl = new Map<string, string>();
  /** Legs in a bridge or a queue, in the order in which they came. */
  readonly #members = new Map<string, Set<string>>();
  /** How many legs a session has. */
  readonly #sessions = new Map<string, number>();

  /** Sessions with a leg: calls, as people count them. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Sessions with a leg that nobody has answered yet. */
  get earlySessions(): number {
    return new Set([...this.legs.values()].filter(isEarly).map(({ session }) => session)).size;
  }

  legOfBranch(branch: string): Leg | undefined {
    return this.legs.get(this.#legOfBranch.get(branch) ?? '');
  }

  /** By its `call_control_id`. */
  legOfControl(control: string): Leg | undefined {
    return this.legs.get(this.#legOfControl.get(control) ?? '');
  }

  branch(id: string): Branch | undefined {
    return this.legOfBranch(id)?.branches.find((branch) => branch.id === id);
  }

  members(bridge: string): Members {
    const found: Partial<Record<Side, Leg>> = {};
    const supervisors: Leg[] = [];
    for (const id of this.#members.get(bridge) ?? []) {
      const leg = this.legs.get(id);
      if (leg?.place?.in !== 'bridge') continue;
      if (leg.place.side === 'supervisor') supervisors.push(leg);
      else found[leg.place.side] = leg;
    }
    return { ...found, supervisors };
  }

  /** Who is there. */
  inPlace(id: string): readonly Leg[] {
    return [...(this.#members.get(id) ?? [])].flatMap((leg) => this.legs.get(leg) ?? []);
  }

  /** A leg that begins, or has changed. */
  put(leg: Leg): void {
    const before = this.legs.get(leg.id);
    if (before === leg) return;
    this.legs.set(leg.id, leg);
    if (before === undefined) {
      this.#sessions.set(leg.session, (this.#sessions.get(leg.session) ?? 0) + 1);
      this.#legOfControl.set(leg.control, leg.id);
    }
    if (before?.branches !== leg.branches || before.counts !== leg.counts) {
      if (before !== undefined) this.ports.remove(before);
      this.ports.add(leg);
    }
    if (before?.branches !== leg.branches) {
      for (const { id } of before?.branches ?? []) this.#legOfBranch.delete(id);
      for (const { id } of leg.branches) this.#legOfBranch.set(id, leg.id);
    }
    if (before?.counts !== leg.counts) {
      if (before !== undefined) this.counters.remove(before.session, before.counts);
      this.counters.add(leg.session, leg.counts);
    }
    if (before?.place !== leg.place) {
      this.#leave(before);
      const id = sharedPlace(leg.place);
      if (id !== undefined) this.#members.set(id, (this.#members.get(id) ?? new Set()).add(leg.id));
    }
  }

  remove(leg: Leg): void {
    this.legs.delete(leg.id);
    this.#legOfControl.delete(leg.control);
    for (const { id } of leg.branches) this.#legOfBranch.delete(id);
    this.counters.remove(leg.session, leg.counts);
    this.ports.remove(leg);
    this.#leave(leg);
    const left = (this.#sessions.get(leg.session) ?? 1) - 1;
    if (left > 0) this.#sessions.set(leg.session, left);
    else this.#sessions.delete(leg.session);
  }

  /** Nobody is in it. */
  isEmpty(place: string): boolean {
    return (this.#members.get(place)?.size ?? 0) === 0;
  }

  #leave(leg: Leg | undefined): void {
    const id = sharedPlace(leg?.place);
    if (leg === undefined || id === undefined) return;
    const set = this.#members.get(id);
    set?.delete(leg.id);
    if (set?.size === 0) this.#members.delete(id);
  }
}
