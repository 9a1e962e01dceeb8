import { createHmac, createSecretKey, type Hmac, type KeyObject } from 'node:crypto';

const keys = new WeakMap<Uint8Array, KeyObject>();

/**
 * HMAC-SHA-256 under a secret that does not change. Node makes a key of bytes anew for every `createHmac`, which costs six times the
 * MAC of a short text; here it is made once for each secret.
 */
export function keyedMac(secret: Uint8Array): Hmac {
  let key = keys.get(secret);
  if (key === undefined) {
    key = createSecretKey(secret);
    keys.set(secret, key);
  }
  return createHmac('sha256', key);
}
