import type { EpochMs, LogLine, Ms } from '@sidetone/core';
import type {
  Beep,
  ConferenceEndReason,
  ConferenceNews,
  EventLeg,
  MediaReply,
  RecordCommand,
  RoomCommand,
  SoundAsk,
  SoundResult,
} from '@sidetone/wire';
import type { Play, Recording } from '../activity/activity.ts';
import { isEnding, type Leg, mainOf } from '../leg/leg.ts';
import type { HookSettings } from '../leg/program.ts';
import type { LegInput, RecordEnd } from '../message.ts';
import type { Place } from './place.ts';

/** Where more than two are heard together: `conference.ts`. */
export interface Conference {
  /** UUID; its name in media. */
  readonly id: string;
  readonly name: string;
  readonly account: string;
  /** `init`: not started, all hear what is played to who waits. `ending`: its legs are on their way out. `over`: kept for reads. */
  readonly state: 'init' | 'in-progress' | 'ending' | 'over';
  /** The leg that it was made with: events are told with its names. */
  readonly creator: EventLeg;
  readonly clientState: string | null;
  readonly hook: HookSettings;
  /** Events so far: the number of the next one. */
  readonly told: number;
  readonly beep: Beep;
  readonly maxMembers: number;
  /** What is heard by who waits for the start: one of `sounds`. */
  readonly waitHears: string | null;
  /** What is heard by who is held; the same for all who are to hear the same. */
  readonly sounds: readonly HoldSound[];
  /** When they are asked for again, so that their files are kept. */
  readonly renewAt: Ms | null;
  /** The first one plays, as soon as it can. */
  readonly plays: readonly Play[];
  readonly recording: Recording | null;
  /** The last report of the room in media that was read. */
  readonly reported: number;
  /** Somebody has joined. */
  readonly joined: boolean;
  /** Nobody has joined yet and nobody is on the way: it ends then. */
  readonly emptyBy: Ms | null;
  readonly endsAt: Ms;
  readonly ended: {
    readonly reason: ConferenceEndReason;
    readonly by: { readonly control: string; readonly session: string } | null;
    /** Whoever is here is parked, not hung up. */
    readonly parks: boolean;
  } | null;
  /** `ending`: when the next ones leave. `over`: when it is forgotten. */
  readonly nextAt: Ms | null;
  readonly createdAt: Ms;
  readonly updatedAt: Ms;
  /** Add it to a monotonic time to get the wall-clock stamp. */
  readonly epochOffset: EpochMs;
  /** The `command_id` that made it, and those of its last minute. */
  readonly madeBy: string | null;
  readonly done: readonly { readonly id: string; readonly at: Ms }[];
}

/** `ask`: what is to be fetched or made; null once it is there, or cannot be had. */
export interface HoldSound {
  readonly id: string;
  readonly ask: SoundAsk;
  readonly state: 'asked' | 'there' | 'failed';
  readonly file: string | null;
}

/** At most so many sounds for who is held. */
export const MOST_SOUNDS = 16;
/** What is prepared is kept for an hour behind the last time that it was asked for. */
export const RENEW_MS: Ms = 1_800_000;
/** As many legs are told to leave in one input. */
export const SWEEP = 50;
/** How long a fresh one waits for its first member. */
export const FRESH_MS: Ms = 60_000;
export const LONGEST_MS: Ms = 4 * 3_600_000;
export const OVER_MS: Ms = 600_000;

export type ConferencePlace = Extract<Place, { in: 'conference' }>;

export type ConferenceInput =
  | { readonly type: 'tick' }
  | { readonly type: 'look' }
  /** Its first input. */
  | { readonly type: 'made' }
  /** A joined leg, as it was, is at another place now, or ends. */
  | { readonly type: 'left'; readonly leg: Leg }
  | { readonly type: 'commanded'; readonly commandId?: string; readonly clientState?: string }
  /** A sound for who is held. */
  | { readonly type: 'hold'; readonly id: string; readonly ask: SoundAsk }
  | { readonly type: 'play'; readonly play: Play }
  | { readonly type: 'stopPlay' }
  | { readonly type: 'sound'; readonly id: string; readonly result: SoundResult }
  | { readonly type: 'playReply'; readonly id: string; readonly reply: MediaReply }
  | {
      readonly type: 'roomPlayed';
      readonly id: string;
      readonly n?: number;
      readonly status: 'completed' | 'stopped' | 'failed';
    }
  | { readonly type: 'record'; readonly recording: Recording }
  | { readonly type: 'changeRecord'; readonly to: 'paused' | 'running' | 'stopped' }
  | { readonly type: 'recordReply'; readonly id: string; readonly reply: MediaReply }
  /** The end of a recording in media. */
  | { readonly type: 'recorded'; readonly end: RecordEnd; readonly n?: number }
  /** A recording is saved. */
  | { readonly type: 'saved'; readonly news: ConferenceNews }
  /** Media is lost, and its rooms with it. */
  | { readonly type: 'mediaLost' }
  /** `leg`: who is heard above the others; null: nobody. */
  | { readonly type: 'floor'; readonly leg: string | null; readonly n?: number }
  | { readonly type: 'end' }
  /** The process that had it died; this one has read it. */
  | { readonly type: 'restored' };

export type ConferenceOut =
  | { readonly type: 'tell'; readonly leg: string; readonly message: LegInput }
  /** As number `n` of its lane; `leg`: whom it is about, where that is not its creator. */
  | { readonly type: 'news'; readonly n: number; readonly what: ConferenceNews; readonly leg: string | null }
  /** `play`, `record`: whose reply counts. */
  | {
      readonly type: 'room';
      readonly command: RoomCommand | (RecordCommand & { readonly room: string });
      readonly play?: string;
      readonly record?: string;
    }
  /** A recording that it has no part in any more; `end`: media has closed its file. */
  | { readonly type: 'recorded'; readonly recording: Recording; readonly end: RecordEnd | null }
  /** It tells nothing more by itself. */
  | { readonly type: 'over' }
  | { readonly type: 'sound'; readonly id: string; readonly ask: SoundAsk }
  /** Nothing is known of it any more. */
  | { readonly type: 'forget' }
  | LogLine;

/** One step of a conference in the making. */
export class ConferenceDraft {
  conference: Conference;
  readonly members: readonly Leg[];
  readonly now: Ms;
  readonly out: ConferenceOut[] = [];

  constructor(conference: Conference, members: readonly Leg[], now: Ms) {
    this.conference = conference;
    this.members = members;
    this.now = now;
  }

  set(change: Partial<Conference>): void {
    this.conference = { ...this.conference, ...change };
  }

  tell(leg: string, message: LegInput): void {
    this.out.push({ type: 'tell', leg, message });
  }

  emit(out: ConferenceOut): void {
    this.out.push(out);
  }

  news(what: ConferenceNews, leg: string | null = null): void {
    const { told } = this.conference;
    this.set({ told: told + 1 });
    this.out.push({ type: 'news', n: told, what, leg });
  }

  /** Who is here and does not end. */
  get here(): readonly Leg[] {
    return this.members.filter((leg) => !isEnding(leg));
  }

  log(event: string, fields: LogLine['fields'] = {}, level: LogLine['level'] = 'info'): void {
    this.out.push({
      type: 'log',
      level,
      event,
      fields: { conference: this.conference.id, ...fields },
    });
  }
}

export const stayOf = (leg: Leg): ConferencePlace | null =>
  leg.place?.in === 'conference' ? leg.place : null;

/** Media has been told that it hears the room: so there is one. */
export const isInRoom = (leg: Leg, room: string): boolean => {
  const source = mainOf(leg)?.media.source;
  return source?.kind === 'room' && source.room === room;
};

/** When the conference wants a tick. */
export function conferenceDeadline(conference: Conference): Ms | null {
  const { state, nextAt, emptyBy, endsAt, renewAt } = conference;
  if (state === 'ending' || state === 'over') return nextAt;
  return Math.min(endsAt, emptyBy ?? endsAt, renewAt ?? endsAt);
}
