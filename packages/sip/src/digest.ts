import { createHash, timingSafeEqual } from 'node:crypto';
import { err, type Ms, ok, type Result } from '@sidetone/core';
import { quote, splitList, unquote } from './header-grammar.ts';
import { keyedMac } from './mac.ts';
import type { Uri } from './message.ts';
import { parseUri, sameUri } from './uri.ts';

export type DigestAlgorithm = 'MD5' | 'SHA-256';

export interface Credentials {
  readonly userName: string;
  readonly password: string;
}

/** One challenge or one answer: the scheme is Digest, names in lower case, quotes undone. */
export type DigestParams = Readonly<Record<string, string>>;

const hash = (algorithm: DigestAlgorithm, text: string): string =>
  createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text, 'utf8')
    .digest('hex');

/** H(user:realm:password) in lower-case hex (RFC 7616 §3.4.2): what a store keeps instead of a password. */
export const ha1 = (user: string, realm: string, password: string, algorithm: DigestAlgorithm): string =>
  hash(algorithm, `${user}:${realm}:${password}`);

/** Reads a Digest challenge or answer; `null` for another scheme or broken text. */
export function parseDigest(value: string): DigestParams | null {
  const text = value.trimStart();
  if (text.slice(0, 7).toLowerCase() !== 'digest ') return null;
  const out: Record<string, string> = Object.create(null);
  for (const part of splitList(text.slice(7))) {
    const equals = part.indexOf('=');
    if (equals < 1) return null;
    const name = part.slice(0, equals).trim().toLowerCase();
    const raw = part.slice(equals + 1).trim();
    if (raw === '' || name in out) return null;
    if (raw.startsWith('"') && (raw.length < 2 || !raw.endsWith('"'))) return null;
    out[name] = raw.startsWith('"') ? unquote(raw) : raw;
  }
  return out;
}

const algorithmOf = (params: DigestParams): DigestAlgorithm | null => {
  const name = (params['algorithm'] ?? 'MD5').toUpperCase();
  return name === 'MD5' || name === 'SHA-256' ? name : null;
};

/** Whether `list` of a `qop` parameter offers `auth`. */
const offersAuth = (list: string): boolean => list.split(',').some((q) => q.trim().toLowerCase() === 'auth');

/** The challenge to answer: SHA-256 before MD5; `null` when we can answer none. */
export function chooseChallenge(values: readonly string[]): DigestParams | null {
  let chosen: DigestParams | null = null;
  for (const params of challengesByRealm(values))
    if (chosen === null || (algorithmOf(params) === 'SHA-256' && algorithmOf(chosen) === 'MD5'))
      chosen = params;
  return chosen;
}

/** Of each realm the challenge to answer, in the order of the realms; what we cannot answer is left out. */
export function challengesByRealm(values: readonly string[]): readonly DigestParams[] {
  const chosen = new Map<string, DigestParams>();
  for (const value of values) {
    const params = parseDigest(value);
    const realm = params?.['realm'];
    if (params === null || realm === undefined || params['nonce'] === undefined) continue;
    if (params['qop'] !== undefined && !offersAuth(params['qop'])) continue;
    const algorithm = algorithmOf(params);
    if (algorithm === null) continue;
    const known = chosen.get(realm);
    if (known === undefined || (algorithm === 'SHA-256' && algorithmOf(known) === 'MD5'))
      chosen.set(realm, params);
  }
  return [...chosen.values()];
}

export interface DigestUse {
  readonly method: string;
  /** The request URI as written on the wire. */
  readonly uri: string;
  readonly credentials: Credentials;
  /** How often this nonce has been used, this time included. */
  readonly count: number;
  readonly cnonce: string;
}

/** The value of Authorization or Proxy-Authorization for a challenge (RFC 7616 §3.4; RFC 2069 form without qop). */
export function answerChallenge(challenge: DigestParams, use: DigestUse): string {
  const algorithm = algorithmOf(challenge) ?? 'MD5';
  const { realm = '', nonce = '', opaque } = challenge;
  const key = ha1(use.credentials.userName, realm, use.credentials.password, algorithm);
  const nc = use.count.toString(16).padStart(8, '0');
  const qop = challenge['qop'] === undefined ? undefined : 'auth';
  const response = digestResponse(algorithm, key, { ...use, nonce, nc, qop });
  const parts = [
    `username=${quote(use.credentials.userName)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(use.uri)}`,
    `response="${response}"`,
  ];
  if (challenge['algorithm'] !== undefined) parts.push(`algorithm=${algorithm}`);
  if (qop !== undefined) parts.push(`cnonce=${quote(use.cnonce)}`, 'qop=auth', `nc=${nc}`);
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`);
  return `Digest ${parts.join(', ')}`;
}

function digestResponse(
  algorithm: DigestAlgorithm,
  key: string,
  use: {
    readonly method: string;
    readonly uri: string;
    readonly nonce: string;
    readonly nc: string;
    readonly cnonce: string;
    readonly qop: string | undefined;
  },
): string {
  const ha2 = hash(algorithm, `${use.method}:${use.uri}`);
  return use.qop === undefined
    ? hash(algorithm, `${key}:${use.nonce}:${ha2}`)
    : hash(algorithm, `${key}:${use.nonce}:${use.nc}:${use.cnonce}:${use.qop}:${ha2}`);
}

export interface ChallengeOptions {
  readonly realm: string;
  /** At least 32 random bytes, of the process or shared by a cluster. */
  readonly secret: Uint8Array;
  readonly now: Ms;
  /** Bound into the nonce, for example the source address. */
  readonly source: string;
  /** Hex digits that tell challenges of one moment apart: each is then good for counts of its own. */
  readonly salt?: string;
  readonly stale?: boolean;
  /** What to offer, in this order; default SHA-256 and MD5. Some older phones give up at one they do not know. */
  readonly algorithms?: readonly DigestAlgorithm[];
}

/**
 * Values for WWW-Authenticate or Proxy-Authenticate, the stronger one first. Stateless: the nonce is its time, its salt and an HMAC over these, source
 * and realm, so nothing is kept for a stranger.
 */
export function createChallenge(options: ChallengeOptions): readonly string[] {
  const nonce = makeNonce(options, options.now, options.salt ?? '');
  const stale = options.stale === true ? ', stale=true' : '';
  return (options.algorithms ?? (['SHA-256', 'MD5'] as const)).map(
    (algorithm) =>
      `Digest realm=${quote(options.realm)}, nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale}`,
  );
}

function makeNonce(of: { realm: string; secret: Uint8Array; source: string }, at: Ms, salt: string): string {
  const stamp = `${Math.max(0, Math.floor(at)).toString(16)}-${salt}`;
  const mac = keyedMac(of.secret).update(`${stamp} ${of.source} ${of.realm}`, 'utf8');
  return `${stamp}-${mac.digest('hex').slice(0, 32)}`;
}

export type DigestProblem =
  /** No Digest answer for this realm: challenge. */
  | 'missing'
  /** An answer that nobody honest sends: 400. */
  | 'malformed'
  /** Right form, but the nonce is too old, or of another source or secret: challenge with `stale`. */
  | 'stale'
  | 'unknown-user'
  | 'wrong';

/** A proven answer. */
export interface Verified {
  readonly userName: string;
  readonly nonce: string;
  /** When the nonce was made. */
  readonly issuedAt: Ms;
  /** The nonce count (RFC 7616 §3.4): has to rise from one use of the nonce to the next. */
  readonly count: number;
}

export interface VerifyOptions {
  /** Authorization or Proxy-Authorization values. */
  readonly authorization: readonly string[];
  readonly method: string;
  readonly realm: string;
  readonly secret: Uint8Array;
  readonly now: Ms;
  readonly source: string;
  /** The request URI: the `uri` of the answer must be equivalent. Leave it out where a hop before us rewrites it. */
  readonly uri?: Uri;
  /** How long a nonce is good, in ms; default 5 minutes. */
  readonly lifetime?: Ms;
  /** The HA1 of a user in lower-case hex, or `undefined`. */
  readonly ha1: (userName: string, algorithm: DigestAlgorithm) => string | undefined;
}

/**
 * Checks a digest answer (RFC 7616 §3.4) against a stateless nonce. The comparison takes constant time, and an unknown user costs what a
 * known one costs. Nonce counts are the caller's to keep: without them the same answer is good again inside the lifetime of its nonce.
 */
export function verifyDigest(options: VerifyOptions): Result<Verified, DigestProblem> {
  const params = answerFor(options.authorization, options.realm);
  if (params === null) return err('missing');
  const { username: userName, nonce, uri, response, nc, cnonce, qop } = params;
  const algorithm = algorithmOf(params);
  if (userName === undefined || nonce === undefined || uri === undefined || response === undefined)
    return err('malformed');
  // Our challenge always offers qop; leaving it out would be a downgrade.
  if (algorithm === null || qop?.toLowerCase() !== 'auth' || nc === undefined || cnonce === undefined)
    return err('malformed');
  if (!/^[0-9a-f]{8}$/i.test(nc)) return err('malformed');
  if (!isFresh(options, nonce)) return err('stale');
  const key = options.ha1(userName, algorithm);
  const expected = digestResponse(algorithm, key ?? ha1('', '', '', algorithm), {
    method: options.method,
    uri,
    nonce,
    nc,
    cnonce,
    qop,
  });
  const equal = sameText(expected, response.toLowerCase());
  if (key === undefined) return err('unknown-user');
  if (!equal || !isFor(options.uri, uri)) return err('wrong');
  return ok({ userName, nonce, issuedAt: issuedAt(nonce), count: Number.parseInt(nc, 16) });
}

function isFor(request: Uri | undefined, uri: string): boolean {
  if (request === undefined) return true;
  const parsed = parseUri(uri);
  return parsed.ok && sameUri(parsed.value, request);
}

/** The time in a nonce of ours. */
const issuedAt = (nonce: string): Ms => Number.parseInt(nonce.slice(0, nonce.indexOf('-')), 16);

function isFresh(options: VerifyOptions, nonce: string): boolean {
  const [, stamp, salt] = /^([0-9a-f]{1,16})-([0-9a-f]{0,16})-/.exec(nonce) ?? [];
  if (stamp === undefined || salt === undefined) return false;
  const at = issuedAt(nonce);
  if (!Number.isSafeInteger(at) || !sameText(makeNonce(options, at, salt), nonce)) return false;
  return at <= options.now && options.now - at <= (options.lifetime ?? 300_000);
}

function sameText(a: string, b: string): boolean {
  const left = new TextEncoder().encode(a);
  const right = new TextEncoder().encode(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function answerFor(authorization: readonly string[], realm: string): DigestParams | null {
  for (const value of authorization) {
    const params = parseDigest(value);
    if (params !== null && params['realm'] === realm) return params;
  }
  return null;
}

/** The user name an answer for this realm claims, before any check: for a store that is asked first. */
export const digestUserName = (authorization: readonly string[], realm: string): string | undefined =>
  answerFor(authorization, realm)?.['username'];
