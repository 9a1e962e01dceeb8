/**
 * Any whole sampling rate into any other: a Kaiser-windowed sinc, by a table of filters, one for each place that an output sample may
 * have between two input samples. Pulled: it asks for input when it needs some.
 */

/** Zero crossings of the sinc on each side: the pass band ends at about nine tenths of the narrower band. */
const CROSSINGS = 12;
/** Side lobes at about -70 dB. */
const BETA = 7;
/** So many places are told apart; rates that need more are rounded to them, an error at about -60 dB. */
const MOST_PHASES = 512;
/** Tables kept: more than the rates that are in use. */
const MOST_TABLES = 8;

interface Table {
  readonly phases: number;
  /** On each side. */
  readonly half: number;
  /** Filter after filter, of `2 * half` taps. */
  readonly taps: Float32Array;
}

const tables = new Map<string, Table>();

function tableFor(from: number, to: number): Table {
  const key = `${from} ${to}`;
  let table = tables.get(key);
  if (table === undefined) {
    if (tables.size >= MOST_TABLES) tables.delete(tables.keys().next().value!);
    table = makeTable(from, to);
    tables.set(key, table);
  }
  return table;
}

function makeTable(from: number, to: number): Table {
  const phases = Math.min(MOST_PHASES, to / gcd(from, to));
  const band = Math.min(1, to / from);
  const half = Math.ceil(CROSSINGS / band);
  const taps = new Float32Array(phases * 2 * half);
  for (let phase = 0; phase < phases; phase++) {
    const row = taps.subarray(phase * 2 * half, (phase + 1) * 2 * half);
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const x = i - half + 1 - phase / phases;
      row[i] = band * sinc(band * x) * kaiser(x / half);
      sum += row[i]!;
    }
    for (let i = 0; i < row.length; i++) row[i] = row[i]! / sum;
  }
  return { phases, half, taps };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const kaiser = (x: number): number =>
  Math.abs(x) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - x * x)) / bessel(BETA);

/** I0, by its series. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-9 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

const CHUNK = 1024;

/** Fills its argument from the start and returns how much; 0: the end; less: none now. */
export type PcmIn = (out: Int16Array) => number;

export class Resampler {
  /** How much of the frame being made is there. */
  filled = 0;
  readonly #table: Table;
  readonly #from: number;
  readonly #to: number;
  readonly #input = new Int16Array(CHUNK);
  /** Input samples, those that the next output sample needs first. */
  readonly #line: Float32Array;
  #have = 0;
  #at = 0;
  /** Where between two input samples the next output sample lies, in `to`ths. */
  #fraction = 0;
  /** Zeros that follow the end, so that the last samples leave the filter. */
  #tail = 0;

  /** Samples a second. */
  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#table = tableFor(from, to);
    this.#line = new Float32Array(2 * CHUNK + 2 * this.#table.half);
    this.reset();
  }

  /** The stream begins anew. */
  reset(): void {
    // Half a filter of silence before the beginning: the first sample out is the first sample in.
    this.#have = this.#table.half - 1;
    this.#line.fill(0, 0, this.#have);
    this.#at = 0;
    this.#fraction = 0;
    this.filled = 0;
    this.#tail = this.#table.half;
  }

  /**
   * Fills the rest of `out`, which is `filled` so far. Returns 1 when it is full, so that the next one is begun; 0 at the end; or what
   * `input` returned when there was none.
   */
  pull(out: Int16Array, input: PcmIn): number {
    const { half, phases, taps } = this.#table;
    const width = 2 * half;
    const line = this.#line;
    while (this.filled < out.length) {
      if (this.#have - this.#at < width) {
        const code = this.#more(input);
        if (code <= 0) return code;
        continue;
      }
      const row = Math.floor((this.#fraction * phases) / this.#to) * width;
      const first = this.#at;
      let sum = 0;
      for (let i = 0; i < width; i++) sum += taps[row + i]! * line[first + i]!;
      out[this.filled++] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : Math.round(sum);
      this.#fraction += this.#from;
      const whole = Math.floor(this.#fraction / this.#to);
      this.#at += whole;
      this.#fraction -= whole * this.#to;
    }
    this.filled = 0;
    return 1;
  }

  #more(input: PcmIn): number {
    const line = this.#line;
    if (this.#at >= this.#have) {
      this.#at -= this.#have;
      this.#have = 0;
    } else {
      line.copyWithin(0, this.#at, this.#have);
      this.#have -= this.#at;
      this.#at = 0;
    }
    const got = input(this.#input);
    if (got > 0) {
      for (let i = 0; i < got; i++) line[this.#have + i] = this.#input[i]!;
      this.#have += got;
    } else if (got === 0 && this.#tail > 0) {
      const zeros = this.#tail;
      this.#tail = 0;
      line.fill(0, this.#have, this.#have + zeros);
      this.#have += zeros;
      return zeros;
    }
    return got;
  }
}
