import type { Session } from './session.ts';

/** Sessions with a socket, by socket or by contact. */
export class SessionBook {
  readonly #sessions = new Map<string, Session>();
  readonly #socketOf = new Map<string, string>();

  get size(): number {
    return this.#sessions.size;
  }

  get(socket: string): Session | undefined {
    return this.#sessions.get(socket);
  }

  /** The session that voice and proxy know by this contact. */
  at(contact: string): Session | undefined {
    return this.#sessions.get(this.#socketOf.get(contact) ?? '');
  }

  /** Keeps it; under a new contact when that has changed. */
  set(session: Session): void {
    const before = this.#sessions.get(session.socket);
    if (before !== undefined && before.contact !== session.contact) this.#socketOf.delete(before.contact);
    this.#sessions.set(session.socket, session);
    this.#socketOf.set(session.contact, session.socket);
  }

  delete(session: Session): void {
    this.#sessions.delete(session.socket);
    if (this.#socketOf.get(session.contact) === session.socket) this.#socketOf.delete(session.contact);
  }

  /** Sessions of these users, also those that are being logged in. */
  of(users: ReadonlySet<string>): readonly Session[] {
    return this.all().filter(
      ({ owner, login }) =>
        (owner !== null && users.has(owner)) || ('user' in login && users.has(login.user)),
    );
  }

  all(): readonly Session[] {
    return [...this.#sessions.values()];
  }
}
