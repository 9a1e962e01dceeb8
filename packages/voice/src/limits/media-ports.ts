import type { Branch } from '../leg/branch.ts';
import type { Leg } from '../leg/leg.ts';
import { countedHolder } from './counters.ts';

/** A browser's branch has one port, a plain one two (RTP and RTCP). */
const portsOfBranch = ({ phase, kind, webrtc }: Branch): number =>
  phase === 'over' ? 0 : kind === 'client' || webrtc ? 1 : 2;

/** What a leg has of the media ports, or will have as soon as its party is found. */
const portsOf = ({ branches }: Leg): number =>
  branches.length === 0 ? 2 : branches.reduce((sum, branch) => sum + portsOfBranch(branch), 0);

/** Who has how many of the media ports, which all calls share. */
export class MediaPorts {
  readonly #of = new Map<string, number>();
  #taken = 0;

  get taken(): number {
    return this.#taken;
  }

  of(holder: string): number {
    return this.#of.get(holder) ?? 0;
  }

  add(leg: Leg): void {
    this.#change(leg, portsOf(leg));
  }

  remove(leg: Leg): void {
    this.#change(leg, -portsOf(leg));
  }

  #change({ counts }: Leg, more: number): void {
    this.#taken += more;
    const holder = countedHolder(counts);
    if (holder === undefined) return;
    const held = this.of(holder) + more;
    if (held > 0) this.#of.set(holder, held);
    else this.#of.delete(holder);
  }
}
