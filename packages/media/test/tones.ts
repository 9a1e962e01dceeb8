import { execFileSync } from 'node:child_process';
import { seededRandom } from '@sidetone/core';
import type { CodecName } from '@sidetone/wire';
import { pcmDecoder, pcmEncoder } from '../src/codec.ts';
import { loadOpus } from '../src/index.ts';
import { Resampler } from '../src/resampler.ts';

const opus = await loadOpus();

export const KEYS = '123A456B789C*0#D';
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];

/** The amplitude of a sine that many decibels below full scale. */
export const amplitude = (db: number): number => 32767 * 10 ** (db / 20);

export interface Dial {
  readonly onMs: number;
  readonly offMs: number;
  /** Levels of the two tones, in decibels of a sine of full scale. */
  readonly low?: number;
  readonly high?: number;
  /** How far off both frequencies are, as a share. */
  readonly off?: number;
}

/** Digits as tones, with silence before and after. 8000 samples a second, made without the product's code. */
export function dialled(digits: string, { onMs, offMs, low = -12, high = -12, off = 0 }: Dial): Int16Array {
  const out: number[] = new Array(800).fill(0);
  for (const digit of digits) {
    const key = KEYS.indexOf(digit);
    const [f, g] = [ROWS[key >> 2]! * (1 + off), COLUMNS[key & 3]! * (1 + off)];
    for (let i = 0; i < onMs * 8; i++) {
      const a = amplitude(low) * Math.sin((2 * Math.PI * f * i) / 8000 + 0.4);
      out.push(a + amplitude(high) * Math.sin((2 * Math.PI * g * i) / 8000 + 1.3));
    }
    for (let i = 0; i < offMs * 8; i++) out.push(0);
  }
  for (let i = 0; i < 1600; i++) out.push(0);
  return Int16Array.from(out);
}

/** White noise; `db`: its level as that of a sine. */
export function noise(samples: number, db: number, seed = 7): Int16Array {
  const random = seededRandom(seed);
  const peak = amplitude(db) * Math.sqrt(1.5);
  return Int16Array.from({ length: samples }, () => Math.round(peak * (random.int(20_001) / 10_000 - 1)));
}

export const mixed = (a: Int16Array, b: Int16Array): Int16Array =>
  a.map((sample, i) => Math.max(-32768, Math.min(32767, sample + (b[i] ?? 0))));

export const louder = (pcm: Int16Array, db: number): Int16Array =>
  pcm.map((sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 10 ** (db / 20)))));

/** Encoded and decoded again, at 8000 samples a second. */
export async function through(codec: CodecName, pcm: Int16Array): Promise<Int16Array> {
  const packets = await encoded(codec, pcm);
  const decoder = pcmDecoder(codec, 8000, opus);
  await new Promise(setImmediate);
  return Int16Array.from(packets.flatMap((packet) => [...decoder.decode(packet)!]));
}

/** 20 ms a packet. */
export async function encoded(codec: CodecName, pcm: Int16Array): Promise<Uint8Array[]> {
  const encoder = pcmEncoder(codec, 8000, opus, {});
  await new Promise(setImmediate);
  const packets: Uint8Array[] = [];
  for (let i = 0; i + 160 <= pcm.length; i += 160)
    packets.push(encoder.encode(pcm.subarray(i, i + 160))!.slice());
  return packets;
}

/** What a voice of espeak-ng says, at 8000 samples a second; `undefined`: it is not installed. */
export function spoken(text: string, voice: string, pitch: number): Int16Array | undefined {
  let wav: Buffer;
  try {
    wav = execFileSync('espeak-ng', ['-v', voice, '-p', String(pitch), '--stdout', text], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
  const pcm = new Int16Array(Uint8Array.from(wav.subarray(44, wav.length & ~1)).buffer);
  const resampler = new Resampler(wav.readUInt32LE(24), 8000);
  const frame = new Int16Array(160);
  const out: number[] = [];
  let at = 0;
  const input = (into: Int16Array): number => {
    const some = pcm.subarray(at, at + into.length);
    into.set(some);
    at += some.length;
    return some.length;
  };
  while (resampler.pull(frame, input) === 1) out.push(...frame);
  return Int16Array.from(out);
}

/** Two vowels a second and a half of harmonics that glide, with pauses between words: speech for who has no voice. */
export function babbled(seconds: number, base: number): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: seconds * 8000 }, (_, i) => {
    const t = i / 8000;
    const word = t % 0.7;
    if (word > 0.5) return 0;
    const f0 = base * (1 + 0.15 * Math.sin(2 * Math.PI * 1.7 * t) + 0.1 * Math.sin(2 * Math.PI * 5.1 * t));
    phase += (2 * Math.PI * f0) / 8000;
    const formant = 500 + 350 * Math.sin(2 * Math.PI * 0.9 * t);
    let sum = 0;
    for (let k = 1; k * f0 < 3400; k++) {
      const near =
        Math.exp(-(((k * f0 - formant) / 250) ** 2)) + 0.4 * Math.exp(-(((k * f0 - 1500) / 350) ** 2));
      sum += (near + 0.03) * Math.sin(k * phase);
    }
    return Math.round(6000 * Math.sin((Math.PI * word) / 0.5) * sum);
  });
}
