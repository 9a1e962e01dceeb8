import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '@sidetone/core';

/** Random bytes are asked for in pages: a call takes some thirty small pieces, and asking costs more than the bytes. */
const PAGE = 4096;
let page = randomBytes(0);

/** The process's random source. */
export const systemRandom: Random = {
  int: (bound) => randomInt(bound),
  bytes: (length) => {
    if (length > page.length) page = randomBytes(PAGE + length);
    const bytes = Uint8Array.prototype.slice.call(page, 0, length);
    page = page.subarray(length);
    return bytes;
  },
};
