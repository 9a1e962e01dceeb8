import { header, parseNameAddr, type SipRequest, unescapeUser } from '@sidetone/sip';
import {
  ASSERTED_IDENTITY,
  type Connection,
  canonicalNumber,
  type Directory,
  HEADER,
  route,
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
  directory: Directory,
  ownHost: string,
  fresh: FreshLeg,
): Arrival {
  const { uri } = request;
  const dialledUser = uri.user === undefined ? '' : unescapeUser(uri.user);
  const trunk: Trunk | undefined =
    from === 'proxy' ? directory.trunks.find((t) => t.name === header(request, HEADER.trunk)) : undefined;
  const userName = trunk === undefined ? provenUser(request) : undefined;
  const connection = directory.connections.find((c) => c.user_name === userName);
  const display = request.headers.from.displayName?.trim();
  const caller: Caller = {
    ...(display === undefined || display === '' ? {} : { name: display }),
    number: number(request.headers.from.uri.user ?? userName ?? 'anonymous'),
    ...(connection === undefined ? {} : { userName: connection.user_name }),
    domain: directory.domain,
    numbers: connection?.numbers.map(canonicalNumber) ?? [],
    dialled: dialledUser,
    headers: customHeaders(request),
  };
  const origin = trunk ?? connection;
  if (origin === undefined)
    return {
      caller,
      plan: refuse(CAUSE.unproven),
      leg: { kind: from === 'vsp' ? 'client' : 'phone', codecs: [], dtmf: 'rfc4733' },
    };
  const own = uri.host.toLowerCase() === ownHost.toLowerCase();
  const plan = planOf(directory, own ? dialledUser : `${dialledUser}@${uri.host}`, trunk, fresh);
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
      userName: connection!.user_name,
    },
  };
}

/** Where `dialled` leads for `origin`; `trunk`: on the other side of the call, whose policy counts. */
export function planOf(
  directory: Directory,
  dialled: string,
  trunk: Trunk | undefined,
  fresh: FreshLeg,
  origin: 'user' | 'trunk' = trunk === undefined ? 'user' : 'trunk',
): Plan {
  const where = route(directory, dialled, origin);
  switch (where.to) {
    case 'built-in':
      return { to: 'service', service: where.service, leg: fresh };
    case 'user':
      return userPlan(where.connection, trunk);
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

function userPlan(connection: Connection, trunk: Trunk | undefined): Plan {
  return {
    to: 'user',
    userName: connection.user_name,
    ringAll: connection.simultaneous_ringing === 'enabled',
    rejectCode: connection.reject_code,
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
