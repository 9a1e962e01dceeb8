import { deriveKeys } from './srtp-keys.ts';
import { SrtpStreams } from './srtp-streams.ts';
import { CounterMode, Gcm, MAX_PACKET, type Transform } from './srtp-transform.ts';
import type { SrtpMasterKey, SrtpProfile, SrtpStreamState } from './srtp-types.ts';

/** Results below zero of the four packet methods. */
export const SRTP_MALFORMED = -1;
/** The tag is wrong: count and drop, change nothing. */
export const SRTP_UNAUTHENTICATED = -2;
/** Seen before, or older than the window. */
export const SRTP_REPLAYED = -3;
/** More than 8 SSRCs in this direction: a bound on state, reached only with valid tags. */
export const SRTP_TOO_MANY_STREAMS = -4;
/** The buffer has no room for the trailer. */
export const SRTP_NO_ROOM = -5;
/** The key's life is over (2^48 RTP or 2^31 RTCP packets). */
export const SRTP_EXHAUSTED = -6;

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

/** Opens a session. Throws a RangeError for keys of the wrong length, which only a fault of ours produces. */
export function createSrtpSession(options: SrtpOptions): SrtpSession {
  const { profile, keys, state } = options;
  const saltLength = profile === 'AEAD_AES_128_GCM' ? 12 : 14;
  for (const master of [keys.local, keys.remote]) {
    if (master.key.length !== 16 || master.salt.length !== saltLength)
      throw new RangeError('SRTP key length');
  }
  return new Session(
    {
      sendRtp: transform(profile, keys.local, 'rtp'),
      sendRtcp: transform(profile, keys.local, 'rtcp'),
      receiveRtp: transform(profile, keys.remote, 'rtp'),
      receiveRtcp: transform(profile, keys.remote, 'rtcp'),
    },
    new SrtpStreams(state?.sent ?? [], options.jump ?? 65_536),
    new SrtpStreams(state?.received ?? [], 0),
  );
}

function transform(profile: SrtpProfile, master: SrtpMasterKey, use: 'rtp' | 'rtcp'): Transform {
  const keys = deriveKeys(profile, master, use);
  return profile === 'AEAD_AES_128_GCM'
    ? new Gcm(keys, use === 'rtcp')
    : new CounterMode(keys, use === 'rtcp');
}

interface Transforms {
  readonly sendRtp: Transform;
  readonly sendRtcp: Transform;
  readonly receiveRtp: Transform;
  readonly receiveRtcp: Transform;
}

const MAX_RTP_INDEX = 2 ** 48 - 1;
const MAX_RTCP_INDEX = 2 ** 31 - 1;
/** The RTCP header and first SSRC stay in the clear (RFC 3711 §3.4). */
const RTCP_CLEAR = 8;

class Session implements SrtpSession {
  readonly rtpOverhead: number;
  readonly rtcpOverhead: number;
  readonly #transforms: Transforms;
  readonly #sent: SrtpStreams;
  readonly #received: SrtpStreams;

  constructor(transforms: Transforms, sent: SrtpStreams, received: SrtpStreams) {
    this.#transforms = transforms;
    this.#sent = sent;
    this.#received = received;
    this.rtpOverhead = transforms.sendRtp.tagLength;
    this.rtcpOverhead = transforms.sendRtcp.tagLength + 4;
  }

  protectRtp(packet: Uint8Array, length: number): number {
    const clear = rtpHeaderLength(packet, length);
    if (clear < 0) return SRTP_MALFORMED;
    const end = length + this.rtpOverhead;
    if (end > packet.length) return SRTP_NO_ROOM;
    const ssrc = readWord(packet, 8);
    const stream = this.#sent.find(ssrc) ?? this.#sent.add(ssrc);
    if (stream === undefined) return SRTP_TOO_MANY_STREAMS;
    const index = stream.rtp.guess((packet[2]! << 8) | packet[3]!);
    // The same index twice under one key would reveal the XOR of two payloads (RFC 3711 §9.1).
    if (index < 0 || stream.rtp.seen(index)) return SRTP_REPLAYED;
    if (index > MAX_RTP_INDEX) return SRTP_EXHAUSTED;
    this.#transforms.sendRtp.seal(packet, clear, length, ssrc, index);
    stream.rtp.mark(index);
    return end;
  }

  unprotectRtp(packet: Uint8Array, length: number): number {
    const transform = this.#transforms.receiveRtp;
    const end = length - transform.tagLength;
    const clear = rtpHeaderLength(packet, end);
    if (clear < 0) return SRTP_MALFORMED;
    const ssrc = readWord(packet, 8);
    const sequence = (packet[2]! << 8) | packet[3]!;
    let stream = this.#received.find(ssrc);
    const index = stream === undefined ? sequence : stream.rtp.guess(sequence);
    if (index < 0 || stream?.rtp.seen(index)) return SRTP_REPLAYED;
    if (index > MAX_RTP_INDEX) return SRTP_EXHAUSTED;
    if (stream === undefined && this.#received.full) return SRTP_TOO_MANY_STREAMS;
    if (!transform.open(packet, clear, end, ssrc, index)) return SRTP_UNAUTHENTICATED;
    // State only now: an unauthenticated packet leaves no trace.
    stream ??= this.#received.add(ssrc)!;
    stream.rtp.mark(index);
    return end;
  }

  protectRtcp(packet: Uint8Array, length: number): number {
    if (!isRtcp(packet, length)) return SRTP_MALFORMED;
    const end = length + this.rtcpOverhead;
    if (end > packet.length) return SRTP_NO_ROOM;
    const ssrc = readWord(packet, 4);
    const stream = this.#sent.find(ssrc) ?? this.#sent.add(ssrc);
    if (stream === undefined) return SRTP_TOO_MANY_STREAMS;
    const index = stream.rtcp.highest + 1;
    if (index > MAX_RTCP_INDEX) return SRTP_EXHAUSTED;
    this.#transforms.sendRtcp.seal(packet, RTCP_CLEAR, length, ssrc, index);
    stream.rtcp.mark(index);
    return end;
  }

  unprotectRtcp(packet: Uint8Array, length: number): number {
    const transform = this.#transforms.receiveRtcp;
    const end = length - transform.tagLength - 4;
    if (!isRtcp(packet, end)) return SRTP_MALFORMED;
    // AES-CM: packet, word, tag. GCM: packet, tag, word (RFC 7714 §9.2).
    const word = readWord(packet, transform instanceof Gcm ? length - 4 : end);
    // E = 0, authenticated but readable RTCP: DTLS-SRTP never negotiates it.
    if (word >= 0) return SRTP_MALFORMED;
    const index = word & 0x7fffffff;
    const ssrc = readWord(packet, 4);
    let stream = this.#received.find(ssrc);
    if (stream?.rtcp.seen(index)) return SRTP_REPLAYED;
    if (stream === undefined && this.#received.full) return SRTP_TOO_MANY_STREAMS;
    if (!transform.open(packet, RTCP_CLEAR, end, ssrc, index)) return SRTP_UNAUTHENTICATED;
    stream ??= this.#received.add(ssrc)!;
    stream.rtcp.mark(index);
    return end;
  }

  exportState(): SrtpState {
    return { sent: this.#sent.export(), received: this.#received.export() };
  }
}

/** The bytes that stay in the clear: fixed header, CSRCs, extension; -1: not an RTP packet. */
function rtpHeaderLength(packet: Uint8Array, length: number): number {
  if (length < 12 || length > MAX_PACKET || length > packet.length || packet[0]! >> 6 !== 2) return -1;
  let header = 12 + 4 * (packet[0]! & 0x0f);
  if ((packet[0]! & 0x10) !== 0) {
    if (header + 4 > length) return -1;
    header += 4 + 4 * ((packet[header + 2]! << 8) | packet[header + 3]!);
  }
  return header > length ? -1 : header;
}

function isRtcp(packet: Uint8Array, length: number): boolean {
  return length >= RTCP_CLEAR && length <= MAX_PACKET && length <= packet.length && packet[0]! >> 6 === 2;
}

function readWord(packet: Uint8Array, at: number): number {
  return (packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!;
}
