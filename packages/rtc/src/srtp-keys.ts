import { createCipheriv, createSecretKey } from 'node:crypto';
import type { SrtpMasterKey, SrtpProfile } from './srtp-types.ts';

/** Session keys of one direction for either RTP or RTCP. `auth` is empty for AEAD profiles. */
export interface SessionKeys {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly auth: Uint8Array;
}

/**
 * Key derivation (RFC 3711 §4.3.3, key derivation rate 0): AES-CM over the salt with the label at byte 7. A 12-byte salt
 * (RFC 7714 §11) is continued with two zero bytes.
 */
export function deriveKeys(profile: SrtpProfile, master: SrtpMasterKey, use: 'rtp' | 'rtcp'): SessionKeys {
  const label = use === 'rtp' ? 0 : 3;
  const aead = profile === 'AEAD_AES_128_GCM';
  return {
    key: derive(master, label, 16),
    auth: aead ? new Uint8Array(0) : derive(master, label + 1, 20),
    salt: derive(master, label + 2, aead ? 12 : 14),
  };
}

function derive(master: SrtpMasterKey, label: number, length: number): Uint8Array {
  const iv = new Uint8Array(16);
  iv.set(master.salt.subarray(0, 14));
  iv[7]! ^= label;
  const cipher = createCipheriv('aes-128-ctr', createSecretKey(master.key), iv);
  return new Uint8Array(cipher.update(new Uint8Array(length)));
}
