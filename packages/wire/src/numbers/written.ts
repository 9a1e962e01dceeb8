import { CALLING_CODES, isPossible } from './country.ts';
import { nationalReading } from './e164.ts';
import { digitsOf, trimmed } from './signs.ts';

/*
 * A telephone number as text. It has one spelling in this house: its digits (with `*` and `#`), a `+` in front when it is global.
 *
 *   tel:+1-312-555-0199;ext=7     +13125550199;rn=+13125550000;npdi     (312) 555–0199     312-555-0199;phone-context=+1
 *        └─ RFC 3966 §3                └─ telephone-subscriber, RFC 3261 §19.1.6, RFC 4694      └─ RFC 3966 §5.1.5
 *
 * Parameters are about a number and no part of it; only `phone-context` may be needed to read it.
 */

const TEL = /^tel:(?:\/\/)?/i;

/** A number, however it was written, in its one spelling; `undefined` for what is none. Total. */
export function readNumber(text: string): string | undefined {
  const written = trimmed(text);
  const subscriber = TEL.test(written) ? unescaped(written.replace(TEL, '')) : written;
  const [number = '', ...params] = subscriber.split(/[;?]/);
  const digits = digitsOf(number);
  if (digits === undefined || digits.startsWith('+')) return digits;
  const context = params.find((param) => /^phone-context=/i.test(param))?.slice('phone-context='.length);
  return context === undefined ? digits : (global(digits, context) ?? digits);
}

/** `readNumber`, or the text as it is. */
export const canonicalNumber = (text: string): string => readNumber(text) ?? text;

/**
 * Whom a URI names: a number in its one spelling, or a user name. `user`: the user part, or the telephone-subscriber of a `tel` URI,
 * escapes undone. `''`: nobody, also by a `tel` URI without a number.
 */
export const namedBy = (scheme: string, user: string): string =>
  readNumber(user) ?? (scheme === 'tel' ? '' : user);

/** Escapes undone once; a broken escape leaves the text as written. */
export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * A local number with its context, when both make a number that there may be: the context is not simply what stands in front
 * (RFC 3966 §5.1.5: 911 is valid in the context +1, and +1911 is no number). A domain as context changes nothing.
 */
function global(digits: string, context: string): string | undefined {
  const prefix = digitsOf(context);
  if (prefix === undefined || !/^\+\d+$/.test(prefix)) return undefined;
  const code = CALLING_CODES.find((known) => prefix.startsWith(known, 1));
  if (code === undefined) return undefined;
  // No subscriber of an area has a number that begins as service codes do.
  const inArea = prefix.length > 1 + code.length && /^[2-9]\d{4,}$/.test(digits) ? prefix + digits : '';
  return isPossible(inArea) ? inArea : nationalReading(digits, code);
}
