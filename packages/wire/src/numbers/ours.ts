import type { Identity, NumberEntry } from '../identity.ts';
import type { Trunk } from '../settings.ts';
import { CALLING_CODES, callingCodeOf, homeOf, isPossible } from './country.ts';
import { e164Of, nationalReadings, prefixesOf } from './e164.ts';
import { isNumber } from './signs.ts';

/*
 * The same number as others write it:
 *
 *   +13125550100     13125550100     0013125550100     01113125550100     3125550100, 0 30 …
 *   global           digits alone    behind an international prefix       national, of a country
 *
 * What somebody calls is ours when one of these readings is a number of ours: then it is that number, by its one spelling. Whoever calls
 * us may be anybody, so a caller's number is read as the sender is known, or seen, to write.
 */

/** How somebody writes numbers that have no `+`. */
export interface Habit {
  /** `auto`: it is seen from what is called. `e164`: the digits of +E.164. `national`: as `country` dials. */
  readonly format?: 'auto' | 'e164' | 'national';
  /** Whose national numbers are written, ISO 3166-1 alpha-2; `any`: of a country that has a number of ours with these digits, and no other. */
  readonly country?: string;
}

/** Of a carrier that nothing is said of: its national numbers are those of the country that a number of ours is of. */
export const trunkHabit = (trunk: Pick<Trunk, 'number_format' | 'country'> = {}): Habit => ({
  format: trunk.number_format ?? 'auto',
  country: trunk.country ?? 'any',
});

/** A number of ours, as it was called. */
export interface Called {
  readonly entry: NumberEntry;
  readonly form: 'global' | 'digits' | 'national';
}

/** A number of ours as it is listed: what stands behind an international prefix is global. */
export function listedNumber(number: string): string {
  return behindPrefix(number, (global) => (isPossible(global) ? global : undefined)) ?? number;
}

/** Shorter ones are short codes, which are what they are. */
const LEAST_DIGITS = 7;

/** The number of ours that `written` (in its one spelling) stands for, itself first. */
export function calledNumber(identity: Identity, written: string, habit: Habit): Called | undefined {
  const exact = identity.number(written);
  if (exact !== undefined) return { entry: exact, form: written.startsWith('+') ? 'global' : 'digits' };
  if (!isNumber(written)) return undefined;
  const ours = (number: string, form: Called['form']): Called | undefined => {
    const entry = identity.number(number);
    return entry === undefined ? undefined : { entry, form };
  };
  const digits = written.replace('+', '');
  if (digits.length < LEAST_DIGITS) return undefined;
  if (digits !== written) return ours(digits, 'global');
  const { format = 'auto', country } = habit;
  const alone =
    format === 'national' ? undefined : (ours(`+${digits}`, 'digits') ?? behindPrefix(digits, ours));
  if (alone !== undefined || format === 'e164' || country === undefined) return alone;
  if (country !== 'any') return ours(e164Of(digits, country) ?? '', 'national');
  const found = new Set<NumberEntry>();
  for (const code of CALLING_CODES)
    for (const number of nationalReadings(digits, code)) {
      const entry = identity.number(number);
      if (entry !== undefined) found.add(entry);
    }
  const [entry] = found;
  return entry !== undefined && found.size === 1 ? { entry, form: 'national' } : undefined;
}

function behindPrefix<T>(
  digits: string,
  of: (number: string, form: 'digits') => T | undefined,
): T | undefined {
  const behind = /^(?:00|011)([1-9]\d+)$/.exec(digits)?.[1];
  return behind === undefined ? undefined : of(`+${behind}`, 'digits');
}

/**
 * A carrier's caller in +E.164, when it can be told from how the carrier writes: as it is known to, or as it wrote the number it called.
 * What is no number of a country this way (short codes, names) stays as it is.
 */
export function callerNumber(written: string, habit: Habit, called: Called | undefined): string {
  if (!/^\d+$/.test(written) || written.length < LEAST_DIGITS) return written;
  const { format = 'auto', country } = habit;
  const ours = called?.entry.number ?? '';
  const home = country === undefined || country === 'any' ? homeOf(ours) : country;
  const global = `+${written}`;
  const alone = isPossible(global)
    ? global
    : behindPrefix(written, (number) => (isPossible(number) ? number : undefined));
  const national = e164Of(written, home);
  if (format === 'e164') return alone ?? written;
  if (format === 'national') return national ?? written;
  const nationalFirst =
    called?.form === 'national' || (called?.form !== 'digits' && isNational(written, home));
  const [first, second] = nationalFirst ? [national, alone] : [alone, national];
  return first ?? second ?? written;
}

/** Does it look like a national number of this country, rather than like the digits of a global one? */
function isNational(digits: string, country: string): boolean {
  const code = callingCodeOf(country);
  if (code === undefined) return false;
  return code === '1' ? digits.length <= 11 : digits.startsWith(prefixesOf(code)[1]);
}
