import type { EpochMs, Ms } from '@sidetone/core';

/**
 * How old an event of a process before is: its stamp is all that is left of its time, since the monotonic clock of another boot means
 * nothing here. A clock that was set back makes it new, which is the safe mistake.
 */
export const ageOf = (at: EpochMs, day: EpochMs): Ms => Math.max(0, day - at);
