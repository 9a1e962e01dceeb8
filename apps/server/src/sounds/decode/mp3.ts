import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { notAudio } from '../limits.ts';
import { type Block, floatsOf, RATES } from './block.ts';
import { wholeFrames } from './mp3-frames.ts';
import { mono } from './wav.ts';

/**
 * MPEG audio, layer III, by minimp3 as WebAssembly. The module imports nothing: whatever a hostile file makes of it stays in its own
 * memory, which is thrown away with the file. A decoder that goes round in circles is ended with its thread.
 */

/** What the module exports. Sizes in bytes, times in seconds. */
interface MiniMp3 {
  readonly memory: { readonly buffer: ArrayBuffer };
  decoder_init(): void;
  decoder_set_mp3_data_size(bytes: number): void;
  decoder_mp3_data_offset(): number;
  decoder_decode(seconds: number): void;
  decoder_pcm_data_offset(): number;
  decode_results_sampling_rate(): number;
  decode_results_num_channels(): number;
  /** Of all channels together. */
  decode_results_num_samples(): number;
}

/** Decoded in one go. */
const STEP_SECONDS = 5;
/** What we use of WebAssembly; the types of Node leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

let compiled: object | undefined;

function moduleOf(): object {
  const file = createRequire(import.meta.url).resolve('minimp3-wasm/dist/decoder.opt.wasm');
  compiled ??= new WebAssembly.Module(new Uint8Array(readFileSync(file)));
  return compiled;
}

/** @throws SoundFault when nothing of it can be decoded */
export function* readMp3(bytes: Uint8Array): Generator<Block> {
  const mp3 = new WebAssembly.Instance(moduleOf(), {}).exports as MiniMp3;
  const frames = wholeFrames(bytes);
  mp3.decoder_init();
  mp3.decoder_set_mp3_data_size(frames.length);
  new Uint8Array(mp3.memory.buffer, mp3.decoder_mp3_data_offset(), frames.length).set(frames);
  let any = false;
  for (;;) {
    const block = nextOf(mp3);
    if (block === undefined) break;
    any = true;
    yield block;
  }
  if (!any) throw notAudio('The MP3 file cannot be decoded.');
}

/** `undefined`: the end, or a trap (what came before it is good). */
function nextOf(mp3: MiniMp3): Block | undefined {
  try {
    mp3.decoder_decode(STEP_SECONDS);
    const count = mp3.decode_results_num_samples();
    const [rate, channels] = [mp3.decode_results_sampling_rate(), mp3.decode_results_num_channels()];
    if (count <= 0 || rate < RATES.lowest || rate > RATES.highest || channels < 1 || channels > 2)
      return undefined;
    const pcm = new Int16Array(mp3.memory.buffer, mp3.decoder_pcm_data_offset(), count);
    return {
      rate,
      samples: mono(floatsOf(pcm), channels),
    };
  } catch {
    return undefined;
  }
}
