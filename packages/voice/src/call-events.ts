import type { LogLine } from '@sidetone/core';
import type { Uri } from '@sidetone/sip';
import type { CallRecord, Direction, MediaCommand, MediaReply } from '@sidetone/wire';
import type { ContactFacts, Extra } from './call.ts';
import type { Ending } from './ending.ts';
import type { Restored } from './restored.ts';

/** What a reply of media belongs to. `aside` replies change nothing. */
export type MediaTag =
  | 'first'
  | 'accept'
  | 're-answer'
  | 're-offer'
  | 're-accept'
  | 'probe'
  | 'close'
  | 'aside';

/**
 * What a call hears. SIP is already read: legs by our id, causes and custom headers as values; `from` is the IP address that a phone
 * sent it from.
 */
export type CallInput =
  | { readonly type: 'start' }
  | { readonly type: 'tick' }
  /** The callee's bindings, the last to register first; without any, `status` says why. */
  | { readonly type: 'bindings'; readonly status: number; readonly contacts: readonly ContactFacts[] }
  | {
      readonly type: 'progress';
      readonly leg: string;
      readonly status: number;
      readonly sdp?: string;
      readonly trunk?: string;
      readonly from?: string;
      readonly headers: Extra;
    }
  | {
      readonly type: 'accepted';
      readonly leg: string;
      readonly sdp?: string;
      readonly trunk?: string;
      readonly from?: string;
      readonly headers: Extra;
    }
  | {
      readonly type: 'failed';
      readonly leg: string;
      readonly status: number;
      readonly by: 'peer' | 'timeout' | 'transport' | 'cancel';
      readonly trunk?: string;
      /** From Reason and X-Sidetone-Cause. */
      readonly cause?: { readonly name: string; readonly code: number };
      readonly headers: Extra;
    }
  | { readonly type: 'cancelled'; readonly leg: string; readonly headers: Extra }
  | { readonly type: 'confirmed'; readonly leg: string; readonly sdp?: string }
  /** `direction`: what the offer states (`c=0.0.0.0` reads as `sendonly`, RFC 3264 §8.4). */
  | {
      readonly type: 'reinvite';
      readonly leg: string;
      readonly tx: string;
      readonly from?: string;
      readonly offer?: { readonly sdp: string; readonly direction: Direction };
    }
  | {
      readonly type: 'reinviteConfirmed';
      readonly leg: string;
      readonly answer?: { readonly sdp: string; readonly direction: Direction };
    }
  | {
      readonly type: 'reinviteResult';
      readonly leg: string;
      readonly status: number;
      readonly from?: string;
      readonly sdp?: string;
    }
  | { readonly type: 'digits'; readonly leg: string; readonly digits: string }
  /** A client lost its socket, or is back (`wire`: PRESENCE). */
  | { readonly type: 'presence'; readonly leg: string; readonly here: boolean }
  | { readonly type: 'digitSent'; readonly leg: string; readonly status: number }
  | { readonly type: 'candidates'; readonly leg: string; readonly candidates: readonly string[] }
  | {
      readonly type: 'bye';
      readonly leg: string;
      readonly cause?: { readonly name: string; readonly code: number };
      readonly headers: Extra;
    }
  | { readonly type: 'ended'; readonly leg: string; readonly why: 'ack-timeout' | 'dialog-gone' | 'bye-done' }
  | { readonly type: 'media'; readonly leg: string; readonly tag: MediaTag; readonly reply: MediaReply }
  | { readonly type: 'mediaFailed'; readonly leg: string; readonly why: 'dtls' | 'ice' | 'rtp' }
  | {
      readonly type: 'mediaFlag';
      readonly leg: string;
      readonly flag: 'connected' | 'media' | 'one-way';
    }
  /** A digit that the leg's peer sent in its media. */
  | { readonly type: 'mediaDigit'; readonly leg: string; readonly digit: string }
  /** A transfer is asked for by the peer of a leg: to dial somebody, or to join with a leg of another call. */
  | {
      readonly type: 'refer';
      readonly leg: string;
      readonly tx: string;
      readonly cseq: number;
      readonly to: ReferTarget;
    }
  /** What became of the call that rings the target of a transfer. */
  | { readonly type: 'dialled'; readonly dial: string; readonly news: DialNews }
  /** `leg` of another call has become a side of this one; or that could not be done. */
  | { readonly type: 'joined'; readonly leg: string }
  | { readonly type: 'joinFailed' }
  /** A side of this call has become one of another call. */
  | { readonly type: 'left' }
  /** The process that had the call died; this one has read it. */
  | Restored
  /** The platform ends the call (drain, engine lost). */
  | { readonly type: 'end'; readonly ending: Ending };

export type ReferTarget =
  /** `dial`: the id of the call to be. */
  | { readonly kind: 'dial'; readonly dial: string; readonly dialled: string; readonly headers: Extra }
  | { readonly kind: 'join'; readonly call: string; readonly leg: string };

export type DialNews =
  | { readonly kind: 'progress'; readonly status: number }
  | { readonly kind: 'answered'; readonly leg: string }
  | { readonly kind: 'failed'; readonly ending: Ending };

/** What a call asks for; `voice.ts` spells it in SIP and in media commands. */
export type CallOut =
  | { readonly type: 'lookup'; readonly user: string }
  | {
      readonly type: 'invite';
      readonly leg: string;
      /** The callee's contact; null for a number, which the proxy routes. */
      readonly target: Uri | null;
      readonly sdp: string;
      /** What the callee sees as the caller. */
      readonly shown: { readonly name?: string; readonly number: string };
      readonly headers: Extra;
    }
  | {
      readonly type: 'respond';
      readonly leg: string;
      readonly status: number;
      readonly sdp?: string;
      readonly ending?: Ending;
      readonly headers: Extra;
    }
  | { readonly type: 'cancel'; readonly leg: string; readonly ending: Ending }
  | { readonly type: 'bye'; readonly leg: string; readonly ending: Ending }
  | { readonly type: 'reinvite'; readonly leg: string; readonly sdp: string }
  | {
      readonly type: 'respondReinvite';
      readonly leg: string;
      readonly tx: string;
      readonly status: number;
      readonly sdp?: string;
    }
  | { readonly type: 'sendDigit'; readonly leg: string; readonly digit: string }
  | { readonly type: 'answerRefer'; readonly leg: string; readonly tx: string; readonly status: number }
  /** How the transfer gets on (RFC 3515 §2.4.4); the last one is `final`. */
  | {
      readonly type: 'notify';
      readonly leg: string;
      readonly event: number | null;
      readonly status: number;
      readonly ending?: Ending;
      readonly final: boolean;
    }
  /** A new call without a caller, on the account of the transferring leg, for the leg that stays. */
  | {
      readonly type: 'dial';
      readonly dial: string;
      readonly by: string;
      readonly keeps: string;
      readonly dialled: string;
      readonly headers: Extra;
    }
  | { readonly type: 'hangUpDial'; readonly dial: string; readonly ending: Ending }
  /** To the call for whose transfer this one was made. */
  | { readonly type: 'news'; readonly call: string; readonly news: DialNews }
  /** Joins our side `keeps` with the side `leg` of another call. */
  | { readonly type: 'join'; readonly keeps: string; readonly call: string; readonly leg: string }
  | {
      readonly type: 'media';
      readonly leg: string;
      readonly tag: MediaTag;
      readonly command: MediaCommand;
    }
  | { readonly type: 'record'; readonly record: CallRecord }
  | LogLine;
