import { type EpochMs, familyOf } from '@sidetone/core';
import { header, type SipRequest } from '@sidetone/sip';
import {
  type ApplicationEntry,
  type BuiltIn,
  type ConnectionEntry,
  calledNumber,
  type Habit,
  HEADER,
  type Identity,
  isBase64,
  type Nowhere,
  type Origin,
  route,
  type SipUser,
  type Trunk,
  trunkHabit,
} from '@sidetone/wire';
import { CAUSE, type Ending, type Why } from '../leg/ending.ts';
import type { Callee, Caller, TrunkFacts } from '../leg/leg.ts';
import { inRuns } from '../leg/trunk-runs.ts';
import { customHeaders } from '../sip/reason.ts';
import { dialledIn, namedIn } from './addressee.ts';
import { type Asker, habitOf, originOf } from './asker.ts';
import { calledApplication } from './called-application.ts';
import { type CallingLeg, callingLeg, digitsMode, shownNumber, whoCalls } from './calling.ts';
import { callerNumbers, lacksCallerId, outbound } from './outbound.ts';

/** Where a destination leads. */
export type Routed =
  | { readonly to: 'refuse'; readonly ending: Ending }
  | { readonly to: 'service'; readonly service: BuiltIn }
  | Callee;

/** What becomes of a call; `park`: it waits for the commands of a back end. */
export type Plan = Routed | { readonly to: 'park' };

/** Who calls, by what road, and where that leads. */
export interface Arrival {
  readonly caller: Caller;
  readonly plan: Plan;
  /** On whose account the call is; nobody's is that of a trunk or a stranger. */
  readonly asker: Asker | undefined;
  /** What the client attached to its call, for the back end. Base64. */
  readonly clientState?: string;
  /** The application that is called. */
  readonly application?: ApplicationEntry;
  readonly leg: CallingLeg;
}

/** Of a carrier or a stranger. */
const NOBODY = { user: undefined, connection: undefined, asker: undefined };

export const refuse = (cause: Why): Extract<Plan, { to: 'refuse' }> => ({
  to: 'refuse',
  ending: { ...cause, by: 'platform' },
});

/**
 * Reads an INVITE from `vsp` (a client) or from `proxy` (a trunk, a phone it authenticated, or a stranger who calls a subdomain that is open
 * to anyone) and asks the routing plan. `isOwnHost`: a public address of ours, since phones dial `number@address`; `fresh`: a new branch's id.
 */
export function arrive(
  request: SipRequest,
  via: 'vsp' | 'proxy',
  identity: Identity,
  isOwnHost: (host: string) => boolean,
  fresh: () => string,
  now: EpochMs,
): Arrival {
  const { uri } = request;
  const calling = whoCalls(request, via, identity);
  const { user, connection, asker } = calling.by === 'user' ? calling : NOBODY;
  const trunk = calling.by === 'trunk' ? calling.trunk : undefined;
  const display = request.headers.from.displayName?.trim();
  const habit: Habit = trunk === undefined ? habitOf(asker?.via) : trunkHabit(trunk);
  const named = namedIn(uri);
  const called = identity.userByName(named) === undefined ? calledNumber(identity, named, habit) : undefined;
  const stated = shownNumber(request, calling, called, habit, identity);
  const refused = user !== undefined && identity.refusal(user, now) !== undefined;
  const parks = connection?.parking === true && !refused;
  const reached =
    parks || refused
      ? undefined
      : calledApplication(identity, { uri, number: called?.entry, isOwnHost }, calling);
  const found = reached !== undefined && 'application' in reached ? reached : undefined;
  const caller: Caller = {
    ...(display === undefined || display === '' ? {} : { name: display }),
    number: stated,
    ...(user === undefined ? {} : { userName: user.name }),
    domain: identity.domain,
    numbers: asker === undefined ? [] : callerNumbers(identity, asker, stated),
    dialled: found?.dialled ?? called?.entry.number ?? named,
    headers: customHeaders(request),
  };
  const planned = (): Plan => {
    if (parks || found !== undefined) return { to: 'park' };
    if (reached !== undefined && 'cause' in reached) return refuse(reached);
    if (calling.by === 'stranger') return refuse(CAUSE.unproven);
    return planOf(identity, dialledIn(uri, isOwnHost), asker, caller.numbers, trunk, fresh, now);
  };
  return {
    caller,
    plan: planned(),
    asker,
    ...(found === undefined ? {} : { application: found.application }),
    ...(via === 'vsp' ? stateOf(request) : {}),
    leg: callingLeg(request, via, calling),
  };
}

/** Text that is no base64 is nobody's state. */
function stateOf(request: SipRequest): { readonly clientState?: string } {
  const text = header(request, HEADER.clientState)?.trim();
  return text !== undefined && text !== '' && isBase64(text) ? { clientState: text } : {};
}

/**
 * Where `dialled` leads for who asks, or for a trunk's call without one. `numbers`: what may be shown to a carrier; `trunk`: on
 * the other side of the call, whose policy counts.
 */
export function planOf(
  identity: Identity,
  dialled: string,
  asker: Asker | undefined,
  numbers: readonly string[],
  trunk: Trunk | undefined,
  fresh: () => string,
  now: EpochMs,
): Routed {
  if (asker?.user !== undefined && identity.refusal(asker.user, now) !== undefined)
    return refuse(CAUSE.revoked);
  const origin: Origin =
    asker === undefined
      ? { from: 'trunk', ...(trunk === undefined ? {} : { habit: trunkHabit(trunk) }) }
      : originOf(asker);
  const found = route(identity, dialled, origin, now);
  const outside = 'number' in found && found.number !== undefined ? { ...found, number: found.number } : null;
  const where = outside === null || asker === undefined ? found : outbound(identity, asker, outside, now);
  if ('cause' in where) return refuse(where);
  switch (where.to) {
    case 'built-in':
      return { to: 'service', service: where.service };
    case 'user':
      return userPlan(where.user, where.connection, asker, trunk);
    case 'trunk':
      if (asker !== undefined && lacksCallerId(identity, asker, numbers))
        return refuse(CAUSE.callerIdRefused);
      return {
        to: 'trunk',
        number: where.number,
        trunks: inRuns(where.trunks.map(trunkFacts), fresh),
      };
    case 'nowhere':
      return refuse(NOWHERE[where.why]);
  }
}

function trunkFacts({ name, host, codecs, dtmf, policy }: Trunk): TrunkFacts {
  const family = familyOf(host);
  return { name, codecs, dtmf, policy, ...(family === null ? {} : { family }) };
}

const NOWHERE: Readonly<Record<Nowhere, Why>> = {
  'unknown-user': CAUSE.unknownUser,
  'user-inactive': CAUSE.userInactive,
  'sip-uri-calling-disabled': CAUSE.callingDisabled,
  'number-rings-nobody': CAUSE.numberRingsNobody,
  'no-route': CAUSE.noRoute,
};

function userPlan(
  user: SipUser,
  connection: ConnectionEntry,
  caller: Asker | undefined,
  trunk: Trunk | undefined,
): Routed {
  return {
    to: 'user',
    userName: user.name,
    ringAll: connection.simultaneousRinging,
    rejectCode: connection.rejectCode,
    codecs: connection.codecs,
    dtmf: digitsMode(connection),
    ringMs: connection.timeout2xxSecs * 1000,
    ani: { format: connection.aniFormat, country: connection.localization },
    foreign: caller !== undefined && caller.accountId !== user.accountId,
    policy: trunk?.policy ?? 'quality',
  };
}

/** The plan of a call that is one too many. */
export const FULL: Extract<Plan, { to: 'refuse' }> = refuse(CAUSE.congestion);

/** The plan of a call that comes while another process takes over: it may try again in a moment (RFC 3261 §21.5.4). */
export const HANDING_OVER: Extract<Plan, { to: 'refuse' }> = {
  to: 'refuse',
  ending: { ...CAUSE.drain, by: 'platform' },
};
