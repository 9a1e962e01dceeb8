import type { LossReason } from './call-machine.ts';

/**
 * When to try again after a broken connection: a record, and a total step with the time and the dice as arguments.
 *
 *   closed ─(tries left)→ wait 1 s, 2 s, 4 s … ≤ 30 s (≤ 2 s while a call is up), ±25 % ─→ try ─→ closed … | ready: begins anew
 *   closed ─(none left)→ give up
 */
export interface ReconnectState {
  readonly attempt: number;
  /** When the connection broke; `null` while it stands. */
  readonly since: number | null;
}

export interface ReconnectPolicy {
  /** Tries; 0 = without limit. */
  readonly most: number;
  /** Milliseconds that a call may wait for its connection. The tries go on that long whatever `most` says. */
  readonly budget: number;
}

export const CONNECTED: ReconnectState = { attempt: 0, since: null };

const LONGEST_MS = 30_000;
const LONGEST_IN_CALL_MS = 2_000;

/** The connection closed: when to try again, or `null` for never. */
export function afterClose(
  state: ReconnectState,
  at: { readonly now: number; readonly random: number; readonly inCall: boolean },
  policy: ReconnectPolicy,
): { readonly state: ReconnectState; readonly waitMs: number | null } {
  const since = state.since ?? at.now;
  const attempt = state.attempt + 1;
  const next = { attempt, since };
  const inBudget = at.inCall && at.now - since < policy.budget;
  if (policy.most > 0 && attempt > policy.most && !inBudget) return { state: next, waitMs: null };
  return { state: next, waitMs: backOff(attempt, at.random, at.inCall ? LONGEST_IN_CALL_MS : LONGEST_MS) };
}

/** Milliseconds to wait before attempt `n` (1, 2, …): 1 s·2^(n-1), at most `longest`, ±25 % by `random` in [0, 1). */
export function backOff(attempt: number, random: number, longest = LONGEST_MS): number {
  return Math.min(1000 * 2 ** Math.min(attempt - 1, 20), longest) * (0.75 + random / 2);
}

/** Why a connection closed, as far as one can tell: a close frame means that the server, not the network, ended it. */
export function lossReason(code: number, network: 'same' | 'offline' | 'changed'): LossReason {
  if (network !== 'same') return network === 'offline' ? 'networkLost' : 'networkSwitch';
  return code === 1006 || code === 1005 ? 'networkLost' : 'serverError';
}
