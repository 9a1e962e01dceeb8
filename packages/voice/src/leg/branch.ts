import type { Family, Ms } from '@sidetone/core';
import type { Uri } from '@sidetone/sip';
import type { CodecName, Direction, LegKind, LegStats, Source } from '@sidetone/wire';
import type { Ending } from './ending.ts';

/*
 * One way to the party of a leg: a dialog and a leg in media. A leg that we call may ring on several, until one answers.
 *
 *   dialog:  invited ──200──▶ up ──BYE──▶ over      preparing ──INVITE──▶ calling ──2xx──▶ up ──▶ over
 *               └── final ≥ 300, CANCEL ─▶ over                              │ CANCEL
 *                                                                        cancelling ──final──▶ over
 *
 *   media:   none ──first command──▶ asked ──reply──▶ open ──close──▶ closing ──reply──▶ closed
 */
export type DialogPhase = 'invited' | 'preparing' | 'calling' | 'up' | 'cancelling' | 'over';

export interface Branch {
  /** UUID: its name in media, and the Call-ID of our INVITE. The first branch bears the id of its leg. */
  readonly id: string;
  readonly kind: 'client' | 'phone' | 'trunk';
  /** Speaks ICE and DTLS-SRTP; otherwise plain RTP. */
  readonly webrtc: boolean;
  readonly trunk?: string;
  readonly codecs: readonly CodecName[];
  readonly dtmf: 'rfc4733' | 'info';
  /** `quality`: a browser on the other side gets Opus; `capacity`: what this branch speaks. */
  readonly policy: 'quality' | 'capacity';
  /** By which IP version its peer signals: the one of our first offer. */
  readonly family: Family | null;
  /** The contact we call; null for a number, which the proxy routes, and for a party that calls us. */
  readonly target: Uri | null;
  /** Of a phone: the IP address that its signalling came from last, with a description. */
  readonly signalledFrom: string | null;
  /** Which of `Dial.targets` it calls. */
  readonly callee: number;
  readonly phase: DialogPhase;
  /** When a cancelled INVITE without a final response is given up (RFC 3261 §9.1). */
  readonly giveUpAt: Ms | null;
  /** Why this branch ended, where its leg goes on or ends otherwise. */
  readonly ending: Ending | null;
  /** The last numbered report of media that was read. */
  readonly reported: number;
  readonly media: MediaUse;
  readonly exchange: Exchange;
  readonly attachment: Attachment;
  readonly digits: DigitsOut;
}

/** The leg in media. */
export interface MediaUse {
  readonly phase: 'none' | 'asked' | 'open' | 'closing' | 'closed';
  /** Our first description, once media gave it; and whether the peer has it. */
  readonly sdp: string | null;
  readonly sdpSent: boolean;
  readonly codec: CodecName | null;
  /** What media was told that the peer hears; null: nothing yet. */
  readonly source: Source | null;
  readonly stats: LegStats | null;
}

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

export interface Exchange {
  /** The offer of the peer's INVITE; null when it had none. */
  readonly offer: string | null;
  /** The peer's last answer given to media, and how many `accept`s are unanswered. */
  readonly remote: string | null;
  readonly accepting: number;
  /** Media has both descriptions. */
  readonly connected: boolean;
  readonly negotiation: Negotiation;
  /** The peer has put us on hold. */
  readonly holding: boolean;
  /** Media has gone to an address that the peer is not told of yet. */
  readonly moved: boolean;
  /** The direction that our last offer or answer stated (or tried to). */
  readonly stated: Direction;
}

/** Whether a client has a socket, and what is done about its media: `attachment.ts`. */
export interface Attachment {
  readonly at: 'here' | 'away' | 'returning';
  /** Media is being asked when it heard a client that is back, or one that is away (`heard`). */
  readonly probe: 'first' | 'second' | 'heard' | null;
  /** When it is asked a second time. */
  readonly probeAt: Ms | null;
  /** Its media is to be offered anew. */
  readonly renewing: boolean;
  /** How its media failed while it was away. */
  readonly lost: 'dtls' | 'ice' | 'rtp' | null;
}

/**
 * Digits towards the peer that wait: as INFO, one behind the answer to the other; behind a pause (`w` half a second, `W` a second).
 */
export interface DigitsOut {
  readonly waiting: string;
  readonly out: boolean;
  /** The end of a pause, or of the digits before it. */
  readonly until: Ms | null;
}

type Fresh = Pick<Branch, 'id' | 'kind' | 'phase' | 'codecs'> &
  Partial<
    Pick<Branch, 'webrtc' | 'trunk' | 'dtmf' | 'policy' | 'family' | 'target' | 'signalledFrom' | 'callee'>
  > & {
    readonly offer?: string | null;
  };

export const BLANK: Pick<Branch, 'media' | 'exchange' | 'attachment' | 'digits'> = {
  media: { phase: 'none', sdp: null, sdpSent: false, codec: null, source: null, stats: null },
  exchange: {
    offer: null,
    remote: null,
    accepting: 0,
    connected: false,
    negotiation: { name: 'idle' },
    holding: false,
    moved: false,
    stated: 'sendrecv',
  },
  attachment: { at: 'here', probe: null, probeAt: null, renewing: false, lost: null },
  digits: { waiting: '', out: false, until: null },
};

/** What most branches are. */
export const PLAIN: Pick<
  Branch,
  | 'webrtc'
  | 'dtmf'
  | 'policy'
  | 'family'
  | 'target'
  | 'signalledFrom'
  | 'callee'
  | 'giveUpAt'
  | 'ending'
  | 'reported'
> = {
  webrtc: false,
  dtmf: 'rfc4733',
  policy: 'capacity',
  family: null,
  target: null,
  signalledFrom: null,
  callee: 0,
  giveUpAt: null,
  ending: null,
  reported: 0,
};

export function newBranch({ offer = null, ...facts }: Fresh): Branch {
  return {
    ...PLAIN,
    webrtc: facts.kind === 'client',
    ...facts,
    ...BLANK,
    exchange: offer === null ? BLANK.exchange : { ...BLANK.exchange, offer },
  };
}

export const mediaKind = (branch: Branch): LegKind => (branch.webrtc ? 'webrtc' : 'rtp');

/** For an offer to a peer of whom media knows nothing yet. */
export const offerFamily = ({ family }: Branch): { readonly family?: Family } =>
  family === null ? {} : { family };

/** Whence media may believe a phone besides from where it says: behind a NAT it knows its own address by another name. */
export const signalledFrom = ({ kind, signalledFrom: from }: Branch): { readonly signalledFrom?: string } =>
  kind === 'phone' && from !== null ? { signalledFrom: from } : {};

/** Does media know (or is it about to know) the branch? */
export const inMedia = ({ media: { phase } }: Branch): boolean => phase === 'asked' || phase === 'open';

/** Nothing of it is left: no dialog, no leg in media. */
export const isGone = ({ phase, media }: Branch): boolean =>
  phase === 'over' && (media.phase === 'none' || media.phase === 'closed');

/** It may still answer. */
export const rings = ({ phase }: Branch): boolean => phase === 'preparing' || phase === 'calling';
