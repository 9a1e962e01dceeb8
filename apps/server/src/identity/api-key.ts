import { createHash, randomBytes } from 'node:crypto';

const SHAPE = /^KEY[A-Za-z0-9_-]{20,200}$/;

/** A new API key: 256 random bits. Shown once; only its hash is kept. */
export const makeApiKey = (): string => `KEY${randomBytes(32).toString('base64url')}`;

/**
 * The name under which the store knows a key, `undefined` for what cannot be one. A plain SHA-256 is enough: there is nothing
 * to guess in 256 random bits, and looking up a hash tells nothing by its time.
 */
export function apiKeyName(key: string): string | undefined {
  return SHAPE.test(key) ? `key:${createHash('sha256').update(key).digest('base64url')}` : undefined;
}
