import { err, ok, type Result } from '@sidetone/core';
import { holdsForeignSign, isNumber, trimmed } from './numbers/signs.ts';
import { namedBy, readNumber, unescaped } from './numbers/written.ts';

/** What a client dialled, as the parts of a SIP URI; `user` is not escaped. */
export interface DialledDestination {
  readonly user: string;
  /** In lower case; an IPv6 address without brackets. */
  readonly host?: string;
}

const MAX_DESTINATION = 256;
const MAX_NAME = 128;
const MAX_NUMBER = 128;
const MAX_DIGITS = 64;
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
/** As it, but for the tab, which is a blank: a number may have been pasted with it. */
const UNSAFE_IN_NUMBER = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/;
/** Delimiters of name-addr: never part of what can be dialled. */
const DELIMITER = /[<>"\\,]/;
const HOST = /^(?:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?$/;

/** A destination as text, taken apart: a number in its one spelling or a user name, and the host when there is one. */
export interface Destined {
  readonly scheme: string;
  /** `''`: nobody. */
  readonly user: string;
  /** As written, with its port. */
  readonly host?: string;
}

/**
 * Takes a number, user name, `user@host`, SIP or tel URI apart. Port, parameters and headers are dropped. Total, checks nothing. Invisible
 * signs around it are nothing for a number alone: a name keeps them.
 */
export function splitDestination(text: string): Destined {
  const read = split(trimmed(text));
  return isNumber(read.user) ? read : split(text.trim());
}

function split(written: string): Destined {
  const scheme = (/^(sips?|tel):/i.exec(written)?.[1] ?? '').toLowerCase();
  if (scheme === 'tel') return { scheme, user: readNumber(written) ?? '' };
  const rest = scheme === '' ? written : written.slice(scheme.length + 1);
  const at = rest.lastIndexOf('@');
  const part = at < 0 ? rest : rest.slice(0, at);
  const user = namedBy(scheme, scheme === '' ? part : unescaped(part));
  if (at >= 0) return { scheme, user, host: rest.slice(at + 1).split(/[;?]/, 1)[0]! };
  return { scheme, user: user.split(/[;?]/, 1)[0]! };
}

/**
 * Reads `destination_number`: a number (as people write and paste it), a user name, `user@host`, a SIP URI or a tel URI. What a URI
 * says beside the address is dropped (RFC 3261 §19.1.5: never trust a URI to add headers).
 */
export function parseDestination(text: string): Result<DialledDestination, string> {
  if (text.length > MAX_DESTINATION)
    return err(`destination_number is longer than ${MAX_DESTINATION} characters`);
  const { scheme, user, host } = splitDestination(text);
  if (isUnsafe(text, user)) return err('destination_number holds a line break or control character');
  if (user === '')
    return err(`destination_number ${scheme === 'tel' ? 'has no telephone number behind tel:' : 'is empty'}`);
  if (!isAddress(user) || user.includes('@'))
    return err('destination_number holds a blank or a character that no address has');
  if (host === undefined) return ok({ user });
  const match = HOST.exec(host);
  if (match === null) return err('destination_number has no valid host behind the @');
  return ok({ user, host: (match[1] ?? match[2]!).toLowerCase() });
}

const isUnsafe = (text: string, user: string): boolean =>
  (isNumber(user) ? UNSAFE_IN_NUMBER : UNSAFE).test(text) || !text.isWellFormed();

const isAddress = (user: string): boolean =>
  !DELIMITER.test(user) && !holdsForeignSign(user) && !UNSAFE.test(user);

/** Reads `caller_id_name`: any text of a line. */
export function parseCallerName(text: string): Result<string, string> {
  if (text.length > MAX_NAME) return err(`caller_id_name is longer than ${MAX_NAME} characters`);
  if (UNSAFE.test(text) || !text.isWellFormed())
    return err('caller_id_name holds a line break or control character');
  return ok(text.trim());
}

/** Reads `caller_id_number`: a number or user name; of `user@host` the user. `''`: none is stated. */
export function parseCallerNumber(text: string): Result<string, string> {
  if (text.length > MAX_NUMBER) return err(`caller_id_number is longer than ${MAX_NUMBER} characters`);
  const { scheme, user } = splitDestination(text);
  if (isUnsafe(text, user)) return err('caller_id_number holds a line break or control character');
  if (scheme === 'tel' && user === '') return err('caller_id_number has no telephone number behind tel:');
  if (!isAddress(user)) return err('caller_id_number holds a blank or a character that no address has');
  return ok(user.split('@', 1)[0]!);
}

/** Reads `dtmf`: the sixteen digits of RFC 4733 §3.2, `a`-`d` too. The result is in upper case. */
export function parseDigits(text: string): Result<string, string> {
  if (text.length > MAX_DIGITS) return err(`dtmf is longer than ${MAX_DIGITS} digits`);
  if (!/^[0-9*#A-D]+$/i.test(text)) return err('dtmf may only hold the digits 0-9 * # A-D');
  return ok(text.toUpperCase());
}
