/** Some milliseconds of one channel. Samples lie between -1 and 1. */
export interface Block {
  /** Samples a second. */
  readonly rate: number;
  readonly samples: Float32Array;
}

/** Rates that a sound may have; others are no audio to us. */
export const RATES = { lowest: 4000, highest: 192_000 } as const;

/** 16-bit samples as a block has them, times `gain`. A loop: `from` with a function takes ten times as long. */
export function floatsOf(pcm: Int16Array, gain = 1): Float32Array {
  const out = new Float32Array(pcm.length);
  const scale = gain / 32_768;
  for (let i = 0; i < pcm.length; i++) out[i] = pcm[i]! * scale;
  return out;
}

/** Frames in one block, at most. */
export const BLOCK_FRAMES = 16_384;
