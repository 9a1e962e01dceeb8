import { isLoopback } from '../net/addresses.ts';

/** A scheme, an authority without user information, and nothing behind it but a slash (RFC 6454 §6.2). */
const WEB_ORIGIN = /^(https?|wss?):\/\/([^/?#@\\\s]+)\/?$/i;

/**
 * May a page of `origin` open the WebSocket? No Origin (native clients), the own origin, the configured ones, and, on
 * a server that only this machine reaches, pages of this machine. A foreign page must not call with a user's session.
 *
 * Compared are scheme, host and port as values: default ports and letter case do not matter, nor whether a client names the page
 * (`https`) or, as native ones do, the socket (`wss`).
 */
export function originAllowed(
  origin: string | undefined,
  hostHeader: string | undefined,
  configured: readonly string[],
  listenHost: string,
  clientAddress: string = listenHost,
): boolean {
  if (origin === undefined || configured.includes('*') || configured.includes(origin)) return true;
  const [scheme, authority] = partsOf(origin);
  if (scheme !== undefined) {
    const named = spelled(scheme, authority);
    if (named === null) return false;
    if (hostHeader !== undefined && spelled(scheme, hostHeader) === named) return true;
    if (configured.some((one) => spelled(...partsOf(one)) === named)) return true;
  }
  return isLoopback(listenHost) && isLoopback(clientAddress) && isLoopback(hostOf(origin));
}

type Parts = readonly [scheme: 'http' | 'https' | undefined, authority: string];

/** `ws` is `http` and `wss` is `https` below (RFC 6455 §3). */
function partsOf(origin: string): Parts {
  const match = WEB_ORIGIN.exec(origin);
  if (match === null) return [undefined, ''];
  return [/^(https|wss)$/i.test(match[1]!) ? 'https' : 'http', match[2]!];
}

/** The one spelling of an origin; `null` for what is none. */
function spelled(scheme: Parts[0], authority: string): string | null {
  if (scheme === undefined || !/^[^/?#@\\\s]+$/.test(authority)) return null;
  return URL.parse(`${scheme}://${authority}`)?.origin ?? null;
}

const hostOf = (origin: string): string => URL.parse(origin)?.hostname.replace(/^\[|\]$/g, '') ?? '';
