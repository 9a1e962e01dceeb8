import type { EpochMs } from '@sidetone/core';
import { header, parseNameAddr, type SipRequest, unescapeUser } from '@sidetone/sip';
import {
  ASSERTED_IDENTITY,
  type ConnectionEntry,
  canonicalNumber,
  HEADER,
  type Identity,
  type Nowhere,
  type Origin,
  route,
  type SipUser,
  type Trunk,
} from '@sidetone/wire';
import type { Caller, FreshLeg, Plan } from './call.ts';
import { CAUSE, type Why } from './ending.ts';
import type { Leg } from './leg.ts';
import { callerNumbers, lacksCallerId, outbound } from './outbound.ts';
import { customHeaders } from './reason.ts';

/** Who calls, by what road, and where that leads. */
export interface Arrival {
  readonly caller: Caller;
  readonly plan: Plan;
  /** On whose account the call is. */
  readonly user: SipUser | undefined;
  /** Facts of the caller's leg. */
  readonly leg: Pick<Leg, 'kind' | 'codecs' | 'dtmf'> & Partial<Pick<Leg, 'userName' | 'trunk'>>;
}

export const refuse = (cause: Why): Plan => ({
  to: 'refuse',
  ending: { ...cause, by: 'platform' },
});

const number = (text: string): string => canonicalNumber(unescapeUser(text));

function provenUser(request: SipRequest): string | undefined {
  const value = header(request, ASSERTED_IDENTITY);
  if (value === undefined) return undefined;
  const parsed = parseNameAddr(value);
  const user = parsed.ok ? parsed.value.uri.user : undefined;
  return user === undefined ? undefined : unescapeUser(user);
}

/**
 * Reads an INVITE from `vsp` (a client) or from `proxy` (a trunk, or a phone it authenticated) and asks the routing
 * plan. `ownHost` is our public address: phones dial `number@address`.
 */
export function arrive(
  request: SipRequest,
  from: 'vsp' | 'proxy',
  identity: Identity,
  ownHost: string,
  fresh: FreshLeg,
  now: EpochMs,
): Arrival {
  const { uri } = request;
  const dialledUser = uri.user === undefined ? '' : unescapeUser(uri.user);
  const trunk: Trunk | undefined =
    from === 'proxy' ? identity.trunks.find((t) => t.name === header(request, HEADER.trunk)) : undefined;
  const userName = trunk === undefined ? provenUser(request) : undefined;
  const user = userName === undefined ? undefined : identity.userByName(userName);
  const connection = user && identity.connection(user.connectionId);
  const display = request.headers.from.displayName?.trim();
  const stated = number(request.headers.from.uri.user ?? userName ?? 'anonymous');
  const caller: Caller = {
    ...(display === undefined || display === '' ? {} : { name: display }),
    number: stated,
    ...(user === undefined ? {} : { userName: user.name }),
    domain: identity.domain,
    numbers: user === undefined ? [] : callerNumbers(identity, user, stated),
    dialled: dialledUser,
    headers: customHeaders(request),
  };
  if (trunk === undefined && (user === undefined || connection === undefined))
    return {
      caller,
      plan: refuse(CAUSE.unproven),
      user: undefined,
      leg: { kind: from === 'vsp' ? 'client' : 'phone', codecs: [], dtmf: 'rfc4733' },
    };
  const own = uri.host.toLowerCase() === ownHost.toLowerCase();
  const dialled = own ? dialledUser : `${dialledUser}@${uri.host}`;
  const plan = planOf(identity, dialled, user, caller.numbers, trunk, fresh, now);
  if (trunk !== undefined)
    return {
      caller,
      plan,
      user: undefined,
      leg: { kind: 'trunk', codecs: trunk.codecs, dtmf: trunk.dtmf, trunk: trunk.name },
    };
  return {
    caller,
    plan,
    user,
    leg: {
      kind: from === 'vsp' ? 'client' : 'phone',
      codecs: connection!.codecs,
      dtmf: from === 'vsp' ? 'rfc4733' : digitsMode(connection!),
      userName: user!.name,
    },
  };
}

/** Digits as audio are not made here: phones that want them so get RFC 4733. */
const digitsMode = ({ dtmf }: ConnectionEntry): Leg['dtmf'] => (dtmf === 'info' ? 'info' : 'rfc4733');

/**
 * Where `dialled` leads for `user`, or for a trunk's call without one. `numbers`: what the user may show a carrier; `trunk`: on
 * the other side of the call, whose policy counts.
 */
export function planOf(
  identity: Identity,
  dialled: string,
  user: SipUser | undefined,
  numbers: readonly string[],
  trunk: Trunk | undefined,
  fresh: FreshLeg,
  now: EpochMs,
): Plan {
  if (user !== undefined && identity.refusal(user, now) !== undefined) return refuse(CAUSE.revoked);
  const origin: Origin = user === undefined ? { from: 'trunk' } : { from: 'user', accountId: user.accountId };
  const found = route(identity, dialled, origin, now);
  const outside = 'number' in found && found.number !== undefined ? { ...found, number: found.number } : null;
  const where = outside === null || user === undefined ? found : outbound(identity, user, outside, now);
  if ('cause' in where) return refuse(where);
  switch (where.to) {
    case 'built-in':
      return { to: 'service', service: where.service, leg: fresh };
    case 'user':
      return userPlan(where.user, where.connection, user, trunk);
    case 'trunk':
      if (user !== undefined && lacksCallerId(identity, user, numbers)) return refuse(CAUSE.callerIdRefused);
      return {
        to: 'trunk',
        number: where.number,
        trunks: where.trunks.map(({ name, codecs, dtmf, policy }) => ({ name, codecs, dtmf, policy })),
        leg: fresh,
      };
    case 'nowhere':
      return refuse(NOWHERE[where.why]);
  }
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
  caller: SipUser | undefined,
  trunk: Trunk | undefined,
): Plan {
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
export const FULL: Plan = refuse(CAUSE.congestion);

/** The plan of a call that comes while another process takes over: it may try again in a moment (RFC 3261 §21.5.4). */
export const HANDING_OVER: Plan = {
  to: 'refuse',
  ending: { ...CAUSE.drain, by: 'platform' },
};
