import type { Candidate, CodecName, Direction, Fingerprint, SessionDescription } from './description.ts';

/** What offer and answer have settled for the one audio stream, seen from our side. */
export interface NegotiatedAudio {
  /** The codec we send, and the only one we expect unless `receive` lists more. */
  readonly codec: CodecName;
  /** Payload type that we send `codec` with. */
  readonly payloadType: number;
  /** Payload types that may arrive, and what they mean. */
  readonly receive: readonly { readonly payloadType: number; readonly codec: CodecName }[];
  /** RFC 4733: what to send digits with, and what they may arrive as. Clock rates in Hz. */
  readonly dtmf: {
    readonly send: { readonly payloadType: number; readonly clockRate: number } | null;
    readonly receive: readonly { readonly payloadType: number; readonly clockRate: number }[];
  };
  /** Ours: `recvonly` = the peer has us on hold or only sends. */
  readonly direction: Direction;
  /** The peer put us on hold (sendonly, inactive, or RFC 2543's `c=0.0.0.0`). */
  readonly held: boolean;
  /** Milliseconds of audio a packet that the peer asked for, 20 without. */
  readonly ptime: number;
  /** What the peer wants to receive (RFC 7587 §6.1); only meaningful while `codec` is OPUS. */
  readonly opus: OpusParameters;
  /** Where the peer wants RTP and RTCP (without ICE). With rtcp-mux both are equal. */
  readonly remote: {
    readonly address: string;
    readonly port: number;
    readonly rtcpAddress: string;
    readonly rtcpPort: number;
  };
  readonly rtcpMux: boolean;
  readonly ice: {
    readonly ufrag: string;
    readonly pwd: string;
    readonly lite: boolean;
    readonly candidates: readonly Candidate[];
  } | null;
  /** `role` is ours. The peer's certificate must match one of `fingerprints`. */
  readonly dtls: { readonly role: 'client' | 'server'; readonly fingerprints: readonly Fingerprint[] } | null;
}

export interface OpusParameters {
  /** May we send stereo? */
  readonly stereo: boolean;
  /** Does the peer want in-band FEC? */
  readonly fec: boolean;
  /** Does the peer want discontinuous transmission? */
  readonly dtx: boolean;
  /** The most bits per second that we may send; `null`: the peer set no limit. */
  readonly maxBitrate: number | null;
}

/** Our half of a description. Plain RTP: `address` and `port` alone. WebRTC: `ice` and `fingerprint` too. */
export interface LocalMedia {
  readonly address: string;
  readonly port: number;
  /** Decimal digits, for a first description; a later one keeps that of `previous`. */
  readonly sessionId: string;
  /** Our last description in this session; the new one keeps its session id and raises its version. */
  readonly previous?: SessionDescription;
  /** ICE-lite: `candidates` is complete. */
  readonly ice?: { readonly ufrag: string; readonly pwd: string; readonly candidates: readonly Candidate[] };
  /** SHA-256 of our certificate, `AA:BB:…`. */
  readonly fingerprint?: string;
  /** Our present DTLS role, when the session has one already: a re-offer that keeps the transport keeps it. */
  readonly dtlsRole?: 'client' | 'server';
  /** Do we want Opus in stereo? Default no. */
  readonly stereo?: boolean;
  /** The most Opus bits per second that we want to receive. */
  readonly maxBitrate?: number;
  readonly ssrc?: number;
  readonly cname?: string;
}

/** `no-audio`: no audio section to use; `no-codec`: nothing in common; `no-transport`: RTP where DTLS-SRTP is due, or the reverse, or ICE/fingerprint missing; `mismatch`: the answer does not fit the offer. */
export interface NegotiationError {
  readonly code: 'no-audio' | 'no-codec' | 'no-transport' | 'mismatch';
  readonly message: string;
}
