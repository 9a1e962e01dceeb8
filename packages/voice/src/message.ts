import type { Family, LogLine, Ms } from '@sidetone/core';
import type { Uri } from '@sidetone/sip';
import type {
  AfterBridge,
  CallNews,
  CallRecord,
  CodecName,
  DequeueReason,
  Direction,
  ForkAsk,
  GatherAsk,
  HookAsk,
  MediaCommand,
  MediaReply,
  OpusAsk,
  RecordEvent,
  SoundAsk,
  SoundResult,
  SupervisorRole,
  TranscribeAsk,
} from '@sidetone/wire';
import type { Play, Recording, Stream } from './activity/activity.ts';
import type { Ending } from './leg/ending.ts';
import type { Extra } from './leg/headers.ts';
import type { Audio, Behind } from './leg/leg.ts';
import type { OnAnswer, Program } from './leg/program.ts';
import type { Place } from './place/place.ts';
import type { QueueNews, QueuePlace } from './place/queue.ts';

/*
 * What the machines of voice say to each other, and what they ask for.
 *
 *   SIP, media, commands ──LegInput──▶ leg ──PlaceInput──▶ its place ──LegInput──▶ the legs there
 *                                       └──────────Wish──────┴──▶ SIP, media, records, the log
 */

/** What a reply of media belongs to. `aside` replies change nothing. */
export type MediaTag =
  | 'first'
  | 'accept'
  | 're-answer'
  | 're-offer'
  | 're-accept'
  | 'probe'
  | 'close'
  | 'play'
  | 'overlay'
  | 'stream'
  | 'transcribe'
  | 'fork'
  | 'record'
  | 'aside';

/** Where a user is registered; voice has drawn the branch id. */
export interface Contact {
  readonly branch: string;
  readonly uri: Uri;
  /** A browser behind `vsp`; otherwise a phone. */
  readonly client: boolean;
  /** Its media is WebRTC: every client's, and that of phones that registered over a WebSocket. */
  readonly webrtc: boolean;
  /** By which IP version a phone signals, if known. */
  readonly family: Family | null;
}

/** What commands change of a leg in a conference. */
export type MemberChange = Partial<
  Pick<
    Extract<Place, { in: 'conference' }>,
    'muted' | 'held' | 'hold' | 'role' | 'to' | 'beep' | 'endOnExit' | 'softEndOnExit'
  >
>;
/** News of a leg; what a queue knows of it is added on the way. */
export type News = CallNews | QueueNews;

/** A report of media that may be told again has a number: one that is not new is not read. */
interface Numbered {
  readonly n?: number;
}

/**
 * What a leg hears. SIP is already read: branches by their id, causes and custom headers as values; `from` is the IP address that a phone
 * sent it from.
 */
export type LegInput =
  | { readonly type: 'tick' }
  // -- the peer, by SIP
  | {
      readonly type: 'progress';
      readonly branch: string;
      readonly status: number;
      readonly sdp?: string;
      readonly trunk?: string;
      readonly from?: string;
      readonly headers: Extra;
    }
  | {
      readonly type: 'accepted';
      readonly branch: string;
      readonly sdp?: string;
      readonly trunk?: string;
      readonly from?: string;
      readonly headers: Extra;
    }
  | {
      readonly type: 'failed';
      readonly branch: string;
      readonly status: number;
      readonly by: 'peer' | 'timeout' | 'transport' | 'cancel';
      readonly trunk?: string;
      /** From Reason and X-Sidetone-Cause. */
      readonly cause?: { readonly name: string; readonly code: number };
      readonly headers: Extra;
    }
  | { readonly type: 'cancelled'; readonly headers: Extra }
  | { readonly type: 'confirmed'; readonly sdp?: string }
  /** `direction`: what the offer states (`c=0.0.0.0` reads as `sendonly`, RFC 3264 §8.4). */
  | {
      readonly type: 'reinvite';
      readonly branch: string;
      readonly tx: string;
      readonly from?: string;
      readonly offer?: { readonly sdp: string; readonly direction: Direction };
    }
  | {
      readonly type: 'reinviteConfirmed';
      readonly branch: string;
      readonly answer?: { readonly sdp: string; readonly direction: Direction };
    }
  | {
      readonly type: 'reinviteResult';
      readonly branch: string;
      readonly status: number;
      readonly from?: string;
      readonly sdp?: string;
    }
  | { readonly type: 'digits'; readonly digits: string }
  /** A client lost its socket, or is back (`wire`: ATTACHMENT). `bare`: back without its media, so heard or not it needs an offer. */
  | { readonly type: 'attachment'; readonly branch: string; readonly here: boolean; readonly bare: boolean }
  /** When was the client of this branch, which is away, heard last? */
  | { readonly type: 'askHeard'; readonly branch: string }
  | { readonly type: 'digitSent'; readonly branch: string; readonly status: number }
  | {
      readonly type: 'bye';
      readonly branch: string;
      readonly cause?: { readonly name: string; readonly code: number };
      readonly headers: Extra;
    }
  | {
      readonly type: 'ended';
      readonly branch: string;
      readonly why: 'ack-timeout' | 'no-answer' | 'dialog-gone' | 'bye-done';
    }
  | { readonly type: 'refer'; readonly tx: string; readonly cseq: number; readonly to: ReferTarget }
  // -- the look-up, media
  /** The callee's bindings, the last to register first; without any, `status` says why. */
  | {
      readonly type: 'bindings';
      /** Which of those who are called. */
      readonly target: number;
      readonly status: number;
      readonly contacts: readonly Contact[];
    }
  | {
      readonly type: 'media';
      readonly branch: string;
      readonly tag: MediaTag;
      /** The activity that asked, by its id in media. */
      readonly of: string | null;
      readonly reply: MediaReply;
    }
  | ({
      readonly type: 'mediaFailed';
      readonly branch: string;
      readonly why: 'dtls' | 'ice' | 'rtp';
    } & Numbered)
  | {
      readonly type: 'mediaFlag';
      readonly branch: string;
      readonly flag: 'connected' | 'media' | 'one-way';
    }
  /** A digit that the peer sent in its media, which relays it by itself unless it is to leave as INFO. */
  | ({ readonly type: 'mediaDigit'; readonly branch: string; readonly digit: string } & Numbered)
  /** What was asked for by a play is there, or not. */
  | { readonly type: 'sound'; readonly id: string; readonly result: SoundResult }
  /** The end of a play in media. */
  | ({
      readonly type: 'played';
      readonly branch: string;
      readonly id: string;
      readonly status: 'completed' | 'stopped' | 'failed';
    } & Numbered)
  /** The end of a recording in media. */
  | ({ readonly type: 'recorded'; readonly branch: string; readonly end: RecordEnd } & Numbered)
  /** What the peer sounds like from now on. */
  | ({
      readonly type: 'heard';
      readonly branch: string;
      readonly what: 'speech' | 'silence' | 'beep';
    } & Numbered)
  /** What was said, and the end of what asks. */
  | ({
      readonly type: 'transcript';
      readonly branch: string;
      readonly id: string;
      readonly track: 'inbound' | 'outbound';
      readonly text: string;
      readonly final: boolean;
      readonly confidence: number | null;
    } & Numbered)
  | ({
      readonly type: 'transcribed';
      readonly branch: string;
      readonly id: string;
      readonly reason?: string;
    } & Numbered)
  /** How the socket of its stream is. */
  | ({
      readonly type: 'streamed';
      readonly branch: string;
      readonly id: string;
      readonly state: 'open' | 'closed' | 'failed';
      readonly reason?: string;
    } & Numbered)
  // -- commands
  /** Its first input, of a leg that a back end is told of. */
  | { readonly type: 'begun'; readonly news: Extract<CallNews, { type: 'initiated' }> }
  /** A back end has commanded it; `program`: of a leg that had none. */
  | {
      readonly type: 'commanded';
      readonly program?: Program;
      readonly commandId?: string;
      readonly clientState?: string;
      readonly hook?: HookAsk;
      readonly after?: AfterBridge;
    }
  /** It is in its conference, for the back end and the others. */
  | { readonly type: 'joined' }
  /** How it is in its conference. */
  | { readonly type: 'member'; readonly change: MemberChange }
  /** How it supervises its bridge. */
  | { readonly type: 'role'; readonly role: SupervisorRole }
  /** It talks with the other side of its bridge. */
  | { readonly type: 'bridged' }
  /** Calls whom it is to call. */
  | { readonly type: 'dial' }
  /** A provisional response to a leg that is offered, each status once. */
  | { readonly type: 'ring'; readonly status: number; readonly headers: Extra }
  /** Media for a leg that is offered, before its answer. */
  | { readonly type: 'open'; readonly codecs: readonly CodecName[]; readonly opus: OpusAsk }
  /** 183 with the description. */
  | { readonly type: 'early' }
  | {
      readonly type: 'answer';
      readonly codecs: readonly CodecName[];
      readonly opus: OpusAsk;
      readonly headers: Extra;
    }
  | { readonly type: 'end'; readonly ending: Ending }
  /** In its queue: whether it stays listed when it is over. */
  | { readonly type: 'keptAfterHangup'; readonly keeps: boolean }
  /** `reason`: of a leg that leaves a queue. */
  | { readonly type: 'placed'; readonly place: Place | null; readonly reason?: DequeueReason }
  | { readonly type: 'audio'; readonly audio: Audio }
  /** What the peer makes of a REFER of ours (RFC 3515). */
  | { readonly type: 'referAnswered'; readonly status: number }
  | { readonly type: 'referNotified'; readonly status: number; readonly final: boolean }
  | { readonly type: 'infoReceived'; readonly contentType: string; readonly body: string }
  /** Behind what waits to be played; `stop`: in its place. */
  | { readonly type: 'play'; readonly play: Play; readonly stop?: 'current' | 'all' }
  | { readonly type: 'stopPlay'; readonly stop: 'current' | 'all'; readonly overlay: boolean }
  | { readonly type: 'gather'; readonly id: string; readonly ask: GatherAsk }
  | { readonly type: 'stopGather' }
  | ({ readonly type: 'stream' } & Pick<Stream, 'id' | 'ask' | 'parameters'>)
  | { readonly type: 'stopStream' }
  | { readonly type: 'transcribe'; readonly id: string; readonly ask: TranscribeAsk }
  | { readonly type: 'stopTranscribe' }
  | { readonly type: 'fork'; readonly id: string; readonly ask: ForkAsk }
  | { readonly type: 'stopFork' }
  | { readonly type: 'record'; readonly recording: Recording }
  | { readonly type: 'changeRecording'; readonly to: 'paused' | 'running' | 'stopped' }
  /** What became of a recording. */
  | {
      readonly type: 'saved';
      readonly news: Extract<CallNews, { type: 'recorded' | 'recordFailed' }>;
    }
  /** Digits for the peer. */
  | { readonly type: 'send'; readonly digits: string; readonly durationMs?: Ms }
  /** An INFO or a REFER for the peer. */
  | Behind
  /** What a transfer made of it; `counts`: what it counts against from now on, too. */
  | {
      readonly type: 'transferred';
      readonly part: NonNullable<CallRecord['transfer']>;
      readonly joined?: string;
      readonly counts?: readonly string[];
    }
  /** The answer to a REFER of the peer, and how the transfer gets on. */
  | { readonly type: 'refered'; readonly tx: string; readonly status: number }
  | {
      readonly type: 'notify';
      readonly event: number | null;
      readonly status: number;
      readonly ending?: Ending;
      readonly final: boolean;
    }
  /** The process that had the leg died; this one has read it. `adopted`: its dialog is here; `unacked`: our 2xx waits for its ACK. */
  | { readonly type: 'restored'; readonly adopted: boolean; readonly unacked: boolean };

export type ReferTarget =
  | { readonly kind: 'dial'; readonly dialled: string; readonly headers: Extra }
  /** `leg`: the other side of another call of who asks. */
  | { readonly kind: 'join'; readonly leg: string }
  | { readonly kind: 'join-built-in'; readonly leg: string };

/** What a place hears of its legs. That a leg has changed it sees by itself. */
export type PlaceInput =
  | {
      readonly type: 'progress';
      readonly leg: string;
      readonly status: number;
      readonly described: boolean;
      readonly headers: Extra;
    }
  | { readonly type: 'digits'; readonly leg: string; readonly digits: string }
  /** One that came in the media of this branch. */
  | {
      readonly type: 'mediaDigit';
      readonly leg: string;
      readonly branch: string;
      readonly digit: string;
    }
  | {
      readonly type: 'refer';
      readonly leg: string;
      readonly tx: string;
      readonly event: number | null;
      readonly to: ReferTarget;
    }
  // -- the answer to what the place has asked for
  | { readonly type: 'found'; readonly place: Extract<Place, { in: 'built-in' }> }
  | { readonly type: 'notFound'; readonly ending: Ending };

/** How media tells the end of a recording. */
export type RecordEnd = Pick<RecordEvent, 'id' | 'why' | 'durationMs' | 'wallMs' | 'lostMs'>;

/** What a leg asks for; `voice.ts` spells it in SIP and in media commands. `leg` names the leg, `branch` its branch. */
export type Wish =
  | { readonly type: 'lookup'; readonly leg: string; readonly user: string; readonly target: number }
  | {
      readonly type: 'invite';
      readonly leg: string;
      readonly branch: string;
      readonly sdp: string;
      /** What the callee sees as the caller. */
      readonly shown: { readonly name?: string; readonly number: string };
      readonly headers: Extra;
    }
  | {
      readonly type: 'respond';
      readonly leg: string;
      readonly branch: string;
      readonly status: number;
      readonly sdp?: string;
      readonly ending?: Ending;
      readonly headers: Extra;
    }
  | { readonly type: 'cancel'; readonly leg: string; readonly branch: string; readonly ending: Ending }
  | { readonly type: 'bye'; readonly leg: string; readonly branch: string; readonly ending: Ending }
  | { readonly type: 'reinvite'; readonly leg: string; readonly branch: string; readonly sdp: string }
  | {
      readonly type: 'respondReinvite';
      readonly leg: string;
      readonly branch: string;
      readonly tx: string;
      readonly status: number;
      readonly sdp?: string;
    }
  | { readonly type: 'sendDigit'; readonly leg: string; readonly branch: string; readonly digit: string }
  /** The client of this branch, which is away, was heard so long ago. */
  | { readonly type: 'tellHeard'; readonly leg: string; readonly branch: string; readonly msAgo: Ms }
  | { readonly type: 'answerRefer'; readonly leg: string; readonly tx: string; readonly status: number }
  /** How the transfer gets on (RFC 3515 §2.4.4); the last one is `final`. */
  | {
      readonly type: 'notify';
      readonly leg: string;
      readonly branch: string;
      readonly event: number | null;
      readonly status: number;
      readonly ending?: Ending;
      readonly final: boolean;
    }
  | {
      readonly type: 'media';
      readonly leg: string;
      readonly branch: string;
      readonly tag: MediaTag;
      readonly command: MediaCommand & { readonly leg: string };
    }
  | { readonly type: 'record'; readonly leg: string; readonly record: CallRecord }
  /** For the back end of the leg, as number `n` of its lane. */
  | { readonly type: 'news'; readonly leg: string; readonly n: number; readonly what: News }
  /** It is over, and stays listed in its queue. */
  | { readonly type: 'keptInQueue'; readonly leg: string; readonly place: QueuePlace }
  | { readonly type: 'leftUntold'; readonly leg: string; readonly place: QueuePlace }
  | {
      readonly type: 'sendRefer';
      readonly leg: string;
      readonly branch: string;
      readonly address: string;
      readonly headers: Extra;
    }
  /** For media to play: fetched or made on behalf of the leg's account. */
  | { readonly type: 'sound'; readonly leg: string; readonly id: string; readonly ask: SoundAsk }
  /** A recording that the leg has no part in any more; `end`: media has closed its file. */
  | {
      readonly type: 'recorded';
      readonly leg: string;
      readonly branch: string;
      readonly recording: Recording;
      readonly end: RecordEnd | null;
    }
  /** It has answered, and this was to happen then. */
  | { readonly type: 'onAnswer'; readonly leg: string; readonly actions: OnAnswer }
  | {
      readonly type: 'sendInfo';
      readonly leg: string;
      readonly branch: string;
      readonly contentType: string;
      readonly body: string;
    }
  | LogLine;
