import type { Ms } from '@sidetone/core';

/** What a peer sounds like. */
export type Sounding = 'speech' | 'silence' | 'beep';

/**
 * Tells speech from silence by energy over a floor that follows the noise, and a beep by its being one tone. 8000 samples a second, looked
 * at 10 ms by 10 ms.
 *
 *   (unknown) ─┬─ 200 ms below the threshold ─▶ silence      as of their beginning
 *              ├─ 40 of 60 ms above it ───────▶ speech       as of their beginning; not while it may still become a beep
 *              └─ 150 ms of one steady tone of 400 to 2000 Hz ▶ beep, once for each
 */

const BLOCK = 80;
const BLOCK_MS = 10;
/** Blocks. */
const SILENCE_AFTER = 20;
const SPEECH_AFTER = 4;
const SPEECH_WITHIN = 6;
/** So many whole blocks lie in any 150 ms. */
const BEEP_AFTER = 14;
/** A tone that has lasted for so long may become a beep: it is no speech yet. */
const MAYBE_BEEP = 2;
/** Decibels below a sine of full scale. */
const OVER_FLOOR_DB = 9;
const LOWEST_THRESHOLD_DB = -50;
const HIGHEST_THRESHOLD_DB = -28;
const FIRST_FLOOR_DB = -65;
/** The floor is the softest 50 ms of the last second and a half: speech has such pauses, noise is as loud as its softest. */
const SMOOTH = 5;
const FLOOR_PART = 25;
const FLOOR_PARTS = 6;

const LOWEST_HZ = 400;
const HIGHEST_HZ = 2000;
/** How much of a block's energy the tone is. */
const PURE = 0.85;
/** Between blocks. */
const STEADY_HZ = 30;
const STEADY_DB = 4;
const SOFTEST_BEEP_DB = -45;

const FULL = 32767 ** 2 / 2;

export class SoundWatch {
  readonly #block = new Int16Array(BLOCK);
  readonly #told: (what: Sounding, at: Ms) => void;
  #filled = 0;
  #state: Sounding | undefined;
  /** Of the last blocks: above the threshold? The lowest bit is the newest. */
  #above = 0;
  #quiet = 0;
  #quietSince: Ms = 0;
  #tone = 0;
  #toneHz = 0;
  #toneDb = 0;
  #beeped = false;
  readonly #recent = new Float64Array(SMOOTH).fill(FIRST_FLOOR_DB);
  readonly #floors = new Float64Array(FLOOR_PARTS).fill(FIRST_FLOOR_DB);
  #part = Number.POSITIVE_INFINITY;
  #blocks = 0;

  /** `told` hears what the sound is from `at` on, when it changes. */
  constructor(told: (what: Sounding, at: Ms) => void) {
    this.#told = told;
  }

  /** Takes samples, the last of which came at `now`. */
  push(pcm: Int16Array, now: Ms): void {
    for (let i = 0; i < pcm.length; i++) {
      this.#block[this.#filled++] = pcm[i]!;
      if (this.#filled < BLOCK) continue;
      this.#filled = 0;
      this.#take(now - ((pcm.length - 1 - i) * 1000) / 8000 - BLOCK_MS);
    }
  }

  /** Nothing came any more since `since`: that is silence, too. */
  nothing(since: Ms): void {
    this.#filled = 0;
    this.#above = 0;
    this.#tone = 0;
    this.#change('silence', since);
  }

  /** `at`: when the block began. */
  #take(at: Ms): void {
    const db = decibels(energyOf(this.#block) / BLOCK);
    const isAbove = db > this.#threshold(db);
    this.#above = ((this.#above << 1) | (isAbove ? 1 : 0)) & ((1 << SPEECH_WITHIN) - 1);
    if (isAbove) this.#quiet = 0;
    else if (this.#quiet++ === 0) this.#quietSince = at;
    this.#follow(db);
    if (this.#tone >= BEEP_AFTER) {
      // Nothing of a beep is speech, or silence.
      this.#above = 0;
      this.#quiet = 0;
      if (!this.#beeped) {
        this.#beeped = true;
        this.#state = undefined;
        this.#change('beep', at - (this.#tone - 1) * BLOCK_MS);
      }
      return;
    }
    if (this.#quiet >= SILENCE_AFTER) return this.#change('silence', this.#quietSince);
    if (this.#tone > MAYBE_BEEP || this.#state === 'speech' || countBits(this.#above) < SPEECH_AFTER) return;
    this.#change('speech', at - Math.floor(Math.log2(this.#above)) * BLOCK_MS);
  }

  #change(what: Sounding, at: Ms): void {
    if (this.#state === what) return;
    this.#state = what;
    this.#told(what, at);
  }

  #threshold(db: number): number {
    const recent = this.#recent;
    recent[this.#blocks % SMOOTH] = db;
    let sum = 0;
    let floor = Number.POSITIVE_INFINITY;
    for (let i = 0; i < SMOOTH; i++) sum += recent[i]!;
    for (let i = 0; i < FLOOR_PARTS; i++) floor = Math.min(floor, this.#floors[i]!);
    // A tone is no noise.
    if (this.#tone <= MAYBE_BEEP) this.#part = Math.min(this.#part, sum / SMOOTH);
    if (++this.#blocks % FLOOR_PART === 0) {
      if (Number.isFinite(this.#part)) this.#floors[(this.#blocks / FLOOR_PART) % FLOOR_PARTS] = this.#part;
      this.#part = Number.POSITIVE_INFINITY;
    }
    return Math.min(HIGHEST_THRESHOLD_DB, Math.max(LOWEST_THRESHOLD_DB, floor + OVER_FLOOR_DB));
  }

  /** For how long one tone has been all that is heard. */
  #follow(db: number): void {
    const hz = db < SOFTEST_BEEP_DB ? undefined : toneOf(this.#block);
    const goesOn =
      hz !== undefined &&
      Math.abs(hz - this.#toneHz) <= STEADY_HZ &&
      Math.abs(db - this.#toneDb) <= STEADY_DB;
    if (goesOn) this.#tone++;
    else {
      this.#tone = hz === undefined ? 0 : 1;
      this.#beeped = false;
    }
    this.#toneHz = hz ?? 0;
    this.#toneDb = db;
  }
}

const decibels = (meanSquare: number): number => 10 * Math.log10(meanSquare / FULL + 1e-10);

function energyOf(block: Int16Array): number {
  let energy = 0;
  for (let i = 0; i < block.length; i++) energy += block[i]! * block[i]!;
  return energy;
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** The frequency of the one tone that a block is; `undefined`: it is no such thing. */
function toneOf(block: Int16Array): number | undefined {
  // Pisarenko's method: of one sine in white noise, the autocorrelations at one and two samples say the frequency.
  let r1 = 0;
  let r2 = 0;
  for (let i = 2; i < block.length; i++) {
    r1 += block[i]! * block[i - 1]!;
    r2 += block[i]! * block[i - 2]!;
  }
  if (r1 <= 0 && r2 >= 0) return undefined;
  const root = Math.sqrt(r2 * r2 + 8 * r1 * r1);
  const cosine = r2 < 0 ? (2 * r1) / (root - r2) : (r2 + root) / (4 * r1);
  if (cosine >= 1) return undefined;
  const turn = Math.acos(cosine);
  const hz = (turn * 8000) / (2 * Math.PI);
  if (hz < LOWEST_HZ - STEADY_HZ || hz > HIGHEST_HZ + STEADY_HZ) return undefined;
  return share(block, turn) >= PURE ? hz : undefined;
}

/** How much of a block's energy its best fit by a sine of that turn a sample is. */
function share(block: Int16Array, turn: number): number {
  let [xc, xs, cc, ss, cs, energy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < block.length; i++) {
    const [x, c, s] = [block[i]!, Math.cos(turn * i), Math.sin(turn * i)];
    xc += x * c;
    xs += x * s;
    cc += c * c;
    ss += s * s;
    cs += c * s;
    energy += x * x;
  }
  const determinant = cc * ss - cs * cs;
  if (energy === 0 || determinant <= 0) return 0;
  return (xc * xc * ss - 2 * xc * xs * cs + xs * xs * cc) / determinant / energy;
}
