import type { Ms } from '@sidetone/core';
import type { NameAddr, SipRequest, SipResponse } from '../message.ts';
import { ownText } from '../own-text.ts';

/*
 * A transaction that is over keeps its key for the copies of its request or response that may still come (timers D, I, J, K, L, M), and as
 * little else as answers them. Its place is none of those that limit what is under way.
 */

/** States in which a transaction only waits for copies. A refused INVITE without its ACK is not over: its answer is repeated. */
export function isOver(role: 'client' | 'server', kind: 'invite' | 'non-invite', name: string): boolean {
  if (name === 'accepted' || name === 'confirmed') return true;
  return name === 'completed' && !(role === 'server' && kind === 'invite');
}

/** A non-INVITE server transaction after its answer: what the answer has beyond the request that it answers. */
export interface KeptAnswer {
  readonly status: number;
  readonly reason: string;
  readonly toTag: string | undefined;
  readonly contact: SipResponse['headers']['contact'];
  readonly recordRoute: readonly NameAddr[];
  readonly contentType: string | undefined;
  readonly other: SipResponse['headers']['other'];
  readonly body: Uint8Array;
  /** Timer J. */
  readonly endAt: Ms;
}

export const keptAnswer = ({ status, reason, headers, body }: SipResponse, endAt: Ms): KeptAnswer => ({
  status,
  reason,
  toTag: headers.to.params['tag'] === undefined ? undefined : ownText(headers.to.params['tag']),
  contact: headers.contact,
  recordRoute: headers.recordRoute,
  contentType: headers.contentType,
  other: headers.other,
  body,
  endAt,
});

/** The same answer again, to a copy of the request (RFC 3261 §8.2.6.2: what it repeats is equal in all copies). */
export function sameAnswer(kept: KeptAnswer, copy: SipRequest): SipResponse {
  const { via, from, to, callId, cseq } = copy.headers;
  const { status, reason, toTag, contact, recordRoute, contentType, other, body } = kept;
  return {
    kind: 'response',
    status,
    reason,
    headers: {
      via,
      from,
      to: toTag === undefined ? to : { ...to, params: { ...to.params, tag: toTag } },
      callId,
      cseq,
      contact,
      route: [],
      recordRoute,
      ...(contentType === undefined ? {} : { contentType }),
      other,
    },
    body,
  };
}
