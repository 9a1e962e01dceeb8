/** What stands before the sound in a WAV file. */
export interface WavHead {
  /** Samples a second. */
  readonly rate: number;
  /** Where the samples begin, in octets. */
  readonly offset: number;
  /** Octets of samples, as stated; `null`: to the end of the file, as who writes while the sound goes on states it. */
  readonly length: number | null;
}

/**
 * `short`: more of the file is needed; `too-long`: the sound does not begin within `WAV_HEAD_LIMIT`; `not-wav`: no RIFF of WAVE chunks;
 * `format`: not 16-bit PCM of one channel at 8000 to 48,000 samples a second.
 */
export type WavError = 'short' | 'too-long' | 'not-wav' | 'format';

/** What lies before the samples must fit into so many octets. */
export const WAV_HEAD_LIMIT = 64 * 1024;
/** Chunks before the samples. */
const MOST_CHUNKS = 64;
const PCM = 1;
/** WAVE_FORMAT_EXTENSIBLE: the first half of the sub-format says the format (Microsoft, "Multiple Channel Audio Data"). */
const EXTENSIBLE = 0xfffe;
/** A length that was not known when the head was written. */
const UNKNOWN = 0xffff_ffff;

/** Reads the beginning of a WAV file (RIFF, Microsoft and IBM 1991): `fmt `, then `data`, among chunks that are passed over. Total. */
export function readWavHead(bytes: Uint8Array): WavHead | WavError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lacking: WavError = bytes.length >= WAV_HEAD_LIMIT ? 'too-long' : 'short';
  if (bytes.length < 12) return isStartOf(bytes, 'RIFF') ? lacking : 'not-wav';
  if (!isAt(bytes, 0, 'RIFF') || !isAt(bytes, 8, 'WAVE')) return 'not-wav';
  let rate: number | undefined;
  let at = 12;
  for (let chunks = 0; chunks < MOST_CHUNKS; chunks++) {
    if (at + 8 > WAV_HEAD_LIMIT) return 'too-long';
    if (at + 8 > bytes.length) return lacking;
    const length = view.getUint32(at + 4, true);
    if (isAt(bytes, at, 'data')) {
      if (rate === undefined) return 'format';
      return { rate, offset: at + 8, length: length === UNKNOWN ? null : length - (length & 1) };
    }
    if (isAt(bytes, at, 'fmt ')) {
      if (length < 16) return 'format';
      if (at + 8 + Math.min(length, 40) > bytes.length) return lacking;
      rate = rateOf(view, at + 8, length);
      if (rate === undefined) return 'format';
    }
    // Chunks begin at even places.
    at += 8 + length + (length & 1);
  }
  return 'too-long';
}

/** The rate that a `fmt ` chunk of a format we play states. */
function rateOf(view: DataView, at: number, length: number): number | undefined {
  const tag = view.getUint16(at, true);
  const format = tag === EXTENSIBLE && length >= 40 ? view.getUint16(at + 24, true) : tag;
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  return format === PCM && channels === 1 && bits === 16 && rate >= 8000 && rate <= 48_000 ? rate : undefined;
}

function isAt(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < 4; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  return true;
}

const isStartOf = (bytes: Uint8Array, name: string): boolean =>
  bytes.subarray(0, 4).every((byte, i) => byte === name.charCodeAt(i));

export const WAV_HEAD_BYTES = 44;

/** What stands before `bytes` octets of 16-bit PCM. */
export function writeWavHead(rate: number, channels: number, bytes: number): Uint8Array {
  const head = new Uint8Array(WAV_HEAD_BYTES);
  const view = new DataView(head.buffer);
  const text = (at: number, name: string): void => {
    for (let i = 0; i < name.length; i++) head[at + i] = name.charCodeAt(i);
  };
  text(0, 'RIFF');
  view.setUint32(4, bytes + WAV_HEAD_BYTES - 8, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, bytes, true);
  return head;
}
