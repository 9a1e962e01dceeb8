import type { ConnectionEntry } from '../identity.ts';
import { callingCodeOf, countryOf, isE164, isPossible, NO_COUNTRY } from './country.ts';
import { digitsOf } from './signs.ts';

/** What is dialled before a country code, and before a national number, by calling code or country; elsewhere 00 and 0. */
const PREFIXES: Readonly<Record<string, readonly [international: RegExp, national: string]>> = {
  '1': [/^011/, '1'],
  '7': [/^810/, '8'],
  '36': [/^00/, '06'],
  '53': [/^119/, '0'],
  '61': [/^0011/, '0'],
  '62': [/^00[1789]/, '0'],
  '65': [/^0(?:0[128]|1[289])/, '0'],
  '66': [/^00[1789]/, '0'],
  '81': [/^010/, '0'],
  '82': [/^00(?:700|[1258])/, '0'],
  '234': [/^009/, '0'],
  '254': [/^000/, '0'],
  '255': [/^000/, '0'],
  '256': [/^000/, '0'],
  '370': [/^00/, '8'],
  '375': [/^810/, '80'],
  '852': [/^001/, '0'],
  '855': [/^00[17]/, '0'],
  '886': [/^00[25679]/, '0'],
  '972': [/^0(?:0|1[2-9])/, '0'],
  '976': [/^00[12]/, '0'],
  '993': [/^810/, '8'],
};

/** What numbers of this calling code are dialled behind at home, and before it abroad. */
export const prefixesOf = (code: string): readonly [international: RegExp, national: string] =>
  PREFIXES[code] ?? [/^00/, '0'];

/** What a national number may be with its code: with and without the digits that are dialled before it. */
export function nationalReadings(digits: string, code: string): readonly string[] {
  const [, prefix] = prefixesOf(code);
  const whole = `+${code}${digits}`;
  return digits.startsWith(prefix) ? [whole, `+${code}${digits.slice(prefix.length)}`] : [whole];
}

/** A national number with its code, when there may be one: the plan decides, since some have what others dial before theirs inside. */
export function nationalReading(digits: string, code: string): string | undefined {
  const readings = nationalReadings(digits, code);
  return readings.find((number) => countryOf(number) !== NO_COUNTRY) ?? readings.find(isPossible);
}

/**
 * A dialled number as +E.164, as somebody in `country` (ISO 3166-1 alpha-2) means it: `+` and digits, or behind the international
 * prefix, or national. `undefined` for what is none: short codes, service codes, numbers too long.
 */
export function e164Of(dialled: string, country: string): string | undefined {
  const number = digitsOf(dialled);
  if (number === undefined) return undefined;
  if (number.startsWith('+')) return isE164(number) ? number : undefined;
  const code = callingCodeOf(country);
  if (code === undefined || !/^\d{7,19}$/.test(number)) return undefined;
  const [international] = prefixesOf(code);
  const abroad = international.exec(number);
  if (abroad === null) return nationalReading(number, code);
  const full = `+${number.slice(abroad[0].length)}`;
  return isE164(full) ? full : undefined;
}

/** A caller's number as a connection wants to be told it; what is no +E.164 number stays as it is. */
export function formatCaller(number: string, format: ConnectionEntry['aniFormat'], country: string): string {
  if (!isE164(number)) return number;
  const code = callingCodeOf(country) ?? '';
  const home = countryOf(number) === country && number.startsWith(`+${code}`);
  if (home && (format === '+E.164-national' || format === 'E.164-national'))
    return number.slice(1 + code.length);
  return format.startsWith('+') ? number : number.slice(1);
}
