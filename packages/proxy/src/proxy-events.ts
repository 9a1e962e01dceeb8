import type { EpochMs, JournalLine, LogLine, Ms, Random, Restore, Service } from '@sidetone/core';
import type { DialogNews, DigestAlgorithm, Flow, SipMessage, SipReceived, SipSend } from '@sidetone/sip';
import type { Identity } from '@sidetone/wire';
import type { Binding } from './location.ts';
import type { OwnAddress } from './own-address.ts';

/** What the proxy hears. */
export type ProxyInput =
  | { readonly type: 'tick' }
  | Restore
  /**
   * A parsed message; `flow` is its source. Local flows (`vsp`, `voice`) are trusted. `late`: it has waited too long under overload: what
   * it begins is refused with 503 before it costs anything.
   */
  | (SipReceived & { readonly late?: boolean })
  /** Which dialogs `voice` has: a request from outside with a To tag that names none of them gets 481. */
  | DialogNews
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
  /**
   * Requests under way above which new ones get 503 with Retry-After; of these one trunk, user or address has nine tenths at most (core
   * `Shares`). What is over holds none of these places.
   */
  readonly requests: number;
  /** Requests under way in one dialog; further ones get 503, but for BYE. */
  readonly requestsPerDialog: number;
  /** Transactions that are over, kept for copies that may come; the oldest of who has most goes first. */
  readonly finished: number;
  /** Passwords being looked up at a time; more requests get 503. One address has nine tenths at most. */
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

/** Which messages from outside wait, on whose turn, and what is said to those that have waited too long. */
export interface Turns {
  /** An ACK that belongs to nothing that lives, such as that of a 503 without memory: nobody needs it. */
  isNobodys(message: SipMessage, flow: Flow): boolean;
  /**
   * A carrier's turn, a registered phone's, that of a stranger's address, or (by UDP) of all strangers. `null`: it belongs to a dialog or
   * a transaction that lives, which goes before all that is new.
   */
  of(message: SipMessage, flow: Flow, now: Ms): string | null;
  /**
   * The 503 of a carrier's or a phone's new INVITE, of which nothing is kept but that it was sent away. `null`: what else is late is told
   * to `handle`, which knows what else there is to say.
   */
  refusal(message: SipMessage, flow: Flow, now: Ms): SipSend | null;
}

export interface SipProxy extends Service<ProxyInput, ProxyOutput> {
  /** Live transactions, response contexts and lookups, for leak checks and drains. Registrations are not in it. */
  readonly size: number;
  /** Registered contacts. */
  readonly bindings: number;
  /** Asked by the driver before it hands a message over. */
  readonly turns: Turns;
  /** Where a user is registered now, the last to register first. */
  bindingsOf(user: string, now: Ms): readonly Binding[];
}
