import type { Ms } from '@sidetone/core';
import type { Uri } from '@sidetone/sip';
import type { BuiltIn, CallRecord, CodecName, Direction, LegKind, LegStats, Source } from '@sidetone/wire';
import type { Ending } from './ending.ts';

/*
 * One leg: a SIP dialog (none for a service) and a leg in media.
 *
 *   caller:  invited ──200──▶ up ──BYE──▶ over          callee:  preparing ──INVITE──▶ calling ──2xx──▶ up ──▶ over
 *               └── final ≥ 300, CANCEL ─────▶ over                                       │ CANCEL
 *                                                                                     cancelling ──final──▶ over
 *
 *   media:   none ──first command──▶ asked ──reply──▶ open ──close──▶ closing ──reply──▶ closed
 *
 * A leg is recorded when its phase is `over` and its media is `none` or `closed`.
 */
export type LegPhase = 'invited' | 'preparing' | 'calling' | 'up' | 'cancelling' | 'over';

/** Where an offer/answer exchange inside the dialog stands. One at a time; a peer's second offer hears 491. */
export type Negotiation =
  | { readonly name: 'idle' }
  /** Peer's offer is with media. `before`: what `holding` falls back to when we refuse. */
  | { readonly name: 'answering'; readonly tx: string; readonly before: boolean }
  /** Peer's offerless re-INVITE: our offer is with media, then in the 200, then we wait for the ACK. */
  | { readonly name: 'offering-peer'; readonly tx: string }
  | { readonly name: 'awaiting-ack' }
  /** Our own re-INVITE: the offer is with media, then on its way, then the answer is with media. */
  | { readonly name: 'offering'; readonly direction: Direction }
  | { readonly name: 'reinviting' }
  | { readonly name: 'accepting' };

export interface Leg {
  /** UUID; also its name in media, its Call-ID when we call, and a client's callID. */
  readonly id: string;
  /** `v3:` and opaque text. */
  readonly control: string;
  readonly role: 'caller' | 'callee';
  readonly kind: CallRecord['kind'];
  /** Speaks ICE and DTLS-SRTP; otherwise plain RTP. */
  readonly webrtc: boolean;
  readonly userName?: string;
  readonly trunk?: string;
  readonly phase: LegPhase;
  readonly media: 'none' | 'asked' | 'open' | 'closing' | 'closed';
  readonly codecs: readonly CodecName[];
  readonly dtmf: 'rfc4733' | 'info';
  /** The contact we call; null for a number on a trunk. */
  readonly target: Uri | null;
  /** Caller: the offer of the INVITE; null when it had none. */
  readonly offer: string | null;
  /** Of a phone: the IP address that its signalling came from last, with a description. */
  readonly signalledFrom: string | null;
  /** Our first description, once media gave it. */
  readonly sdp: string | null;
  readonly sdpSent: boolean;
  /** The peer's last answer given to media, and how many `accept`s are unanswered. */
  readonly remote: string | null;
  readonly accepting: number;
  readonly connected: boolean;
  readonly codec: CodecName | null;
  readonly negotiation: Negotiation;
  /** The peer of this leg has put us on hold. */
  readonly holding: boolean;
  /** The direction our last offer or answer stated (or tried to). */
  readonly stated: Direction;
  readonly source: Source | null;
  /** Has the client a socket? See `presence.ts`. */
  readonly presence: 'here' | 'away' | 'returning';
  /** Media is being asked when it heard a client that is back. */
  readonly probe: 'first' | 'second' | null;
  /** When media is asked a second time whether it hears a client that is back. */
  readonly probeAt: Ms | null;
  /** Its media is to be offered anew. */
  readonly renewing: boolean;
  /** How its media failed while it was away. */
  readonly mediaLost: 'dtls' | 'ice' | 'rtp' | null;
  /** Digits that wait for the INFO before them, when digits leave as INFO. */
  readonly digits: string;
  readonly digitOut: boolean;
  readonly digitCount: number;
  /** Candidates that came before media had the leg. */
  readonly candidates: readonly string[];
  readonly startedAt: Ms;
  readonly answeredAt: Ms | null;
  readonly endedAt: Ms | null;
  readonly giveUpAt: Ms | null;
  /** What a service plays. */
  readonly service: BuiltIn | null;
  /** Of a leg that a transfer brought from another call: where it began, and who spoke with whom there. */
  readonly from: LegOrigin | null;
  readonly transfer: NonNullable<CallRecord['transfer']> | null;
  /** REFERs it sent. */
  readonly refers: number;
  /** Its own ending, where it differs from the call's. */
  readonly ending: Ending | null;
  readonly stats: LegStats | null;
  readonly recorded: boolean;
}

export interface LegOrigin {
  readonly session: string;
  /** For the record. */
  readonly caller: string;
  readonly dialled: string;
  /** The party on this leg, as others are shown it. */
  readonly name?: string;
  readonly number: string;
  /** It was joined with legs of this session. */
  readonly joined?: string;
}

type Fresh = Pick<Leg, 'id' | 'control' | 'role' | 'kind' | 'phase' | 'codecs' | 'startedAt'> &
  Partial<
    Pick<Leg, 'webrtc' | 'userName' | 'trunk' | 'dtmf' | 'target' | 'offer' | 'service' | 'signalledFrom'>
  >;

export function newLeg(facts: Fresh): Leg {
  return {
    dtmf: 'rfc4733',
    target: null,
    offer: null,
    service: null,
    signalledFrom: null,
    webrtc: facts.kind === 'client',
    ...facts,
    media: 'none',
    sdp: null,
    sdpSent: false,
    remote: null,
    accepting: 0,
    connected: false,
    codec: null,
    negotiation: { name: 'idle' },
    holding: false,
    stated: 'sendrecv',
    source: null,
    presence: 'here',
    probe: null,
    probeAt: null,
    renewing: false,
    mediaLost: null,
    digits: '',
    digitOut: false,
    digitCount: 0,
    candidates: [],
    answeredAt: null,
    endedAt: null,
    giveUpAt: null,
    from: null,
    transfer: null,
    refers: 0,
    ending: null,
    stats: null,
    recorded: false,
  };
}

export const mediaKind = (leg: Leg): LegKind => (leg.webrtc ? 'webrtc' : 'rtp');

/** Whence media may believe a phone besides from where it says: behind a NAT it knows its own address by another name. */
export const signalledFrom = (leg: Leg): { readonly signalledFrom?: string } =>
  leg.kind === 'phone' && leg.signalledFrom !== null ? { signalledFrom: leg.signalledFrom } : {};

/** Does media know (or is it about to know) the leg? */
export const inMedia = (leg: Leg): boolean => leg.media === 'asked' || leg.media === 'open';
