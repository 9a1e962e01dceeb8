import type { Connection, Directory, Trunk } from './settings.ts';

/** Numbers that the platform answers itself. */
export const BUILT_IN = {
  '9196': 'echo',
  '9197': 'tone',
  '9664': 'music',
  /** The number that the published pre-call check dials. */
  '+18722315806': 'echo',
} as const;

export type BuiltIn = (typeof BUILT_IN)[keyof typeof BUILT_IN];

/** Where a dialled destination leads. */
export type Destination =
  | { readonly to: 'built-in'; readonly service: BuiltIn }
  | { readonly to: 'user'; readonly connection: Connection }
  /** Trunks in the order to try them. */
  | { readonly to: 'trunk'; readonly number: string; readonly trunks: readonly Trunk[] }
  | { readonly to: 'nowhere'; readonly why: 'unknown-user' | 'sip-uri-calling-disabled' | 'no-route' };

const isNumber = (text: string): boolean => /^\+?[0-9*#]+$/.test(text);

/** Digits without the signs people write between them; `+` is kept. Not a number: unchanged. */
export function canonicalNumber(text: string): string {
  const bare = text.replace(/[\s().-]/g, '');
  return isNumber(bare) ? bare : text;
}

/**
 * The routing plan: where `destination` (a number, a user name, `user@domain` or a SIP URI) leads for a caller.
 * `origin` is who asks: our own user, or a trunk (whose calls may only reach users).
 */
export function route(directory: Directory, destination: string, origin: 'user' | 'trunk'): Destination {
  const stripped = destination.trim().replace(/^sips?:/i, '');
  const at = stripped.lastIndexOf('@');
  const host =
    at < 0 ? undefined : (stripped.slice(at + 1).split(/[;?]/)[0] ?? '').replace(/:\d+$/, '').toLowerCase();
  const user = canonicalNumber(at < 0 ? (stripped.split(/[;?]/)[0] ?? '') : stripped.slice(0, at));
  // Another domain is another network: its numbers and users are not ours, and we call no foreign domain.
  if (origin === 'user' && host !== undefined && host !== directory.domain.toLowerCase())
    return { to: 'nowhere', why: isNumber(user) ? 'no-route' : 'unknown-user' };

  const service = Object.hasOwn(BUILT_IN, user) ? BUILT_IN[user as keyof typeof BUILT_IN] : undefined;
  if (service !== undefined && origin === 'user') return { to: 'built-in', service };

  if (isNumber(user)) {
    const owner = directory.connections.find((c) => c.numbers.some((n) => canonicalNumber(n) === user));
    if (owner !== undefined && owner.dnis_number_format === 'sip_username')
      return { to: 'user', connection: owner };
  }
  const named = directory.connections.find((c) => c.user_name === user);
  if (named !== undefined) {
    const allowed =
      named.sip_uri_calling_preference === 'unrestricted' ||
      (named.sip_uri_calling_preference === 'internal' && origin === 'user');
    return allowed ? { to: 'user', connection: named } : { to: 'nowhere', why: 'sip-uri-calling-disabled' };
  }
  if (origin === 'user' && isNumber(user)) {
    const best = Math.max(
      -1,
      ...directory.trunks.flatMap((t) => t.prefixes.filter((p) => user.startsWith(p)).map((p) => p.length)),
    );
    const longest = (t: Trunk): number =>
      Math.max(-1, ...t.prefixes.filter((p) => user.startsWith(p)).map((p) => p.length));
    if (best >= 0) {
      const trunks = directory.trunks
        .map((trunk, order) => ({ trunk, order, length: longest(trunk) }))
        .filter((t) => t.length >= 0)
        .sort((a, b) => b.length - a.length || a.order - b.order)
        .map((t) => t.trunk);
      return { to: 'trunk', number: user, trunks };
    }
    return { to: 'nowhere', why: 'no-route' };
  }
  return { to: 'nowhere', why: 'unknown-user' };
}
