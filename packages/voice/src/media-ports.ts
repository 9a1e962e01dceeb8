import type { Call } from './call.ts';
import { holderCharged } from './charges.ts';
import type { Leg } from './leg.ts';

/** A browser's leg has one port, a plain one two (RTP and RTCP); a service speaks through the caller's. */
const portsOf = (leg: Leg): number =>
  leg.phase === 'over' || leg.kind === 'service' ? 0 : leg.kind === 'client' || leg.webrtc ? 1 : 2;

/** What a call has of the media ports, or will have as soon as its callee is found. */
function needed({ legs, plan }: Call): number {
  const had = legs.reduce((sum, leg) => sum + portsOf(leg), 0);
  const awaited = legs.length === 1 && (plan.to === 'user' || plan.to === 'trunk');
  return had === 0 ? 0 : had + (awaited ? 2 : 0);
}

/** Who has how many of the media ports, which all calls share. */
export class MediaPorts {
  readonly #of = new Map<string, { readonly holder: string; readonly ports: number }>();
  readonly #held = new Map<string, number>();
  #taken = 0;

  get taken(): number {
    return this.#taken;
  }

  of(holder: string): number {
    return this.#held.get(holder) ?? 0;
  }

  update(call: Call): void {
    const holder = this.#of.get(call.id)?.holder ?? holderCharged(call.charges);
    if (holder !== undefined) this.#set(call.id, holder, needed(call));
  }

  remove(call: string): void {
    const entry = this.#of.get(call);
    if (entry !== undefined) this.#set(call, entry.holder, 0);
    this.#of.delete(call);
  }

  #set(call: string, holder: string, ports: number): void {
    const more = ports - (this.#of.get(call)?.ports ?? 0);
    if (more === 0) return;
    this.#of.set(call, { holder, ports });
    this.#taken += more;
    const held = this.of(holder) + more;
    if (held > 0) this.#held.set(holder, held);
    else this.#held.delete(holder);
  }
}
