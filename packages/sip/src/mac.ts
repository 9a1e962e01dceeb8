import { Buffer } from 'node:buffer';
import { createHmac, createSecretKey, type Hmac, hash, type KeyObject } from 'node:crypto';

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

const prefixes = new WeakMap<Uint8Array, string>();

/**
 * Sixteen hex digits that only who knows the secret can tell of `text`: a tag for answers without memory. It proves nothing to us, so a
 * plain digest behind the secret will do, which costs a fraction of a MAC.
 */
export function keyedTag(secret: Uint8Array, text: string): string {
  let prefix = prefixes.get(secret);
  if (prefix === undefined) {
    prefix = Buffer.from(secret).toString('hex');
    prefixes.set(secret, prefix);
  }
  return hash('sha256', `${prefix}\0${text}`, 'hex').slice(0, 16);
}
