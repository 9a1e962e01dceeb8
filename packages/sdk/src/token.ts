/** The claims of a JWT (RFC 7519), unverified; `undefined` for what is none. */
export function claimsOf(token: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const part = token?.split('.')[1]?.replace(/-/g, '+').replace(/_/g, '/');
    const claims: unknown = part === undefined ? undefined : JSON.parse(atob(part));
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** How long before its end a token is worth a warning. */
const WARN_MS = 120_000;
/** setTimeout counts in 32 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds until the token should be renewed; `undefined` for one that does not say, or lives for weeks. */
export function renewalDue(token: string | undefined, epoch: number): number | undefined {
  const expiry = claimsOf(token)?.['exp'];
  if (typeof expiry !== 'number') return undefined;
  const left = Math.max(0, expiry * 1_000 - WARN_MS - epoch);
  return left > LONGEST_TIMER_MS ? undefined : left;
}
