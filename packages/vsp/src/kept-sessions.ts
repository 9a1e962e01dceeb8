import type { Ms } from '@sidetone/core';
import type { Call, ClientWish } from './call.ts';
import type { Session } from './session.ts';

/** The end of a call that its client has not heard of, or was told just now. */
export interface Unheard {
  /** What names it to the client. */
  readonly call: Pick<Call, 'callId' | 'sipCallId'>;
  readonly bye: Extract<ClientWish, { type: 'bye' }>;
}

/** The last of each session; the older ones have been heard. */
const MOST_UNHEARD = 8;
const NONE: readonly Unheard[] = [];

/**
 * Sessions that a client may come back to, found by its user and what it kept: the `voice_sdk_id` or the `sessid`. Those whose socket is
 * gone are kept here whole. The user is part of the key, so that nobody reaches the session of another.
 */
export class KeptSessions {
  /** By contact. */
  readonly #lost = new Map<string, Session>();
  readonly #until = new Map<string, Ms>();
  readonly #contactOf = new Map<string, string>();
  readonly #contactOfToken = new Map<string, string>();
  readonly #unheard = new Map<string, Unheard[]>();

  /** Sessions without a socket. */
  get size(): number {
    return this.#lost.size;
  }

  /** From now on the client can name it. */
  add(session: Session): void {
    for (const key of keysOf(session)) this.#contactOf.set(key, session.contact);
    this.#contactOfToken.set(session.voiceSdkId, session.contact);
  }

  /** Its socket is gone; its client is given up at `until`. */
  lose(session: Session, until: Ms): void {
    this.add(session);
    this.#lost.set(session.contact, session);
    this.#until.set(session.contact, until);
  }

  /** When the client of this contact is given up. */
  until(contact: string): Ms {
    return this.#until.get(contact) ?? 0;
  }

  /** It was heard: it has at least until then. */
  extend(contact: string, until: Ms): void {
    if (this.#lost.has(contact)) this.#until.set(contact, Math.max(until, this.until(contact)));
  }

  /** The contact of the session that `user` names, if there is one. A published client that starts anew gives its old `sessid` as token. */
  find(user: string, token: string | null, sessid: string | null): string | undefined {
    const named = (kind: 'id' | 'sessid', name: string | null): string | undefined =>
      name === null ? undefined : this.#contactOf.get(`${kind} ${user} ${name}`);
    return named('id', token) ?? named('sessid', sessid) ?? named('sessid', token);
  }

  /** The contact behind a `voice_sdk_id`. Whoever knows it has proven nothing. */
  named(token: string): string | undefined {
    return this.#contactOfToken.get(token);
  }

  /** Takes a session without a socket out. */
  take(contact: string): Session | undefined {
    const session = this.#lost.get(contact);
    if (session !== undefined) this.forget(session);
    return session;
  }

  /** It cannot be named any more. What its client has not heard stays until it is taken. */
  forget(session: Session): void {
    this.#lost.delete(session.contact);
    this.#until.delete(session.contact);
    for (const key of keysOf(session))
      if (this.#contactOf.get(key) === session.contact) this.#contactOf.delete(key);
    if (this.#contactOfToken.get(session.voiceSdkId) === session.contact)
      this.#contactOfToken.delete(session.voiceSdkId);
  }

  /** A session without a socket. */
  get(contact: string): Session | undefined {
    return this.#lost.get(contact);
  }

  all(): readonly Session[] {
    return [...this.#lost.values()];
  }

  remember(contact: string, unheard: Unheard): void {
    const list = this.#unheard.get(contact) ?? [];
    const { callId, sipCallId } = unheard.call;
    const end: Unheard = { call: { callId, sipCallId }, bye: unheard.bye };
    this.#unheard.set(contact, [...list, end].slice(-MOST_UNHEARD));
  }

  /** The ends that the client of this contact has not heard of; the same list until it changes. */
  pending(contact: string): readonly Unheard[] {
    return this.#unheard.get(contact) ?? NONE;
  }

  /** The ends that the client of this contact has not heard of, once. */
  unheard(contact: string): readonly Unheard[] {
    const list = this.#unheard.get(contact) ?? [];
    this.#unheard.delete(contact);
    return list;
  }
}

const keysOf = (session: Session): readonly string[] =>
  session.owner === null
    ? []
    : [`id ${session.owner} ${session.voiceSdkId}`, `sessid ${session.owner} ${session.sessid}`];
