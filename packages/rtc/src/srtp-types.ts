/** Protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2). */
export type SrtpProfile = 'AES_CM_128_HMAC_SHA1_80' | 'AEAD_AES_128_GCM';

/** Master key (16 bytes) and salt (14 bytes for AES-CM, 12 for GCM) of one direction. */
export interface SrtpMasterKey {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** Indices of one SSRC. RTP: the 48-bit packet index; RTCP: the 31-bit one; -1: none yet. */
export interface SrtpStreamState {
  readonly ssrc: number;
  readonly rtpIndex: number;
  readonly rtcpIndex: number;
}
