/** Some milliseconds of one channel. Samples lie between -1 and 1. */
export interface Block {
  /** Samples a second. */
  readonly rate: number;
  readonly samples: Float32Array;
}

/** Rates that a sound may have; others are no audio to us. */
export const RATES = { lowest: 4000, highest: 192_000 } as const;

/** Frames in one block, at most. */
export const BLOCK_FRAMES = 16_384;
