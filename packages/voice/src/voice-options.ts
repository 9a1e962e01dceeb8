import type { EpochMs, Family, Ms, Random, Service } from '@sidetone/core';
import type { Identity, LegView, SpeechToText } from '@sidetone/wire';
import type { ConferenceReads } from './place/conferences.ts';
import type { QueueReads } from './place/queue.ts';
import type { VoiceInput, VoiceOutput } from './voice-events.ts';

/** All in milliseconds. */
export interface VoiceTimers {
  /** How long a media command may stay unanswered before it counts as `engine`. */
  readonly mediaMs: Ms;
  /** The longest call. */
  readonly callMs: Ms;
  /** How long a cancelled INVITE may stay without a final response (RFC 3261 §9.1: 64·T1 and a margin). */
  readonly cancelMs: Ms;
  /** How long a call may be parked without an answer. */
  readonly parkMs: Ms;
}

/** Calls above these hear 503 with SWITCH_CONGESTION. */
export interface VoiceLimits {
  /** Calls at a time, of everybody. */
  readonly calls: number;
  /** Calls at a time that one user began. */
  readonly callsPerUser: number;
  /** Ports that media has for all calls. */
  readonly mediaPorts: number;
}

export interface VoiceOptions {
  readonly random: Random;
  readonly epoch: () => EpochMs;
  /** Read at every new call, so that a changed configuration counts from the next call on. */
  readonly identity: () => Identity;
  /** How long the callee may ring before the caller hears 480. */
  readonly ringMs: Ms;
  readonly limits: VoiceLimits;
  /**
   * Our SIP address as carriers and phones see it, one host for each family; Contacts are `sip:v-<leg>@host:port` with the first, until
   * the proxy names the one of the peer's family.
   */
  readonly publicAddress: { readonly hosts: readonly [string, ...string[]]; readonly port: number };
  /** Address families of media; default both. Callers that can be sent media in no other hear 488 at once. */
  readonly families?: readonly Family[];
  readonly timers?: Partial<VoiceTimers>;
  /** What a party hears while the other holds it; default `music`. */
  readonly heldHears?: 'music' | 'silence';
  /** L16 of media streams has its high octet first. */
  readonly l16BigEndian?: boolean;
  /** What turns speech into text; absent: transcription is refused. */
  readonly speechToText?: SpeechToText;
}

export interface Voice extends Service<VoiceInput, VoiceOutput> {
  /** What is alive, for leak checks and drains: calls, unanswered media commands, and what the user agent holds. */
  readonly size: { readonly calls: number; readonly media: number; readonly dialogs: number };
  /** Calls on their way to an answer: those that a handover does not carry over. */
  readonly early: number;
  /** A leg by its `call_control_id`, also for 10 minutes behind its end. */
  legOf(control: string): LegView | undefined;
  /** The legs of a connection or application that are not over. */
  legsOf(connection: string): readonly LegView[];
  readonly conferences: ConferenceReads;
  /** The queues, as they are at this time. */
  queues(now: Ms): QueueReads;
}

export const TIMERS: VoiceTimers = {
  mediaMs: 8_000,
  callMs: 24 * 3_600_000,
  cancelMs: 40_000,
  // Timer C of RFC 3261 §16.6: what stands between us and the caller may give up then.
  parkMs: 180_000,
};
