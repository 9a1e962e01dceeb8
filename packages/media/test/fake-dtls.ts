import type { DtlsFactory, DtlsOptions, SrtpMasterKey } from '@sidetone/rtc';

/** The certificate that every browser of these tests shows. */
export const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16).toUpperCase()).join(
  ':',
);

/** DTLS that agrees at once: keys are fixed, and swapped for the peer. */
export class FakeDtls implements DtlsFactory {
  readonly fingerprint = FINGERPRINT.split(':').toReversed().join(':');
  readonly created: DtlsOptions[] = [];
  outcome: 'connected' | 'failed' | 'never' = 'connected';

  create(options: DtlsOptions): ReturnType<DtlsFactory['create']> {
    this.created.push(options);
    return {
      start: () => {
        if (this.outcome === 'failed') options.failed('fingerprint');
        if (this.outcome !== 'connected') return;
        options.connected({
          profile: 'AES_CM_128_HMAC_SHA1_80',
          localKeys: OURS,
          remoteKeys: THEIRS,
          remoteFingerprint: FINGERPRINT,
        });
      },
      receive: () => {},
      close: () => {},
    };
  }
}

const key = (fill: number): SrtpMasterKey => ({
  key: new Uint8Array(16).fill(fill),
  salt: new Uint8Array(14).fill(fill + 1),
});
export const OURS = key(1);
export const THEIRS = key(7);
