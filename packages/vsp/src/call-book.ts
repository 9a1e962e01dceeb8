import type { LegId } from '@sidetone/sip';
import type { Call } from './call.ts';

/** Where a call is kept: its session's contact and the client's name of it. A client reaches its own calls only. */
export interface Place {
  readonly contact: string;
  readonly callId: string;
}

/** The calls of all sessions, found by session and name, or by SIP leg. */
export class CallBook {
  readonly #calls = new Map<string, Map<string, Call>>();
  readonly #legOf = new Map<string, LegId>();
  readonly #placeOf = new Map<LegId, Place>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(place: Place): Call | undefined {
    return this.#calls.get(place.contact)?.get(place.callId);
  }

  /** All calls of a session. */
  of(contact: string): readonly Call[] {
    return [...(this.#calls.get(contact)?.values() ?? [])];
  }

  count(contact: string): number {
    return this.#calls.get(contact)?.size ?? 0;
  }

  set(place: Place, call: Call): void {
    let calls = this.#calls.get(place.contact);
    if (calls === undefined) this.#calls.set(place.contact, (calls = new Map()));
    if (!calls.has(place.callId)) this.#size += 1;
    calls.set(place.callId, call);
  }

  bind(place: Place, leg: LegId): void {
    this.#legOf.set(keyOf(place), leg);
    this.#placeOf.set(leg, place);
  }

  legOf(place: Place): LegId | undefined {
    return this.#legOf.get(keyOf(place));
  }

  placeOf(leg: LegId): Place | undefined {
    return this.#placeOf.get(leg);
  }

  delete(place: Place): void {
    const calls = this.#calls.get(place.contact);
    if (calls?.delete(place.callId)) this.#size -= 1;
    if (calls?.size === 0) this.#calls.delete(place.contact);
    const leg = this.#legOf.get(keyOf(place));
    this.#legOf.delete(keyOf(place));
    if (leg !== undefined) this.#placeOf.delete(leg);
  }
}

/** Contacts are hex, so the blank parts the two. */
export const keyOf = (place: Place): string => `${place.contact} ${place.callId}`;
