import { hexId, type JournalLine, type LogLine, type Random } from '@sidetone/core';
import {
  createResponse,
  type Flow,
  NO_BODY,
  type SipRequest,
  type SipResponse,
  type SipSend,
} from '@sidetone/sip';
import { HEADER } from '@sidetone/wire';
import { bestFinal, type FinalResponse, withAllChallenges } from './best-response.ts';
import type { Sender } from './border.ts';
import { forwardedResponse } from './forward.ts';
import type { ProxyLimits, ProxyOptions } from './proxy-events.ts';
import type { ResponseContext } from './response-context.ts';

/** A request that reached its transaction (`null`: an ACK). */
export interface Arrived {
  readonly tx: string | null;
  readonly request: SipRequest;
  readonly flow: Flow;
}

export type ForwardingOut = SipSend | JournalLine | LogLine | ({ readonly type: 'arrived' } & Arrived);

export interface ForwardingOptions extends Pick<ProxyOptions, 'address' | 'random' | 'identity'> {
  readonly secret: Uint8Array;
  readonly limits: ProxyLimits;
}

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

/** The final response to a request none of whose branches has succeeded. */
export function finalResponse(
  { state, request, source }: Forwarded,
  endings: readonly FinalResponse[],
  cancelled: boolean,
  random: Random,
): SipResponse {
  const best = bestFinal(endings) ?? { status: 480, response: null };
  const target = best.branch === undefined ? undefined : state.branches[best.branch]?.target;
  if (best.response !== null && target !== undefined) {
    const response = withAllChallenges(best.response, endings);
    return forwardedResponse(response, request.headers.via, source, target.flow, target.trunk);
  }
  const trunk = source.transport === 'local' ? target?.trunk : undefined;
  return createResponse(request, cancelled ? 487 : best.status, {
    toTag: hexId(random, 8),
    headers: trunk === undefined ? [] : [[HEADER.trunk, trunk]],
  });
}
