import { err, ok, type Result, sameHost } from '@sidetone/core';
import { DIGIT, decimal, HOST, is, lowerSlice, TOKEN, URI } from './characters.ts';
import { isIpv6 } from './ipv6.ts';
import type { Uri } from './message.ts';

type Params = Record<string, string>;
export const NO_PARAMS: Readonly<Params> = Object.freeze({});

/** The longest URI we read. */
const MAX_URI = 8192;

/**
 * Reads the URI in `text[from, to)` (RFC 3261 §19.1, §25.1), or `null`. An IPv6 host must stand in brackets; more than
 * one `@`, blanks, quotes and angle brackets are refused.
 */
export function readUri(text: string, from: number, to: number): Uri | null {
  let at = -1;
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (!is(c, URI)) return null;
    if (c === 64) at = at === -1 ? i : MANY;
  }
  return buildUri(text, from, to, at);
}

/** More than one `@`. */
export const MANY = -2;

/** As `readUri`, for a range whose characters are checked and whose one `@` stands at `at` (-1: none, `MANY`). */
export function buildUri(text: string, from: number, to: number, at: number): Uri | null {
  if (to - from > MAX_URI) return null;
  if (text.startsWith('sip:', from)) return to - from > 4 ? readSip(text, 'sip', from + 4, at, to) : null;
  let colon = from;
  while (colon < to && is(text.charCodeAt(colon), TOKEN)) colon += 1;
  if (colon === from || colon >= to - 1 || text.charCodeAt(colon) !== 58) return null;
  const scheme = lowerSlice(text, from, colon);
  if (scheme === 'sip' || scheme === 'sips') return readSip(text, scheme, colon + 1, at, to);
  return { scheme, host: text.slice(colon + 1, to), params: NO_PARAMS };
}

function readSip(text: string, scheme: string, from: number, at: number, to: number): Uri | null {
  if (at === MANY) return null;
  let user: string | undefined;
  let password: string | undefined;
  let i = from;
  if (at !== -1) {
    let colon = from;
    while (colon < at && text.charCodeAt(colon) !== 58) colon += 1;
    if (colon === from) return null;
    user = text.slice(from, colon);
    if (colon < at) password = text.slice(colon + 1, at);
    i = at + 1;
  }
  const end = endOfHost(text, i, to);
  if (end < 0) return null;
  const host = hostOf(text, i, end);
  i = end;
  let port = -1;
  if (i < to && text.charCodeAt(i) === 58) {
    let j = i + 1;
    while (j < to && is(text.charCodeAt(j), DIGIT)) j += 1;
    port = decimal(text, i + 1, j, 65535);
    if (port < 0) return null;
    i = j;
  }
  let params: Readonly<Params> = NO_PARAMS;
  if (i < to && text.charCodeAt(i) === 59) {
    const read: Params = {};
    i = readParams(text, i, to, read);
    if (i < 0) return null;
    params = read;
  }
  if (i === to && password === undefined) {
    if (user === undefined) return port < 0 ? { scheme, host, params } : { scheme, host, port, params };
    return port < 0 ? { scheme, user, host, params } : { scheme, user, host, port, params };
  }
  if (i < to && text.charCodeAt(i) !== 63) return null;
  return {
    scheme,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    host,
    ...(port < 0 ? {} : { port }),
    params,
    ...(i < to ? { headers: text.slice(i + 1, to) } : {}),
  };
}

/** Where the host that begins at `from` ends, or -1 when it is none. */
export function endOfHost(text: string, from: number, to: number): number {
  if (from < to && text.charCodeAt(from) === 91) {
    let i = from + 1;
    while (i < to && text.charCodeAt(i) !== 93) i += 1;
    if (i >= to || !isIpv6(text.slice(from + 1, i))) return -1;
    return i + 1;
  }
  let i = from;
  while (i < to && is(text.charCodeAt(i), HOST)) i += 1;
  return i === from ? -1 : i;
}

/** The host in `text[from, end)` without brackets. */
export const hostOf = (text: string, from: number, end: number): string =>
  text.charCodeAt(from) === 91 ? text.slice(from + 1, end - 1) : text.slice(from, end);

/** The usual names as constants, so that they need no slice. */
export function paramName(text: string, from: number, to: number): string {
  switch (to - from) {
    case 2:
      if (text.startsWith('lr', from)) return 'lr';
      break;
    case 3:
      if (text.startsWith('tag', from)) return 'tag';
      break;
    case 5:
      if (text.startsWith('rport', from)) return 'rport';
      break;
    case 6:
      if (text.startsWith('branch', from)) return 'branch';
      break;
    case 8:
      if (text.startsWith('received', from)) return 'received';
      break;
    case 9:
      if (text.startsWith('transport', from)) return 'transport';
      break;
    default:
  }
  return lowerSlice(text, from, to);
}

/** Reads `;name=value` up to `?` or the end; the new position, or -1. */
function readParams(text: string, from: number, to: number, into: Params): number {
  let i = from;
  while (i < to && text.charCodeAt(i) === 59) {
    const start = i + 1;
    let j = start;
    let equals = -1;
    for (; j < to; j++) {
      const c = text.charCodeAt(j);
      if (c === 59 || c === 63) break;
      if (c === 61 && equals < 0) equals = j;
    }
    const nameEnd = equals < 0 ? j : equals;
    if (nameEnd === start) return -1;
    setParam(into, paramName(text, start, nameEnd), equals < 0 ? '' : text.slice(equals + 1, j));
    i = j;
  }
  return i;
}

/** Sets an own property whatever the name is (`__proto__` included). The usual names are spelled out: that is faster. */
export function setParam(into: Params, name: string, value: string): void {
  switch (name) {
    case 'tag':
      into['tag'] = value;
      return;
    case 'branch':
      into['branch'] = value;
      return;
    case 'rport':
      into['rport'] = value;
      return;
    case 'received':
      into['received'] = value;
      return;
    case 'lr':
      into['lr'] = value;
      return;
    case 'transport':
      into['transport'] = value;
      return;
    case '__proto__':
      Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
      return;
    default:
      into[name] = value;
  }
}

/** Reads a URI (RFC 3261 §19.1). The error says what was refused. */
export function parseUri(text: string): Result<Uri, string> {
  const uri = readUri(text, 0, text.length);
  return uri === null ? err('not a URI') : ok(uri);
}

/** Writes a URI; an IPv6 host gets its brackets. */
export function formatUri(uri: Uri): string {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return `${uri.scheme}:${uri.host}`;
  let out = `${uri.scheme}:`;
  if (uri.user !== undefined)
    out += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
  out += formatHost(uri.host, uri.port);
  out += formatParams(uri.params);
  if (uri.headers !== undefined) out += `?${uri.headers}`;
  return out;
}

export function formatHost(host: string, port: number | undefined): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

export function formatParams(params: Readonly<Params>): string {
  let out = '';
  for (const name in params) {
    const value = params[name]!;
    out += value === '' ? `;${name}` : `;${name}=${value}`;
  }
  return out;
}

const USER_UNSAFE = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu;

/** Escapes what RFC 3261 §25.1 does not allow in the user part, as UTF-8. */
export const escapeUser = (text: string): string => text.toWellFormed().replace(USER_UNSAFE, percent);

const percent = (c: string): string => encodeURIComponent(c);

/** Undoes escapes once; a broken escape stays as written. */
export function unescapeUser(user: string): string {
  if (!user.includes('%')) return user;
  return user.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const bytes = Uint8Array.from(run.slice(1).split('%'), (hex) => Number.parseInt(hex, 16));
    return new TextDecoder().decode(bytes);
  });
}

/**
 * The user that a URI names, escapes undone: the user part, or all of a tel URI, which is a telephone-subscriber (RFC 3966 §3). With the
 * parameters that a telephone-subscriber has in either (RFC 3261 §19.1.6). `''` for none.
 */
export const userOf = ({ scheme, user = '', host }: Uri): string =>
  unescapeUser(scheme === 'tel' ? host : user);

/** Whether two URIs are equivalent (RFC 3261 §19.1.4, RFC 5954 §4.2); header parts must be equal as written. */
export function sameUri(a: Uri, b: Uri): boolean {
  if (a.scheme !== b.scheme || a.port !== b.port) return false;
  if (a.scheme !== 'sip' && a.scheme !== 'sips') return a.host === b.host;
  if (!sameHost(a.host, b.host)) return false;
  if (unescapeUser(a.user ?? '') !== unescapeUser(b.user ?? '') || a.password !== b.password) return false;
  if ((a.headers ?? '') !== (b.headers ?? '')) return false;
  for (const name of ['user', 'ttl', 'method', 'maddr', 'transport'])
    if (a.params[name]?.toLowerCase() !== b.params[name]?.toLowerCase()) return false;
  for (const name in a.params) {
    const other = b.params[name];
    if (other !== undefined && other.toLowerCase() !== a.params[name]!.toLowerCase()) return false;
  }
  return true;
}
