import type { EpochMs, JournalLine, LogLine, Ms, Random, Restore, Service } from '@sidetone/core';
import type { DigestAlgorithm, Flow, SipReceived, SipSend } from '@sidetone/sip';
import type { Identity } from '@sidetone/wire';
import type { Binding } from './location.ts';
import type { OwnAddress } from './own-address.ts';

/** What the proxy hears. */
export type ProxyInput =
  | { readonly type: 'tick' }
  | Restore
  /** A parsed message; `flow` is its source. Local flows (`vsp`, `voice`) are trusted. */
  | SipReceived
  /** The edge could not deliver to this flow, or lost its connection. */
  | { readonly type: 'transportFailed'; readonly flow: Flow }
  /** Registrations of these users are no longer good: they are dropped. */
  | { readonly type: 'revoked'; readonly users: ReadonlySet<string> }
  /** The answer to `lookup`; `null`: no such user. */
  | {
      readonly type: 'credentials';
      readonly request: string;
      readonly result: { readonly password: string } | null;
    };

/** What the proxy wants done. */
export type ProxyOutput =
  | SipSend
  /** Asks for the password of a user whose digest shall be checked; answer with `credentials`. `address`: who tries. */
  | { readonly type: 'lookup'; readonly request: string; readonly user: string; readonly address: string }
  /** The digest of a lookup was wrong. Its nonce was made for this address, so nobody fails in another's name. */
  | { readonly type: 'refused'; readonly user: string; readonly address: string }
  | JournalLine
  | LogLine;

/** Times in milliseconds, except where the name says seconds. */
export interface ProxyLimits {
  /** Registration times (RFC 3261 §10.3); shorter ones get 423, longer ones are cut. Seconds. */
  readonly minExpires: number;
  readonly maxExpires: number;
  readonly defaultExpires: number;
  /** Contacts of one user, of phones and of clients each: another takes the place of the one that registered the longest ago. */
  readonly contactsPerUser: number;
  /** Live transactions above which new calls get 503 with Retry-After; requests in a dialog still pass. */
  readonly transactions: number;
  /** Live transactions of REGISTER above which further ones get 503 with Retry-After; calls do not count here. */
  readonly registers: number;
  /** Passwords being looked up at a time; more requests get 503. */
  readonly lookups: number;
  readonly lookupMs: Ms;
  /** Timer C (RFC 3261 §16.6): longer than the longest ringing that `voice` allows. */
  readonly timerC: Ms;
  /** A trunk that sends nothing at all for this long is given up for the next one, if there is one. */
  readonly trunkSilence: Ms;
  /** How long a challenge may be answered. */
  readonly nonceMs: Ms;
  /** Nonces in use whose counts are known. */
  readonly nonces: number;
}

export interface ProxyOptions {
  readonly random: Random;
  readonly epoch: () => EpochMs;
  /** Read for every request, so that changes count at once. */
  readonly identity: () => Identity;
  readonly address: OwnAddress;
  /** Keys nonces and dialog tokens; at least 32 random bytes. */
  readonly nonceSecret: Uint8Array;
  /** Algorithms a challenge offers, most wanted first; answers with either are accepted. */
  readonly digest: readonly DigestAlgorithm[];
  readonly limits?: Partial<ProxyLimits>;
}

export interface SipProxy extends Service<ProxyInput, ProxyOutput> {
  /** Live transactions, response contexts and lookups, for leak checks and drains. Registrations are not in it. */
  readonly size: number;
  /** Registered contacts. */
  readonly bindings: number;
  /** Where a user is registered now, the last to register first. */
  bindingsOf(user: string, now: Ms): readonly Binding[];
}
