import type { Result } from '@sidetone/core';
import type { Candidate, SessionDescription } from './description.ts';

/** Why a text is no usable session description. `at` is the line's number from 1, when one line is to blame. */
export interface SdpError {
  readonly code:
    | 'too-long'
    | 'too-many-lines'
    | 'syntax'
    | 'bad-origin'
    | 'bad-payload'
    | 'bad-media'
    | 'no-media';
  readonly message: string;
  readonly at?: number;
}

/** Reads a session description. Total: never throws; limits in `SDP_LIMITS`; unknown lines are skipped. */
export function parseSdp(text: string): Result<SessionDescription, SdpError> {
  throw new Error(text);
}

/** Reads one trickled candidate: `candidate:…`, with or without a leading `a=`. `null`: not usable. */
export function parseCandidate(text: string): Candidate | null {
  throw new Error(text);
}
