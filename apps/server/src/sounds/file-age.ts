import type { Ms } from '@sidetone/core';
import { epoch } from '../clock.ts';

/**
 * How long ago a file was written or touched. Files know the time of day alone, also over a restart of the machine. A clock that is set
 * makes a file older or younger than it is: it goes earlier, or stays longer, and is made again when it is asked for.
 */
export const ageOf = (mtimeMs: number): Ms => Math.max(0, epoch() - mtimeMs);
