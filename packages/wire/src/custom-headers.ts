import { err, ok, type Result } from '@sidetone/core';

/** A custom SIP header of a call, as the dialect carries it. */
export interface CustomHeader {
  readonly name: string;
  readonly value: string;
}

/** Why a list of custom headers is refused; `message` is a sentence for the developer of the client. */
export interface HeaderProblem {
  readonly index: number;
  readonly message: string;
}

const MAX_HEADERS = 20;
const MAX_VALUE_BYTES = 1024;
const NAME = /^X-[A-Za-z0-9._-]{1,62}$/i;
const RESERVED = /^X-Sidetone-/i;

/** Controls, and what some readers take for the end of a line: NEL, U+2028, U+2029. */
const UNSAFE_VALUE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/**
 * Custom headers of a client. Absent or `null` is an empty list. Only `X-` names may be set (RFC 6648 retired the prefix,
 * the dialect keeps it as the fence between applications and signalling); `X-Sidetone-` names are ours. A value with CR, LF, NUL
 * or another control never reaches a message.
 */
export function parseCustomHeaders(value: unknown): Result<readonly CustomHeader[], HeaderProblem> {
  if (value === undefined || value === null) return ok([]);
  if (!Array.isArray(value))
    return err({ index: 0, message: 'custom_headers must be a list of {name, value}' });
  if (value.length > MAX_HEADERS)
    return err({ index: MAX_HEADERS, message: `at most ${MAX_HEADERS} custom headers may be set` });
  const headers: CustomHeader[] = [];
  for (let index = 0; index < value.length; index++) {
    const item: unknown = value[index];
    if (typeof item !== 'object' || item === null)
      return err({ index, message: `custom header ${index + 1} must be an object {name, value}` });
    const { name, value: given } = item as { name?: unknown; value?: unknown };
    if (typeof name !== 'string' || !NAME.test(name))
      return err({
        index,
        message: `custom header ${index + 1} must have a name X- followed by letters, digits, dots, dashes`,
      });
    if (RESERVED.test(name))
      return err({ index, message: `custom header ${name} is reserved: X-Sidetone- names cannot be set` });
    const text = textOf(given);
    if (text === null) return err({ index, message: `the value of custom header ${name} must be a string` });
    if (UNSAFE_VALUE.test(text) || !text.isWellFormed())
      return err({
        index,
        message: `the value of custom header ${name} holds a line break or control character`,
      });
    if (new TextEncoder().encode(text).length > MAX_VALUE_BYTES)
      return err({
        index,
        message: `the value of custom header ${name} is longer than ${MAX_VALUE_BYTES} bytes`,
      });
    headers.push({ name, value: text.trim() });
  }
  return ok(headers);
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
    return String(value);
  return null;
}

/** The custom headers among the headers of a SIP message: what a client may see. Over-long lists are cut, never refused. */
export function customHeadersOf(
  headers: readonly (readonly [name: string, value: string])[],
): readonly CustomHeader[] {
  const out: CustomHeader[] = [];
  for (const [name, value] of headers) {
    if (out.length === MAX_HEADERS) break;
    if (!NAME.test(name) || RESERVED.test(name) || value.length > MAX_VALUE_BYTES) continue;
    if (UNSAFE_VALUE.test(value) || !value.isWellFormed()) continue;
    out.push({ name, value });
  }
  return out;
}
