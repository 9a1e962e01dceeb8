/** Bytes of an RTP header without CSRCs and extension (RFC 3550 §5.1). */
export const RTP_HEADER_LENGTH = 12;

/** A header, filled by `readRtp`; keep one and use it again for every packet. */
export interface RtpHeader {
  marker: boolean;
  payloadType: number;
  sequence: number;
  timestamp: number;
  ssrc: number;
  /** Where the payload begins: after CSRCs and extension. */
  payloadOffset: number;
  /** Without padding. */
  payloadLength: number;
}

export function newRtpHeader(): RtpHeader {
  return {
    marker: false,
    payloadType: 0,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    payloadOffset: 0,
    payloadLength: 0,
  };
}

/** Reads the header of `packet[0..length)` into `header`. `false`: not RTP, or lengths that do not fit. */
export function readRtp(packet: Uint8Array, length: number, header: RtpHeader): boolean {
  throw new Error(String(packet) + length + header);
}

/** Writes a 12-byte header at `offset`: version 2, no padding, CSRC or extension. */
export function writeRtp(
  packet: Uint8Array,
  offset: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  throw new Error(String([packet, offset, payloadType, marker, sequence, timestamp, ssrc]));
}
