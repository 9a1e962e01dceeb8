import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { readMp3 } from '../sounds/decode/mp3.ts';
import { isMp3 } from '../sounds/decode/mp3-frames.ts';
import { Resampler } from '../sounds/decode/resample.ts';

/** The thread of `mp3-decoder.ts`. */

const RATE = 16_000;
const MOST_SAMPLES = 5 * 60 * RATE;

// Linux gives each thread a priority of its own: calls and packets come before sounds.
try {
  setPriority(0, 10);
} catch {}

function pcmOf(bytes: Uint8Array): Int16Array | null {
  if (!isMp3(bytes)) return null;
  const parts: Float32Array[] = [];
  let samples = 0;
  let resampler: { readonly from: number; readonly it: Resampler } | undefined;
  const append = (part: Float32Array): void => {
    samples += part.length;
    parts.push(part);
  };
  try {
    for (const block of readMp3(bytes)) {
      if (resampler !== undefined && resampler.from !== block.rate) {
        append(resampler.it.flush());
        resampler = undefined;
      }
      if (block.rate === RATE) append(block.samples);
      else {
        resampler ??= { from: block.rate, it: new Resampler(block.rate, RATE) };
        append(resampler.it.push(block.samples));
      }
      if (samples > MOST_SAMPLES) return null;
    }
  } catch {
    return null;
  }
  if (resampler !== undefined) append(resampler.it.flush());
  const pcm = new Int16Array(samples);
  let at = 0;
  for (const part of parts)
    for (let i = 0; i < part.length; i++)
      pcm[at++] = Math.max(-32_768, Math.min(32_767, Math.round(part[i]! * 32_768)));
  return pcm;
}

parentPort!.on('message', (bytes: Uint8Array) => {
  const pcm = pcmOf(bytes);
  parentPort!.postMessage(pcm, pcm === null ? [] : [pcm.buffer as ArrayBuffer]);
});
