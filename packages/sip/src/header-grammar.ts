import { err, ok, type Result } from '@sidetone/core';
import { decimal, is, skipBlank, TOKEN, URI } from './characters.ts';
import type { NameAddr, Uri, Via } from './message.ts';
import {
  buildUri,
  endOfHost,
  formatHost,
  formatParams,
  formatUri,
  hostOf,
  MANY,
  NO_PARAMS,
  paramName,
  readUri,
  setParam,
} from './uri.ts';

const LT = 60;
const GT = 62;
const QUOTE = 34;
const COMMA = 44;
const SEMICOLON = 59;
const EQUALS = 61;
const COLON = 58;

type Params = Record<string, string>;

/**
 * Readers for the structured headers (RFC 3261 §25.1), over a line whose folding is undone. A reader begins at a position, gives a value
 * or `null`, and leaves the position behind it in `at`: behind blanks, at a comma or the end.
 */
export class HeaderReader {
  readonly text: string;
  at = 0;
  foreignVersion = false;
  /** What was readable of the last refused Via: enough to answer by. */
  partialVia: Via | null = null;

  #partialParams: Readonly<Params> = NO_PARAMS;

  constructor(text: string) {
    this.text = text;
  }

  /** name-addr or addr-spec with header parameters. */
  nameAddr(from: number, to: number): NameAddr | null {
    const text = this.text;
    let i = skipBlank(text, from, to);
    let displayName: string | undefined;
    const first = text.charCodeAt(i);
    if (first === QUOTE) {
      const close = endOfQuoted(text, i, to);
      if (close < 0) return null;
      displayName = unquote(text.slice(i, close + 1));
      i = skipBlank(text, close + 1, to);
    } else if (first !== LT) {
      const open = endOfWords(text, i, to);
      if (open < to && text.charCodeAt(open) === LT) {
        displayName = text.slice(i, open).trimEnd();
        i = open;
      }
    }
    let uri: Uri | null;
    if (i < to && text.charCodeAt(i) === LT) {
      let at = -1;
      let end = i + 1;
      for (; end < to; end++) {
        const c = text.charCodeAt(end);
        if (!is(c, URI)) break;
        if (c === 64) at = at === -1 ? end : MANY;
      }
      if (end >= to || text.charCodeAt(end) !== GT) return null;
      uri = buildUri(text, i + 1, end, at);
      this.at = end + 1;
    } else {
      if (displayName !== undefined) return null;
      const end = endOfAddrSpec(text, i, to);
      if (end < 0) return null;
      uri = readUri(text, i, end);
      this.at = end;
    }
    if (uri === null) return null;
    const params = this.params(this.at, to);
    if (params === null) return null;
    return displayName === undefined ? { uri, params } : { displayName, uri, params };
  }

  /** One Via value; blanks around the slashes are allowed. Another version than 2.0 is read and flagged. */
  via(from: number, to: number): Via | null {
    const text = this.text;
    this.partialVia = null;
    let i = skipBlank(text, from, to);
    if (text.startsWith('SIP/2.0/', i)) i += 8;
    else {
      const version = this.#behindSlash(i, to);
      if (version < 0 || text.slice(i, i + 3).toUpperCase() !== 'SIP') return null;
      i = this.#behindSlash(version, to);
      if (i < 0) return null;
      if (!text.startsWith('2.0', version) || is(text.charCodeAt(version + 3), TOKEN))
        this.foreignVersion = true;
    }
    let j = i;
    while (j < to && is(text.charCodeAt(j), TOKEN)) j += 1;
    if (j === i || j === to) return null;
    const transport = transportOf(text, i, j);
    i = skipBlank(text, j, to);
    if (i === j) return null;
    const end = endOfHost(text, i, to);
    if (end < 0) return null;
    const host = hostOf(text, i, end);
    i = skipBlank(text, end, to);
    let port = -1;
    if (i < to && text.charCodeAt(i) === COLON) {
      i = skipBlank(text, i + 1, to);
      j = i;
      while (j < to && text.charCodeAt(j) >= 48 && text.charCodeAt(j) <= 57) j += 1;
      port = decimal(text, i, j, 65535);
      if (port < 0) return null;
      i = j;
    }
    const params = this.params(i, to);
    const sentBy = port < 0 ? { transport, host } : { transport, host, port };
    if (params === null) {
      this.partialVia = { ...sentBy, params: this.#partialParams };
      return null;
    }
    return port < 0 ? { transport, host, params } : { transport, host, port, params };
  }

  /** Parameters up to a comma or the end, names in lower case, values as written. */
  params(from: number, to: number): Readonly<Params> | null {
    const text = this.text;
    let i = skipBlank(text, from, to);
    if (i >= to || text.charCodeAt(i) !== SEMICOLON) {
      this.at = i;
      return i < to && text.charCodeAt(i) !== COMMA ? null : NO_PARAMS;
    }
    const out: Params = {};
    this.#partialParams = out;
    while (i < to && text.charCodeAt(i) === SEMICOLON) {
      i = skipBlank(text, i + 1, to);
      let j = i;
      while (j < to && is(text.charCodeAt(j), TOKEN)) j += 1;
      if (j === i) return null;
      const nameStart = i;
      const nameEnd = j;
      i = skipBlank(text, j, to);
      if (i < to && text.charCodeAt(i) === EQUALS) {
        i = skipBlank(text, i + 1, to);
        j = endOfValue(text, i, to);
        if (j < 0) return null;
        setParam(out, paramName(text, nameStart, nameEnd), text.slice(i, j));
        i = skipBlank(text, j, to);
      } else setParam(out, paramName(text, nameStart, nameEnd), '');
    }
    this.at = i;
    return i < to && text.charCodeAt(i) !== COMMA ? null : out;
  }

  /** Where the text behind a token and a slash begins, or -1. */
  #behindSlash(from: number, to: number): number {
    let i = from;
    while (i < to && is(this.text.charCodeAt(i), TOKEN)) i += 1;
    const slash = skipBlank(this.text, i, to);
    if (i === from || slash >= to || this.text.charCodeAt(slash) !== 47) return -1;
    return skipBlank(this.text, slash + 1, to);
  }
}

function transportOf(text: string, from: number, to: number): string {
  if (to - from === 3) {
    if (text.startsWith('UDP', from)) return 'UDP';
    if (text.startsWith('TCP', from)) return 'TCP';
  }
  return text.slice(from, to).toUpperCase();
}

/** The closing quote of the quoted string that opens at `from`, or -1. */
function endOfQuoted(text: string, from: number, to: number): number {
  for (let i = from + 1; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i;
    if (c === 92) i += 1;
    else if (c < 32 && c !== 9) return -1;
  }
  return -1;
}

/**
 * An unquoted display name ends at `<`. The grammar wants tokens; phones also send other letters, and those are let
 * through, since we write it quoted. Delimiters are refused: `Bell, Alexander <…>` is two values.
 */
function endOfWords(text: string, from: number, to: number): number {
  let i = from;
  for (; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === LT || c === QUOTE || c === COMMA || c === SEMICOLON || c === GT || c === 64 || c === COLON)
      break;
    if (c < 32 && c !== 9) break;
  }
  return i;
}

/** Without brackets a URI ends at `;`, `,` or blank; with `?` in it brackets are due (RFC 3261 §20). */
function endOfAddrSpec(text: string, from: number, to: number): number {
  let i = from;
  for (; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === SEMICOLON || c === COMMA || c === 32 || c === 9) break;
    if (c === 63) return -1;
  }
  return i === from ? -1 : i;
}

/** A parameter value: a quoted string, or anything up to a delimiter (tokens, hosts, bare IPv6 addresses). */
function endOfValue(text: string, from: number, to: number): number {
  if (from >= to) return -1;
  if (text.charCodeAt(from) === QUOTE) {
    const close = endOfQuoted(text, from, to);
    // Values are kept as written, and a NUL must not be written.
    return close < 0 || text.slice(from, close).includes('\0') ? -1 : close + 1;
  }
  let i = from;
  for (; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === SEMICOLON || c === COMMA || c === 32 || c === 9) break;
    if (c < 32 || c === QUOTE || c === LT || c === GT || c === 127) return -1;
  }
  return i === from ? -1 : i;
}

/** The text of a quoted string, escapes undone. Escaped control characters are legal; they are dropped here, so that nobody downstream meets them. */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return inner.includes('\\')
    ? inner.replace(/\\([\s\S])/g, '$1').replace(/[\0-\x08\x0a-\x1f\x7f]/g, '')
    : inner;
}

/** A quoted string (RFC 3261 §25.1). */
export const quote = (text: string): string =>
  text.includes('"') || text.includes('\\') ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;

/** Reads one From/To/Contact/Route value. */
export function parseNameAddr(text: string): Result<NameAddr, string> {
  const reader = new HeaderReader(text);
  const value = reader.nameAddr(0, text.length);
  return value === null || reader.at !== text.length ? err('not a name-addr') : ok(value);
}

/** Writes a name-addr: always in brackets, the display name quoted. */
export const formatNameAddr = (value: NameAddr): string =>
  value.displayName === undefined
    ? `<${formatUri(value.uri)}>${formatParams(value.params)}`
    : `${quote(value.displayName)} <${formatUri(value.uri)}>${formatParams(value.params)}`;

/** Writes one Via value. */
export const formatVia = (via: Via): string =>
  `SIP/2.0/${via.transport} ${formatHost(via.host, via.port)}${formatParams(via.params)}`;

/** Splits at commas outside of quotes and angle brackets, trims, drops empty parts. */
export function splitList(value: string): string[] {
  const out: string[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i <= value.length; i++) {
    const c = i === value.length ? COMMA : value.charCodeAt(i);
    if (c === QUOTE) {
      const close = endOfQuoted(value, i, value.length);
      i = close < 0 ? value.length - 1 : close;
    } else if (c === LT) depth = 1;
    else if (c === GT) depth = 0;
    else if (c === COMMA && (depth === 0 || i === value.length)) {
      const part = value.slice(start, i).trim();
      if (part !== '') out.push(part);
      start = i + 1;
    }
  }
  return out;
}
