import type { Session } from './session.ts';

/** More than any device has; a stranger needs a secret of a call that rings for each. */
const PER_ADDRESS = 8;

/** Sockets without a login that may stay silent because a call rings for them: a push woke the device, and a person has not decided yet. */
export class WokenSockets {
  readonly #of = new Map<string, Set<string>>();

  /** `rings`: does a call ring for the session that its token names? */
  mayWait({ socket, address, login }: Session, rings: boolean): boolean {
    if (login.name !== 'connected' || !rings) return false;
    let sockets = this.#of.get(address);
    if (sockets?.has(socket)) return true;
    if ((sockets?.size ?? 0) >= PER_ADDRESS) return false;
    if (sockets === undefined) this.#of.set(address, (sockets = new Set()));
    sockets.add(socket);
    return true;
  }

  delete({ socket, address }: Session): void {
    const sockets = this.#of.get(address);
    if (sockets?.delete(socket) && sockets.size === 0) this.#of.delete(address);
  }
}
