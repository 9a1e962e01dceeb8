import type { Extra } from './call.ts';

/** Why a call or a leg is over: for Reason (RFC 3326), X-Sidetone-Cause and the record. */
export interface Ending {
  /** By name, for example NORMAL_CLEARING; `rejected` and `cancelled` where Q.850 has no word of its own. */
  readonly cause: string;
  /** Q.850 number, or the customary one above 127. */
  readonly code: number;
  /** The status a caller without an answer hears. */
  readonly sip: number;
  readonly by: 'caller' | 'callee' | 'platform';
  /** Custom headers of the BYE or refusal, for the other side. */
  readonly headers?: Extra;
}

type Cause = Pick<Ending, 'cause' | 'code' | 'sip'>;
const cause = (name: string, code: number, sip: number): Cause => ({ cause: name, code, sip });

/** The endings that the platform itself gives a name. */
export const CAUSE = {
  normal: cause('NORMAL_CLEARING', 16, 480),
  cancelled: cause('cancelled', 487, 487),
  loseRace: cause('LOSE_RACE', 502, 487),
  noAnswer: cause('NO_ANSWER', 19, 480),
  noResponse: cause('NO_USER_RESPONSE', 18, 480),
  notRegistered: cause('USER_NOT_REGISTERED', 606, 480),
  unknownUser: cause('UNALLOCATED_NUMBER', 1, 404),
  noRoute: cause('NO_ROUTE_DESTINATION', 3, 404),
  callingDisabled: cause('OUTGOING_CALL_BARRED', 52, 403),
  unproven: cause('CALL_REJECTED', 21, 403),
  congestion: cause('SWITCH_CONGESTION', 42, 503),
  noCodec: cause('INCOMPATIBLE_DESTINATION', 88, 488),
  mediaEngine: cause('NETWORK_OUT_OF_ORDER', 38, 503),
  noPort: cause('RESOURCE_UNAVAILABLE', 47, 503),
  ice: cause('ICE_FAILED', 41, 503),
  dtls: cause('DTLS_FAILED', 41, 503),
  rtp: cause('MEDIA_TIMEOUT', 604, 503),
  ackTimeout: cause('RECOVERY_ON_TIMER_EXPIRE', 102, 504),
  tooLong: cause('ALLOTTED_TIMEOUT', 602, 480),
  drain: cause('NORMAL_TEMPORARY_FAILURE', 41, 503),
} as const;

const BY_STATUS: Readonly<Record<number, Cause>> = {
  403: cause('CALL_REJECTED', 21, 403),
  404: cause('UNALLOCATED_NUMBER', 1, 404),
  408: cause('NO_ANSWER', 19, 408),
  410: cause('NUMBER_CHANGED', 22, 410),
  480: cause('NO_USER_RESPONSE', 18, 480),
  484: cause('INVALID_NUMBER_FORMAT', 28, 484),
  486: cause('USER_BUSY', 17, 486),
  487: cause('NO_ANSWER', 19, 487),
  488: cause('INCOMPATIBLE_DESTINATION', 88, 488),
  503: cause('NORMAL_TEMPORARY_FAILURE', 41, 503),
  600: cause('USER_BUSY', 17, 600),
  603: cause('CALL_REJECTED', 21, 603),
  604: cause('NO_ROUTE_DESTINATION', 3, 604),
  606: cause('INCOMPATIBLE_DESTINATION', 88, 606),
};

/** The customary cause of a final status (RFC 3398 §8.2.6.1 and what clients know). */
export function causeOfStatus(status: number): Cause {
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 600) return cause('CALL_REJECTED', 21, status);
  if (status >= 500) return cause('NORMAL_TEMPORARY_FAILURE', 41, status);
  return cause('INTERWORKING', 127, status);
}

/** Of several refusals, the one to show the caller (RFC 3261 §16.7 step 6, with a person's word before a machine's). */
export function rank(ending: Ending): number {
  if (ending.sip >= 600) return 0;
  if (ending.cause === 'rejected') return 1;
  if (ending.sip === 486) return 2;
  if (ending.sip === 408 || ending.sip === 480 || ending.sip === 487) return 5;
  return ending.sip >= 500 ? 4 : 3;
}
