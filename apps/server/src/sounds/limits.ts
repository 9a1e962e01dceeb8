import type { SoundResult } from '@sidetone/wire';

/** What a sound may cost. Sizes in bytes, times in milliseconds. */
export const LIMITS = {
  /** Of a file as it is fetched, uploaded or sent. The published API's limit for media. */
  sourceBytes: 20 * 1024 * 1024,
  /** Of what is played. */
  playedMs: 60 * 60_000,
  /** Of one spoken text, pauses included. */
  spokenMs: 10 * 60_000,
  fetchMs: 20_000,
  /** An hour of stereo MP3 takes 16 s of one processor, which others may want more. */
  convertMs: 120_000,
  speakMs: 30_000,
  /** In a queue, before the work begins. */
  waitMs: 30_000,
  /** Of one account, in each queue. */
  waiting: 200,
  fetches: 8,
  conversions: 2,
  speakers: 2,
  /** A file that was asked for within this time may be playing and stays. */
  heldMs: 60 * 60_000,
} as const;

export type Refusal = Extract<SoundResult, { ok: false }>;

/** Why there is no sound; carried as an exception within this room only. */
export class SoundFault extends Error {
  readonly why: Refusal['why'];
  constructor(why: Refusal['why'], detail: string) {
    super(detail);
    this.why = why;
  }
}

export const notAudio = (detail: string): SoundFault => new SoundFault('not-audio', detail);
export const tooLarge = (detail: string): SoundFault => new SoundFault('too-large', detail);

/** What an exception means to the one who asked. What we did not foresee is told by its name alone: messages may hold anything. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof SoundFault) return { ok: false, why: error.why, detail: error.message };
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return { ok: false, why: 'failed', detail: `The sound could not be made (${code ?? 'unexpected error'}).` };
}
