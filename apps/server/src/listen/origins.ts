import { isLoopback } from '../net/addresses.ts';

/**
 * May a page of `origin` open the WebSocket? No Origin (native clients), the own origin, the configured ones, and, on
 * a server that only this machine reaches, pages of this machine. A foreign page must not call with a user's session.
 */
export function originAllowed(
  origin: string | undefined,
  hostHeader: string | undefined,
  configured: readonly string[],
  listenHost: string,
): boolean {
  if (origin === undefined || configured.includes('*') || configured.includes(origin)) return true;
  let url: URL;
  try {
    url = new URL(origin);
  } catch {
    return false;
  }
  if (hostHeader !== undefined && url.host === hostHeader.toLowerCase()) return true;
  return isLoopback(listenHost) && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
}
