import { callingCodeOf, countryOf } from './country.ts';
import type { ConnectionEntry } from './identity.ts';
import { canonicalNumber } from './routing.ts';

const E164 = /^\+[1-9]\d{6,14}$/;
/** What is dialled before the country code, and before an area code, where it is not 00 and 0. */
const PREFIXES: Readonly<Record<string, readonly [international: string, national: string]>> = {
  '1': ['011', '1'],
};

/**
 * A dialled number as +E.164, as somebody in `country` (ISO 3166-1 alpha-2) means it: `+` and digits, or behind the international
 * prefix, or national. `undefined` for what is none: short codes, service codes, numbers too long.
 */
export function e164Of(dialled: string, country: string): string | undefined {
  const number = canonicalNumber(dialled);
  if (number.startsWith('+')) return E164.test(number) ? number : undefined;
  const code = callingCodeOf(country);
  if (code === undefined || !/^\d{7,18}$/.test(number)) return undefined;
  const [international, national] = PREFIXES[code] ?? ['00', '0'];
  const full = number.startsWith(international)
    ? number.slice(international.length)
    : `${code}${number.startsWith(national) ? number.slice(national.length) : number}`;
  // North American numbers have ten digits.
  if (code === '1' && !number.startsWith(international) && full.length !== 11) return undefined;
  return E164.test(`+${full}`) ? `+${full}` : undefined;
}

/** A caller's number as a connection wants to be told it; what is no +E.164 number stays as it is. */
export function formatCaller(number: string, format: ConnectionEntry['aniFormat'], country: string): string {
  if (!E164.test(number)) return number;
  const code = callingCodeOf(country) ?? '';
  const home = countryOf(number) === country && number.startsWith(`+${code}`);
  if (home && (format === '+E.164-national' || format === 'E.164-national'))
    return number.slice(1 + code.length);
  return format.startsWith('+') ? number : number.slice(1);
}
