/**
 * Sounds that the engine makes itself, as pure functions of the frame number: nothing is recorded, so nothing is licensed.
 * One frame is 20 ms of mono 16-bit PCM.
 */

/** What can be played. `hz` is rounded to a whole number, so that a second is a seamless loop. */
export type Sound =
  | { readonly kind: 'tone'; readonly hz: number }
  | { readonly kind: 'music' }
  | { readonly kind: 'ringback' }
  /** Says that the line stands while nobody speaks (ITU-T G.711 Appendix II): noise at about -60 dBFS. */
  | { readonly kind: 'comfort' };

const TAU = 2 * Math.PI;
const FULL = 32767;

/** How many frames pass before the sound repeats. */
export function loopFrames(sound: Sound): number {
  switch (sound.kind) {
    case 'tone':
      return 50;
    case 'ringback':
      return 300;
    case 'comfort':
      return 100;
    case 'music':
      return (MUSIC_SECONDS * 1000) / 20;
  }
}

/** Renders frame `index` (0-based) of the sound's loop into `out`, whose length says the sample rate. */
export function render(sound: Sound, index: number, out: Int16Array): void {
  const rate = out.length * 50;
  const first = index * out.length;
  switch (sound.kind) {
    case 'tone':
      return sines(out, first, rate, 0.35, [Math.round(sound.hz)]);
    case 'ringback':
      // North American audible ringing: 440 + 480 Hz, two seconds on, four off.
      if (index % 300 < 100) return sines(out, first, rate, 0.1, [440, 480]);
      out.fill(0);
      return;
    case 'music':
      return music(out, first, rate);
    case 'comfort':
      return noise(out, first);
  }
}

function sines(out: Int16Array, first: number, rate: number, level: number, tones: readonly number[]): void {
  out.fill(0);
  for (const hz of tones) {
    // The phase starts again every second: whole frequencies loop without a click, and arguments stay small.
    const start = first % rate;
    for (let i = 0; i < out.length; i++) {
      out[i] = out[i]! + Math.round(level * FULL * Math.sin((TAU * hz * (start + i)) / rate));
    }
  }
}

const NOISE_PEAK = 64;

/** White noise, softened by the mean of neighbours: the same for the same sample, so that the loop has no seam of its own. */
function noise(out: Int16Array, first: number): void {
  let before = scatter(first - 1);
  for (let i = 0; i < out.length; i++) {
    const here = scatter(first + i);
    out[i] = Math.round((before + here) / 2);
    before = here;
  }
}

/** A whole number in [-NOISE_PEAK, NOISE_PEAK) that looks random for successive `n`. */
function scatter(n: number): number {
  let h = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (((h ^ (h >>> 16)) & 0x7f) - 64) * (NOISE_PEAK / 64);
}

/** The dual tones of ITU-T Q.23, rows and columns by digit. */
const DTMF_ROWS = [697, 770, 852, 941];
const DTMF_COLUMNS = [1209, 1336, 1477, 1633];
const DTMF_KEYS = '123A456B789C*0#D';

/** Renders DTMF `digit` from sample `first` of the digit on, for peers that negotiated no telephone-event. */
export function renderDigit(digit: string, first: number, out: Int16Array): void {
  const key = DTMF_KEYS.indexOf(digit);
  if (key < 0) {
    out.fill(0);
    return;
  }
  sines(out, first, out.length * 50, 0.2, [DTMF_ROWS[key >> 2]!, DTMF_COLUMNS[key & 3]!]);
}

// Music on hold: four slow chords, each broken into soft bell tones over a low note. Sixteen seconds, then again.
const MUSIC_SECONDS = 16;
const BEAT = 0.5;
const CHORDS: readonly (readonly number[])[] = [
  [48, 64, 67, 71, 74],
  [45, 60, 64, 67, 72],
  [41, 60, 65, 69, 76],
  [43, 59, 62, 67, 74],
];
const ORDER = [1, 2, 3, 4, 3, 2, 4, 3];
/** How long a bell is heard, in seconds. */
const DECAY = 3;

interface Note {
  readonly at: number;
  readonly hz: number;
  readonly level: number;
}

const pitch = (midi: number): number => 440 * 2 ** ((midi - 69) / 12);

const NOTES: readonly Note[] = CHORDS.flatMap((chord, bar) => [
  { at: bar * 8 * BEAT, hz: pitch(chord[0]!), level: 0.22 },
  ...ORDER.map((step, beat) => ({
    at: (bar * 8 + beat) * BEAT,
    hz: pitch(chord[step]!),
    level: beat % 4 === 0 ? 0.2 : 0.15,
  })),
]);

function music(out: Int16Array, first: number, rate: number): void {
  out.fill(0);
  const begin = (first / rate) % MUSIC_SECONDS;
  for (const note of NOTES) {
    let since = begin - note.at;
    if (since < -0.02) since += MUSIC_SECONDS;
    if (since > DECAY) continue;
    for (let i = 0; i < out.length; i++) {
      const t = since + i / rate;
      if (t < 0 || t > DECAY) continue;
      // A 15 ms attack keeps it free of clicks; the tail is faded to nothing where it is cut.
      const envelope = Math.min(1, t / 0.015) * Math.exp(-1.6 * t) * (1 - t / DECAY);
      const phase = TAU * note.hz * t;
      const bell = Math.sin(phase) + 0.28 * Math.sin(2 * phase) + 0.08 * Math.sin(3 * phase);
      out[i] = out[i]! + Math.round(note.level * FULL * envelope * bell);
    }
  }
}
