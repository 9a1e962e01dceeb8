import type { Baresip } from '../src/baresip.ts';
import type { RtpPeer } from '../src/rtp-peer.ts';
import type { TestPage } from '../src/test-page.ts';
import { measureTone, NO_TONE, type Tone } from '../src/tone.ts';
import { until } from '../src/wait.ts';

/** How much of what was heard last counts. */
const WINDOW_MS = 700;
/** Of an RTP peer: so many frames in the window, or it hears nothing. */
const FEWEST_FRAMES = 25;
/** Silence may be a sound that has not begun: it must last. */
const SILENT_MS = 1_000;

/** One party of a conversation: what it says, and what it hears now. */
export interface Ear {
  readonly name: string;
  /** From which purity on it hears one tone alone. */
  readonly clean: number;
  hears(): Promise<Tone>;
}

const CLEAN = 0.9;

export const pageEar = (name: string, page: TestPage): Ear => ({
  name,
  clean: CLEAN,
  hears: () => page.tone(),
});
/** Its recording has breaks where the machine is busy; half of another voice would still be found. */
export const baresipEar = (name: string, phone: Baresip): Ear => ({
  name,
  clean: 0.75,
  hears: async () => phone.tone(),
});

/** Listens to an RTP peer by the time of arrival: a stream that has stopped is silence. */
export function rtpEar(name: string, rtp: RtpPeer): Ear {
  const { ear, push } = pcmEar(name, rtp.rate);
  rtp.onSound = push;
  return ear;
}

/** The same, of any frames of 20 ms. */
export function pcmEar(
  name: string,
  rate: number,
): { readonly ear: Ear; readonly push: (pcm: Int16Array) => void } {
  let frames: { readonly at: number; readonly pcm: Int16Array }[] = [];
  const push = (pcm: Int16Array): void => {
    const at = performance.now();
    frames.push({ at, pcm });
    if (frames.length > 500) frames = frames.slice(-100);
  };
  const ear: Ear = {
    name,
    clean: CLEAN,
    hears: async () => {
      const since = performance.now() - WINDOW_MS;
      const heard = frames.filter(({ at }) => at >= since).map(({ pcm }) => pcm);
      if (heard.length < FEWEST_FRAMES) return NO_TONE;
      const sound = new Int16Array(heard.reduce((sum, pcm) => sum + pcm.length, 0));
      let at = 0;
      for (const pcm of heard) {
        sound.set(pcm, at);
        at += pcm.length;
      }
      return measureTone(sound, rate);
    },
  };
  return { ear, push };
}

/** A frequency, several at once and no other, `null` for silence, or `sound`: speech or music, and no clean tone. */
export type Heard = number | readonly number[] | null | 'sound';

/** How much of a mixture must be what is wanted. */
const WANTED_SHARE = 0.8;

function fits(tone: Tone, wanted: Heard, clean: number): boolean {
  if (wanted === null) return tone.level < 0.005;
  if (wanted === 'sound') return tone.level > 0.01 && tone.purity < clean;
  if (typeof wanted !== 'number') return isMixture(tone, wanted);
  return isAt(tone.hz, wanted) && tone.level > 0.02 && tone.purity > clean;
}

const isAt = (hz: number, wanted: number): boolean => Math.abs(hz - wanted) <= wanted * 0.02;

function isMixture({ level, parts }: Tone, wanted: readonly number[]): boolean {
  const shares = wanted.map((hz) =>
    parts.filter((part) => isAt(part.hz, hz)).reduce((sum, { share }) => sum + share, 0),
  );
  const all = shares.reduce((sum, share) => sum + share, 0);
  const others = parts.filter(({ hz }) => !wanted.some((one) => isAt(hz, one)));
  return level > 0.02 && shares.every((share) => share > 0) && others.length === 0 && all > WANTED_SHARE;
}

/**
 * Waits until every party hears exactly what it should, all at the same time: one clean tone means that nobody else is heard, and silence
 * that nobody is.
 */
export async function hear(stage: string, wanted: readonly (readonly [Ear, Heard])[]): Promise<void> {
  let last: string[] = [];
  let since: number | undefined;
  const lasts = wanted.some(([, want]) => want === null) ? SILENT_MS : 0;
  await until(
    `the sounds of "${stage}"`,
    async () => {
      const tones = await Promise.all(wanted.map(([ear]) => ear.hears()));
      last = tones.map((tone, i) => {
        const [ear, want] = wanted[i]!;
        const parts = tone.parts.map(({ hz, share }) => `${Math.round(hz)}:${share.toFixed(2)}`).join(' ');
        const is = `${Math.round(tone.hz)} Hz (${parts}), level ${tone.level.toFixed(4)}, purity ${tone.purity.toFixed(2)}`;
        return `  ${fits(tone, want, ear.clean) ? 'right' : 'WRONG'}: ${ear.name} hears ${is}; should hear ${String(want)}`;
      });
      if (!tones.every((tone, i) => fits(tone, wanted[i]![1], wanted[i]![0].clean))) since = undefined;
      else since ??= performance.now();
      return since !== undefined && performance.now() - since >= lasts;
    },
    { limitMs: 20_000, everyMs: 150, detail: () => last.join('\n') },
  );
}
