/**
 * Changes the rate of one channel, block by block: a low-pass of windowed sinc (Kaiser), evaluated at the fractions of a sample that the
 * two rates need. Cut-off at 0.92 of half the lower rate; what folds back lies 60 dB down.
 */

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 12;
const CUT_OFF = 0.92;
const BETA = 6;
/** Rates that need more fractions than this (odd ones, like 11,127 Hz) take the nearest. */
const MOST_PHASES = 1024;

export class Resampler {
  readonly #from: number;
  readonly #to: number;
  readonly #half: number;
  readonly #phases: number;
  /** By phase, `2 * half` weights. */
  readonly #weights: Float32Array;
  /** Input not used up yet; its first sample is that `half - 1` before the one that `#at` stands on. */
  #input: Float32Array;
  /** Where the next output sample lies in the input: whole samples, and `#rest / #to` of one. */
  #at = 0;
  #rest = 0;

  /** @param from samples a second that come in @param to that go out */
  constructor(from: number, to: number) {
    const divisor = gcd(from, to);
    this.#from = from / divisor;
    this.#to = to / divisor;
    const stretch = Math.max(1, from / to) / CUT_OFF;
    this.#half = Math.ceil(CROSSINGS * stretch);
    this.#phases = Math.min(this.#to, MOST_PHASES);
    this.#weights = weightsOf(this.#phases, this.#half, stretch);
    this.#input = new Float32Array(this.#half - 1);
  }

  /** What can be said so far. */
  push(block: Float32Array): Float32Array {
    const input = new Float32Array(this.#input.length + block.length);
    input.set(this.#input);
    input.set(block, this.#input.length);
    const taps = 2 * this.#half;
    const room = input.length - taps;
    const out = new Float32Array(Math.max(0, Math.ceil(((room + 1 - this.#at) * this.#to) / this.#from) + 1));
    const [weights, from, to, phases] = [this.#weights, this.#from, this.#to, this.#phases];
    let [n, at, rest] = [0, this.#at, this.#rest];
    for (; at <= room; n++) {
      const phase = Math.floor((rest * phases) / to) * taps;
      let sum = 0;
      for (let i = 0; i < taps; i++) sum += input[at + i]! * weights[phase + i]!;
      out[n] = sum;
      rest += from;
      at += Math.floor(rest / to);
      rest %= to;
    }
    this.#rest = rest;
    const used = Math.min(at, input.length);
    this.#input = input.subarray(used);
    this.#at = at - used;
    return out.subarray(0, n);
  }

  /** The end of it. */
  flush(): Float32Array {
    return this.push(new Float32Array(this.#half));
  }
}

function weightsOf(phases: number, half: number, stretch: number): Float32Array {
  const weights = new Float32Array(phases * 2 * half);
  const span = CROSSINGS * stretch;
  for (let phase = 0; phase < phases; phase++) {
    let sum = 0;
    const row = phase * 2 * half;
    for (let i = 0; i < 2 * half; i++) {
      const x = i - (half - 1) - phase / phases;
      const inside = 1 - (x / span) ** 2;
      const weight = inside <= 0 ? 0 : sinc(x / stretch) * bessel(BETA * Math.sqrt(inside));
      weights[row + i] = weight;
      sum += weight;
    }
    for (let i = 0; i < 2 * half; i++) weights[row + i]! /= sum;
  }
  return weights;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Modified Bessel function of the first kind, order zero, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; k < 30; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
