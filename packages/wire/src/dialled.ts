import { err, ok, type Result } from '@sidetone/core';
import { canonicalNumber } from './routing.ts';

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
/** Delimiters of name-addr and blanks: never part of what can be dialled. */
const UNSAFE_ADDRESS = /[\s<>"\\,]/;
const HOST = /^(?:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?$/;

/**
 * Reads `destination_number`: a number (the signs people write between digits are dropped), a user name, `user@host` or a SIP
 * URI, whose port, parameters and headers are dropped (RFC 3261 §19.1.5: never trust a URI to add headers).
 */
export function parseDestination(text: string): Result<DialledDestination, string> {
  if (text.length > MAX_DESTINATION)
    return err(`destination_number is longer than ${MAX_DESTINATION} characters`);
  if (UNSAFE.test(text) || !text.isWellFormed())
    return err('destination_number holds a line break or control character');
  const bare = text.trim().replace(/^sips?:/i, '');
  const at = bare.lastIndexOf('@');
  const user = canonicalNumber(at < 0 ? (bare.split(/[;?]/, 1)[0] ?? '') : bare.slice(0, at));
  if (user === '') return err('destination_number is empty');
  if (UNSAFE_ADDRESS.test(user) || user.includes('@'))
    return err('destination_number holds a blank or a character that no address has');
  if (at < 0) return ok({ user });
  const host = bare.slice(at + 1).split(/[;?]/, 1)[0] ?? '';
  const match = HOST.exec(host);
  if (match === null) return err('destination_number has no valid host behind the @');
  return ok({ user, host: (match[1] ?? match[2]!).toLowerCase() });
}

/** Reads `caller_id_name`: any text of a line. */
export function parseCallerName(text: string): Result<string, string> {
  if (text.length > MAX_NAME) return err(`caller_id_name is longer than ${MAX_NAME} characters`);
  if (UNSAFE.test(text) || !text.isWellFormed())
    return err('caller_id_name holds a line break or control character');
  return ok(text.trim());
}

/** Reads `caller_id_number`: a number or user name; of `user@host` the user. */
export function parseCallerNumber(text: string): Result<string, string> {
  if (text.length > MAX_NUMBER) return err(`caller_id_number is longer than ${MAX_NUMBER} characters`);
  if (UNSAFE.test(text) || !text.isWellFormed())
    return err('caller_id_number holds a line break or control character');
  const bare = canonicalNumber(text.trim().replace(/^sips?:/i, ''));
  const user = bare.split('@', 1)[0] ?? '';
  if (UNSAFE_ADDRESS.test(user))
    return err('caller_id_number holds a blank or a character that no address has');
  return ok(user);
}

/** Reads `dtmf`: the sixteen digits of RFC 4733 §3.2, `a`-`d` too. The result is in upper case. */
export function parseDigits(text: string): Result<string, string> {
  if (text.length > MAX_DIGITS) return err(`dtmf is longer than ${MAX_DIGITS} digits`);
  if (!/^[0-9*#A-D]+$/i.test(text)) return err('dtmf may only hold the digits 0-9 * # A-D');
  return ok(text.toUpperCase());
}
