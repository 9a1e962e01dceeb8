import type { Ms } from '@sidetone/core';
import type { Flow } from './flow.ts';

/** Identifies one INVITE session (one call leg) of a user agent. Opaque; never on the wire. */
export type LegId = string;

/**
 * What another process needs to go on with an answered leg (`UserAgent.snapshot`, `UserAgent.adopt`): plain JSON data.
 * Addresses and messages are in the grammar of SIP, so that their parsers check what comes back. No credentials: whoever
 * adopts states them anew.
 */
export interface LegSnapshot {
  readonly leg: LegId;
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  /** Our From and the peer's To of requests we send, with tags. */
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly routes: readonly string[];
  /** Of a leg with credentials: where they may go, and for which realms. */
  readonly proof?: { readonly hop: Flow; readonly realms: readonly string[] };
  readonly localSeq: number;
  readonly remoteSeq: number | null;
  /** The CSeq of our INVITE whose 2xx we ACKed last (or had to): copies are ACKed again. */
  readonly acked: number | null;
  /** The answer that ACK carried. */
  readonly ackSdp?: string;
  /** The CSeq of our re-INVITE without a final response: its 2xx will be ACKed, too. */
  readonly open: number | null;
  /** Our 2xx without an ACK: it is repeated until `giveUpAt`, then the leg ends (RFC 3261 §13.3.1.4). */
  readonly unacked: {
    readonly seq: number;
    readonly reinvite: boolean;
    readonly offerless: boolean;
    readonly response: string;
    readonly flow: Flow;
    readonly giveUpAt: Ms;
  } | null;
}

/** Why a snapshot could not be adopted: it is no snapshot (`what` names the field), or the leg exists. */
export type AdoptProblem =
  | { readonly problem: 'malformed'; readonly what: string }
  | { readonly problem: 'duplicate'; readonly leg: LegId };
