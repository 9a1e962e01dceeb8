import type { RecordedWav } from './recorded-wav.ts';

/** Of one frame in which somebody is heard, in any channel; decibels below a sine of full scale. */
const HEARD_DB = -45;
const FRAME_MS = 20;
/** What stays of the silence before and behind. */
const MARGIN_MS = 200;

const FULL = 32767 ** 2 / 2;
const HEARD = FULL * 10 ** (HEARD_DB / 10);

/** Where the sound of a recording begins and ends; all of it when nobody is heard. */
export function soundOf(wav: RecordedWav): { readonly from: number; readonly to: number } {
  const { rate, channels, frames } = wav;
  const step = (rate * FRAME_MS) / 1000;
  let [first, last] = [-1, -1];
  let at = 0;
  for (const piece of wav.pieces(0, frames, step * 500)) {
    for (let i = 0; i < piece.length; i += step * channels) {
      if (isHeard(piece, i, Math.min(piece.length, i + step * channels), channels)) {
        if (first < 0) first = at + i / channels;
        last = at + i / channels + step;
      }
    }
    at += piece.length / channels;
  }
  if (first < 0) return { from: 0, to: frames };
  const margin = (rate * MARGIN_MS) / 1000;
  return { from: Math.max(0, first - margin), to: Math.min(frames, last + margin) };
}

function isHeard(samples: Int16Array, from: number, to: number, channels: number): boolean {
  for (let channel = 0; channel < channels; channel++) {
    let energy = 0;
    for (let i = from + channel; i < to; i += channels) energy += samples[i]! * samples[i]!;
    if (energy / Math.max(1, (to - from) / channels) > HEARD) return true;
  }
  return false;
}
