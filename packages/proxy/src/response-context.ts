import type { Machine, Ms, Step } from '@sidetone/core';
import type { ExtraHeaders, SipResponse } from '@sidetone/sip';
import { type FinalResponse, isWorthAnotherTry } from './best-response.ts';
import type { Target } from './target.ts';

/**
 * The response context (RFC 3261 §16.2, §16.7 to §16.10) of one forwarded request: groups of targets, tried one group
 * after the other; the targets of a group ring at the same time.
 *
 * ```
 *            start: send to the first group
 *                       │
 *               ┌───────▼───────┐ 1xx: pass up, timer C again         all ended, next trunk may do better:
 *         ┌────▶│    trying     ├───────────────────────────┐         send to the next group
 *         │     └──┬─────────┬──┘◀──────────────────────────┼──────────────┐
 *         │  CANCEL│      2xx│                6xx, or nobody │left to try   │
 *         │ ┌──────▼─────┐   │ pass up,           ┌─────────▼──────────┐   │
 *         │ │ cancelling │   │ cancel the others  │  best answer up    ├───┘
 *         │ └──────┬─────┘   │                    └─────────┬──────────┘
 *         │        └─────────┴────────────▶ answered ◀──────┘   (further 2xx to INVITE still pass up)
 * ```
 */
export interface ResponseContext {
  readonly invite: boolean;
  /** Groups not tried yet. */
  readonly waiting: readonly (readonly Target[])[];
  readonly branches: readonly Branch[];
  /** How branches ended, in order. */
  readonly endings: readonly FinalResponse[];
  /** A final response went up. */
  readonly answered: boolean;
  /** It was a 2xx. */
  readonly succeeded: boolean;
  /** The headers of the CANCEL from upstream. */
  readonly cancelled: ExtraHeaders | null;
  readonly timerC: Ms;
  readonly silence: Ms;
}

export interface Branch {
  readonly target: Target;
  /** `leaving`: cancelled or given up, its end is awaited. */
  readonly phase: 'calling' | 'ringing' | 'leaving' | 'ended';
  /** Whether an end of it still counts for the answer. */
  readonly counts: boolean;
  /** Timer C, or the end of patience with a silent trunk. */
  readonly deadline: Ms | null;
  readonly rang: boolean;
}

export type ContextInput =
  | { readonly type: 'start' }
  | { readonly type: 'response'; readonly branch: number; readonly response: SipResponse }
  /** Timeout (408) or transport error (503). */
  | { readonly type: 'failed'; readonly branch: number; readonly status: 408 | 503 }
  /** The request was sent once more, by another transport: its time begins anew. */
  | { readonly type: 'again'; readonly branch: number }
  /** CANCEL from upstream; `headers` are its Reason headers. */
  | { readonly type: 'cancel'; readonly headers: ExtraHeaders }
  | { readonly type: 'tick' };

export type ContextOutput =
  | { readonly type: 'send'; readonly branch: number; readonly target: Target }
  | { readonly type: 'cancel'; readonly branch: number; readonly headers: ExtraHeaders }
  /** Pass this response up: provisional, or 2xx. */
  | { readonly type: 'pass'; readonly branch: number; readonly response: SipResponse }
  /** Answer with the best of these ends; `cancelled`: 487 rather than a timeout. */
  | { readonly type: 'answer'; readonly endings: readonly FinalResponse[]; readonly cancelled: boolean };

type ContextStep = Step<ResponseContext, ContextOutput>;

export const newContext = (
  invite: boolean,
  groups: readonly (readonly Target[])[],
  times: { readonly timerC: Ms; readonly trunkSilence: Ms },
): ResponseContext => ({
  invite,
  waiting: groups,
  branches: [],
  endings: [],
  answered: false,
  succeeded: false,
  cancelled: null,
  timerC: times.timerC,
  silence: times.trunkSilence,
});

export const responseContextMachine: Machine<ResponseContext, ContextInput, ContextOutput> = {
  name: 'response-context',
  step(state, input, now) {
    switch (input.type) {
      case 'start':
        return state.branches.length === 0 ? nextGroup(state, now) : { state, out: [] };
      case 'response': {
        const { status } = input.response;
        if (status < 200) return provisional(state, input.branch, input.response, now);
        if (status < 300) return success(state, input.branch, input.response);
        return ended(state, input.branch, { status, response: input.response }, now);
      }
      case 'failed':
        return ended(state, input.branch, { status: input.status, response: null }, now);
      case 'again':
        return again(state, input.branch, now);
      case 'cancel':
        return cancel(state, input.headers);
      case 'tick':
        return tick(state, now);
    }
  },
  deadline(state) {
    let next: Ms | null = null;
    for (const { deadline } of state.branches)
      if (deadline !== null && (next === null || deadline < next)) next = deadline;
    return next;
  },
};

const change = (state: ResponseContext, branch: number, to: Partial<Branch>): ResponseContext => ({
  ...state,
  branches: state.branches.map((b, i) => (i === branch ? { ...b, ...to } : b)),
});

const isLive = (branch: Branch): boolean => branch.phase === 'calling' || branch.phase === 'ringing';
const isAwaited = (branch: Branch): boolean => branch.counts && branch.phase !== 'ended';

function nextGroup(state: ResponseContext, now: Ms): ContextStep {
  const [group, ...waiting] = state.waiting;
  if (group === undefined) return { state, out: [] };
  const first = state.branches.length;
  const branches = group.map(
    (target): Branch => ({
      target,
      phase: 'calling',
      counts: true,
      deadline: deadlineOf({ ...state, waiting }, target, now),
      rang: false,
    }),
  );
  return {
    state: { ...state, waiting, branches: [...state.branches, ...branches] },
    out: group.map((target, i) => ({ type: 'send', branch: first + i, target })),
  };
}

/** A silent hop is only given up early when there is somebody else to ask, or it is a phone that should have answered. */
function deadlineOf(state: ResponseContext, target: Target, now: Ms): Ms | null {
  const patience = state.waiting.length > 0 ? Math.min(state.silence, state.timerC) : state.timerC;
  return state.invite ? now + Math.min(patience, target.patience ?? patience) : null;
}

function again(state: ResponseContext, branch: number, now: Ms): ContextStep {
  const b = state.branches[branch];
  if (b?.phase !== 'calling') return { state, out: [] };
  return { state: change(state, branch, { deadline: deadlineOf(state, b.target, now) }), out: [] };
}

function provisional(state: ResponseContext, branch: number, response: SipResponse, now: Ms): ContextStep {
  const b = state.branches[branch];
  if (b === undefined || b.phase === 'ended') return { state, out: [] };
  // §16.7 item 2: any provisional but 100 sets timer C again; 100 proves that the hop is alive.
  const rang = b.rang || response.status > 100;
  const next = isLive(b)
    ? change(state, branch, { phase: 'ringing', rang, deadline: state.invite ? now + state.timerC : null })
    : change(state, branch, { rang });
  const up = response.status > 100 && !state.answered && b.counts;
  return { state: next, out: up ? [{ type: 'pass', branch, response }] : [] };
}

function success(state: ResponseContext, branch: number, response: SipResponse): ContextStep {
  const b = state.branches[branch];
  if (b === undefined) return { state, out: [] };
  // §16.7 item 5: every 2xx to an INVITE is passed on, even a second one; other methods have one answer.
  const out: ContextOutput[] = state.invite || !state.answered ? [{ type: 'pass', branch, response }] : [];
  const next = change(state, branch, { phase: 'ended', deadline: null });
  const left = leave(next, [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']]);
  return {
    state: { ...left.state, answered: true, succeeded: true, waiting: [] },
    out: [...out, ...left.out],
  };
}

function ended(state: ResponseContext, branch: number, ending: FinalResponse, now: Ms): ContextStep {
  const b = state.branches[branch];
  if (b === undefined || b.phase === 'ended') return { state, out: [] };
  const next = change(state, branch, { phase: 'ended', deadline: null });
  if (!b.counts || state.answered) return { state: next, out: [] };
  return settle({ ...next, endings: [...next.endings, { ...ending, branch }] }, b, ending.status, now);
}

/** After a branch ended without success: wait, try the next group, or answer. */
function settle(state: ResponseContext, last: Branch, status: number, now: Ms): ContextStep {
  // §16.7 item 5: a global failure ends the search, but the others are still waited for.
  if (status >= 600) {
    const left = leave({ ...state, waiting: [] }, [['Reason', `SIP;cause=${status}`]]);
    if (left.state.branches.some(isAwaited)) return left;
    return answer(left.state, left.out);
  }
  if (state.branches.some(isAwaited)) return { state, out: [] };
  const again = state.cancelled === null && isWorthAnotherTry(status, last.rang);
  if (again && state.waiting.length > 0) return nextGroup(state, now);
  return answer(state, []);
}

const answer = (state: ResponseContext, out: readonly ContextOutput[]): ContextStep => ({
  state: { ...state, answered: true, waiting: [] },
  out: [...out, { type: 'answer', endings: state.endings, cancelled: state.cancelled !== null }],
});

/** Cancels every branch that is still under way (§16.10). */
function leave(state: ResponseContext, headers: ExtraHeaders): ContextStep {
  const out: ContextOutput[] = [];
  const branches = state.branches.map((b, branch): Branch => {
    if (!isLive(b)) return b;
    if (state.invite) out.push({ type: 'cancel', branch, headers });
    return { ...b, phase: 'leaving', deadline: null };
  });
  return { state: out.length === 0 && !state.branches.some(isLive) ? state : { ...state, branches }, out };
}

function cancel(state: ResponseContext, headers: ExtraHeaders): ContextStep {
  if (state.answered || state.cancelled !== null) return { state, out: [] };
  return leave({ ...state, cancelled: headers, waiting: [] }, headers);
}

function tick(state: ResponseContext, now: Ms): ContextStep {
  let current = state;
  const out: ContextOutput[] = [];
  state.branches.forEach((b, branch) => {
    if (b.deadline === null || b.deadline > now) return;
    out.push({ type: 'cancel', branch, headers: [] });
    const hasNext = current.waiting.length > 0;
    const silent = b.phase === 'calling' && (hasNext || b.target.patience !== undefined);
    // Timer C (§16.8): cancel and await the end. A silent hop is not awaited: the next one is asked at once, or 408 is the answer.
    current = change(current, branch, { phase: 'leaving', deadline: null, counts: !silent });
    if (!silent) return;
    const step = settle(
      { ...current, endings: [...current.endings, { status: 408, response: null, branch }] },
      b,
      408,
      now,
    );
    current = step.state;
    out.push(...step.out);
  });
  return { state: current, out };
}
