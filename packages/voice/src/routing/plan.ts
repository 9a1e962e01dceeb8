import { canonicalHost, type EpochMs, type Family, familyOf } from '@sidetone/core';
import { header, parseNameAddr, type SipRequest, userOf } from '@sidetone/sip';
import {
  type ApplicationEntry,
  ASSERTED_IDENTITY,
  type BuiltIn,
  type ConnectionEntry,
  calledNumber,
  callerNumber,
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
import type { Branch } from '../leg/branch.ts';
import { CAUSE, type Ending, type Why } from '../leg/ending.ts';
import type { Callee, Caller, TrunkFacts } from '../leg/leg.ts';
import { inRuns } from '../leg/trunk-runs.ts';
import { customHeaders } from '../sip/reason.ts';
import { dialledIn, namedIn } from './addressee.ts';
import { type Asker, habitOf, originOf, userAsks } from './asker.ts';
import { callerNumbers, lacksCallerId, outbound, ownSpelling } from './outbound.ts';

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
  /** On whose account the call is; nobody's is a trunk's. */
  readonly asker: Asker | undefined;
  /** What the client attached to its call, for the back end. Base64. */
  readonly clientState?: string;
  /** The application whose number a trunk calls. */
  readonly application?: ApplicationEntry;
  /** Facts of the caller's leg. */
  readonly leg: Pick<Branch, 'kind' | 'codecs' | 'dtmf' | 'trunk'> & {
    readonly userName?: string;
    readonly family?: Family | null;
    /** Where the INVITE of a phone came from. */
    readonly signalledFrom?: string | null;
  };
}

export const refuse = (cause: Why): Extract<Plan, { to: 'refuse' }> => ({
  to: 'refuse',
  ending: { ...cause, by: 'platform' },
});

/** Who sent a request, as the room says that authenticated them. */
export function provenUser(request: SipRequest): string | undefined {
  const value = header(request, ASSERTED_IDENTITY);
  if (value === undefined) return undefined;
  const parsed = parseNameAddr(value);
  return parsed.ok ? userOf(parsed.value.uri) : undefined;
}

/**
 * Reads an INVITE from `vsp` (a client) or from `proxy` (a trunk, or a phone it authenticated) and asks the routing
 * plan. `isOwnHost`: a public address of ours, since phones dial `number@address`; `fresh`: a new branch's id.
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
  const trunk: Trunk | undefined =
    via === 'proxy' ? identity.trunks.find((t) => t.name === header(request, HEADER.trunk)) : undefined;
  const userName = trunk === undefined ? provenUser(request) : undefined;
  const user = userName === undefined ? undefined : identity.userByName(userName);
  const connection = user && identity.connection(user.connectionId);
  const asker = user && userAsks(identity, user);
  const display = request.headers.from.displayName?.trim();
  const habit: Habit = trunk === undefined ? habitOf(asker?.via) : trunkHabit(trunk);
  const named = namedIn(uri);
  const called = identity.userByName(named) === undefined ? calledNumber(identity, named, habit) : undefined;
  const from = namedIn(request.headers.from.uri) || (userName ?? 'anonymous');
  const stated =
    trunk === undefined ? ownSpelling(identity, from, asker?.via) : callerNumber(from, habit, called);
  const caller: Caller = {
    ...(display === undefined || display === '' ? {} : { name: display }),
    number: stated,
    ...(user === undefined ? {} : { userName: user.name }),
    domain: identity.domain,
    numbers: asker === undefined ? [] : callerNumbers(identity, asker, stated),
    dialled: called?.entry.number ?? named,
    headers: customHeaders(request),
  };
  if (trunk === undefined && (user === undefined || connection === undefined))
    return {
      caller,
      plan: refuse(CAUSE.unproven),
      asker: undefined,
      leg: { kind: via === 'vsp' ? 'client' : 'phone', codecs: [], dtmf: 'rfc4733' },
    };
  const family = via === 'proxy' ? signalledFamily(request) : null;
  const dialled = dialledIn(uri, isOwnHost);
  if (trunk !== undefined) {
    const assigned = called === undefined ? undefined : identity.application(called.entry.assignee ?? '');
    const inService = assigned?.active === true && identity.account(assigned.accountId)?.active === true;
    const application = inService ? assigned : undefined;
    return {
      caller,
      plan:
        application === undefined
          ? planOf(identity, dialled, undefined, [], trunk, fresh, now)
          : { to: 'park' },
      asker: undefined,
      ...(application === undefined ? {} : { application }),
      leg: { kind: 'trunk', codecs: trunk.codecs, dtmf: trunk.dtmf, trunk: trunk.name, family },
    };
  }
  const plan =
    connection!.parking && identity.refusal(user!, now) === undefined
      ? ({ to: 'park' } as const)
      : planOf(identity, dialled, asker, caller.numbers, undefined, fresh, now);
  return {
    caller,
    plan,
    asker,
    ...(via === 'vsp' ? stateOf(request) : {}),
    leg: {
      kind: via === 'vsp' ? 'client' : 'phone',
      codecs: connection!.codecs,
      dtmf: via === 'vsp' ? 'rfc4733' : digitsMode(connection!),
      userName: user!.name,
      family,
      signalledFrom: via === 'proxy' ? (header(request, HEADER.source) ?? null) : null,
    },
  };
}

/** Text that is no base64 is nobody's state. */
function stateOf(request: SipRequest): { readonly clientState?: string } {
  const text = header(request, HEADER.clientState)?.trim();
  return text !== undefined && text !== '' && isBase64(text) ? { clientState: text } : {};
}

/** By which IP version a caller from outside signals: where its last hop was seen, or says that it is. */
function signalledFamily({ headers: { via, contact } }: SipRequest): Family | null {
  const hop = via.find(({ transport }) => transport !== 'LOCAL');
  const seen = familyOf(canonicalHost(hop?.params['received'] ?? '')) ?? familyOf(hop?.host ?? '');
  return seen ?? (contact === '*' ? null : familyOf(contact[0]?.uri.host ?? ''));
}

/** Digits as audio are not made here: phones that want them so get RFC 4733. */
const digitsMode = ({ dtmf }: ConnectionEntry): Branch['dtmf'] => (dtmf === 'info' ? 'info' : 'rfc4733');

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
