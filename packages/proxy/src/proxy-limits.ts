import type { ProxyLimits } from './proxy-events.ts';

/** What holds without a word in the options; times in milliseconds, expiries in seconds. */
export const LIMITS: ProxyLimits = {
  minExpires: 60,
  maxExpires: 7200,
  defaultExpires: 3600,
  contactsPerUser: 100,
  requests: 20_000,
  requestsPerDialog: 32,
  finished: 100_000,
  lookups: 1_000,
  lookupMs: 5_000,
  timerC: 11 * 60_000,
  trunkSilence: 3_500,
  nonceMs: 5 * 60_000,
  nonces: 50_000,
};
