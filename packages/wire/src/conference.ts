import type { EpochMs, Ms } from '@sidetone/core';
import type { GatherAsk } from './gather-ask.ts';
import type { RecordAsk } from './recording.ts';
import type { SoundAsk } from './sound.ts';

/*
 * Conferences and supervisors, as back ends command and read them. Each command but `createConference` names a conference of the account
 * by its id; members are named by the `call_control_id` of their leg.
 */

/** When a tone tells the others that somebody comes or goes. */
export type Beep = 'always' | 'never' | 'on_enter' | 'on_exit';

/** `none`, `barge`: heard by all. `monitor`: by nobody. `whisper`: by those who are named. */
export type MemberRole = 'none' | 'monitor' | 'whisper' | 'barge';
export type SupervisorRole = Exclude<MemberRole, 'none'>;

/** How a leg is in a conference; what is absent is off. */
export interface StayAsk {
  readonly muted?: boolean;
  readonly held?: boolean;
  /** What it hears while it is held. */
  readonly hold?: SoundAsk;
  /** Default: the conference's. */
  readonly beep?: Beep;
  /** When it leaves, all others are hung up. */
  readonly endOnExit?: boolean;
  /** When it leaves, the conference ends, and the others are parked. */
  readonly softEndOnExit?: boolean;
  /** The conference starts when it comes. */
  readonly startOnEnter?: boolean;
  readonly role?: MemberRole;
  /** `call_control_id`s of those who hear a whisper; of nobody: as `monitor`. */
  readonly whisperTo?: readonly string[];
}

/** The conference that a leg goes into when it has answered: by its id, or by a name, which makes one where there is none. */
export type ConferenceAsk = StayAsk & {
  /** It is heard there already while it rings, as soon as it has media. */
  readonly earlyMedia?: boolean;
} & ({ readonly conference: string } | { readonly name: string; readonly startOnCreate?: boolean });

export interface SuperviseAsk {
  /** `call_control_id` of a leg in a bridge. */
  readonly control: string;
  readonly role: SupervisorRole;
}

interface Common {
  readonly account: string;
  /** The same id again within 60 s, on the same leg or conference, has the same answer and no second effect. */
  readonly commandId?: string;
  /** Base64, checked. Of the leg that is named; of `createConference` of the conference's own events, too. */
  readonly clientState?: string;
}

interface OnConference extends Common {
  readonly conference: string;
}

interface OnMember extends OnConference {
  readonly control: string;
}

interface OnMembers extends OnConference {
  /** None: all. */
  readonly controls: readonly string[];
}

export type ConferenceCommand =
  /** The leg goes in at once. */
  | (Common & {
      readonly type: 'createConference';
      readonly control: string;
      /** Unique in the account while it is active. */
      readonly name: string;
      readonly startOnCreate: boolean;
      readonly beep: Beep;
      readonly maxMembers: number;
      /** At most 4 h, which is the default. */
      readonly durationMs?: Ms;
      /** What is heard until it starts. */
      readonly hold?: SoundAsk;
    })
  | (OnMember & StayAsk & { readonly type: 'joinConference' })
  /** It is parked. */
  | (OnMember & { readonly type: 'leaveConference'; readonly beep?: Beep })
  | (OnMembers & { readonly type: 'muteMembers'; readonly muted: boolean })
  | (OnMembers & { readonly type: 'holdMembers'; readonly held: boolean; readonly hold?: SoundAsk })
  /** To all in the room, or to each of those who are named. */
  | (OnMembers & { readonly type: 'playInto'; readonly sound: SoundAsk; readonly loop?: number | null })
  | (OnMembers & { readonly type: 'stopInto' })
  | (OnMembers & { readonly type: 'sendDigitsTo'; readonly digits: string; readonly durationMs?: Ms })
  | (OnMember & { readonly type: 'gatherFrom'; readonly ask: GatherAsk })
  | (OnMember & {
      readonly type: 'setRole';
      readonly role: MemberRole;
      readonly whisperTo: readonly string[];
    })
  | (OnConference & {
      readonly type: 'setMember';
      /** Its id, or its `call_control_id`. */
      readonly member: string;
      readonly beep?: Beep;
      readonly endOnExit?: boolean;
      readonly softEndOnExit?: boolean;
    })
  /** All who are heard by all, in one channel; of two channels the first is of who made it. One at a time. */
  | (OnConference & Omit<RecordAsk, 'track' | 'silenceMs'> & { readonly type: 'recordConference' })
  | (OnConference & {
      readonly type: 'changeConferenceRecord';
      readonly to: 'paused' | 'running' | 'stopped';
      /** Default: the one that there is. */
      readonly recording?: string;
    })
  /** All are hung up. */
  | (OnConference & { readonly type: 'endConference' });

export type ConferenceEndReason = 'all_left' | 'ended_via_api' | 'host_left' | 'time_exceeded';

/** A conference as reads show it; kept for 10 minutes behind its end. */
export interface ConferenceView {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly status: 'init' | 'in_progress' | 'completed';
  readonly connection: string | null;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly expiresAt: EpochMs;
  readonly endReason: ConferenceEndReason | null;
  /** The leg whose leaving ended it. */
  readonly endedBy: { readonly control: string; readonly session: string } | null;
}

export interface MemberView {
  readonly id: string;
  readonly control: string;
  readonly leg: string;
  readonly conference: { readonly id: string; readonly name: string };
  readonly status: 'joining' | 'joined';
  readonly muted: boolean;
  readonly held: boolean;
  readonly endOnExit: boolean;
  readonly softEndOnExit: boolean;
  readonly role: MemberRole;
  /** `call_control_id`s. */
  readonly whisperTo: readonly string[];
  readonly since: EpochMs;
  readonly updatedAt: EpochMs;
}
