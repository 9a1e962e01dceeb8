import type { Ms } from '@sidetone/core';
import type { SchedulePort } from '@sidetone/media';

/** The process's monotonic clock. */
export const monotonic = (): Ms => performance.now();

/** Absolute deadlines on `setTimeout`: re-armed from the clock each time, so lateness never adds up. */
export const timers: SchedulePort = {
  at(at, call) {
    const timer = setTimeout(call, Math.max(0, at - performance.now()));
    return () => clearTimeout(timer);
  },
};
