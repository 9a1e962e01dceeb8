import type { EpochMs } from '@sidetone/core';
import {
  type ConnectionEntry,
  calledNumber,
  canonicalNumber,
  countryOf,
  type Destination,
  e164Of,
  type Habit,
  type Identity,
  NO_COUNTRY,
  type Origin,
  route,
  type SipUser,
} from '@sidetone/wire';
import { CAUSE, type Why } from '../leg/ending.ts';

/** A number of the telephone network, with a trunk for it as it is dialled, or without. */
type Found = Extract<Destination, { to: 'trunk' } | { to: 'nowhere' }> & { readonly number: string };

/** Users write numbers as the country of their connection dials. */
export const userHabit = (connection: ConnectionEntry | undefined): Habit =>
  connection === undefined ? {} : { country: connection.localization };

/** A user as the routing plan knows it. */
export const askerOf = (identity: Identity, { accountId, connectionId }: SipUser): Origin => ({
  from: 'user',
  accountId,
  habit: userHabit(identity.connection(connectionId)),
});

/**
 * Where a user's call to a number of the telephone network really goes, or why not. With an outbound voice profile the number is first
 * made +E.164 as the connection's country dials it; that one number is compared with the allowed countries, looked up and called, so
 * that no other way of writing it leads elsewhere. It goes out because the plan of an allowed country has it; a number of no country's plan
 * (satellite, international premium, digits that are none) is on no list. Without a profile the account says whether one is needed; then
 * the number goes out as it was dialled.
 */
export function outbound(identity: Identity, user: SipUser, found: Found, now: EpochMs): Destination | Why {
  const connection = identity.connection(user.connectionId);
  const account = identity.account(user.accountId);
  if (connection === undefined || account === undefined) return CAUSE.unproven;
  if (connection.profileId === null) return account.profileRequired ? CAUSE.noProfile : found;
  const profile = identity.profile(connection.profileId);
  if (profile === undefined || profile.accountId !== user.accountId) return CAUSE.noProfile;
  if (!profile.enabled) return CAUSE.profileDisabled;
  const number = e164Of(found.number, connection.localization);
  if (number === undefined) return CAUSE.noRoute;
  const country = countryOf(number);
  if (country === NO_COUNTRY || !profile.destinations.includes(country)) return CAUSE.destinationBarred;
  return number === found.number ? found : route(identity, number, askerOf(identity, user), now);
}

/** A number that a user states, in our spelling when it is one of ours. */
export const ownSpelling = (
  identity: Identity,
  written: string,
  connection: ConnectionEntry | undefined,
): string => calledNumber(identity, written, userHabit(connection))?.entry.number ?? written;

/**
 * The numbers a user may show to a carrier, the default first: the connection's override alone; otherwise its own numbers, and
 * the one the user states when it is one of the account's. Nobody's number but the account's is ever shown.
 */
export function callerNumbers(identity: Identity, user: SipUser, stated: string): readonly string[] {
  const connection = identity.connection(user.connectionId);
  const isOurs = (number: string): boolean => identity.number(number)?.accountId === user.accountId;
  // There are no emergency calls here.
  if (connection?.aniOverride != null && connection.aniOverrideType !== 'emergency')
    return [ownSpelling(identity, canonicalNumber(connection.aniOverride), connection)].filter(isOurs);
  const own = identity.numbersOf(user.connectionId).map(({ number }) => number);
  return own.includes(stated) || !isOurs(stated) ? own : [...own, stated];
}

/** Must a call of this user show a number of the account, and has none to show? */
export function lacksCallerId(identity: Identity, user: SipUser, numbers: readonly string[]): boolean {
  const connection = identity.connection(user.connectionId);
  const required =
    identity.account(user.accountId)?.profileRequired === true || connection?.aniOverride != null;
  return required && numbers.length === 0;
}
