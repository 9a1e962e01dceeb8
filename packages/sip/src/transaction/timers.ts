import type { Ms } from '@sidetone/core';
import type { SipRequest } from '../message.ts';

/** RFC 3261 §17.1.1.1 and the table of timers in its appendix A, in milliseconds. */
export const T1: Ms = 500;
export const T2: Ms = 4000;
export const T4: Ms = 5000;
/** Timers B, F, H, L and M. */
export const GIVE_UP: Ms = 64 * T1;
/** Timer D on unreliable transports: at least 32 s. */
export const TIMER_D: Ms = 32_000;

/** A request that is sent first at `now`: repeated over UDP (timers A and E), given up in the end (B and F). */
export const sending = (request: SipRequest, reliable: boolean, now: Ms) => ({
  request,
  reliable,
  retransmitAt: reliable ? null : now + T1,
  interval: T1,
  giveUpAt: now + GIVE_UP,
});
