/** Protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2). */
export type SrtpProfile = 'AES_CM_128_HMAC_SHA1_80' | 'AEAD_AES_128_GCM';

/** Master key (16 bytes) and salt (14 bytes for AES-CM, 12 for GCM) of one direction. */
export interface SrtpMasterKey {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** Results below zero of the four packet methods. */
export const SRTP_MALFORMED = -1;
/** The tag is wrong: count and drop, change nothing. */
export const SRTP_UNAUTHENTICATED = -2;
/** Seen before, or older than the window. */
export const SRTP_REPLAYED = -3;
/** More than 8 SSRCs in this direction. */
export const SRTP_TOO_MANY_STREAMS = -4;
/** The buffer has no room for the trailer. */
export const SRTP_NO_ROOM = -5;
/** The key's life is over (2^48 RTP or 2^31 RTCP packets). */
export const SRTP_EXHAUSTED = -6;

/** Indices of one SSRC. RTP: the 48-bit packet index; RTCP: the 31-bit one; -1: none yet. */
export interface SrtpStreamState {
  readonly ssrc: number;
  readonly rtpIndex: number;
  readonly rtcpIndex: number;
}

/** What a resumed session needs besides its keys. Plain data. */
export interface SrtpState {
  readonly sent: readonly SrtpStreamState[];
  readonly received: readonly SrtpStreamState[];
}

export interface SrtpOptions {
  readonly profile: SrtpProfile;
  readonly keys: { readonly local: SrtpMasterKey; readonly remote: SrtpMasterKey };
  /** From `exportState`, to resume. */
  readonly state?: SrtpState;
  /** On resume: how far the sent indices jump, so that no keystream is used twice. Default 65,536. */
  readonly jump?: number;
}

/**
 * Both directions of a DTLS-SRTP session. Everything happens in place: `packet` holds `length` bytes of RTP or RTCP from
 * offset 0; the result is the new length, or one of the negative codes (then the bytes are not to be used).
 */
export interface SrtpSession {
  /** Bytes that must be free behind a packet before protecting it: RTP, RTCP. */
  readonly rtpOverhead: number;
  readonly rtcpOverhead: number;
  protectRtp(packet: Uint8Array, length: number): number;
  unprotectRtp(packet: Uint8Array, length: number): number;
  protectRtcp(packet: Uint8Array, length: number): number;
  unprotectRtcp(packet: Uint8Array, length: number): number;
  exportState(): SrtpState;
}

export function createSrtpSession(options: SrtpOptions): SrtpSession {
  throw new Error(options.profile);
}
