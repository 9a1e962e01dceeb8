import type { SrtpMasterKey } from '@sidetone/rtc';

/** What the generator encrypts with, for every call of both engines. */
export const KEY_TO_ENGINE: SrtpMasterKey = {
  key: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
  salt: Uint8Array.from({ length: 14 }, (_, i) => 200 - i),
};

export const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');
