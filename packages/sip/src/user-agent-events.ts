import type { Ms, Result } from '@sidetone/core';
import type { Flow } from './flow.ts';
import type { AdoptProblem, LegId, LegSnapshot } from './leg-snapshot.ts';
import type { NameAddr, SipMessage, SipRequest, SipResponse, Uri } from './message.ts';
import type { SipSend } from './transport-events.ts';

/** Extra headers as [name, value]; the user agent refuses CR, LF and NUL in either. */
export type ExtraHeaders = readonly (readonly [name: string, value: string])[];

/**
 * What a user agent (RFC 3261 §8, §12, §13) tells its user, the call logic of `vsp` and `voice`. A `sdp` field is the
 * session description as text; bodies of other types stay in the request.
 */
export type UserAgentOut =
  | SipSend
  | DialogNews
  // ---- a leg we were invited to (UAS)
  /** A new INVITE; 100 Trying is already sent. Without `sdp` it is offerless: our 2xx carries the offer. */
  | {
      readonly type: 'incoming';
      readonly leg: LegId;
      readonly request: SipRequest;
      readonly flow: Flow;
      readonly sdp?: string;
    }
  /** CANCEL before our final answer; 487 is already sent, the leg is gone. */
  | { readonly type: 'cancelled'; readonly leg: LegId; readonly request: SipRequest }
  /** ACK for our 2xx; `sdp` is the answer when our 2xx carried the offer. */
  | { readonly type: 'confirmed'; readonly leg: LegId; readonly sdp?: string }
  // ---- a leg we invited (UAC)
  /** A provisional response above 100. `fork` is the To tag: each fork has its own early dialog. */
  | {
      readonly type: 'progress';
      readonly leg: LegId;
      readonly fork: string;
      readonly response: SipResponse;
      readonly sdp?: string;
    }
  /** A 2xx. ACK is sent by the agent, except for an offerless INVITE: then call `ack` with the answer to `sdp`. Other forks are ended by the agent (ACK + BYE for a second 2xx). */
  | {
      readonly type: 'accepted';
      readonly leg: LegId;
      readonly fork: string;
      readonly response: SipResponse;
      readonly sdp?: string;
    }
  /** Final refusal, timeout (status 408), transport error (503) or our own CANCEL (487): the leg is gone. */
  | {
      readonly type: 'failed';
      readonly leg: LegId;
      readonly status: number;
      readonly reason: string;
      readonly by: 'peer' | 'timeout' | 'transport' | 'cancel';
      readonly response?: SipResponse;
    }
  // ---- inside a dialog, both roles
  /** A re-INVITE (or UPDATE with SDP) from the peer: answer with `respondReinvite`. Without `sdp` it is offerless. Glare (491) and CSeq order are handled by the agent. */
  | {
      readonly type: 'reinvite';
      readonly leg: LegId;
      readonly tx: string;
      readonly request: SipRequest;
      readonly sdp?: string;
    }
  /** ACK for our 2xx to an offerless re-INVITE, with the peer's answer. */
  | { readonly type: 'reinviteConfirmed'; readonly leg: LegId; readonly sdp?: string }
  /** The end of a re-INVITE we sent (491 is retried by the agent after the RFC 3261 §14.1 pause). Status ≥ 300: nothing changed. */
  | {
      readonly type: 'reinviteResult';
      readonly leg: LegId;
      readonly token: string;
      readonly status: number;
      readonly response?: SipResponse;
      readonly sdp?: string;
    }
  /**
   * Nothing to do, but `snapshot` tells something else, of which no other event speaks: our 2xx to an offer is ACKed, the target has moved
   * (an UPDATE without a description, 200 already sent), a re-INVITE of ours collided or is sent again.
   */
  | { readonly type: 'refreshed'; readonly leg: LegId }
  /** An INFO; answer with `respondRequest`. */
  | { readonly type: 'info'; readonly leg: LegId; readonly tx: string; readonly request: SipRequest }
  /** The end of an in-dialog request we sent with `requestInDialog`. */
  | {
      readonly type: 'inDialogResult';
      readonly leg: LegId;
      readonly token: string;
      readonly status: number;
      readonly response?: SipResponse;
    }
  /** The peer's BYE (200 already sent); the leg is gone. */
  | { readonly type: 'bye'; readonly leg: LegId; readonly request: SipRequest }
  /** The leg ended without a BYE of the peer: `ack-timeout` (no ACK in 64·T1: the agent sent BYE), `no-answer` (408, or none, to a request of ours), `dialog-gone` (481: the peer has ended it, its BYE may come late), `bye-done` (our BYE was answered or timed out). */
  | {
      readonly type: 'ended';
      readonly leg: LegId;
      readonly why: 'ack-timeout' | 'no-answer' | 'dialog-gone' | 'bye-done';
    }
  // ---- outside dialogs, and what else there is inside of one
  /** Another non-INVITE request (OPTIONS, MESSAGE, REFER, NOTIFY …); answer with `respondRequest`. `leg`: it came in that dialog. */
  | {
      readonly type: 'request';
      readonly tx: string;
      readonly request: SipRequest;
      readonly flow: Flow;
      readonly leg?: LegId;
    }
  /** The end of a request sent with `send`. 408 on timeout, 503 on transport error. */
  | {
      readonly type: 'result';
      readonly token: string;
      readonly status: number;
      readonly response?: SipResponse;
    };

/**
 * A leg of ours is (or is no more) found by this Call-ID and this tag, which is the To tag of the peer's requests. Told before the first
 * message that shows it: a peer whose request names no such tag has no dialog with us.
 */
export interface DialogNews {
  readonly type: 'dialog';
  readonly callId: string;
  readonly tag: string;
  readonly live: boolean;
}

/** The name of a dialog, as its owner sees the tags. */
export interface DialogName {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
}

/**
 * Answers to 401 and 407 (RFC 3261 §22): of each realm that asks once a request, and again for a stale nonce. They go where the first
 * request went, and only to a challenge that comes from there. In a dialog, where the peer says where requests go, only to
 * `realms`, or to those that the INVITE was challenged with.
 */
export interface AgentCredentials {
  readonly userName: string;
  readonly password: string;
  /** The realms they are for. Default: any that the first request is challenged with. */
  readonly realms?: readonly string[];
}

export interface InviteOptions {
  readonly requestUri: Uri;
  readonly from: NameAddr;
  readonly to: NameAddr;
  /** Pre-loaded route set. */
  readonly route?: readonly NameAddr[];
  /** Offer; absent for an offerless INVITE. */
  readonly sdp?: string;
  readonly headers?: ExtraHeaders;
  readonly callId?: string;
  /** Forces the first hop; otherwise `resolve` of the agent chooses from route and request URI. */
  readonly flow?: Flow;
  readonly credentials?: AgentCredentials;
}

export interface ResponseOptions {
  readonly reason?: string;
  readonly sdp?: string;
  readonly headers?: ExtraHeaders;
}

/**
 * A SIP user agent core with its transaction layer: many legs, no sockets. Implemented by `createUserAgent`. Commands
 * on an unknown or ended leg do nothing and return []. Reliable 2xx: the agent repeats a 2xx until its ACK (RFC 3261
 * §13.3.1.4) and re-ACKs repeated 2xx.
 */
export interface UserAgent {
  receive(message: SipMessage, flow: Flow, now: Ms): readonly UserAgentOut[];
  tick(now: Ms): readonly UserAgentOut[];
  deadline(): Ms | null;
  transportFailed(flow: Flow, now: Ms): readonly UserAgentOut[];

  invite(options: InviteOptions, now: Ms): { readonly leg: LegId; readonly out: readonly UserAgentOut[] };
  /** Provisional or final response to an incoming INVITE. */
  respond(leg: LegId, status: number, options: ResponseOptions, now: Ms): readonly UserAgentOut[];
  /** The answer for an offerless INVITE or re-INVITE we sent, in the ACK. */
  ack(leg: LegId, sdp: string, now: Ms): readonly UserAgentOut[];
  cancel(leg: LegId, headers: ExtraHeaders, now: Ms): readonly UserAgentOut[];
  bye(leg: LegId, headers: ExtraHeaders, now: Ms): readonly UserAgentOut[];
  /** `sdp` undefined = offerless. One at a time per leg; a second one waits for the first. */
  reinvite(
    leg: LegId,
    sdp: string | undefined,
    token: string,
    now: Ms,
    headers?: ExtraHeaders,
  ): readonly UserAgentOut[];
  respondReinvite(
    leg: LegId,
    tx: string,
    status: number,
    options: ResponseOptions,
    now: Ms,
  ): readonly UserAgentOut[];
  requestInDialog(
    leg: LegId,
    request: {
      readonly method: string;
      readonly contentType?: string;
      readonly body?: string;
      readonly headers?: ExtraHeaders;
    },
    token: string,
    now: Ms,
  ): readonly UserAgentOut[];
  respondRequest(tx: string, status: number, options: ResponseOptions, now: Ms): readonly UserAgentOut[];
  /** A non-INVITE request outside dialogs, for example REGISTER or OPTIONS. */
  send(
    request: {
      readonly method: string;
      readonly requestUri: Uri;
      readonly from: NameAddr;
      readonly to: NameAddr;
      readonly contact?: readonly NameAddr[];
      readonly headers?: ExtraHeaders;
      readonly callId?: string;
      readonly cseq?: number;
      readonly flow?: Flow;
      readonly credentials?: AgentCredentials;
    },
    token: string,
    now: Ms,
  ): readonly UserAgentOut[];
  /**
   * An answered leg as plain JSON data, to be written down for the next process; `null` while it is early, and when it is
   * unknown. Changes with every request in the dialog and every ACK; what only the peer's CSeq tells is not worth writing
   * for. A leg whose BYE is on its way is still told: adopt it and call `bye` again.
   */
  snapshot(leg: LegId): LegSnapshot | null;
  /**
   * Goes on with a leg of a process that died; `snapshot` may be any JSON value. The leg keeps its id, hence its Contact. Our
   * CSeq jumps by 1000, past what was sent and not written down (§12.2.1.1 asks for nothing but growth). The peer's last
   * request may come once more, since its answer may be lost. An un-ACKed 2xx of ours is repeated; a 2xx of the peer is
   * ACKed again, also for a re-INVITE that was on its way (its end is not told: begin anew). Requests of the peer that
   * waited for an answer are forgotten: it repeats them or gives up.
   */
  adopt(
    snapshot: unknown,
    now: Ms,
    credentials?: AgentCredentials,
  ): Result<{ readonly leg: LegId; readonly out: readonly UserAgentOut[] }, AdoptProblem>;
  /** Call-ID and From tag of our INVITE that has no 2xx yet, for `expectStray` in the next process; `null` otherwise. */
  early(leg: LegId): { readonly callId: string; readonly fromTag: string } | null;
  /**
   * An INVITE of a process that died may still be answered: until `until` its 2xx gets ACK and BYE with `headers`
   * (§13.2.2.4), every fork of it. A 2xx that nobody expects is ignored: a stranger must not make us send.
   */
  expectStray(callId: string, fromTag: string, until: Ms, headers?: ExtraHeaders): void;
  /** What names the dialog of a leg (RFC 3261 §12), for Replaces (RFC 3891); `null` before there is one. */
  dialogOf(leg: LegId): DialogName | null;
  /** The leg with that dialog. */
  legWith(dialog: DialogName): LegId | undefined;
  /** Live legs and transactions, for leak checks and drains. */
  readonly size: number;
}

export interface UserAgentOptions {
  /** Sent-by of our Via for non-local flows, for example `{ host: '127.0.0.1', port: 5060 }`. */
  readonly sentBy: { readonly host: string; readonly port?: number };
  /** The Contact of a leg's dialog. */
  readonly contact: (leg: LegId) => Uri;
  /** The first hop for a request: the top route, or else the request URI. */
  readonly resolve: (nextHop: Uri) => Flow;
  readonly userAgent: string;
  /** Methods we accept, for Allow. */
  readonly allow: readonly string[];
  /** The offer of a re-INVITE at the moment it is sent; `given` may have waited, and be old by now. Default: as given. */
  readonly offer?: (leg: LegId, given: string) => string;
  /** Whether a request may speak in the dialog with the peer at `target`; otherwise it gets 403. Default: all may. */
  readonly admits?: (target: Uri, request: SipRequest) => boolean;
  /** Whether `dialog` is told; default no. */
  readonly tellsDialogs?: boolean;
}
