/**
 * Frames of MPEG audio, layer III (ISO/IEC 11172-3 §2.4, 13818-3): where they are, in bytes that may be anything. The decoder behind us
 * is given whole frames of one kind and nothing else: of a part of a frame it would wait for the rest for ever.
 */

interface Header {
  readonly bytes: number;
  /** Version, rate and whether it is one channel; alike in all frames that are played together. */
  readonly kind: string;
}

/** In kbit/s: version 1, and versions 2 and 2.5. */
const KBPS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] as const;
const KBPS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] as const;
const RATES_1 = [44_100, 48_000, 32_000] as const;
/** Frames begin so far from the start (behind the tag) at the latest. */
const MOST_LEADING = 4096;

function headerAt(bytes: Uint8Array, at: number): Header | undefined {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1]! & 0xe6) !== 0xe2) return undefined;
  const version = (bytes[at + 1]! >> 3) & 3;
  const [bitrate, rate] = [bytes[at + 2]! >> 4, (bytes[at + 2]! >> 2) & 3];
  // Free format, which nobody writes, among them.
  if (version === 1 || bitrate === 0 || bitrate === 15 || rate === 3) return undefined;
  const first = version === 3;
  const hz = RATES_1[rate]! / (first ? 1 : version === 2 ? 2 : 4);
  const kbps = (first ? KBPS_1 : KBPS_2)[bitrate]!;
  const padding = (bytes[at + 2]! >> 1) & 1;
  return {
    bytes: Math.floor(((first ? 144_000 : 72_000) * kbps) / hz) + padding,
    kind: `${version} ${rate} ${bytes[at + 3]! >> 6 === 3}`,
  };
}

/** Behind an ID3v2 tag (id3.org, §3.1), which may hold pictures. */
function afterTag(bytes: Uint8Array): number {
  if (!hasTag(bytes) || bytes.length < 10) return 0;
  const size = bytes.subarray(6, 10).reduce((sum, byte) => sum * 128 + (byte & 0x7f), 0);
  return Math.min(bytes.length, 10 + size);
}

const hasTag = (bytes: Uint8Array): boolean => bytes[0] === 0x49 && bytes[1] === 0x44 && bytes[2] === 0x33;

/** One sync word alone is in any noise: a frame counts when another one of its kind follows, or the end of the file. */
function frameAt(bytes: Uint8Array, at: number): Header | undefined {
  const header = headerAt(bytes, at);
  if (header === undefined) return undefined;
  const next = at + header.bytes;
  return next === bytes.length || headerAt(bytes, next)?.kind === header.kind ? header : undefined;
}

export function isMp3(bytes: Uint8Array): boolean {
  if (hasTag(bytes)) return true;
  const last = Math.min(bytes.length - 4, MOST_LEADING);
  for (let at = 0; at <= last; at++) if (frameAt(bytes, at) !== undefined) return true;
  return false;
}

/** The frames of the kind of the first one, behind each other. */
export function wholeFrames(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  let kind: string | undefined;
  /** The frame before ended here, so that this one needs no witness. */
  let inStep = -1;
  for (let at = afterTag(bytes); at + 4 <= bytes.length; ) {
    const header = at === inStep ? headerAt(bytes, at) : frameAt(bytes, at);
    if (header === undefined || at + header.bytes > bytes.length || (kind ?? header.kind) !== header.kind) {
      const sync = bytes.indexOf(0xff, at + 1);
      if (sync < 0) break;
      at = sync;
      continue;
    }
    const frame = bytes.subarray(at, at + header.bytes);
    if (kind !== undefined || !isDirectory(frame)) {
      out.set(frame, length);
      length += frame.length;
    }
    kind = header.kind;
    at += header.bytes;
    inStep = at;
  }
  return out.subarray(0, length);
}

/** The first frame of many encoders holds no sound but a directory: `Xing`, or `Info`. */
function isDirectory(frame: Uint8Array): boolean {
  const head = Buffer.from(frame.buffer, frame.byteOffset, Math.min(frame.length, 64)).toString('latin1');
  return head.includes('Xing') || head.includes('Info');
}
