/** Why a call is over: the name clients know, its number (Q.850, or the customary one above 127), its SIP status. */
export interface Cause {
  readonly name: string;
  readonly code: number;
  /** The status that refuses an unanswered call with this cause. */
  readonly sip: number;
}

const cause = (name: string, code: number, sip: number): Cause => ({ name, code, sip });

/** Causes by the names that clients and Q.850 stacks use. */
export const CAUSE = {
  unallocatedNumber: cause('UNALLOCATED_NUMBER', 1, 404),
  noRoute: cause('NO_ROUTE_DESTINATION', 3, 404),
  normalClearing: cause('NORMAL_CLEARING', 16, 480),
  userBusy: cause('USER_BUSY', 17, 486),
  noUserResponse: cause('NO_USER_RESPONSE', 18, 480),
  noAnswer: cause('NO_ANSWER', 19, 480),
  subscriberAbsent: cause('SUBSCRIBER_ABSENT', 20, 480),
  callRejected: cause('CALL_REJECTED', 21, 603),
  numberChanged: cause('NUMBER_CHANGED', 22, 410),
  destinationOutOfOrder: cause('DESTINATION_OUT_OF_ORDER', 27, 502),
  invalidNumberFormat: cause('INVALID_NUMBER_FORMAT', 28, 484),
  facilityRejected: cause('FACILITY_REJECTED', 29, 501),
  normalUnspecified: cause('NORMAL_UNSPECIFIED', 31, 480),
  circuitCongestion: cause('NORMAL_CIRCUIT_CONGESTION', 34, 503),
  networkOutOfOrder: cause('NETWORK_OUT_OF_ORDER', 38, 503),
  temporaryFailure: cause('NORMAL_TEMPORARY_FAILURE', 41, 503),
  switchCongestion: cause('SWITCH_CONGESTION', 42, 503),
  resourceUnavailable: cause('RESOURCE_UNAVAILABLE', 47, 503),
  outgoingCallBarred: cause('OUTGOING_CALL_BARRED', 52, 403),
  bearerNotAuthorized: cause('BEARERCAPABILITY_NOTAUTH', 57, 403),
  incompatibleDestination: cause('INCOMPATIBLE_DESTINATION', 88, 488),
  mandatoryIeMissing: cause('MANDATORY_IE_MISSING', 96, 400),
  timerExpired: cause('RECOVERY_ON_TIMER_EXPIRE', 102, 504),
  interworking: cause('INTERWORKING', 127, 480),
  originatorCancel: cause('ORIGINATOR_CANCEL', 487, 487),
  loseRace: cause('LOSE_RACE', 502, 487),
  allottedTimeout: cause('ALLOTTED_TIMEOUT', 602, 480),
  mediaTimeout: cause('MEDIA_TIMEOUT', 604, 503),
  userNotRegistered: cause('USER_NOT_REGISTERED', 606, 480),
  pickedOff: cause('PICKED_OFF', 805, 487),
  /** The client's socket is gone. */
  networkLost: cause('NETWORK_LOST', 38, 480),
} as const satisfies Record<string, Cause>;

/**
 * Our own names where Q.850 has no word, and how a client hears them: a person declined, the caller gave up, or a
 * restart ended an unanswered call. * They travel in `X-Sidetone-Cause` and stand in records.
 */
export const INTERNAL_CAUSE: Readonly<Record<string, Cause>> = {
  rejected: { ...CAUSE.callRejected, sip: 487 },
  cancelled: CAUSE.originatorCancel,
  /** The signalling process died before the call was answered. */
  restarted: CAUSE.temporaryFailure,
  /** Its user may not call or be called any more. */
  revoked: { ...CAUSE.callRejected, sip: 403 },
};

const BY_NAME = new Map<string, Cause>(Object.values(CAUSE).map((c) => [c.name, c]));
const BY_CODE = new Map<number, Cause>();
for (const known of Object.values(CAUSE)) if (!BY_CODE.has(known.code)) BY_CODE.set(known.code, known);

/** A cause by its client-side or internal name. */
export const causeByName = (name: string): Cause | undefined =>
  Object.hasOwn(INTERNAL_CAUSE, name) ? INTERNAL_CAUSE[name] : BY_NAME.get(name);

/** A cause by its Q.850 number (or the customary number above 127). */
export const causeForQ850 = (code: number): Cause | undefined => BY_CODE.get(code);

const BY_STATUS: Readonly<Record<number, Cause>> = {
  400: CAUSE.mandatoryIeMissing,
  401: CAUSE.callRejected,
  402: CAUSE.callRejected,
  403: CAUSE.callRejected,
  404: CAUSE.unallocatedNumber,
  407: CAUSE.callRejected,
  408: CAUSE.noAnswer,
  410: CAUSE.numberChanged,
  413: CAUSE.interworking,
  480: CAUSE.noUserResponse,
  484: CAUSE.invalidNumberFormat,
  486: CAUSE.userBusy,
  487: CAUSE.originatorCancel,
  488: CAUSE.incompatibleDestination,
  600: CAUSE.userBusy,
  603: CAUSE.callRejected,
  604: CAUSE.unallocatedNumber,
  606: CAUSE.incompatibleDestination,
};

/** The cause clients are told for a final SIP status (RFC 3398 §8.2.6.1, with the names clients know); total. */
export function causeForSip(status: number): Cause {
  const known = BY_STATUS[status];
  if (known !== undefined) return { ...known, sip: status };
  if (status >= 600) return { ...CAUSE.callRejected, sip: status };
  if (status >= 500) return { ...CAUSE.temporaryFailure, sip: status };
  if (status >= 300) return { ...CAUSE.interworking, sip: status };
  return { ...CAUSE.normalClearing, sip: status };
}

/** How a client's `bye` ends its SIP leg. */
export type ClientEnding =
  | { readonly do: 'bye'; readonly cause: Cause }
  | { readonly do: 'cancel'; readonly cause: Cause }
  /** `internal`: the name for X-Sidetone-Cause. `rejected` leaves the status to the connection's setting. */
  | { readonly do: 'reject'; readonly status: number; readonly cause: Cause; readonly internal: string };

/**
 * Reads a client's `bye` (cause, number and SIP code as stated) by where its call stands.
 *
 * - answered: BYE; unanswered outbound: CANCEL, whatever the words (the published SDK says USER_BUSY there, too).
 * - unanswered inbound: a refusal. A `sipCode` 400-699 wins; then a stated cause; else the callee said no: `rejected`, 487.
 *   USER_BUSY/17 is what published SDKs say when the application says nothing, so only our own SDK means "busy" by it.
 */
export function sipForBye(bye: {
  readonly cause?: string | undefined;
  readonly causeCode?: number | undefined;
  readonly sipCode?: number | undefined;
  readonly answered: boolean;
  readonly direction: 'inbound' | 'outbound';
  /** USER_BUSY is what the person said (`ClientTraits`). */
  readonly busyIsMeant: boolean;
}): ClientEnding {
  const named = bye.cause === undefined ? undefined : causeByName(bye.cause);
  const stated = named ?? (bye.causeCode === undefined ? undefined : causeForQ850(bye.causeCode));
  if (bye.answered) return { do: 'bye', cause: stated ?? CAUSE.normalClearing };
  if (bye.direction === 'outbound') return { do: 'cancel', cause: CAUSE.originatorCancel };
  const { sipCode } = bye;
  if (sipCode !== undefined && Number.isInteger(sipCode) && sipCode >= 400 && sipCode <= 699) {
    if (sipCode === 487)
      return { do: 'reject', status: 487, cause: CAUSE.callRejected, internal: 'rejected' };
    const told = causeForSip(sipCode);
    return { do: 'reject', status: sipCode, cause: told, internal: told.name };
  }
  const silent =
    stated === undefined ||
    stated.name === 'NORMAL_CLEARING' ||
    stated.name === 'ORIGINATOR_CANCEL' ||
    bye.cause === 'rejected' ||
    (stated.name === 'USER_BUSY' && !bye.busyIsMeant);
  if (silent) return { do: 'reject', status: 487, cause: CAUSE.callRejected, internal: 'rejected' };
  return { do: 'reject', status: stated.sip, cause: stated, internal: stated.name };
}
