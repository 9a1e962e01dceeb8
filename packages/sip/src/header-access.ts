import { Buffer } from 'node:buffer';
import { all, TOKEN } from './characters.ts';
import { splitList } from './header-grammar.ts';
import { canonicalName, isStructured } from './header-names.ts';
import type { SipMessage } from './message.ts';
import type { ExtraHeaders } from './user-agent-events.ts';
import { SipWriteError } from './write.ts';

const same = (written: string, canonical: string): boolean =>
  written === canonical ||
  (written.length === canonical.length && written.toLowerCase() === canonical.toLowerCase());

/** The first value of a header kept in `other`, by any spelling of its name (long, compact, any case). */
export function header(message: SipMessage, name: string): string | undefined {
  const canonical = canonicalName(name);
  for (const [written, value] of message.headers.other) if (same(written, canonical)) return value;
  return undefined;
}

/** All values of a header kept in `other`, one for each line. */
export function headersNamed(message: SipMessage, name: string): readonly string[] {
  const canonical = canonicalName(name);
  const out: string[] = [];
  for (const [written, value] of message.headers.other) if (same(written, canonical)) out.push(value);
  return out;
}

/** The comma separated values of all lines with this name, trimmed. */
export const listHeader = (message: SipMessage, name: string): readonly string[] =>
  headersNamed(message, name).flatMap(splitList);

/** The message with this header of `other` set: the first line is replaced, further ones go; else it is added. */
export function withHeader<M extends SipMessage>(message: M, name: string, value: string): M {
  assertHeaders([[name, value]]);
  const canonical = canonicalName(name);
  const other: (readonly [string, string])[] = [];
  let placed = false;
  for (const entry of message.headers.other) {
    if (!same(entry[0], canonical)) other.push(entry);
    else if (!placed) {
      other.push([canonical, value]);
      placed = true;
    }
  }
  if (!placed) other.push([canonical, value]);
  return { ...message, headers: { ...message.headers, other } };
}

/** The message without any line of this name in `other`. */
export function withoutHeader<M extends SipMessage>(message: M, name: string): M {
  const canonical = canonicalName(name);
  const other = message.headers.other.filter(([written]) => !same(written, canonical));
  if (other.length === message.headers.other.length) return message;
  return { ...message, headers: { ...message.headers, other } };
}

/**
 * Why a header must not be set by a caller, or `null`: its name is no token, its value carries CR, LF or NUL (either
 * would begin a new header), or it belongs to the structured ones.
 */
export function headerProblem(name: string, value: string): string | null {
  if (!all(name, 0, name.length, TOKEN)) return 'the header name is not a token';
  if (!isClean(value)) return 'the header value has CR, LF or NUL';
  const canonical = canonicalName(name);
  return isStructured(canonical) ? `${canonical} is not free to set` : null;
}

/** Throws `SipWriteError` for the first header that `headerProblem` objects to. */
export function assertHeaders(headers: ExtraHeaders): void {
  for (const [name, value] of headers) {
    const problem = headerProblem(name, value);
    if (problem !== null) throw new SipWriteError(`${JSON.stringify(name)}: ${problem}`);
  }
}

/** Throws `SipWriteError` when a piece of text for the head carries CR, LF or NUL. */
export function assertClean(text: string): void {
  if (!isClean(text)) throw new SipWriteError('CR, LF or NUL in a value for the head of a message');
}

const isClean = (text: string): boolean => !/[\r\n\0]/.test(text);

/** The body as UTF-8 text. */
export const bodyText = (message: SipMessage): string =>
  Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength).toString('utf8');
