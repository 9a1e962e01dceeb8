import type { DtmfDetected } from '@sidetone/rtc';

/**
 * Digits in the sound (ITU-T Q.23, Q.24), for peers that do not tell them by RFC 4733. 8000 samples a second.
 *
 * Every 5 ms the last 20 ms are looked at: the strongest tone of each group, by correlation. It is a hit when the two are loud enough,
 * near to each other in level, nearly all of the sound, and each near to its frequency, which the turn of its phase since the window
 * before says far more exactly than 20 ms of spectrum could: speech seldom holds both for long.
 *
 *   nothing ──4 hits of one digit in a row──▶ sounding ──6 windows without, or 4 hits of another──▶ nothing (digit)
 *
 * A window that is three quarters tone may hit: a tone of 40 ms has 4 to 7 hits, one of 23 ms at most 3; a pause of 40 ms has about 9
 * windows without, an interruption of 10 ms at most 5.
 */

const RATE = 8000;
const TONES = [697, 770, 852, 941, 1209, 1336, 1477, 1633] as const;
const KEYS = '123A456B789C*0#D';
const STEP = 40;
/** Steps in a window. */
const STEPS = 4;
const WINDOW = STEP * STEPS;
const STEP_S = STEP / RATE;

const HITS_TO_BEGIN = 4;
const MISSES_TO_END = 6;
/** Mean square of the softest tone, relative to that of a sine of full scale: -38 dB; Q.24 asks for -25 dBm0, which is -28 dB. */
const SOFTEST = 32767 ** 2 / 2 / 10 ** 3.8;
/** How much louder the high group may seem, and the low one: Q.24 asks for 4 and 8 dB, and the softer tone is measured least well. */
const HIGH_OVER_LOW = 10 ** 0.8;
const LOW_OVER_HIGH = 10 ** 1.3;
/** How much of a window's energy the two tones are; and of two windows at least of those that begin a digit, which lie in it as a whole. */
const SHARE = 0.7;
const PURE = 0.85;
const PURE_TO_BEGIN = 2;
/** The next tone of the group is softer by this: 6 dB. */
const OTHERS = 4;
/** Q.24: what is 1.5 % off is to be taken, 3.5 % refused. */
const OFF = 0.026;

const COS = TONES.map((hz) =>
  Float64Array.from({ length: STEP }, (_, i) => Math.cos((2 * Math.PI * hz * i) / RATE)),
);
const SIN = TONES.map((hz) =>
  Float64Array.from({ length: STEP }, (_, i) => Math.sin((2 * Math.PI * hz * i) / RATE)),
);
/** How far the phase of each tone turns in a step: what makes its correlations of all steps agree. */
const TURN_COS = TONES.map((hz) => Math.cos(2 * Math.PI * hz * STEP_S));
const TURN_SIN = TONES.map((hz) => Math.sin(2 * Math.PI * hz * STEP_S));

export class ToneDigits {
  readonly #step = new Int16Array(STEP);
  #filled = 0;
  /** Of the last steps, a ring: energies, and the correlations with each tone. */
  readonly #energies = new Float64Array(STEPS);
  readonly #re = TONES.map(() => new Float64Array(STEPS));
  readonly #im = TONES.map(() => new Float64Array(STEPS));
  /** The phase of each tone's reference, turned on with every step. */
  readonly #phaseRe = new Float64Array(TONES.length).fill(1);
  readonly #phaseIm = new Float64Array(TONES.length);
  /** Of the window, and of the one before. */
  readonly #sumRe = new Float64Array(TONES.length);
  readonly #sumIm = new Float64Array(TONES.length);
  readonly #lastRe = new Float64Array(TONES.length);
  readonly #lastIm = new Float64Array(TONES.length);
  #at = 0;
  #hit = '';
  #hits = 0;
  #pure = 0;
  #isPure = false;
  #sounding = '';
  #heard = 0;
  #misses = 0;

  /** Takes any number of samples; `found` is called for each digit that is over. */
  push(pcm: Int16Array, found: (digit: DtmfDetected) => void): void {
    for (let i = 0; i < pcm.length; i++) {
      this.#step[this.#filled++] = pcm[i]!;
      if (this.#filled < STEP) continue;
      this.#filled = 0;
      this.#take();
      const over = this.#judge(this.#window());
      if (over !== undefined) found(over);
    }
  }

  /** The sound paused, or is not to be heard: a digit that sounded is over. */
  flush(): DtmfDetected | undefined {
    this.#filled = 0;
    this.#energies.fill(0);
    for (const ring of [...this.#re, ...this.#im]) ring.fill(0);
    this.#hits = 0;
    this.#hit = '';
    return this.#end();
  }

  #take(): void {
    const at = this.#at;
    this.#at = (at + 1) % STEPS;
    const step = this.#step;
    let energy = 0;
    for (let i = 0; i < STEP; i++) energy += step[i]! * step[i]!;
    this.#energies[at] = energy;
    for (let t = 0; t < TONES.length; t++) {
      const [cos, sin] = [COS[t]!, SIN[t]!];
      let re = 0;
      let im = 0;
      for (let i = 0; i < STEP; i++) {
        re += step[i]! * cos[i]!;
        im -= step[i]! * sin[i]!;
      }
      const [phaseRe, phaseIm] = [this.#phaseRe[t]!, this.#phaseIm[t]!];
      this.#re[t]![at] = re * phaseRe - im * phaseIm;
      this.#im[t]![at] = re * phaseIm + im * phaseRe;
      const turned = phaseRe * TURN_COS[t]! + phaseIm * TURN_SIN[t]!;
      const turnedIm = phaseIm * TURN_COS[t]! - phaseRe * TURN_SIN[t]!;
      const length = Math.hypot(turned, turnedIm);
      this.#phaseRe[t] = turned / length;
      this.#phaseIm[t] = turnedIm / length;
    }
  }

  /** The digit of the last 20 ms; '' for none. */
  #window(): string {
    let energy = 0;
    for (let i = 0; i < STEPS; i++) energy += this.#energies[i]!;
    for (let t = 0; t < TONES.length; t++) {
      this.#lastRe[t] = this.#sumRe[t]!;
      this.#lastIm[t] = this.#sumIm[t]!;
      let re = 0;
      let im = 0;
      for (let i = 0; i < STEPS; i++) {
        re += this.#re[t]![i]!;
        im += this.#im[t]![i]!;
      }
      this.#sumRe[t] = re;
      this.#sumIm[t] = im;
    }
    if (energy < 2 * SOFTEST * WINDOW * SHARE) return '';
    const low = this.#strongest(0);
    const high = this.#strongest(4);
    if (low < 0 || high < 0) return '';
    const lowPower = this.#power(low);
    const highPower = this.#power(high);
    if (lowPower < SOFTEST || highPower < SOFTEST) return '';
    if (highPower > lowPower * HIGH_OVER_LOW || lowPower > highPower * LOW_OVER_HIGH) return '';
    const share = ((lowPower + highPower) * WINDOW) / energy;
    if (share < SHARE) return '';
    this.#isPure = share >= PURE;
    return KEYS[4 * low + high - 4]!;
  }

  #square(t: number): number {
    return this.#sumRe[t]! ** 2 + this.#sumIm[t]! ** 2;
  }

  /** The tone of a group that stands out; -1: none does. */
  #strongest(first: number): number {
    let best = first;
    let next = 0;
    for (let t = first + 1; t < first + 4; t++) {
      if (this.#square(t) > this.#square(best)) {
        next = this.#square(best);
        best = t;
      } else next = Math.max(next, this.#square(t));
    }
    return this.#square(best) >= OTHERS * next ? best : -1;
  }

  /** Mean square of a tone, as if it were right at its frequency; 0 when it is too far off. */
  #power(t: number): number {
    const re = this.#sumRe[t]! * this.#lastRe[t]! + this.#sumIm[t]! * this.#lastIm[t]!;
    const im = this.#sumIm[t]! * this.#lastRe[t]! - this.#sumRe[t]! * this.#lastIm[t]!;
    const offHz = Math.atan2(im, re) / (2 * Math.PI * STEP_S);
    if (Math.abs(offHz) > OFF * TONES[t]!) return 0;
    const x = (Math.PI * offHz * WINDOW) / RATE;
    const loss = x === 0 ? 1 : Math.sin(x) / x;
    return (2 * this.#square(t)) / (WINDOW * WINDOW * loss * loss);
  }

  #judge(digit: string): DtmfDetected | undefined {
    if (digit !== this.#hit || digit === '') {
      this.#hits = 0;
      this.#pure = 0;
    }
    if (digit !== '') this.#hits++;
    if (digit !== '' && this.#isPure) this.#pure++;
    this.#hit = digit;
    if (this.#sounding !== '' && digit === this.#sounding) {
      this.#heard += this.#misses + 1;
      this.#misses = 0;
      return undefined;
    }
    if (this.#hits >= HITS_TO_BEGIN && this.#pure >= PURE_TO_BEGIN) {
      const over = this.#end();
      this.#sounding = digit;
      this.#heard = this.#hits;
      return over;
    }
    if (this.#sounding !== '' && ++this.#misses >= MISSES_TO_END) return this.#end();
    return undefined;
  }

  #end(): DtmfDetected | undefined {
    const digit = this.#sounding;
    this.#sounding = '';
    this.#misses = 0;
    // Windows that hit overlap the tone by a quarter more on each side.
    return digit === '' ? undefined : { digit, durationMs: 5 * this.#heard + 5 };
  }
}
