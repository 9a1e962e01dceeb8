/**
 * ITU-T G.722 at 64 kbit/s: two sub-bands of 4 kHz, each coded by adaptive differential PCM with backward adaptation.
 * At 16 kHz the quadrature mirror filters split and join the bands. At 8 kHz only the lower band is used, which is the
 * telephone band itself: towards G.711 no resampler runs.
 */

// Table 11/G.722: the 24 taps are symmetric; these are the twelve of one phase.
const QMF = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11];
// Quantisation and adaptation of the lower band (tables 14 to 17) and of the higher one (18 to 21).
const DECISION = [
  0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219,
  1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
];
const LEVELS_4 = [0, 20456, 12896, 8968, 6288, 4240, 2584, 1200];
const LEVELS_6 = [
  24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
  4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728,
];
const LEVELS_2 = [-7408, -1616, 7408, 1616];
const STEP_LOW = [-60, -30, 58, 172, 334, 538, 1198, 3042];
const STEP_LOW_INDEX = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0];
const STEP_HIGH = [0, -214, 798];
const STEP_HIGH_INDEX = [2, 1, 2, 1];
const LOGARITHM = Array.from({ length: 32 }, (_, i) => Math.round(2048 * 2 ** (i / 32)));

/** Six-bit code → reconstruction level: four codes that never occur, then negatives, positives, and the smallest four. */
const LEVEL_OF_6 = Int16Array.from({ length: 64 }, (_, code) => {
  if (code < 4) return -136;
  if (code < 32) return -LEVELS_6[code - 4]!;
  if (code < 60) return LEVELS_6[code - 32]!;
  return [432, 136, -432, -136][code - 60]!;
});
const LEVEL_OF_4 = Int16Array.from({ length: 16 }, (_, code) =>
  code === 0 || code === 15 ? 0 : code < 8 ? -LEVELS_4[code]! : LEVELS_4[code - 7]!,
);

const saturate = (value: number): number => (value > 32767 ? 32767 : value < -32768 ? -32768 : value);
const clamp = (value: number, limit: number): number =>
  value > limit ? limit : value < -limit ? -limit : value;

/** The adaptive predictor and step size of one band: two poles, six zeros (§3.6). */
class Band {
  predicted = 0;
  step: number;
  readonly #shift: number;
  readonly #limit: number;
  #log = 0;
  #zeroPart = 0;
  readonly #difference = new Int32Array(7);
  readonly #zeros = new Int32Array(7);
  #pole1 = 0;
  #pole2 = 0;
  #signal1 = 0;
  #signal2 = 0;
  #partial1 = 0;
  #partial2 = 0;

  constructor(step: number, shift: number, limit: number) {
    this.step = step;
    this.#shift = shift;
    this.#limit = limit;
  }

  /** Becomes what `other` is. */
  copy(other: Band): void {
    this.predicted = other.predicted;
    this.step = other.step;
    this.#log = other.#log;
    this.#zeroPart = other.#zeroPart;
    this.#signal1 = other.#signal1;
    this.#signal2 = other.#signal2;
    this.#partial1 = other.#partial1;
    this.#partial2 = other.#partial2;
    this.#pole1 = other.#pole1;
    this.#pole2 = other.#pole2;
    this.#difference.set(other.#difference);
    this.#zeros.set(other.#zeros);
  }

  /** The next step size, from the logarithmic increment that the code stands for. */
  adapt(increment: number): void {
    this.#log = Math.min(this.#limit, Math.max(0, ((this.#log * 127) >> 7) + increment));
    const mantissa = LOGARITHM[(this.#log >> 6) & 31]!;
    const shift = this.#shift - (this.#log >> 11);
    this.step = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** Takes the quantised difference into the predictor. */
  update(difference: number): void {
    const signal = saturate(this.predicted + difference);
    const partial = saturate(this.#zeroPart + difference);
    const same1 = partial >> 15 === this.#partial1 >> 15;
    const same2 = partial >> 15 === this.#partial2 >> 15;

    const lean = saturate(this.#pole1 << 2);
    const turned = same1 ? Math.min(32767, -lean) : lean;
    const pole2 = clamp((same2 ? 128 : -128) + (turned >> 7) + ((this.#pole2 * 32512) >> 15), 12288);
    const pole1 = clamp(
      saturate((same1 ? 192 : -192) + ((this.#pole1 * 32640) >> 15)),
      saturate(15360 - pole2),
    );

    const d = this.#difference;
    const b = this.#zeros;
    d[0] = difference;
    const gain = difference === 0 ? 0 : 128;
    let zeroPart = 0;
    for (let i = 6; i > 0; i--) {
      const agree = d[i]! >> 15 === difference >> 15;
      b[i] = saturate((agree ? gain : -gain) + ((b[i]! * 32640) >> 15));
      d[i] = d[i - 1]!;
      zeroPart += (b[i]! * saturate(2 * d[i]!)) >> 15;
    }
    this.#zeroPart = saturate(zeroPart);
    this.#signal2 = this.#signal1;
    this.#signal1 = signal;
    this.#partial2 = this.#partial1;
    this.#partial1 = partial;
    this.#pole1 = pole1;
    this.#pole2 = pole2;
    const poles =
      ((pole1 * saturate(2 * this.#signal1)) >> 15) + ((pole2 * saturate(2 * this.#signal2)) >> 15);
    this.predicted = saturate(saturate(poles) + this.#zeroPart);
  }
}

const lowBand = (): Band => new Band(32, 8, 18432);
const highBand = (): Band => new Band(8, 10, 22528);

function takeLow(band: Band, code: number): void {
  const four = code >> 2;
  const difference = (band.step * LEVEL_OF_4[four]!) >> 15;
  band.adapt(STEP_LOW[STEP_LOW_INDEX[four]!]!);
  band.update(difference);
}

function takeHigh(band: Band, code: number): number {
  const difference = (band.step * LEVELS_2[code]!) >> 15;
  band.adapt(STEP_HIGH[STEP_HIGH_INDEX[code]!]!);
  const signal = clampBand(difference + band.predicted);
  band.update(difference);
  return signal;
}

const clampBand = (value: number): number => (value > 16383 ? 16383 : value < -16384 ? -16384 : value);

export class G722Encoder {
  readonly #low = lowBand();
  readonly #high = highBand();
  readonly #history = new Int32Array(24);

  /** Goes on where `other` is: who has heard that one hears no seam. */
  follow(other: G722Encoder): void {
    this.#low.copy(other.#low);
    this.#high.copy(other.#high);
    this.#history.set(other.#history);
  }

  /** PCM at 16 kHz (an even number of samples) or 8 kHz → one octet per 125 µs. */
  encode(pcm: Int16Array, rate: 8000 | 16000): Uint8Array {
    const octets = rate === 16000 ? pcm.length >> 1 : pcm.length;
    const out = new Uint8Array(octets);
    const x = this.#history;
    for (let i = 0; i < octets; i++) {
      let low: number;
      let high = 0;
      if (rate === 8000) low = pcm[i]! >> 1;
      else {
        x.copyWithin(0, 2);
        x[22] = pcm[2 * i]!;
        x[23] = pcm[2 * i + 1]!;
        let even = 0;
        let odd = 0;
        for (let k = 0; k < 12; k++) {
          odd += x[2 * k]! * QMF[k]!;
          even += x[2 * k + 1]! * QMF[11 - k]!;
        }
        low = (even + odd) >> 14;
        high = (even - odd) >> 14;
      }
      out[i] = (this.#encodeHigh(high) << 6) | this.#encodeLow(low);
    }
    return out;
  }

  #encodeLow(sample: number): number {
    const band = this.#low;
    const error = saturate(sample - band.predicted);
    const size = error >= 0 ? error : -(error + 1);
    let level = 1;
    while (level < 30 && size >= (DECISION[level]! * band.step) >> 12) level++;
    // Table 17: the code words run downwards from the largest; the two smallest negatives lie at the end.
    const code = error >= 0 ? 62 - level : level < 3 ? 64 - level : 34 - level;
    takeLow(band, code);
    return code;
  }

  #encodeHigh(sample: number): number {
    const band = this.#high;
    const error = saturate(sample - band.predicted);
    const size = error >= 0 ? error : -(error + 1);
    const large = size >= (564 * band.step) >> 12;
    const code = error < 0 ? (large ? 0 : 1) : large ? 2 : 3;
    takeHigh(band, code);
    return code;
  }
}

export class G722Decoder {
  readonly #low = lowBand();
  readonly #high = highBand();
  readonly #history = new Int32Array(24);

  decode(octets: Uint8Array, rate: 8000 | 16000): Int16Array {
    const out = new Int16Array(rate === 16000 ? octets.length * 2 : octets.length);
    const x = this.#history;
    for (let i = 0; i < octets.length; i++) {
      const code = octets[i]!;
      const low = this.#low;
      const lower = clampBand(low.predicted + ((low.step * LEVEL_OF_6[code & 63]!) >> 15));
      takeLow(low, code & 63);
      const higher = takeHigh(this.#high, code >> 6);
      if (rate === 8000) {
        out[i] = saturate(lower << 1);
        continue;
      }
      x.copyWithin(0, 2);
      x[22] = lower + higher;
      x[23] = lower - higher;
      let first = 0;
      let second = 0;
      for (let k = 0; k < 12; k++) {
        second += x[2 * k]! * QMF[k]!;
        first += x[2 * k + 1]! * QMF[11 - k]!;
      }
      out[2 * i] = saturate(first >> 11);
      out[2 * i + 1] = saturate(second >> 11);
    }
    return out;
  }
}
