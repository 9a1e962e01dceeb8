import type { EpochMs, Ms, Random, Service } from '@sidetone/core';
import type { Identity } from '@sidetone/wire';
import type { VoiceInput, VoiceOutput } from './voice-events.ts';

/** All in milliseconds. */
export interface VoiceTimers {
  /** How long the callee may ring before the caller hears 480. */
  readonly ringMs: Ms;
  /** How long a media command may stay unanswered before it counts as `engine`. */
  readonly mediaMs: Ms;
  /** The longest call. */
  readonly callMs: Ms;
  /** How long a cancelled INVITE may stay without a final response (RFC 3261 §9.1: 64·T1 and a margin). */
  readonly cancelMs: Ms;
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
  /** Our SIP address as carriers and phones see it; Contacts are `sip:v-<leg>@host:port`. */
  readonly publicAddress: { readonly host: string; readonly port: number };
  readonly timers?: Partial<VoiceTimers>;
  readonly limits?: Partial<VoiceLimits>;
  /** What a party hears while the other holds it; default `music`. */
  readonly heldHears?: 'music' | 'silence';
}

export interface Voice extends Service<VoiceInput, VoiceOutput> {
  /** What is alive, for leak checks and drains: calls, unanswered media commands, and what the user agent holds. */
  readonly size: { readonly calls: number; readonly media: number; readonly dialogs: number };
  /** Calls on their way to an answer: those that a handover does not carry over. */
  readonly early: number;
}

export const TIMERS: VoiceTimers = {
  ringMs: 90_000,
  mediaMs: 8_000,
  callMs: 24 * 3_600_000,
  cancelMs: 40_000,
};
export const LIMITS: VoiceLimits = { calls: 4_000, callsPerUser: 40, mediaPorts: 16_000 };
