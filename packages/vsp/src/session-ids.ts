import type { Session } from './session.ts';

/**
 * Which user's sessions bear which `sessid`. A client may propose its own, and some insist; one that a session of another user bears, with
 * a socket or waiting for its client, is not given a second time.
 */
export class SessionIds {
  /** By sessid: the owner of each session, by its contact. */
  readonly #owners = new Map<string, Map<string, string>>();
  readonly #sessidOf = new Map<string, string>();

  /** This session has an owner and bears its sessid until it is released. */
  hold({ contact, owner, sessid }: Session): void {
    if (owner === null || this.#sessidOf.get(contact) === sessid) return;
    this.release(contact);
    this.#sessidOf.set(contact, sessid);
    const owners = this.#owners.get(sessid);
    if (owners === undefined) this.#owners.set(sessid, new Map([[contact, owner]]));
    else owners.set(contact, owner);
  }

  /** The session is over. */
  release(contact: string): void {
    const sessid = this.#sessidOf.get(contact);
    if (sessid === undefined) return;
    this.#sessidOf.delete(contact);
    const owners = this.#owners.get(sessid)!;
    owners.delete(contact);
    if (owners.size === 0) this.#owners.delete(sessid);
  }

  isOfAnother(user: string, sessid: string): boolean {
    return (
      this.#owners
        .get(sessid)
        ?.values()
        .some((owner) => owner !== user) === true
    );
  }

  get size(): number {
    return this.#sessidOf.size;
  }
}
