import { type Cause, causeForSip, CAUSE as KNOWN } from '@sidetone/wire';
import type { Extra } from './headers.ts';

/** Why a call or a leg is over: for Reason (RFC 3326), X-Sidetone-Cause and the record. */
export interface Ending {
  /** By name, for example NORMAL_CLEARING; `rejected` and `cancelled` where Q.850 has no word of its own. */
  readonly cause: string;
  /** Q.850 number, or the customary one above 127. */
  readonly code: number;
  /** The status a caller without an answer hears. */
  readonly sip: number;
  readonly by: 'caller' | 'callee' | 'platform';
  /** Reason phrase of a refusal, where it says more than the status: often with the code that people know from the published API. */
  readonly phrase?: string;
  /** Custom headers of the BYE or refusal, for the other side. */
  readonly headers?: Extra;
}

export type Why = Pick<Ending, 'cause' | 'code' | 'sip' | 'phrase' | 'headers'>;

/** A cause of the vocabulary as our ending; `sip` where the caller shall hear another status. */
export const why = (cause: Cause, sip: number = cause.sip, phrase?: string): Why => ({
  cause: cause.name,
  code: cause.code,
  sip,
  ...(phrase === undefined ? {} : { phrase }),
});

/** The endings that the platform itself decides on. */
export const CAUSE = {
  normal: why(KNOWN.normalClearing),
  cancelled: { ...why(KNOWN.originatorCancel), cause: 'cancelled' },
  loseRace: why(KNOWN.loseRace),
  noAnswer: why(KNOWN.noAnswer),
  noResponse: why(KNOWN.noUserResponse),
  notRegistered: why(KNOWN.userNotRegistered),
  unknownUser: why(KNOWN.unallocatedNumber),
  noRoute: why(KNOWN.noRoute, 404, 'No Route D40'),
  numberRingsNobody: why(KNOWN.unallocatedNumber, 404, 'Number Rings No Client D40'),
  userInactive: why(KNOWN.unallocatedNumber, 404, 'User Inactive'),
  callingDisabled: why(KNOWN.outgoingCallBarred),
  unproven: why(KNOWN.callRejected, 403),
  congestion: why(KNOWN.switchCongestion),
  tooFast: why(KNOWN.switchCongestion, 503, 'Too Many Calls per Second'),
  accountFull: why(KNOWN.circuitCongestion, 403, 'Account Channel Limit Exceeded D1'),
  profileFull: why(KNOWN.circuitCongestion, 403, 'Outbound Profile Channel Limit Exceeded D2'),
  connectionFull: why(KNOWN.circuitCongestion, 403, 'Connection Channel Limit Exceeded D3'),
  noProfile: why(KNOWN.outgoingCallBarred, 403, 'No Outbound Profile D38'),
  profileDisabled: why(KNOWN.outgoingCallBarred, 403, 'Outbound Profile Disabled D7'),
  destinationBarred: why(KNOWN.outgoingCallBarred, 403, 'Destination Country Not Allowed D13'),
  callerIdRefused: why(KNOWN.callRejected, 403, 'Caller ID Is No Number of the Account D35'),
  /** Its user may not call or be called any more. */
  revoked: { cause: 'revoked', code: KNOWN.callRejected.code, sip: 403 },
  noCodec: why(KNOWN.incompatibleDestination),
  /** Its description names addresses of a family that media has not (RFC 3261 §20.43). */
  noAddress: {
    ...why(KNOWN.incompatibleDestination),
    headers: [['Warning', '301 sidetone "Incompatible network address formats"']],
  },
  mediaEngine: why(KNOWN.networkOutOfOrder),
  noPort: why(KNOWN.resourceUnavailable),
  ice: { cause: 'ICE_FAILED', code: 41, sip: 503 },
  dtls: { cause: 'DTLS_FAILED', code: 41, sip: 503 },
  rtp: why(KNOWN.mediaTimeout),
  ackTimeout: why(KNOWN.timerExpired),
  tooLong: why(KNOWN.allottedTimeout),
  drain: why(KNOWN.temporaryFailure),
  /** The signalling process died before the call was answered. */
  restarted: { ...why(KNOWN.temporaryFailure), cause: 'restarted' },
  noDialog: why(KNOWN.interworking, 481),
} as const;

/** The customary cause of a final status. */
export const causeOfStatus = (status: number): Why => why(causeForSip(status), status);

/** Of several refusals, the one to show the caller (RFC 3261 §16.7 step 6, with a person's word before a machine's). */
export function rank(ending: Ending): number {
  if (ending.sip >= 600) return 0;
  if (ending.cause === 'rejected') return 1;
  if (ending.sip === 486) return 2;
  if (ending.sip === 408 || ending.sip === 480 || ending.sip === 487) return 5;
  return ending.sip >= 500 ? 4 : 3;
}
