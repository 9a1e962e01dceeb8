import type { LegId } from '@sidetone/sip';
import type { Call } from './call.ts';

/** Which call: its session’s contact and the client’s name of it. A client reaches its own calls only. */
export interface CallRef {
  readonly contact: string;
  readonly callId: string;
}

/** The calls of all sessions, found by session and name, or by SIP leg. */
export class CallBook {
  readonly #calls = new Map<string, Map<string, Call>>();
  readonly #legOf = new Map<string, LegId>();
  readonly #refOf = new Map<LegId, CallRef>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(ref: CallRef): Call | undefined {
    return this.#calls.get(ref.contact)?.get(ref.callId);
  }

  /** All calls of a session. */
  of(contact: string): readonly Call[] {
    return [...(this.#calls.get(contact)?.values() ?? [])];
  }

  count(contact: string): number {
    return this.#calls.get(contact)?.size ?? 0;
  }

  set(ref: CallRef, call: Call): void {
    let calls = this.#calls.get(ref.contact);
    if (calls === undefined) this.#calls.set(ref.contact, (calls = new Map()));
    if (!calls.has(ref.callId)) this.#size += 1;
    calls.set(ref.callId, call);
  }

  bind(ref: CallRef, leg: LegId): void {
    this.#legOf.set(keyOf(ref), leg);
    this.#refOf.set(leg, ref);
  }

  legOf(ref: CallRef): LegId | undefined {
    return this.#legOf.get(keyOf(ref));
  }

  refOf(leg: LegId): CallRef | undefined {
    return this.#refOf.get(leg);
  }

  delete(ref: CallRef): void {
    const calls = this.#calls.get(ref.contact);
    if (calls?.delete(ref.callId)) this.#size -= 1;
    if (calls?.size === 0) this.#calls.delete(ref.contact);
    const leg = this.#legOf.get(keyOf(ref));
    this.#legOf.delete(keyOf(ref));
    if (leg !== undefined) this.#refOf.delete(leg);
  }
}

/** Contacts are hex, so the blank parts the two. */
export const keyOf = (ref: CallRef): string => `${ref.contact} ${ref.callId}`;
