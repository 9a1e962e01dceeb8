import { LATE, type SoundPort, type SoundReader } from '../src/index.ts';

export interface FakeSound {
  readonly rate: number;
  readonly pcm: Int16Array;
}

/** Sound files in memory. */
export class FakeSounds implements SoundPort {
  readonly files = new Map<string, FakeSound>();
  /** Readers that are not closed. */
  live = 0;
  /** Files opened so far. */
  opened = 0;
  /** While set, nothing has been read yet. */
  late = false;
  /** The most samples that one read gives. */
  piece = 1000;
  /** While set, opening takes until it is released. */
  #held: (() => void)[] | undefined;

  hold(): void {
    this.#held = [];
  }

  release(): void {
    for (const go of this.#held ?? []) go();
    this.#held = undefined;
  }

  async open(file: string, fromMs: number): Promise<SoundReader | undefined> {
    const sound = this.files.get(file);
    if (this.#held !== undefined) await new Promise<void>((go) => this.#held!.push(go));
    if (sound === undefined) return undefined;
    this.live++;
    this.opened++;
    const { rate, pcm } = sound;
    let at = Math.floor((fromMs * rate) / 1000);
    let closed = false;
    return {
      rate,
      samples: pcm.length,
      read: (out) => {
        if (this.late) return LATE;
        const some = pcm.subarray(at, at + Math.min(out.length, this.piece));
        out.set(some);
        at += some.length;
        return some.length;
      },
      rewind: () => {
        at = 0;
      },
      close: () => {
        if (!closed) this.live--;
        closed = true;
      },
    };
  }
}

export function sine(hz: number, rate: number, ms: number, level = 0.3): Int16Array {
  return Int16Array.from({ length: Math.round((rate * ms) / 1000) }, (_, i) =>
    Math.round(32767 * level * Math.sin((2 * Math.PI * hz * i) / rate)),
  );
}

/** How much of the energy lies at `hz` (Goertzel); 0 in silence. */
export function share(pcm: Int16Array, rate: number, hz: number): number {
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let a = 0;
  let b = 0;
  let energy = 1;
  for (const s of pcm) {
    [a, b] = [s + k * a - b, a];
    energy += s * s;
  }
  return energy / (pcm.length || 1) < 100 ? 0 : (2 * (a * a + b * b - k * a * b)) / (pcm.length * energy);
}

export const join = (frames: readonly Int16Array[]): Int16Array =>
  Int16Array.from(frames.flatMap((frame) => [...frame]));
