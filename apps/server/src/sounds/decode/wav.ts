import { decodePcma, decodePcmu } from '@sidetone/rtc';
import { LIMITS, notAudio, tooLarge } from '../limits.ts';
import { BLOCK_FRAMES, type Block, floatsOf, RATES } from './block.ts';

/**
 * RIFF/WAVE: PCM of 8, 16, 24 and 32 bits, IEEE float of 32 and 64, A-law and μ-law, plain or as WAVE_FORMAT_EXTENSIBLE. A length that
 * says more than there is (a stream whose writer did not know it) means: to the end of the file.
 */

const MOST_CHUNKS = 1000;
const MOST_CHANNELS = 8;

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
}

export const isWav = (bytes: Uint8Array): boolean => tag(bytes, 0) === 'RIFF' && tag(bytes, 8) === 'WAVE';

const tag = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));

/** @throws SoundFault when it is none that we read */
export function* readWav(bytes: Uint8Array): Generator<Block> {
  const { format, data } = chunksOf(bytes);
  const expand = expander(format);
  const width = format.bits / 8;
  const step = width * format.channels;
  const frames = Math.floor(data.length / step);
  if (frames === 0) throw notAudio('The WAV file holds no sound.');
  // The one format that says so before anything is done.
  if ((frames / format.rate) * 1000 > LIMITS.playedMs)
    throw tooLarge(`The sound is longer than ${LIMITS.playedMs / 60_000} minutes.`);
  for (let first = 0; first < frames; first += BLOCK_FRAMES) {
    const some = Math.min(BLOCK_FRAMES, frames - first);
    const all = expand(data.subarray(first * step, (first + some) * step), some * format.channels);
    yield { rate: format.rate, samples: mono(all, format.channels) };
  }
}

function chunksOf(bytes: Uint8Array): { format: Format; data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | undefined;
  let at = 12;
  for (let n = 0; n < MOST_CHUNKS && at + 8 <= bytes.length; n++) {
    const name = tag(bytes, at);
    const length = view.getUint32(at + 4, true);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ') format = formatOf(body);
    if (name === 'data') {
      if (format === undefined) throw notAudio('The WAV file does not say its format.');
      return { format, data: body };
    }
    at += 8 + length + (length % 2);
  }
  throw notAudio('The WAV file holds no sound.');
}

function formatOf(body: Uint8Array): Format {
  if (body.length < 16) throw notAudio('The WAV file does not say its format.');
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const kind = view.getUint16(0, true);
  // The real format is the head of the GUID.
  const real = kind === EXTENSIBLE && body.length >= 40 ? view.getUint16(24, true) : kind;
  const format = {
    tag: real,
    channels: view.getUint16(2, true),
    rate: view.getUint32(4, true),
    bits: view.getUint16(14, true),
  };
  if (format.channels < 1 || format.channels > MOST_CHANNELS)
    throw notAudio(`The WAV file has ${format.channels} channels.`);
  if (format.rate < RATES.lowest || format.rate > RATES.highest)
    throw notAudio(`The WAV file has ${format.rate} samples a second.`);
  return format;
}

type Expand = (bytes: Uint8Array, samples: number) => Float32Array;

function expander({ tag: kind, bits }: Format): Expand {
  const read = (scale: number, width: number, get: (view: DataView, at: number) => number): Expand => {
    return (bytes, samples) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const out = new Float32Array(samples);
      for (let i = 0; i < samples; i++) out[i] = get(view, i * width) / scale;
      return out;
    };
  };
  const law = (decode: (input: Uint8Array, output: Int16Array) => void): Expand => {
    return (bytes, samples) => {
      const pcm = new Int16Array(samples);
      decode(bytes, pcm);
      return floatsOf(pcm);
    };
  };
  /** A number that is none, or far beyond full scale, is silence or full scale. */
  const sane = (value: number): number => (value > -1 ? (value < 1 ? value : 1) : value <= -1 ? -1 : 0);
  switch (`${kind} ${bits}`) {
    case `${PCM} 8`:
      return read(128, 1, (view, at) => view.getUint8(at) - 128);
    case `${PCM} 16`:
      return read(32_768, 2, (view, at) => view.getInt16(at, true));
    case `${PCM} 24`:
      return read(8_388_608, 3, (view, at) => (view.getInt8(at + 2) << 16) | view.getUint16(at, true));
    case `${PCM} 32`:
      return read(2_147_483_648, 4, (view, at) => view.getInt32(at, true));
    case `${FLOAT} 32`:
      return read(1, 4, (view, at) => sane(view.getFloat32(at, true)));
    case `${FLOAT} 64`:
      return read(1, 8, (view, at) => sane(view.getFloat64(at, true)));
    case `${A_LAW} 8`:
      return law(decodePcma);
    case `${MU_LAW} 8`:
      return law(decodePcmu);
  }
  throw notAudio(`The WAV file has a format that is not read here (${kind}, ${bits} bits).`);
}

/** The mean of all channels. */
export function mono(interleaved: Float32Array, channels: number): Float32Array {
  if (channels === 1) return interleaved;
  const out = new Float32Array(Math.floor(interleaved.length / channels));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += interleaved[i * channels + c]!;
    out[i] = sum / channels;
  }
  return out;
}
