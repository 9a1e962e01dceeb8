import { type EpochMs, sameHost } from '@sidetone/core';
import { splitDestination } from './dialled.ts';
import type { ConnectionEntry, Identity, SipUser } from './identity.ts';
import { calledNumber, type Habit, trunkHabit } from './numbers/ours.ts';
import { isNumber } from './numbers/signs.ts';
import type { Trunk } from './settings.ts';

/** Numbers that the platform answers itself. */
export const BUILT_IN = {
  '9196': 'echo',
  '9197': 'tone',
  '9664': 'music',
  /** The number that the published pre-call check dials. */
  '+18722315806': 'echo',
} as const;

export type BuiltIn = (typeof BUILT_IN)[keyof typeof BUILT_IN];

/** Who asks where a destination leads: a user of an account, or a carrier (whose calls may only reach users); and how it writes numbers. */
export type Origin = ({ readonly from: 'user'; readonly accountId: string } | { readonly from: 'trunk' }) & {
  readonly habit?: Habit;
};

/** Where a dialled destination leads. */
export type Destination =
  | { readonly to: 'built-in'; readonly service: BuiltIn }
  /** `dialled`: by its name, or by the number of its connection. */
  | {
      readonly to: 'user';
      readonly user: SipUser;
      readonly connection: ConnectionEntry;
      readonly dialled: 'name' | 'number';
    }
  /** Trunks in the order to try them. */
  | { readonly to: 'trunk'; readonly number: string; readonly trunks: readonly Trunk[] }
  /** `number`: one that no trunk takes as it is dialled. */
  | { readonly to: 'nowhere'; readonly why: Nowhere; readonly number?: string };

/**
 * `number-rings-nobody`: its connection's destination format is not `sip_username`, or it is assigned to none.
 * `user-inactive`: the user, its connection or its account may not be called now.
 */
export type Nowhere =
  | 'unknown-user'
  | 'user-inactive'
  | 'sip-uri-calling-disabled'
  | 'number-rings-nobody'
  | 'no-route';

/** The connection whose clients a number rings: its own, when its destination format is `sip_username`. */
export function rungByNumber(identity: Identity, canonical: string): ConnectionEntry | undefined {
  const owner = identity.ownerOfNumber(canonical);
  return owner?.dnisFormat === 'sip_username' ? owner : undefined;
}

/** The trunks a number may go to: the longest prefix first, then the order in the file. */
export function trunksFor(trunks: readonly Trunk[], number: string): readonly Trunk[] {
  return trunks
    .map((trunk, order) => ({ trunk, order, length: longestPrefix(trunk, number) }))
    .filter((t) => t.length >= 0)
    .sort((a, b) => b.length - a.length || a.order - b.order)
    .map((t) => t.trunk);
}

const longestPrefix = (trunk: Trunk, number: string): number =>
  trunk.prefixes.reduce((most, p) => (number.startsWith(p) && p.length > most ? p.length : most), -1);

/**
 * The routing plan: where `destination` (a number, a user name, `user@domain`, a SIP or tel URI) leads for who asks.
 *
 *   user name of a connection    rings the clients registered with that name
 *   number                       the same ring, when its connection's destination format is `sip_username`; other numbers of users
 *                                go to a trunk, other numbers from a trunk ring nobody
 *   user name of a credential    rings the logins with its password and with its tokens
 *
 * The last to register wins in each ring, unless the connection rings all at once; no name rings another's clients. A name is
 * dialled by its own account or by anybody, as its connection says; a number is public. What is exactly a name or a number is that;
 * only then may digits be a number of ours that the asker writes otherwise.
 */
export function route(identity: Identity, destination: string, origin: Origin, now: EpochMs): Destination {
  const { user, host } = splitDestination(destination);
  const ours = origin.from === 'user';
  const domain = host?.replace(/^(\[.*\]|[^:]*):\d+$/, '$1');
  // Another domain is another network: its numbers and users are not ours, and we call no foreign domain.
  if (ours && domain !== undefined && !sameHost(domain, identity.domain))
    return { to: 'nowhere', why: isNumber(user) ? 'no-route' : 'unknown-user' };

  const service = Object.hasOwn(BUILT_IN, user) ? BUILT_IN[user as keyof typeof BUILT_IN] : undefined;
  if (service !== undefined && ours) return { to: 'built-in', service };

  const number = isNumber(user);
  const owner = number ? rungByNumber(identity, user) : undefined;
  if (owner !== undefined) return ring(identity, identity.userById(owner.id), 'number', now);
  const named = identity.userByName(user);
  if (named !== undefined) {
    const preference = identity.connection(named.connectionId)?.sipUriCalling;
    const allowed =
      preference === 'unrestricted' ||
      (preference === 'internal' && ours && origin.accountId === named.accountId);
    return allowed ? ring(identity, named, 'name', now) : { to: 'nowhere', why: 'sip-uri-calling-disabled' };
  }
  if (!number) return { to: 'nowhere', why: 'unknown-user' };
  const called = calledNumber(identity, user, origin.habit ?? (ours ? {} : trunkHabit()));
  const other = called === undefined ? undefined : rungByNumber(identity, called.entry.number);
  if (other !== undefined) return ring(identity, identity.userById(other.id), 'number', now);
  if (!ours) return { to: 'nowhere', why: called === undefined ? 'unknown-user' : 'number-rings-nobody' };
  const trunks = trunksFor(identity.trunks, user);
  return trunks.length > 0
    ? { to: 'trunk', number: user, trunks }
    : { to: 'nowhere', why: 'no-route', number: user };
}

function ring(
  identity: Identity,
  user: SipUser | undefined,
  dialled: 'name' | 'number',
  now: EpochMs,
): Destination {
  const connection = user && identity.connection(user.connectionId);
  if (user === undefined || connection === undefined || identity.refusal(user, now) !== undefined)
    return { to: 'nowhere', why: 'user-inactive' };
  return { to: 'user', user, connection, dialled };
}
