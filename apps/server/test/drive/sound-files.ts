import { readFileSync } from 'node:fs';
import { encodePcma, encodePcmu } from '@sidetone/rtc';

/** Sounds to be read, and what was made of them. */

export type WavKind = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64' | 'alaw' | 'mulaw';

export interface WavWish {
  readonly kind: WavKind;
  readonly rate: number;
  readonly channels: number;
  readonly hz?: number;
  readonly seconds?: number;
  /** As WAVE_FORMAT_EXTENSIBLE. */
  readonly extensible?: boolean;
  /** Bytes that the header says there are, whatever there is. */
  readonly claims?: number;
}

const SHAPES: Readonly<Record<WavKind, readonly [tag: number, bits: number]>> = {
  pcm8: [1, 8],
  pcm16: [1, 16],
  pcm24: [1, 24],
  pcm32: [1, 32],
  float32: [3, 32],
  float64: [3, 64],
  alaw: [6, 8],
  mulaw: [7, 8],
};

/** A tone at half of full scale, the same in all channels. */
export function wavOf(wish: WavWish): Uint8Array {
  const [tag, bits] = SHAPES[wish.kind];
  const frames = Math.round((wish.seconds ?? 0.4) * wish.rate);
  const width = bits / 8;
  const data = Buffer.alloc(frames * wish.channels * width);
  for (let i = 0; i < frames; i++) {
    const sample = 0.5 * Math.sin((2 * Math.PI * (wish.hz ?? 1000) * i) / wish.rate);
    for (let c = 0; c < wish.channels; c++) write(data, (i * wish.channels + c) * width, wish.kind, sample);
  }
  const format = Buffer.alloc(wish.extensible === true ? 40 : 16);
  format.writeUInt16LE(wish.extensible === true ? 0xfffe : tag, 0);
  format.writeUInt16LE(wish.channels, 2);
  format.writeUInt32LE(wish.rate, 4);
  format.writeUInt32LE(wish.rate * wish.channels * width, 8);
  format.writeUInt16LE(wish.channels * width, 12);
  format.writeUInt16LE(bits, 14);
  if (wish.extensible === true) format.writeUInt16LE(tag, 24);
  const chunk = (name: string, body: Buffer, length = body.length): Buffer => {
    const head = Buffer.alloc(8);
    head.write(name, 0, 'latin1');
    head.writeUInt32LE(length, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const list = chunk('LIST', Buffer.from('INFOx'));
  const body = Buffer.concat([chunk('fmt ', format), list, chunk('data', data, wish.claims ?? data.length)]);
  return Uint8Array.from(Buffer.concat([chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), body]))]));
}

function write(to: Buffer, at: number, kind: WavKind, sample: number): void {
  switch (kind) {
    case 'pcm8':
      return void to.writeUInt8(Math.round(sample * 127) + 128, at);
    case 'pcm16':
      return void to.writeInt16LE(Math.round(sample * 32_767), at);
    case 'pcm24':
      return void to.writeIntLE(Math.round(sample * 8_388_607), at, 3);
    case 'pcm32':
      return void to.writeInt32LE(Math.round(sample * 2_147_483_647), at);
    case 'float32':
      return void to.writeFloatLE(sample, at);
    case 'float64':
      return void to.writeDoubleLE(sample, at);
    case 'alaw':
      return encodePcma(Int16Array.of(Math.round(sample * 32_767)), to.subarray(at, at + 1));
    case 'mulaw':
      return encodePcmu(Int16Array.of(Math.round(sample * 32_767)), to.subarray(at, at + 1));
  }
}

export interface Heard {
  readonly rate: number;
  readonly channels: number;
  readonly bits: number;
  readonly seconds: number;
  /** By the zero crossings of the middle half. */
  readonly hz: number;
  /** Root of the mean square of the middle half; full scale is 1. */
  readonly level: number;
  readonly samples: Int16Array;
}

/** Reads a prepared file by offsets, as media does. */
export function heardIn(file: string): Heard {
  const bytes = readFileSync(file);
  const [channels, rate, bits] = [bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt16LE(34)];
  const length = bytes.readUInt32LE(40);
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + 44 + length));
  return { rate, channels, bits, ...heardInPcm(samples, rate) };
}

/** What 16-bit samples say. */
export function heardInPcm(samples: Int16Array, rate: number): Omit<Heard, 'rate' | 'channels' | 'bits'> {
  const middle = samples.subarray(samples.length >> 2, (samples.length * 3) >> 2);
  let [crossings, energy, first, last] = [0, 0, 0, 0];
  for (let i = 1; i < middle.length; i++) {
    energy += (middle[i]! / 32_768) ** 2;
    if (middle[i - 1]! < 0 && middle[i]! >= 0) {
      const at = i - middle[i]! / (middle[i]! - middle[i - 1]!);
      if (crossings === 0) first = at;
      last = at;
      crossings += 1;
    }
  }
  return {
    seconds: samples.length / rate,
    hz: crossings < 2 ? 0 : ((crossings - 1) * rate) / (last - first),
    level: Math.sqrt(energy / middle.length),
    samples,
  };
}
