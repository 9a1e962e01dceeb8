/** Ogg (RFC 3533): pages to packets of one logical stream. What is damaged is left out, as the checksum tells. */

export interface OggPacket {
  readonly bytes: Uint8Array;
  /** Of the page it ends on; only with the last packet that ends there. -1: not told. */
  readonly granule: number | undefined;
  /** The page is the last of its stream. */
  readonly last: boolean;
  /** The page is the first of its stream. */
  readonly first: boolean;
  readonly serial: number;
}

const HEADER_BYTES = 27;
/** More than any packet of Opus (RFC 6716 §3.2.5: 1275 bytes a frame, 120 ms a packet), and room for a picture in the tags. */
const MOST_PACKET_BYTES = 4 * 1024 * 1024;

export const isOgg = (bytes: Uint8Array): boolean => isPage(bytes, 0);

const isPage = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === 0x4f && bytes[at + 1] === 0x67 && bytes[at + 2] === 0x67 && bytes[at + 3] === 0x53;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = sum & 0x8000_0000 ? (sum << 1) ^ 0x04c1_1db7 : sum << 1;
  return sum;
});

/** RFC 3533 §6, item 7: polynomial 0x04c11db7, the field itself taken as zero. */
export function oggChecksum(page: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!;
    sum = (sum << 8) ^ CRC[((sum >>> 24) ^ byte) & 0xff]!;
  }
  return sum >>> 0;
}

/** The page at `at`, or where to look on. */
function pageLength(bytes: Uint8Array, at: number): number | undefined {
  const segments = bytes[at + 26];
  if (segments === undefined || bytes[at + 4] !== 0) return undefined;
  let length = HEADER_BYTES + segments;
  for (let i = 0; i < segments; i++) length += bytes[at + HEADER_BYTES + i] ?? 0;
  return at + length <= bytes.length ? length : undefined;
}

export function* oggPackets(bytes: Uint8Array): Generator<OggPacket> {
  /** The beginning of a packet that goes on in the next page, by stream. */
  const begun = new Map<number, Uint8Array[]>();
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = isPage(bytes, at) ? pageLength(bytes, at) : undefined;
    const page = length === undefined ? undefined : bytes.subarray(at, at + length);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, Math.min(HEADER_BYTES, bytes.length - at));
    if (page === undefined || view.getUint32(22, true) !== oggChecksum(page)) {
      at = nextPage(bytes, at + 1);
      continue;
    }
    at += page.length;
    const flags = page[5]!;
    const granule = Number(view.getBigInt64(6, true));
    const serial = view.getUint32(14, true);
    const about = { serial, first: (flags & 2) !== 0, last: (flags & 4) !== 0 };
    const lacing = page.subarray(HEADER_BYTES, HEADER_BYTES + page[26]!);
    const whole = lacing.findLastIndex((size) => size < 255);
    const parts = (flags & 1) === 0 ? [] : (begun.get(serial) ?? null);
    begun.delete(serial);
    // `null`: the start of this packet was lost.
    let pieces: Uint8Array[] | null = parts;
    let offset = HEADER_BYTES + lacing.length;
    let from = offset;
    for (const [i, size] of lacing.entries()) {
      offset += size;
      if (size === 255 && i < lacing.length - 1) continue;
      pieces?.push(page.subarray(from, offset));
      from = offset;
      if (size === 255) break;
      if (pieces !== null)
        yield { bytes: joined(pieces), granule: i === whole ? granule : undefined, ...about };
      pieces = [];
    }
    if (lacing.at(-1) === 255 && pieces !== null && sizeOf(pieces) <= MOST_PACKET_BYTES && begun.size < 16)
      begun.set(serial, pieces);
  }
}

function nextPage(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x4f, from); at >= 0; at = bytes.indexOf(0x4f, at + 1))
    if (isPage(bytes, at)) return at;
  return bytes.length;
}

const sizeOf = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const out = new Uint8Array(sizeOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
