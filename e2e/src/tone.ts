/**
 * Which tone is in a piece of sound, and how pure it is. Independent of the product's code, so that both ends of a
 * measurement never share a mistake.
 */

export interface Tone {
  /** The strongest frequency in hertz, interpolated between bins; 0 in silence. */
  readonly hz: number;
  /** Root mean square of the whole piece, 1 = full scale. */
  readonly level: number;
  /** The part of the energy that lies within ±4 bins of the peak: near 1 for one clean tone. */
  readonly purity: number;
  /** What is in it: each frequency with its part of the energy, the strongest first. */
  readonly parts: readonly TonePart[];
}

export interface TonePart {
  readonly hz: number;
  readonly share: number;
}

export const NO_TONE: Tone = { hz: 0, level: 0, purity: 0, parts: [] };

/** Below this level a piece counts as silence (about -60 dBFS). */
export const SILENCE_LEVEL = 0.001;

/** In-place radix-2 Fourier transform; the length is a power of two. */
function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let span = 2; span <= n; span *= 2) {
    const angle = (-2 * Math.PI) / span;
    for (let start = 0; start < n; start += span) {
      for (let k = 0; k < span / 2; k++) {
        const c = Math.cos(angle * k);
        const s = Math.sin(angle * k);
        const a = start + k;
        const b = a + span / 2;
        const tr = re[b]! * c - im[b]! * s;
        const ti = re[b]! * s + im[b]! * c;
        re[b] = re[a]! - tr;
        im[b] = im[a]! - ti;
        re[a] = re[a]! + tr;
        im[a] = im[a]! + ti;
      }
    }
  }
}

/** Measures up to 32,768 samples from the end of `samples` (16-bit or float PCM, one channel). */
export function measureTone(samples: Int16Array | Float32Array, rate: number): Tone {
  const scale = samples instanceof Int16Array ? 1 / 32768 : 1;
  let size = 256;
  while (size * 2 <= Math.min(samples.length, 32_768)) size *= 2;
  const from = Math.max(0, samples.length - size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  let squares = 0;
  let mean = 0;
  for (let i = 0; i < size; i++) mean += (samples[from + i] ?? 0) * scale;
  mean /= size;
  for (let i = 0; i < size; i++) {
    const value = (samples[from + i] ?? 0) * scale - mean;
    squares += value * value;
    re[i] = value * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (size - 1)));
  }
  const level = Math.sqrt(squares / size);
  if (level < SILENCE_LEVEL) return { ...NO_TONE, level };
  transform(re, im);
  const power = new Float64Array(size / 2);
  let total = 0;
  let peak = 1;
  for (let i = 1; i < size / 2; i++) {
    power[i] = re[i]! * re[i]! + im[i]! * im[i]!;
    total += power[i]!;
    if (power[i]! > power[peak]!) peak = i;
  }
  // A parabola through the logarithms of the three bins around the peak finds the top between them.
  const log = (i: number): number => Math.log((power[i] ?? 0) + 1e-30);
  const [left, top, right] = [log(peak - 1), log(peak), log(peak + 1)];
  const bend = left - 2 * top + right;
  const shift = bend === 0 ? 0 : (0.5 * (left - right)) / bend;
  let near = 0;
  for (let i = Math.max(1, peak - 4); i <= Math.min(size / 2 - 1, peak + 4); i++) near += power[i]!;
  const hz = ((peak + shift) * rate) / size;
  return { hz, level, purity: near / total, parts: partsOf(power, total, rate / size) };
}

/** Below this part of the energy it is no voice, but what a codec adds. */
const LEAST_SHARE = 0.04;
const MOST_PARTS = 8;

/** The tones of a mixture, one peak with its neighbours after the other. */
function partsOf(power: Float64Array, total: number, binHz: number): readonly TonePart[] {
  const left = power.slice();
  const parts: TonePart[] = [];
  while (parts.length < MOST_PARTS) {
    let peak = 1;
    for (let i = 1; i < left.length; i++) if (left[i]! > left[peak]!) peak = i;
    let near = 0;
    for (let i = Math.max(1, peak - 4); i <= Math.min(left.length - 1, peak + 4); i++) {
      near += left[i]!;
      left[i] = 0;
    }
    if (near / total < LEAST_SHARE) break;
    parts.push({ hz: peak * binHz, share: near / total });
  }
  return parts;
}

/** True when the tone is there: within 2 % of `hz`, and loud enough to be it. */
export const isTone = (tone: Tone, hz: number, minimumLevel = 0.02): boolean =>
  tone.level >= minimumLevel && Math.abs(tone.hz - hz) <= hz * 0.02;

/** The share of energy at `hz` in one block (Goertzel), 1 for a pure tone, 0 when it is absent. */
export function toneShare(samples: Int16Array, rate: number, hz: number): number {
  const w = (2 * Math.PI * hz) / rate;
  const factor = 2 * Math.cos(w);
  let a = 0;
  let b = 0;
  let energy = 0;
  for (const sample of samples) {
    const next = sample + factor * a - b;
    b = a;
    a = next;
    energy += sample * sample;
  }
  if (energy === 0) return 0;
  const magnitude = a * a + b * b - factor * a * b;
  return Math.min(1, (2 * magnitude) / (samples.length * energy));
}

/** A sine, amplitude 0…1, as 16-bit samples starting at sample number `start`. */
export function sine(hz: number, rate: number, length: number, amplitude = 0.5, start = 0): Int16Array {
  const out = new Int16Array(length);
  for (let i = 0; i < length; i++)
    out[i] = Math.round(32767 * amplitude * Math.sin((2 * Math.PI * hz * (start + i)) / rate));
  return out;
}
