/**
 * A session description (RFC 8866) as typed values: what offers and answers of one audio stream need, and enough of every
 * other media section to refuse it in order. Session-level values that a media section inherits (connection, direction,
 * ICE, fingerprint, setup) are already resolved into the sections.
 */

/** Names as configuration spells them. */
export type CodecName = 'OPUS' | 'PCMU' | 'PCMA' | 'G722';

/** RFC 3264 §5.1, from the point of view of whoever wrote the description. */
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** DTLS roles (RFC 8842 §5, RFC 4145 §4). */
export type SetupRole = 'active' | 'passive' | 'actpass' | 'holdconn';

export interface Origin {
  readonly username: string;
  /** Decimal digits. A string: a 64-bit number has no exact JavaScript number. */
  readonly sessionId: string;
  /** Decimal digits; grows with every changed description of the session (RFC 3264 §8). */
  readonly version: string;
  readonly address: string;
}

/** One payload type of a media section, static ones (RFC 3551 §6) included. */
export interface Payload {
  /** 0-127. */
  readonly pt: number;
  /** Encoding name as written, for example `opus`. */
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number;
  /** `a=fmtp` parameters, names in lower case. A parameter without `=` has its text as name and an empty value. */
  readonly fmtp: Readonly<Record<string, string>>;
}

export interface Candidate {
  readonly foundation: string;
  /** 1 = RTP (or all, with rtcp-mux), 2 = RTCP. */
  readonly component: number;
  readonly transport: 'udp' | 'tcp';
  readonly priority: number;
  /** An IP address or an mDNS name ending in `.local`, which stays as it is. */
  readonly address: string;
  readonly port: number;
  readonly type: 'host' | 'srflx' | 'prflx' | 'relay';
  /** Of a TCP candidate: who opens the connection (RFC 6544 §4.5). */
  readonly tcpType?: 'active' | 'passive' | 'so';
}

/** `a=fingerprint` (RFC 8122 §5): hash in lower case, value in upper-case hex with colons. */
export interface Fingerprint {
  readonly hash: string;
  readonly value: string;
}

export interface IceParameters {
  readonly ufrag: string;
  readonly pwd: string;
  readonly options: readonly string[];
}

export interface Bandwidth {
  /** `b=AS`, kbit/s with packet overhead (RFC 8866 §5.8). */
  readonly as?: number;
  /** `b=TIAS`, bit/s without overhead (RFC 3890). */
  readonly tias?: number;
}

export interface MediaSection {
  /** `audio`, `video`, `application`, … */
  readonly kind: string;
  /** 0: refused or ended (RFC 3264 §6). */
  readonly port: number;
  /** For example `RTP/AVP` or `UDP/TLS/RTP/SAVPF`. */
  readonly protocol: string;
  /** The format list as written; payload types as digits. */
  readonly formats: readonly string[];
  /** Connection address in its one spelling (`canonicalHost`), or `null` without any `c=`. */
  readonly address: string | null;
  readonly direction: Direction;
  readonly payloads: readonly Payload[];
  readonly ptime: number | null;
  readonly bandwidth: Bandwidth;
  readonly ice: IceParameters | null;
  readonly fingerprints: readonly Fingerprint[];
  readonly setup: SetupRole | null;
  readonly candidates: readonly Candidate[];
  readonly endOfCandidates: boolean;
  readonly mid: string | null;
  readonly rtcpMux: boolean;
  /** `a=rtcp` (RFC 3605); the address only when stated. */
  readonly rtcp: { readonly port: number; readonly address: string | null } | null;
  readonly ssrcs: readonly { readonly ssrc: number; readonly cname: string | null }[];
  /** `a=msid` (RFC 8830): `stream track`. */
  readonly msid: string | null;
}

export interface SessionDescription {
  readonly origin: Origin;
  /** `s=`. */
  readonly name: string;
  readonly iceLite: boolean;
  /** The mids of `a=group:BUNDLE` (RFC 9143), empty without one. */
  readonly bundle: readonly string[];
  readonly media: readonly MediaSection[];
}

/** A section that says nothing yet; nowhere, and inactive. */
export const emptySection = (kind: string, port: number, protocol: string): MediaSection => ({
  kind,
  port,
  protocol,
  formats: [],
  address: null,
  direction: 'inactive',
  payloads: [],
  ptime: null,
  bandwidth: {},
  ice: null,
  fingerprints: [],
  setup: null,
  candidates: [],
  endOfCandidates: false,
  mid: null,
  rtcpMux: false,
  rtcp: null,
  ssrcs: [],
  msid: null,
});
