import type { SrtpMasterKey, SrtpProfile } from './srtp-types.ts';

export type DtlsRole = 'client' | 'server';

/** What a finished handshake has proven and derived (RFC 5764 §4.2). */
export interface DtlsConnected {
  readonly profile: SrtpProfile;
  /** What we send with. */
  readonly localKeys: SrtpMasterKey;
  /** What the peer sends with. */
  readonly remoteKeys: SrtpMasterKey;
  /** SHA-256 of the peer's certificate, `AA:BB:…`; already checked against the options. */
  readonly remoteFingerprint: string;
}

/** `handshake`: refused, malformed or alert; `fingerprint`: not the certificate of the description; `timeout`; `profile`: no SRTP profile in common. */
export type DtlsFailure = 'handshake' | 'fingerprint' | 'timeout' | 'profile';

export interface DtlsOptions {
  /** From the peer's description; one must be sha-256 and match. Others are ignored (RFC 8122 §5 allows several). */
  readonly fingerprints: readonly { readonly hash: string; readonly value: string }[];
  /** Hands out a datagram for the selected path. */
  readonly send: (datagram: Uint8Array) => void;
  /** At most once. */
  readonly connected: (result: DtlsConnected) => void;
  /** At most once, and never after `connected` or `close`. */
  readonly failed: (reason: DtlsFailure) => void;
}

/** One DTLS association of a leg. No method throws for what a peer sent. */
export interface DtlsEndpoint {
  /** Begins as client (sends a ClientHello) or as server (waits for one). Datagrams before it are dropped. */
  start(role: DtlsRole): void;
  /** A datagram from the ICE-approved path. The bytes are copied if they have to be kept. */
  receive(datagram: Uint8Array): void;
  /** Ends it without a word to the callbacks. */
  close(): void;
}

export interface DtlsFactory {
  /** SHA-256 of the process's certificate, `AA:BB:…`, for `a=fingerprint`. */
  readonly fingerprint: string;
  create(options: DtlsOptions): DtlsEndpoint;
}
