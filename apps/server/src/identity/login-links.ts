import { createHash, randomBytes } from 'node:crypto';
import type { Ms } from '@sidetone/core';

const LIFETIME_MS = 24 * 3600 * 1000;
const MAX_LINKS = 1000;

/**
 * Single-use login links: the token printed at start is exchanged once for a login token. Only hashes are kept.
 */
export class LoginLinks {
  readonly #links = new Map<string, { userName: string; expiresAt: Ms }>();

  /** Makes a link token for a user. */
  issue(userName: string, now: Ms): string {
    if (this.#links.size >= MAX_LINKS) this.#links.delete(this.#links.keys().next().value!);
    const token = randomBytes(24).toString('base64url');
    this.#links.set(hash(token), { userName, expiresAt: now + LIFETIME_MS });
    return token;
  }

  /** The user of a token that was not used before and is not too old; using it ends it. */
  redeem(token: string, now: Ms): string | undefined {
    const key = hash(token);
    const link = this.#links.get(key);
    this.#links.delete(key);
    return link !== undefined && link.expiresAt > now ? link.userName : undefined;
  }
}

const hash = (token: string): string => createHash('sha256').update(token).digest('base64');
