import { earliest, type LogLine, type Ms } from '@sidetone/core';
import type {
  CallIds,
  Cause,
  ClientAgent,
  ClientFrame,
  CustomHeader,
  DialledDestination,
  FrameId,
  Party,
} from '@sidetone/wire';
import type { TransferProgress } from './refer.ts';

/*
 * One call of a client, which is one SIP leg towards voice.
 *
 *   from the client:  calling ──18x──▶ early ──2xx──▶ active ──bye, BYE, socket gone──▶ over
 *                        └── bye: CANCEL ┴── refused, bye: CANCEL ─────────────────────▶ over
 *   to the client:    ringing ──answer──▶ active ──────────────────────────────────────▶ over
 *                        └── bye: refused, CANCEL from the caller ─────────────────────▶ over
 *
 * `held` and `update` live inside `active`: a hold is answered at once and told to voice by re-INVITE; a new offer of the
 * client waits for voice's answer. `over` is final; the service forgets the call, and the user agent finishes the dialog.
 *
 * A client that loses its socket leaves the call as it is; voice is told, so that lost media is no end:
 *
 *   here ──socket gone──▶ away ──the same client is back (`returns.ts`)──▶ here: rings again | hears what it missed |
 *                                 voice is told; its fresh offer (media lost, or needed always) ──attach──▶ client ──answer──▶ 200
 */
export type CallPhase = 'calling' | 'early' | 'ringing' | 'active' | 'over';

export interface Call {
  /** The client's name of the call. */
  readonly callId: string;
  readonly direction: 'outbound' | 'inbound';
  readonly phase: CallPhase;
  readonly caller: Party;
  readonly callee: Party;
  readonly ids: CallIds;
  /** Call-ID of the leg, for `sip_call_id`. */
  readonly sipCallId: string;
  readonly agent: ClientAgent;
  /** The last description that stood for the client towards voice; null before it answered. */
  readonly clientSdp: string | null;
  readonly rung: boolean;
  /** A description went to the client in `media`: `answer` must not repeat it. */
  readonly mediaSent: boolean;
  readonly held: boolean;
  readonly update: { readonly frame: FrameId; readonly sdp: string; readonly until: Ms } | null;
  /** See `transfer.ts`. */
  readonly transfer: {
    readonly frame: FrameId;
    readonly action: 'transfer' | 'replace';
    readonly until: Ms;
  } | null;
  /** What it rings with, until it is answered. */
  readonly ring: Ring | null;
  /** Custom headers that came with it: of the caller's INVITE, or of the answer. */
  readonly headers: readonly CustomHeader[];
  /** The client has no socket, or does not know yet that it is back. */
  readonly away: boolean;
  /** voice knows that. */
  readonly awayTold: boolean;
  /** What the client was told of its own call until it was up, and whether it was away then. */
  readonly setUp: readonly { readonly wish: ClientWish; readonly missed: boolean }[];
  /** `asked`: voice knows that the client is back and may offer new media; or its offer is with the client. */
  readonly renewal: 'asked' | { readonly tx: string; readonly until: Ms; readonly offer: string } | null;
}

export interface Ring {
  readonly sdp: string;
  /** base64 text the application attached. */
  readonly clientState?: string;
}

/** What a leg's cause, as stated by SIP, means to the client. */
export interface LegEnd {
  readonly cause: Cause;
  readonly sipCode: number;
  readonly sipReason: string;
  readonly customHeaders: readonly CustomHeader[];
}

export type CallFrame = Extract<
  ClientFrame,
  {
    kind:
      | 'answer'
      | 'attach'
      | 'bye'
      | 'hold'
      | 'updateMedia'
      | 'transfer'
      | 'replace'
      | 'modify'
      | 'dtmf'
      | 'message'
      | 'candidate'
      | 'endOfCandidates';
  }
>;

export type CallInput =
  | { readonly type: 'tick' }
  | { readonly type: 'frame'; readonly frame: CallFrame }
  | {
      readonly type: 'progress' | 'accepted';
      readonly status: number;
      readonly sdp?: string;
      readonly ids?: CallIds;
      readonly customHeaders: readonly CustomHeader[];
    }
  /** Refused, cancelled by the caller, or ended by BYE. */
  | { readonly type: 'ended'; readonly end: LegEnd }
  | { readonly type: 'reinvite'; readonly tx: string; readonly sdp?: string }
  | {
      readonly type: 'reinviteResult';
      readonly token: string;
      readonly status: number;
      readonly sdp?: string;
    }
  /** voice's answer to our REFER, and what it tells of the transfer afterwards. */
  | { readonly type: 'referred'; readonly status: number }
  | ({ readonly type: 'transferred' } & TransferProgress)
  /** The client has lost its socket; it is back on another, and has been told that it is registered. */
  | { readonly type: 'away' | 'back' }
  /** When was the client, which is away, heard last? voice answers to the service. */
  | { readonly type: 'heard' }
  /** The client may have dropped the offer that it was attached with; it listens now. */
  | { readonly type: 'listens' }
  /** The person declines it, if it rings. */
  | { readonly type: 'declined' }
  /** We end it: the client does not come back, or the platform stops (then the client is told). */
  | { readonly type: 'end'; readonly cause: Cause; readonly tell: boolean };

export type CallReply =
  | { readonly kind: 'done' }
  | { readonly kind: 'hold'; readonly action: string; readonly held: boolean }
  | { readonly kind: 'media'; readonly sdp: string; readonly held: boolean }
  | { readonly kind: 'transferred'; readonly action: 'transfer' | 'replace' }
  | { readonly kind: 'sent' }
  | { readonly kind: 'error'; readonly code: number; readonly message: string };

/** What a call tells its client: answers, and requests of ours. */
export type ClientWish =
  | { readonly type: 'reply'; readonly id: FrameId; readonly reply: CallReply }
  | { readonly type: 'ringing'; readonly customHeaders: readonly CustomHeader[] }
  | { readonly type: 'media'; readonly sdp: string }
  | { readonly type: 'answer'; readonly sdp?: string; readonly customHeaders: readonly CustomHeader[] }
  | { readonly type: 'invite'; readonly ring: Ring }
  | { readonly type: 'attach'; readonly sdp: string }
  | { readonly type: 'bye'; readonly end: LegEnd };

/** What a call wants of its leg. */
export type LegWish =
  | {
      readonly type: 'respond';
      readonly status: number;
      readonly sdp?: string;
      readonly cause?: Cause;
      readonly internal?: string;
      readonly customHeaders: readonly CustomHeader[];
    }
  | { readonly type: 'cancel'; readonly cause: Cause; readonly customHeaders: readonly CustomHeader[] }
  | { readonly type: 'hangUp'; readonly cause: Cause; readonly customHeaders: readonly CustomHeader[] }
  | { readonly type: 'reinvite'; readonly sdp: string; readonly token: string }
  | {
      readonly type: 'respondReinvite';
      readonly tx: string;
      readonly status: number;
      readonly sdp?: string;
    }
  /** To a destination, or to the other side of another call of the client. */
  | {
      readonly type: 'refer';
      readonly to: { readonly destination: DialledDestination } | { readonly otherCallId: string };
    }
  | { readonly type: 'info'; readonly contentType: string; readonly body: string; readonly package?: string };

/** What a call asks for, in order; the service spells it in JSON and in SIP. */
export type CallOut = ClientWish | LegWish | LogLine;

export const isTold = (wish: ClientWish | LegWish): wish is ClientWish =>
  wish.type === 'reply' ||
  wish.type === 'ringing' ||
  wish.type === 'media' ||
  wish.type === 'answer' ||
  wish.type === 'invite' ||
  wish.type === 'attach' ||
  wish.type === 'bye';

/** When the call wants a tick. */
export const callDeadline = (call: Call): Ms | null =>
  earliest(
    earliest(call.update?.until ?? null, call.transfer?.until ?? null),
    call.renewal === null || call.renewal === 'asked' ? null : call.renewal.until,
  );

type Facts = Pick<
  Call,
  'callId' | 'direction' | 'phase' | 'caller' | 'callee' | 'ids' | 'sipCallId' | 'agent' | 'clientSdp'
> &
  Partial<Pick<Call, 'ring' | 'headers'>>;

export const newCall = (facts: Facts): Call => ({
  ring: null,
  headers: [],
  ...facts,
  rung: false,
  mediaSent: false,
  held: false,
  update: null,
  transfer: null,
  away: false,
  awayTold: false,
  setUp: [],
  renewal: null,
});
