import { bodyText, partText, readBody, type SipRequest } from '@sidetone/sip';
import { ATTACHMENT } from '@sidetone/wire';

/** What an INFO of a peer carries. Limits are explicit, nothing throws. */
export type InfoBody =
  | { readonly kind: 'digits'; readonly digits: string }
  /** Trickled candidates: an ICE-lite agent does without (RFC 8445 §2.5), so they are taken and forgotten. */
  | { readonly kind: 'candidates' }
  /** Only a client's leg is told so, by vsp. */
  | { readonly kind: 'attachment'; readonly here: boolean; readonly bare: boolean }
  | { readonly kind: 'heard' };

const TYPES = [
  'application/dtmf-relay',
  'application/dtmf',
  'application/trickle-ice-sdpfrag',
  ...Object.values(ATTACHMENT),
];

/** The longest text of an INFO that a back end is told. */
const MAX_TOLD_BYTES = 1_400;
const MAX_DIGITS = 64;
const MAX_LINES = 128;

const digitsOf = (text: string): string =>
  text
    .toUpperCase()
    .replace(/[^0-9A-D*#]/g, '')
    .slice(0, MAX_DIGITS);

/**
 * Reads an INFO and says how to answer it. `body` is `null` where there is nothing for us: an empty INFO is a keep-alive of some peers
 * (RFC 6086 §4.2.1), and so is one with parts that may be passed over.
 */
export function readInfo(request: SipRequest): {
  readonly status: 200 | 400 | 415;
  readonly body: InfoBody | null;
} {
  const { parts, refusal } = readBody(request, TYPES);
  if (refusal !== null) return { status: refusal.status, body: null };
  const [part] = parts;
  return { status: 200, body: part === undefined ? null : parseInfo(part.type, partText(part)) };
}

/** An INFO of a kind that means nothing to us, for a back end; `null`: too long, or none. */
export function foreignInfo(
  request: SipRequest,
): { readonly contentType: string; readonly body: string } | null {
  const { contentType } = request.headers;
  if (contentType === undefined || request.body.length > MAX_TOLD_BYTES) return null;
  return { contentType, body: bodyText(request) };
}

/**
 * `application/dtmf-relay` (lines `Signal=5`, `Duration=160`), `application/dtmf` (the digits alone), and
 * `application/trickle-ice-sdpfrag` (RFC 8840 §9).
 */
export function parseInfo(contentType: string | undefined, body: string): InfoBody | null {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  const lines = body.split(/\r?\n/, MAX_LINES);
  if (type === 'application/dtmf-relay') {
    const signal = lines.find((line) => /^\s*signal\s*=/i.test(line));
    return { kind: 'digits', digits: digitsOf(signal?.slice(signal.indexOf('=') + 1) ?? '') };
  }
  if (type === ATTACHMENT.away || type === ATTACHMENT.back || type === ATTACHMENT.bare)
    return { kind: 'attachment', here: type !== ATTACHMENT.away, bare: type === ATTACHMENT.bare };
  if (type === ATTACHMENT.heard) return { kind: 'heard' };
  if (type === 'application/dtmf') return { kind: 'digits', digits: digitsOf(body.slice(0, MAX_DIGITS)) };
  if (type === 'application/trickle-ice-sdpfrag') return { kind: 'candidates' };
  return null;
}

/** Our own INFO about a client that was heard so long ago. */
export const heardAgo = (ms: number): string => String(Math.round(ms));

/** Our own INFO for one digit. */
export const dtmfRelay = (digit: string): string => `Signal=${digit}\r\nDuration=160\r\n`;
