import type { Ms } from '@sidetone/core';
import type { ConferenceAsk, ConferenceCommand, SuperviseAsk, SupervisorRole } from './conference.ts';
import type { GatherAsk } from './gather-ask.ts';
import type { CodecName } from './media-control.ts';
import type { ForkAsk } from './media-fork.ts';
import type { StreamAsk } from './media-stream.ts';
import type { TranscribeAsk } from './media-transcribe.ts';
import type { RecordAsk } from './recording.ts';
import type { Refusal } from './refusal.ts';
import type { SoundAsk } from './sound.ts';

/*
 * What a back end commands. A command names a leg of its account by its `call_control_id`, or makes one (`dial`); it is answered at once,
 * by ids or by a refusal that changed nothing. What comes of it is an event (`call-event.ts`).
 */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Base64 with its padding (RFC 4648 §4): what a `client_state` must be. */
export const isBase64 = (text: string): boolean => BASE64.test(text);

/** Custom headers, as they leave. */
export type CommandHeaders = readonly (readonly [name: string, value: string])[];

/** Where the events of a leg are told from now on; what is absent stays as it was. */
export interface HookAsk {
  readonly url?: string;
  readonly method?: 'POST' | 'GET';
  /** URLs of single events, by the name of the event (`call.answered`). */
  readonly byEvent?: Readonly<Record<string, string>>;
  /** Pauses before each try again, by the name of the event. At most 5, together at most 60 s. */
  readonly retriesMs?: Readonly<Record<string, readonly Ms[]>>;
}

/** What every command may carry. */
interface Common {
  readonly account: string;
  /** Base64, as it was given; checked. It is in every later event of the leg. */
  readonly clientState?: string;
  /** The same id again within 60 s, on the same leg (for `dial`: of the same account), has the same answer and no second effect. */
  readonly commandId?: string;
  readonly hook?: HookAsk;
}

interface OnLeg extends Common {
  /** Its `call_control_id`. */
  readonly control: string;
}

/** Answering machine detection, from the answer of a leg that we call. */
export interface MachineDetectionAsk {
  /** `detect_beep`, `greeting_end` and `premium` also tell the end of a machine's greeting. */
  readonly mode: 'detect' | 'detect_beep' | 'detect_words' | 'greeting_end' | 'premium';
  /** All in all, until it is not sure. */
  readonly totalMs: Ms;
  /** Nothing said for so long: a machine. */
  readonly initialSilenceMs: Ms;
  /** Speech without a pause for so long: a machine. */
  readonly greetingMs: Ms;
  /** A pause of so long behind speech: a person. */
  readonly afterGreetingSilenceMs: Ms;
  /** More words: a machine. */
  readonly maxWords: number;
  /** The end of a greeting is waited for so long, and is a pause of so long. */
  readonly greetingTotalMs: Ms;
  readonly greetingSilenceMs: Ms;
}

/** What happens to a leg that leaves a bridge because the other side did. */
export type AfterBridge = 'hangup' | 'park';

export interface DialCommand extends Common {
  readonly type: 'dial';
  /** A call control application, or a credential connection, of the account. */
  readonly connection: string;
  /** Numbers, `sip:` URIs, user names. All ring at once; the first answer wins. */
  readonly to: readonly string[];
  readonly from: string;
  readonly fromName?: string;
  /** A leg whose session the new one joins. */
  readonly link?: string;
  /** With `link`: the linked leg's caller is shown instead of `from`. */
  readonly bridgeIntent?: boolean;
  /** With `link`: when it answers it is bridged with the linked leg. */
  readonly bridgeOnAnswer?: boolean;
  readonly after?: AfterBridge;
  readonly preventDouble?: boolean;
  readonly ringMs?: Ms;
  readonly limitMs?: Ms;
  readonly headers?: CommandHeaders;
  readonly codecs?: readonly CodecName[];
  /** Sent, and played, when it has answered. */
  readonly digits?: string;
  readonly play?: SoundAsk;
  readonly detect?: MachineDetectionAsk;
  /** Connected while the far end rings. */
  readonly stream?: StreamWish;
  readonly transcribe?: TranscribeAsk;
  /** From its answer on. */
  readonly record?: RecordAsk;
  readonly conference?: ConferenceAsk;
  readonly supervise?: SuperviseAsk;
}

/** A stream, and what its other end is told besides the call's names. */
export interface StreamWish extends StreamAsk {
  readonly parameters?: readonly (readonly [name: string, value: string])[];
}

export type LegCommand =
  | (OnLeg & {
      readonly type: 'answer';
      readonly headers?: CommandHeaders;
      readonly codecs?: readonly CodecName[];
      readonly stream?: StreamWish;
      readonly transcribe?: TranscribeAsk;
      readonly record?: RecordAsk;
    })
  | (OnLeg & { readonly type: 'reject'; readonly cause: 'CALL_REJECTED' | 'USER_BUSY' })
  | (OnLeg & { readonly type: 'hangup'; readonly headers?: CommandHeaders })
  | (OnLeg & {
      readonly type: 'bridge';
      /** The other leg's `call_control_id`, or the queue whose head it is. */
      readonly with: string | { readonly queue: string };
      readonly after?: AfterBridge;
      readonly preventDouble?: boolean;
      /** This leg hears a ring tone while the other has not answered. */
      readonly ringtone?: boolean;
      /** Whose digits the other side does not hear: of the leg of the URL, of the other one, of both. */
      readonly muteDigits?: 'none' | 'both' | 'self' | 'opposite';
      /** The leg of the URL is recorded, from now or from its answer on. */
      readonly record?: RecordAsk;
    })
  | (OnLeg & {
      readonly type: 'transfer';
      readonly to: string;
      /** Default: what the leg had dialled. */
      readonly from?: string;
      readonly fromName?: string;
      readonly earlyMedia?: boolean;
      readonly ringMs?: Ms;
      readonly limitMs?: Ms;
      readonly targetClientState?: string;
      readonly after?: AfterBridge;
      readonly headers?: CommandHeaders;
      readonly digits?: string;
      readonly play?: SoundAsk;
      readonly detect?: MachineDetectionAsk;
      /** The leg that is called, from its answer on. */
      readonly record?: RecordAsk;
    })
  | (OnLeg & { readonly type: 'refer'; readonly address: string; readonly headers?: CommandHeaders })
  | (OnLeg & { readonly type: 'setClientState' })
  | (OnLeg & { readonly type: 'sendInfo'; readonly contentType: string; readonly body: string })
  | (OnLeg & {
      readonly type: 'sendDigits';
      /** 0-9 A-D * #, and w (0.5 s) and W (1 s) for pauses. */
      readonly digits: string;
      readonly durationMs?: Ms;
    })
  // -- queues
  | (OnLeg & {
      readonly type: 'enqueue';
      /** Made if there is none of this name. */
      readonly queue: string;
      /** Of a queue that is made. */
      readonly maxSize?: number;
      /** Then it is parked again. */
      readonly maxWaitMs?: Ms;
      /** It stays listed when it is over. */
      readonly keepAfterHangup?: boolean;
    })
  | (OnLeg & { readonly type: 'leaveQueue' })
  // -- sounds
  | (OnLeg & PlayAsk & { readonly type: 'play' })
  | (OnLeg & {
      readonly type: 'stopPlay';
      readonly stop: 'current' | 'all';
      readonly overlay?: boolean;
    })
  | (OnLeg & GatherAsk & { readonly type: 'gather' })
  | (OnLeg & { readonly type: 'stopGather' })
  // -- recordings
  | (OnLeg & RecordAsk & { readonly type: 'record' })
  | (OnLeg & OfRecording & { readonly type: 'pauseRecord' })
  | (OnLeg & OfRecording & { readonly type: 'resumeRecord' })
  | (OnLeg & OfRecording & { readonly type: 'stopRecord' })
  /** Of a supervisor of a bridge. */
  | (OnLeg & { readonly type: 'switchRole'; readonly role: SupervisorRole })
  // -- streams
  | (OnLeg & { readonly type: 'startStream'; readonly stream: StreamWish })
  /** `stream`: its id; absent: whichever there is. */
  | (OnLeg & { readonly type: 'stopStream'; readonly stream?: string })
  | (OnLeg & { readonly type: 'transcribe'; readonly ask: TranscribeAsk })
  | (OnLeg & { readonly type: 'stopTranscribe' })
  | (OnLeg & { readonly type: 'fork'; readonly ask: ForkAsk })
  | (OnLeg & { readonly type: 'stopFork' });

interface OfRecording {
  /** Default: the one that there is. */
  readonly recording?: string;
}

export interface PlayAsk {
  readonly sound: SoundAsk;
  /** How often; null: until it is stopped. */
  readonly loop?: number | null;
  /** Mixed into what the leg hears, instead of in its place. */
  readonly overlay?: boolean;
  /** Ends what plays, or also what waits, first. */
  readonly stop?: 'current' | 'all';
  readonly target?: 'self' | 'opposite' | 'both';
}

/** What concerns a queue of the account, by its name. */
export interface QueueCommand extends Pick<Common, 'account'> {
  readonly type: 'queue';
  readonly queue: string;
  readonly ask:
    | { readonly do: 'create' | 'resize'; readonly maxSize: number }
    | { readonly do: 'delete' }
    /** A call in it, by its `call_control_id`. */
    | { readonly do: 'remove'; readonly control: string }
    | { readonly do: 'keep'; readonly control: string; readonly keepAfterHangup: boolean };
}

/** What concerns a leg: makes one, or is for one. */
export type CallCommand = DialCommand | LegCommand;

export type Command = CallCommand | QueueCommand | ConferenceCommand;

/** The three names of a leg. */
export interface LegIds {
  readonly control: string;
  readonly leg: string;
  readonly session: string;
}

export type CommandResult =
  /** `conference`: the id of the one that was made; `recording`: of what the command has begun. */
  | { readonly ok: true; readonly ids?: LegIds; readonly conference?: string; readonly recording?: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** A leg as reads show it; kept for 10 minutes behind its end. Times are epoch milliseconds. */
export interface LegView extends LegIds {
  readonly account: string;
  readonly connection: string | null;
  readonly alive: boolean;
  readonly clientState: string | null;
  readonly startedAt: number;
  readonly answeredAt: number | null;
  readonly endedAt: number | null;
}

/** A queue as reads show it. Times are epoch milliseconds. */
export interface QueueView {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly size: number;
  readonly maxSize: number;
  /** Of those who are in it. */
  readonly averageWaitSecs: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A call in a queue. */
export interface QueuedView extends LegIds {
  readonly connection: string | null;
  readonly from: string;
  readonly to: string;
  readonly queueId: string;
  readonly queue: string;
  /** From 1. */
  readonly position: number;
  readonly waitSecs: number;
  readonly enqueuedAt: number;
  readonly alive: boolean;
  readonly keepAfterHangup: boolean;
}
