import type { SipResponse } from '@sidetone/sip';

/** How a branch ended without success: its response, or (`null`) a timeout or transport error of ours. */
export interface FinalResponse {
  readonly status: number;
  readonly response: SipResponse | null;
  readonly branch?: number;
}

/** Within the 4xx class, first what tells the caller how to try again (RFC 3261 §16.7 item 6), last what says nothing. */
const FIRST = [401, 407, 415, 420, 484];
const LAST = [408, 480, 487];

function rank(status: number): number {
  if (status >= 600) return 0;
  const inClass = FIRST.includes(status) ? 1 : LAST.includes(status) || status === 503 ? 3 : 2;
  return Math.floor(status / 100) * 10 + inClass;
}

/** The best of several ends (RFC 3261 §16.7 item 6): a 6xx, or else the lowest class; the first of equals. */
export function bestFinal(endings: readonly FinalResponse[]): FinalResponse | undefined {
  let best: FinalResponse | undefined;
  for (const ending of endings)
    if (best === undefined || rank(ending.status) < rank(best.status)) best = ending;
  return best;
}

/** The challenges of all ends go up together with a 401 or 407 (RFC 3261 §16.7 item 7). */
export function withAllChallenges(best: SipResponse, endings: readonly FinalResponse[]): SipResponse {
  if (best.status !== 401 && best.status !== 407) return best;
  const more = endings.flatMap(({ response }) =>
    response === null || response === best || (response.status !== 401 && response.status !== 407)
      ? []
      : response.headers.other.filter(
          ([name]) => name === 'WWW-Authenticate' || name === 'Proxy-Authenticate',
        ),
  );
  if (more.length === 0) return best;
  return { ...best, headers: { ...best.headers, other: [...best.headers.other, ...more] } };
}

/**
 * Whether the next trunk, or the next flow of a phone, may do better: the hop is overloaded, down or silent, or its flow has failed (430,
 * RFC 5626 §5.3). A refusal (404, 486, 603 …) is the callee's word and holds for every way there; after ringing, a 408 means that
 * nobody answered.
 */
export const isWorthAnotherTry = (status: number, rang: boolean): boolean =>
  status === 503 || status === 504 || status === 430 || (status === 408 && !rang);
