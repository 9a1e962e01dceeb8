import type { OpusDecoder } from '@sidetone/media';
import { notAudio } from '../limits.ts';
import type { Block } from './block.ts';
import { readMp3 } from './mp3.ts';
import { isMp3 } from './mp3-frames.ts';
import { isOgg } from './ogg.ts';
import { readOggOpus } from './ogg-opus.ts';
import { isWav, readWav } from './wav.ts';

export type SoundFormat = 'wav' | 'mp3' | 'ogg';

/** By its first bytes; what a server calls it does not count. */
export function formatOf(bytes: Uint8Array): SoundFormat | undefined {
  if (isWav(bytes)) return 'wav';
  if (isOgg(bytes)) return 'ogg';
  return isMp3(bytes) ? 'mp3' : undefined;
}

/**
 * @param opus of 16 kHz, needed for Ogg only
 * @throws SoundFault `not-audio`, now or between two blocks
 */
export function decode(bytes: Uint8Array, opus: OpusDecoder | undefined): Generator<Block> {
  const format = formatOf(bytes);
  if (format === 'wav') return readWav(bytes);
  if (format === 'mp3') return readMp3(bytes);
  if (format === 'ogg' && opus !== undefined) return readOggOpus(bytes, opus);
  throw notAudio('The file is neither WAV, MP3 nor Ogg/Opus.');
}
