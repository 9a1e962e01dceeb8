import type { EpochMs, Ms } from '@sidetone/core';

/*
 * The two clocks of the process. How long something lasts or waits is told by the monotonic one alone: time synchronisation steps the
 * time of day, back and forth, and a window measured by it would stay open or shut for as long as the step. `npm run check` looks for it.
 */

/** CLOCK_MONOTONIC, which all processes of the machine share: a time that one has journalled means the same to the next. */
export const monotonic = (): Ms => {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
};

/** The time of day, for what is written down or signed for others. Read nowhere else. */
export const epoch = (): EpochMs => Date.now();
