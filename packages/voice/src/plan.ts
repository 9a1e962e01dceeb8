import type { EpochMs } from '@sidetone/core';
import { header, parseNameAddr, type SipRequest, unescapeUser } from '@sidetone/sip';
import {
  ASSERTED_IDENTITY,
  type ConnectionEntry,
  canonicalNumber,
  HEADER,
  type Identity,
  type Origin,
  route,
  type SipUser,
  type Trunk,
} from '@sidetone/wire';
import type { Caller, FreshLeg, Plan } from './call.ts';
import { CAUSE, type Ending } from './ending.ts';
import type { Leg } from './leg.ts';
import { customHeaders } from './reason.ts';

/** Who calls, by what road, and where that leads. */
export interface Arrival {
  readonly caller: Caller;
  readonly plan: Plan;
  /** Facts of the caller's leg. */
  readonly leg: Pick<Leg, 'kind' | 'codecs' | 'dtmf'> & Partial<Pick<Leg, 'userName' | 'trunk'>>;
}

export const refuse = (cause: Pick<Ending, 'cause' | 'code' | 'sip'>): Plan => ({
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
  const caller: Caller = {
    ...(display === undefined || display === '' ? {} : { name: display }),
    number: number(request.headers.from.uri.user ?? userName ?? 'anonymous'),
    ...(user === undefined ? {} : { userName: user.name }),
    domain: identity.domain,
    numbers: user === undefined ? [] : numbersOf(identity, user),
    dialled: dialledUser,
    headers: customHeaders(request),
  };
  if (trunk === undefined && (user === undefined || connection === undefined))
    return {
      caller,
      plan: refuse(CAUSE.unproven),
      leg: { kind: from === 'vsp' ? 'client' : 'phone', codecs: [], dtmf: 'rfc4733' },
    };
  const own = uri.host.toLowerCase() === ownHost.toLowerCase();
  const origin: Origin = user === undefined ? { from: 'trunk' } : { from: 'user', accountId: user.accountId };
  const dialled = own ? dialledUser : `${dialledUser}@${uri.host}`;
  const plan = planOf(identity, dialled, origin, trunk, fresh, now);
  if (trunk !== undefined)
    return {
      caller,
      plan,
      leg: { kind: 'trunk', codecs: trunk.codecs, dtmf: trunk.dtmf, trunk: trunk.name },
    };
  return {
    caller,
    plan,
    leg: {
      kind: from === 'vsp' ? 'client' : 'phone',
      codecs: connection!.codecs,
      dtmf: 'rfc4733',
      userName: user!.name,
    },
  };
}

/** The numbers of a user's connection. */
export const numbersOf = (identity: Identity, user: SipUser): readonly string[] =>
  identity.numbersOf(user.connectionId).map((entry) => canonicalNumber(entry.number));

/** Where `dialled` leads for `origin`; `trunk`: on the other side of the call, whose policy counts. */
export function planOf(
  identity: Identity,
  dialled: string,
  origin: Origin,
  trunk: Trunk | undefined,
  fresh: FreshLeg,
  now: EpochMs,
): Plan {
  const where = route(identity, dialled, origin, now);
  switch (where.to) {
    case 'built-in':
      return { to: 'service', service: where.service, leg: fresh };
    case 'user':
      return userPlan(where.user, where.connection, trunk);
    case 'trunk':
      return {
        to: 'trunk',
        number: where.number,
        trunks: where.trunks.map(({ name, codecs, dtmf, policy }) => ({ name, codecs, dtmf, policy })),
        leg: fresh,
      };
    case 'nowhere':
      if (where.why === 'sip-uri-calling-disabled') return refuse(CAUSE.callingDisabled);
      return refuse(where.why === 'no-route' ? CAUSE.noRoute : CAUSE.unknownUser);
  }
}

function userPlan(user: SipUser, connection: ConnectionEntry, trunk: Trunk | undefined): Plan {
  return {
    to: 'user',
    userName: user.name,
    ringAll: connection.simultaneousRinging,
    rejectCode: connection.rejectCode,
    codecs: connection.codecs,
    policy: trunk?.policy ?? 'quality',
  };
}

/** The plan of a call that is one too many. */
export const FULL: Plan = refuse(CAUSE.congestion);

/** The plan of a call that comes while another process takes over: it may try again in a moment (RFC 3261 §21.5.4). */
export const HANDING_OVER: Plan = {
  to: 'refuse',
  ending: { ...CAUSE.drain, by: 'platform', headers: [['Retry-After', '2']] },
};
