/** Bytes of an RTP header without CSRCs and extension (RFC 3550 §5.1). */
export const RTP_HEADER_LENGTH = 12;

/** A header, filled by `readRtp`; keep one and use it again for every packet. */
export interface RtpHeader {
  marker: boolean;
  /** 0-127. */
  payloadType: number;
  /** 16 bits. */
  sequence: number;
  /** 32 bits, unsigned. */
  timestamp: number;
  /** 32 bits, unsigned. */
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
  if (length < RTP_HEADER_LENGTH || length > packet.length) return false;
  const first = packet[0]!;
  if (first >> 6 !== 2) return false;
  let offset = RTP_HEADER_LENGTH + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (offset + 4 > length) return false;
    offset += 4 + 4 * ((packet[offset + 2]! << 8) | packet[offset + 3]!);
  }
  if (offset > length) return false;
  let end = length;
  if ((first & 0x20) !== 0) {
    // The last byte counts the padding, itself included.
    const padding = packet[length - 1]!;
    if (padding === 0 || offset + padding > length) return false;
    end -= padding;
  }
  header.marker = packet[1]! >= 128;
  header.payloadType = packet[1]! & 0x7f;
  header.sequence = (packet[2]! << 8) | packet[3]!;
  header.timestamp = readUint32(packet, 4);
  header.ssrc = readUint32(packet, 8);
  header.payloadOffset = offset;
  header.payloadLength = end - offset;
  return true;
}

/**
 * Writes a 12-byte header at `offset`: version 2, no padding, CSRC or extension. Right before the payload of a received
 * packet (`payloadOffset - 12`) it makes a clean packet of it without moving the payload.
 */
export function writeRtp(
  packet: Uint8Array,
  offset: number,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  packet[offset] = 0x80;
  packet[offset + 1] = (marker ? 0x80 : 0) | payloadType;
  packet[offset + 2] = sequence >>> 8;
  packet[offset + 3] = sequence;
  writeUint32(packet, offset + 4, timestamp);
  writeUint32(packet, offset + 8, ssrc);
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
