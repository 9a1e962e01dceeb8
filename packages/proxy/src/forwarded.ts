import { type Flow, NO_BODY, type SipRequest } from '@sidetone/sip';
import type { Sender } from './border.ts';
import type { ResponseContext } from './response-context.ts';

/** A request on its way: its response context, and the transactions that carry it. */
export interface Forwarded {
  state: ResponseContext;
  readonly server: string;
  /** As it came; when it is over only what its responses need. */
  request: SipRequest;
  readonly source: Flow;
  readonly sender: Sender | null;
  /** On whose share of what is over its transactions go. */
  readonly holder: string;
  /**
   * What each branch sent, where, in which client transaction, and how often again with credentials; when it is over it is not known
   * any more what was sent.
   */
  branches: { sent: SipRequest | null; flow: Flow; tx: string; tries: number }[];
  /** Transactions that are not over. */
  readonly open: Set<string>;
  /** Transactions that are not forgotten. */
  readonly kept: Set<string>;
  readonly loopKey: string;
}

/**
 * Makes an INVITE small that is over. It may still pass on copies of its 2xx, and the 2xx of further forks (RFC 6026 §7): for that the
 * Vias it came with and where its branches lead are enough.
 */
export function shrink(context: Forwarded): void {
  const { state, request } = context;
  const { via, from, to, callId, cseq } = request.headers;
  context.request = {
    ...request,
    headers: { via, from, to, callId, cseq, contact: [], route: [], recordRoute: [], other: [] },
    body: NO_BODY,
  };
  context.state = {
    ...state,
    endings: [],
    branches: state.branches.map((branch) => ({ ...branch, target: { ...branch.target, route: [] } })),
  };
  context.branches = context.branches.map((branch) => ({ ...branch, sent: null }));
}

/** Whether more may come of a request that is over. */
export const mayStillPass = ({ state }: Forwarded): boolean => state.invite && state.succeeded;
