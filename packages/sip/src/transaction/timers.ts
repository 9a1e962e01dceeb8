import type { Ms } from '@sidetone/core';

/** RFC 3261 §17.1.1.1 and the table of timers in its appendix A, in milliseconds. */
export const T1: Ms = 500;
export const T2: Ms = 4000;
export const T4: Ms = 5000;
/** Timers B, F, H, L and M. */
export const GIVE_UP: Ms = 64 * T1;
/** Timer D on unreliable transports: at least 32 s. */
export const TIMER_D: Ms = 32_000;
