import type { Machine, Ms } from '@sidetone/core';
import type { TransportAddress } from './stun.ts';

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** A way between us and the peer: the local socket (the caller's own number for it) and the peer's address. */
export interface IcePath extends TransportAddress {
  readonly socket: number;
}

export interface IceState {
  /** `checking`: nothing nominated yet; `connected`; `failed`: for good, until a restart. */
  readonly name: 'checking' | 'connected' | 'failed';
  readonly local: IceCredentials;
  /** `null` until the peer's description is known: checks are answered meanwhile, by the local password alone. */
  readonly remote: IceCredentials | null;
  /** After a restart, the credentials before it: valid until a check under the new ones is nominated. */
  readonly previous: { readonly local: IceCredentials; readonly remote: IceCredentials | null } | null;
  /** Where media goes. Changed only by an authenticated check with USE-CANDIDATE. */
  readonly selected: IcePath | null;
  /** Paths with an authenticated check, newest last, at most 16. */
  readonly valid: readonly IcePath[];
  /** When the leg is lost unless a valid check arrives. */
  readonly expiresAt: Ms;
  readonly setupMs: Ms;
  readonly consentMs: Ms;
}

export type IceInput =
  /** A datagram that `classify` calls STUN. The bytes are only read during the step. */
  | { readonly type: 'packet'; readonly bytes: Uint8Array; readonly from: IcePath }
  /** The peer's credentials, from its description. */
  | { readonly type: 'remote'; readonly credentials: IceCredentials }
  /** ICE restart (RFC 8445 §9): new credentials of ours, and the peer's if known. */
  | { readonly type: 'restart'; readonly local: IceCredentials; readonly remote: IceCredentials | null }
  | { readonly type: 'tick' };

export type IceOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly to: IcePath }
  /** First nomination, or another pair nominated. */
  | { readonly type: 'selected'; readonly path: IcePath }
  /** `setup`: no nominated check in time; `consent`: none since (RFC 7675 §5.1). Send nothing any more. */
  | { readonly type: 'failed'; readonly why: 'setup' | 'consent' }
  /** Counted, not answered. */
  | { readonly type: 'dropped'; readonly why: 'malformed' | 'unauthenticated' | 'not-request' };

export interface IceOptions {
  readonly local: IceCredentials;
  readonly remote?: IceCredentials;
  readonly now: Ms;
  /** Default 30,000. */
  readonly setupMs?: Ms;
  /** Default 30,000 (RFC 7675 §5.1). */
  readonly consentMs?: Ms;
}

export function createIce(options: IceOptions): IceState {
  throw new Error(String(options));
}

/** The ICE-lite agent. */
export const iceLite: Machine<IceState, IceInput, IceOutput> = {
  name: 'ice-lite',
  step: (state) => ({ state, out: [] }),
  deadline: (state) => state.expiresAt,
};

/** May anything but STUN be taken from this path (RFC 8445 §2: a pair with an authenticated check)? */
export function isApproved(state: IceState, socket: number, address: string, port: number): boolean {
  throw new Error(String(state) + socket + address + port);
}
