import type { EpochMs } from '@sidetone/core';
import {
  calledNumber,
  canonicalNumber,
  countryOf,
  type Destination,
  e164Of,
  type Identity,
  NO_COUNTRY,
  route,
} from '@sidetone/wire';
import { CAUSE, type Why } from '../leg/ending.ts';
import { type Asker, habitOf, originOf, type Via } from './asker.ts';

/** A number of the telephone network, with a trunk for it as it is dialled, or without. */
type Found = Extract<Destination, { to: 'trunk' } | { to: 'nowhere' }> & { readonly number: string };

/**
 * Where a call to a number of the telephone network really goes, or why not. With an outbound voice profile the number is first
 * made +E.164 as the connection's country dials it; that one number is compared with the allowed countries, looked up and called, so
 * that no other way of writing it leads elsewhere. It goes out because the plan of an allowed country has it; a number of no country's plan
 * (satellite, international premium, digits that are none) is on no list. Without a profile the account says whether one is needed; then
 * the number goes out as it was dialled.
 */
export function outbound(identity: Identity, asker: Asker, found: Found, now: EpochMs): Destination | Why {
  const { via, accountId } = asker;
  const account = identity.account(accountId);
  if (via === undefined || account === undefined) return CAUSE.unproven;
  if (via.profileId === null) return account.profileRequired ? CAUSE.noProfile : found;
  const profile = identity.profile(via.profileId);
  if (profile === undefined || profile.accountId !== accountId) return CAUSE.noProfile;
  if (!profile.enabled) return CAUSE.profileDisabled;
  const number = e164Of(found.number, via.country);
  if (number === undefined) return CAUSE.noRoute;
  const country = countryOf(number);
  if (country === NO_COUNTRY || !profile.destinations.includes(country)) return CAUSE.destinationBarred;
  return number === found.number ? found : route(identity, number, originOf(asker), now);
}

/** A number that somebody states, in our spelling when it is one of ours. */
export const ownSpelling = (identity: Identity, written: string, via: Via | undefined): string =>
  calledNumber(identity, written, habitOf(via))?.entry.number ?? written;

/**
 * The numbers that a call may show to a carrier, the default first: the connection's override alone; otherwise its own numbers, and
 * the one that is stated when it is one of the account's. Nobody's number but the account's is ever shown.
 */
export function callerNumbers(
  identity: Identity,
  { accountId, via }: Asker,
  stated: string,
): readonly string[] {
  const isOurs = (number: string): boolean => identity.number(number)?.accountId === accountId;
  // There are no emergency calls here.
  if (via?.aniOverride != null && via.aniOverrideType !== 'emergency')
    return [ownSpelling(identity, canonicalNumber(via.aniOverride), via)].filter(isOurs);
  const own = identity.numbersOf(via?.id ?? '').map(({ number }) => number);
  return own.includes(stated) || !isOurs(stated) ? own : [...own, stated];
}

/** Must a call of this asker show a number of the account, and has none to show? */
export function lacksCallerId(
  identity: Identity,
  { accountId, via }: Asker,
  numbers: readonly string[],
): boolean {
  const required = identity.account(accountId)?.profileRequired === true || via?.aniOverride != null;
  return required && numbers.length === 0;
}
