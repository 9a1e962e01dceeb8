/** What a datagram on a media port is, by its first bytes (RFC 7983 §7, RFC 5761 §4). */
export type PacketKind = 'stun' | 'dtls' | 'rtp' | 'rtcp' | 'unknown';

/**
 *   first byte    0..3 STUN   20..63 DTLS   128..191 RTP or RTCP   anything else: drop
 *   second byte   of RTP/RTCP: 192..223 RTCP, else RTP
 */
export function classify(packet: Uint8Array): PacketKind {
  if (packet.length < 12) return packet.length >= 8 && isRtcp(packet) ? 'rtcp' : 'unknown';
  const first = packet[0]!;
  if (first >= 128 && first < 192) return isRtcp(packet) ? 'rtcp' : 'rtp';
  if (first < 4) return 'stun';
  if (first >= 20 && first < 64) return 'dtls';
  return 'unknown';
}

function isRtcp(packet: Uint8Array): boolean {
  return packet[0]! >> 6 === 2 && packet[1]! >= 192 && packet[1]! < 224;
}
