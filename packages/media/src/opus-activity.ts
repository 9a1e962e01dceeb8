/**
 * Does an Opus packet say of itself that nobody speaks in it? Its SILK part begins with a flag for each frame (RFC 6716 §4.2.3), coded with even
 * odds, so that the flag of the first is the first bit. `false` also of what has no such flag: other modes, several frames.
 */
export function isQuietOpus(payload: Uint8Array): boolean {
  // A table of contents alone: nothing is sent (§3.1, DTX).
  if (payload.length <= 2) return payload.length > 0;
  const toc = payload[0]!;
  const config = toc >> 3;
  // §3.1, table 2: SILK to 11, hybrid to 15; of SILK the first two of four are one frame of 10 or 20 ms.
  const isOneFrame = (toc & 3) === 0 && (config < 12 ? config % 4 < 2 : config < 16);
  return isOneFrame && payload[1]! < 0x80;
}
