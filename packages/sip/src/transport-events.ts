import type { Ms } from '@sidetone/core';
import type { Flow } from './flow.ts';
import type { SipMessage, SipRequest, SipResponse } from './message.ts';

/** What every SIP room emits towards the wire. */
export interface SipSend {
  readonly type: 'sip';
  readonly message: SipMessage;
  readonly flow: Flow;
}

/** What every SIP room accepts from the wire. `flow` is the source; a response goes back by it. */
export interface SipReceived {
  readonly type: 'sip';
  readonly message: SipMessage;
  readonly flow: Flow;
}

/** What the transaction layer (RFC 3261 §17, RFC 6026) tells its user. Transaction ids are opaque strings. */
export type TransactionOut =
  | SipSend
  /** A new request. `tx` is its server transaction; an ACK for a 2xx has none (`null`). */
  | {
      readonly type: 'request';
      readonly tx: string | null;
      readonly request: SipRequest;
      readonly flow: Flow;
    }
  /** A response for a client transaction (retransmissions absorbed; every 2xx to INVITE is passed up). */
  | { readonly type: 'response'; readonly tx: string; readonly response: SipResponse; readonly flow: Flow }
  /** A 2xx to INVITE that matches no client transaction any more: the UA core re-ACKs it, a proxy forwards it. */
  | { readonly type: 'stray'; readonly response: SipResponse; readonly flow: Flow }
  /** A CANCEL matched this INVITE server transaction. 200 for the CANCEL is already in the outputs. */
  | { readonly type: 'cancelled'; readonly tx: string; readonly request: SipRequest }
  /** Timer B, F or H fired. */
  | { readonly type: 'timeout'; readonly tx: string }
  /** The wire could not send (told by `transportFailed`). */
  | { readonly type: 'transportError'; readonly tx: string }
  /** It has its final answer and only waits for copies (timers D, I, J, K, L and M): what was kept to finish it may go. */
  | { readonly type: 'over'; readonly tx: string }
  /** Nothing is known of it any more. */
  | { readonly type: 'terminated'; readonly tx: string };

/**
 * The transaction layer: owns all transactions of one SIP element. Implemented by `createTransactionLayer`.
 * It sets Via (own sent-by, a fresh branch) on requests it sends, adds received/rport on what it receives
 * (RFC 3261 §18.2.1, RFC 3581), answers retransmissions, and matches CANCEL to its INVITE.
 */
export interface TransactionLayer {
  /** `holder`: on whose share of the finished transactions a new one goes when it is over; default: the source's. */
  receive(message: SipMessage, flow: Flow, now: Ms, holder?: string): readonly TransactionOut[];
  /** Starts a client transaction; the request must not carry our own Via yet. */
  request(
    request: SipRequest,
    flow: Flow,
    now: Ms,
    holder?: string,
  ): { readonly tx: string; readonly out: readonly TransactionOut[] };
  /** Sends an ACK for a 2xx: no transaction (RFC 3261 §13.2.2.4). */
  ack(request: SipRequest, flow: Flow): readonly TransactionOut[];
  respond(tx: string, response: SipResponse, now: Ms): readonly TransactionOut[];
  /** Cancels a pending INVITE client transaction; waits for the first provisional (RFC 3261 §9.1). */
  cancel(tx: string, headers: readonly (readonly [string, string])[], now: Ms): readonly TransactionOut[];
  /**
   * Takes up an INVITE of an earlier process that had no final response: `request` as it was sent, our Via on top. It counts as
   * `proceeding`, so that it can be cancelled under its own branch (RFC 3261 §9.1). Nothing is sent.
   */
  resume(request: SipRequest, flow: Flow, now: Ms): string;
  /** The edge could not deliver to this flow. */
  transportFailed(flow: Flow, now: Ms): readonly TransactionOut[];
  tick(now: Ms): readonly TransactionOut[];
  deadline(): Ms | null;
  /** Transactions that are not over. */
  readonly live: number;
  /** All that is kept, those that are over too, for leak checks. */
  readonly size: number;
}
