import type { Ms } from '@sidetone/core';
import type { Hook } from '@sidetone/wire';

/** How long a try may take, where the back end does not say. */
export const DEFAULT_TIMEOUT_MS: Ms = 2000;
const LONGEST_TIMEOUT_MS: Ms = 30_000;

/** An answer that takes longer no longer holds what is behind it in the lane. */
export const SLOW_MS: Ms = 2000;
/** Nor does an event that has failed so often, */
export const MOST_FAILURES_HELD = 3;
/** or that is tried for so long: three tries of two seconds with their pauses. */
export const LONGEST_HOLD_MS: Ms = 11_000;

/** An event is tried until it is so old; then it is given up. */
export const LIFETIME_MS: Ms = 600_000;
/** Pauses between the first tries, all to the first URL. */
const FIRST_PAUSES_MS: readonly Ms[] = [1000, 4000];
/** Pauses behind them, to both URLs in turn. */
const LATER_PAUSES_MS: readonly Ms[] = [8000, 16_000, 32_000];
const LAST_PAUSE_MS: Ms = 60_000;
/** As many and as long as a back end may ask for. */
const MOST_PAUSES = 5;

/** Zero is the platform's own time-out: a try of no time is none. */
export function timeoutOf({ timeoutMs }: Hook): Ms {
  if (timeoutMs === null || timeoutMs <= 0) return DEFAULT_TIMEOUT_MS;
  return Math.min(timeoutMs, LONGEST_TIMEOUT_MS);
}

const firstPauses = ({ retriesMs }: Hook): readonly Ms[] =>
  retriesMs === null
    ? FIRST_PAUSES_MS
    : retriesMs.slice(0, MOST_PAUSES).map((pause) => Math.min(Math.max(pause, 0), LAST_PAUSE_MS));

/** Tries that an event has at least, however old it is: after an outage it is told before it is given up. */
export const leastTries = (hook: Hook): number => firstPauses(hook).length + (hook.failover === null ? 1 : 2);

/**
 * Where the try with this number goes, from 0, and how long after the one before:
 *
 *   first ─1 s─▶ first ─4 s─▶ first ─▶ failover ─8 s─▶ first ─16 s─▶ failover ─32 s─▶ first ─60 s─▶ …
 */
export function tryOf(hook: Hook, n: number): { readonly url: string; readonly pauseMs: Ms } {
  const pauses = firstPauses(hook);
  if (n === 0) return { url: hook.url, pauseMs: 0 };
  if (n <= pauses.length) return { url: hook.url, pauseMs: pauses[n - 1]! };
  const later = n - pauses.length - 1;
  if (hook.failover === null) return { url: hook.url, pauseMs: laterPause(later) };
  if (later === 0) return { url: hook.failover, pauseMs: 0 };
  return { url: later % 2 === 0 ? hook.failover : hook.url, pauseMs: laterPause(later - 1) };
}

const laterPause = (n: number): Ms => LATER_PAUSES_MS[n] ?? LAST_PAUSE_MS;

/** Who is spared or waited for: scheme, host and port. A URL that is none has an endpoint of its own, where it fails. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'no URL');
