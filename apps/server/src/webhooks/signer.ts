import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { EpochMs } from '@sidetone/core';

/** Signs webhooks: Ed25519 over `<timestamp>|<bytes>`. */
export interface Signer {
  /** The raw key, padded base64: 44 characters. */
  readonly publicKey: string;
  /** The two headers for exactly these bytes. @param at for the timestamp, which receivers take for five minutes */
  headers(bytes: Uint8Array, at: EpochMs): Readonly<Record<(typeof SIGNATURE_HEADERS)[number], string>>;
}

export const SIGNATURE_HEADERS = ['telnyx-timestamp', 'telnyx-signature-ed25519'] as const;

/** PKCS #8 around the seed of an Ed25519 key (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @param seed 32 bytes */
export function createSigner(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return {
    publicKey: Buffer.from(x!, 'base64url').toString('base64'),
    headers: (bytes, at) => {
      const timestamp = String(Math.floor(at / 1000));
      const signed = Buffer.concat([Buffer.from(`${timestamp}|`), bytes]);
      return {
        'telnyx-timestamp': timestamp,
        'telnyx-signature-ed25519': sign(null, signed, key).toString('base64'),
      };
    },
  };
}
