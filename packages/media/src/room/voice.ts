import type { PcmRate } from '../codec.ts';
import { FrameResampler } from '../frame-resampler.ts';

interface View {
  readonly resampler: FrameResampler;
  /** The tick that it was last asked in. */
  tick: number;
  frame: Int16Array;
}

let voices = 0;

/** What sounds in a room: a member, a file, a beep. Its sound of a tick is set once, and asked for at the rates of those who hear it. */
export class Voice {
  /** Another one for each voice of the process. */
  readonly id = ++voices;
  /** How loud it is at the beginning and at the end of the tick: 0 or 1. */
  from = 0;
  to = 0;
  #tick = -1;
  #rate: PcmRate = 8000;
  #frame: Int16Array | undefined;
  readonly #views = new Map<PcmRate, View>();

  /** Its sound of `tick`, which may be changed and must stay until the next. */
  sound(frame: Int16Array | undefined, rate: PcmRate, tick: number): void {
    this.#tick = tick;
    this.#frame = frame;
    if (frame === undefined) return;
    if (rate !== this.#rate) this.#views.clear();
    this.#rate = rate;
  }

  /** Fades in or out, as `from` and `to` say. */
  fade(from: number, to: number): void {
    this.from = from;
    this.to = to;
    const frame = this.#frame;
    if (frame === undefined || from === to) return;
    for (let i = 0; i < frame.length; i++) frame[i] = Math.round(frame[i]! * fading(i, frame.length, from));
  }

  /** Its sound of `tick` at `rate`; `undefined`: it has none. */
  at(rate: PcmRate, tick: number): Int16Array | undefined {
    const frame = this.#frame;
    if (frame === undefined || tick !== this.#tick) return undefined;
    if (rate === this.#rate) return frame;
    let view = this.#views.get(rate);
    if (view === undefined) {
      view = { resampler: new FrameResampler(this.#rate, rate), tick: -1, frame };
      this.#views.set(rate, view);
    }
    if (view.tick === tick) return view.frame;
    if (view.tick !== tick - 1) view.resampler.reset();
    view.tick = tick;
    view.frame = view.resampler.push(frame);
    return view.frame;
  }
}

/** The gain of sample `i` of a frame of `length`: in within 5 ms, out over all of it. */
export const fading = (i: number, length: number, from: number): number =>
  from === 0 ? Math.min(1, (4 * i) / length) : 1 - (i + 1) / length;
