import type { EpochMs, Ms } from '@sidetone/core';
import type { CommandHeaders } from './command.ts';
import type { ConferenceEndReason } from './conference.ts';
import type { CodecName, LegStats } from './media-control.ts';
import type { RecordingProblem, SavedRecording } from './recording.ts';

/*
 * What happens to legs that a back end hears of: one stream, in which each leg is a lane, and each conference. `initiated` comes first in
 * the lane of a leg, cause before effect, `hangup` last but for what becomes of a recording. Readers need nothing else: webhooks, the list
 * of call events, and what is built on them later.
 */

/** Where an event is told. */
export interface Hook {
  readonly url: string;
  readonly failover: string | null;
  readonly method: 'POST' | 'GET';
  /** How long one try may take; null: the platform's default. */
  readonly timeoutMs: Ms | null;
  /** Pauses before each try again, where the back end set them. */
  readonly retriesMs: readonly Ms[] | null;
}

export interface CallEvent {
  /** UUID; the same in every delivery. */
  readonly id: string;
  /** Of the leg, or of the conference. */
  readonly lane: string;
  /** From 0, without gaps in the lane. */
  readonly n: number;
  /** Epoch milliseconds, with microseconds behind the point. */
  readonly at: EpochMs;
  readonly account: string;
  /** Of a conference: the one that it was made with, or whom the event is about. */
  readonly leg: EventLeg;
  readonly clientState: string | null;
  /** null: told to nobody. */
  readonly hook: Hook | null;
  readonly what: CallNews;
}

/** The leg of an event, as it was. */
export interface EventLeg {
  readonly control: string;
  readonly leg: string;
  readonly session: string;
  /** A credential connection or an application. */
  readonly connection: string | null;
  readonly from: string;
  readonly to: string;
  /** As the API has it: `incoming` from a carrier; `outgoing` by a client or phone, or called by us. */
  readonly direction: 'incoming' | 'outgoing';
  /** The other end of it is a carrier, or a client or phone. */
  readonly party: 'pstn' | 'sip';
  /** When the leg began. */
  readonly startedAt: EpochMs;
}

export type HangupCause =
  | 'call_rejected'
  | 'normal_clearing'
  | 'originator_cancel'
  | 'timeout'
  | 'time_limit'
  | 'user_busy'
  | 'not_found'
  | 'no_answer'
  | 'unspecified';

/** The conference that an event is about, and the session of the leg that it was made with. */
export interface EventConference {
  readonly conference: string;
  readonly creator: string;
}
/** Why a leg is in a queue no more. `bridging-in-process`: for somebody who has not answered yet. */
export type DequeueReason = 'bridged' | 'bridging-in-process' | 'hangup' | 'leave' | 'timeout';

/** What plays: by URL, by name, or neither (content, speech). */
export interface PlayedMedia {
  readonly url?: string;
  readonly name?: string;
  readonly overlay: boolean;
}

export type PlayStatus = 'completed' | 'cancelled' | 'call_hangup' | 'file_not_found' | 'failed';

/** A media stream, as it was asked for. */
export interface StreamedAs {
  readonly id: string;
  readonly url: string;
  readonly track: 'inbound' | 'outbound' | 'both';
}

export type CallNews =
  | {
      readonly type: 'initiated';
      readonly state: 'parked' | 'bridging';
      readonly callerName: string | null;
      readonly fromUri: string | null;
      readonly toUri: string | null;
      readonly headers: CommandHeaders;
      readonly offeredCodecs: readonly string[];
      readonly connectionCodecs: readonly CodecName[];
    }
  | {
      readonly type: 'answered';
      readonly codec: CodecName | null;
      readonly headers: CommandHeaders;
      readonly stream?: StreamedAs;
    }
  | { readonly type: 'bridged' }
  | { readonly type: 'held' }
  | { readonly type: 'unheld' }
  | {
      readonly type: 'hangup';
      readonly cause: HangupCause;
      /** A SIP status, or `unspecified`. */
      readonly sip: string;
      readonly source: 'caller' | 'callee' | 'unknown';
      readonly headers: CommandHeaders;
      readonly quality: LegStats | null;
    }
  | { readonly type: 'digit'; readonly digit: string }
  | { readonly type: 'playStarted'; readonly media: PlayedMedia }
  | {
      readonly type: 'playEnded';
      readonly media: PlayedMedia;
      readonly status: PlayStatus;
      readonly detail: string;
    }
  | { readonly type: 'speakStarted' }
  | { readonly type: 'speakEnded'; readonly status: 'completed' | 'cancelled' | 'call_hangup' | 'failed' }
  | {
      readonly type: 'gathered';
      readonly digits: string;
      readonly status: 'valid' | 'invalid' | 'timeout' | 'call_hangup' | 'cancelled';
      readonly gatherId: string | null;
    }
  | { readonly type: 'machineDetected'; readonly result: 'human' | 'machine' | 'not_sure' }
  | { readonly type: 'greetingEnded'; readonly result: 'beep_detected' | 'ended' | 'not_sure' }
  | {
      readonly type: 'premiumMachineDetected';
      readonly result: 'human_residence' | 'machine' | 'silence' | 'not_sure';
    }
  | { readonly type: 'premiumGreetingEnded'; readonly result: 'beep_detected' | 'no_beep_detected' }
  | { readonly type: 'streamStarted'; readonly stream: StreamedAs }
  | { readonly type: 'streamStopped'; readonly stream: StreamedAs }
  | { readonly type: 'streamFailed'; readonly stream: StreamedAs; readonly reason: string }
  | { readonly type: 'recorded'; readonly recording: SavedRecording }
  | { readonly type: 'recordFailed'; readonly id: string; readonly problem: RecordingProblem }
  | {
      readonly type: 'enqueued';
      readonly queue: string;
      /** From 1. */
      readonly position: number;
      /** Of those who left it last. */
      readonly averageWaitSecs: number;
    }
  | {
      readonly type: 'dequeued';
      readonly queue: string;
      /** Where it stood. */
      readonly position: number;
      readonly waitSecs: number;
      readonly reason: DequeueReason;
    }
  | {
      readonly type: 'transcript';
      readonly track: 'inbound' | 'outbound';
      readonly text: string;
      readonly final: boolean;
      /** 0 to 1; null: not known. */
      readonly confidence: number | null;
    }
  | { readonly type: 'forkStarted' }
  | { readonly type: 'forkStopped' }
  | { readonly type: 'referStarted' }
  | { readonly type: 'referCompleted'; readonly status: number }
  | { readonly type: 'referFailed'; readonly status: number }
  | { readonly type: 'infoReceived'; readonly contentType: string; readonly body: string }
  | ConferenceNews;

/** Told with the conference's id. */
export type ConferenceNews =
  // -- conferences, in their own lane
  | { readonly type: 'conferenceCreated'; readonly conference: string }
  | { readonly type: 'conferenceEnded'; readonly conference: string; readonly reason: ConferenceEndReason }
  | (EventConference & { readonly type: 'conferencePlayStarted'; readonly media: PlayedMedia })
  | (EventConference & {
      readonly type: 'conferencePlayEnded';
      readonly media: PlayedMedia;
      readonly status: PlayStatus;
    })
  | (EventConference & { readonly type: 'conferenceSpeakStarted' })
  | (EventConference & { readonly type: 'conferenceSpeakEnded'; readonly status: PlayStatus })
  | {
      readonly type: 'conferenceRecorded';
      readonly conference: string;
      readonly recording: SavedRecording;
    }
  /** The leg of the event is heard above the others. */
  | { readonly type: 'floorChanged'; readonly conference: string }
  // -- in the lane of the member
  | { readonly type: 'joined'; readonly conference: string }
  | { readonly type: 'left'; readonly conference: string }
  | (EventConference & { readonly type: 'memberPlayStarted'; readonly media: PlayedMedia })
  | (EventConference & {
      readonly type: 'memberPlayEnded';
      readonly media: PlayedMedia;
      readonly status: PlayStatus;
    })
  | (EventConference & { readonly type: 'memberSpeakStarted' })
  | (EventConference & { readonly type: 'memberSpeakEnded'; readonly status: PlayStatus });

/** The names of the published API. */
export const EVENT_NAME = {
  initiated: 'call.initiated',
  answered: 'call.answered',
  bridged: 'call.bridged',
  held: 'call.hold',
  unheld: 'call.unhold',
  hangup: 'call.hangup',
  digit: 'call.dtmf.received',
  playStarted: 'call.playback.started',
  playEnded: 'call.playback.ended',
  speakStarted: 'call.speak.started',
  speakEnded: 'call.speak.ended',
  gathered: 'call.gather.ended',
  machineDetected: 'call.machine.detection.ended',
  greetingEnded: 'call.machine.greeting.ended',
  premiumMachineDetected: 'call.machine.premium.detection.ended',
  premiumGreetingEnded: 'call.machine.premium.greeting.ended',
  streamStarted: 'streaming.started',
  streamStopped: 'streaming.stopped',
  streamFailed: 'streaming.failed',
  recorded: 'call.recording.saved',
  recordFailed: 'call.recording.error',
  enqueued: 'call.enqueued',
  dequeued: 'call.dequeued',
  transcript: 'call.transcription',
  forkStarted: 'call.fork.started',
  forkStopped: 'call.fork.stopped',
  referStarted: 'call.refer.started',
  referCompleted: 'call.refer.completed',
  referFailed: 'call.refer.failed',
  infoReceived: 'call.sip_info.received',
  conferenceCreated: 'conference.created',
  conferenceEnded: 'conference.ended',
  conferencePlayStarted: 'conference.playback.started',
  conferencePlayEnded: 'conference.playback.ended',
  conferenceSpeakStarted: 'conference.speak.started',
  conferenceSpeakEnded: 'conference.speak.ended',
  conferenceRecorded: 'conference.recording.saved',
  floorChanged: 'conference.floor.changed',
  joined: 'conference.participant.joined',
  left: 'conference.participant.left',
  memberPlayStarted: 'conference.participant.playback.started',
  memberPlayEnded: 'conference.participant.playback.ended',
  memberSpeakStarted: 'conference.participant.speak.started',
  memberSpeakEnded: 'conference.participant.speak.ended',
} as const satisfies Record<CallNews['type'], string>;

export type EventName = (typeof EVENT_NAME)[keyof typeof EVENT_NAME];
