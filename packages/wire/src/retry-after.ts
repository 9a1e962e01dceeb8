import type { Random } from '@sidetone/core';

/** Seconds until a peer that was sent away with 503 should come back: 2 to 10, so that not all come back together. */
export const retryAfter = (random: Random): string => String(2 + random.int(9));
