import { createHash } from 'node:crypto';
import { sameHost, withoutZone } from '@sidetone/core';
import {
  createErrorResponse,
  createResponse,
  type Flow,
  keyedTag,
  type ResponseParts,
  type SipParseError,
  type SipRequest,
  type SipSend,
  type Via,
} from '@sidetone/sip';
import { isReachable } from './own-address.ts';

/**
 * Answers without memory (RFC 3261 §8.2.7): what a stranger gets. No transaction, no timer; a repeated request gets an
 * equal answer, To tag included, because the tag is computed from the request.
 */
export function answerStatelessly(
  secret: Uint8Array,
  request: SipRequest,
  flow: Flow,
  status: number,
  parts: ResponseParts = {},
): SipSend | null {
  if (request.method === 'ACK') return null;
  const { callId, from, via } = request.headers;
  const named = `${callId}\0${from.params['tag'] ?? ''}\0${via[0]?.params['branch'] ?? ''}`;
  const toTag = keyedTag(secret, `to-tag\0${named}`);
  const back = returnPath(via, flow);
  const message = createResponse({ ...request, headers: { ...request.headers, via: back.via } }, status, {
    ...parts,
    toTag,
  });
  return { type: 'sip', message, flow: back.flow };
}

/**
 * The stateless answer (400, 413, 505 …) to a request that did not parse, for the edge; `null` when none is due
 * (broken responses and ACKs) or too little could be read.
 */
export function rejectUnparseable(error: SipParseError, flow: Flow): SipSend | null {
  const { via, callId } = error.salvaged;
  const toTag = createHash('sha256')
    .update(`${callId ?? ''}\0${via?.[0]?.params['branch'] ?? ''}`)
    .digest('hex')
    .slice(0, 16);
  const message = createErrorResponse(error, toTag);
  if (message === null) return null;
  const back = returnPath(message.headers.via, flow);
  if (!isReachable(back.flow)) return null;
  return {
    type: 'sip',
    message: { ...message, headers: { ...message.headers, via: back.via } },
    flow: back.flow,
  };
}

/**
 * The way back (RFC 3261 §18.2.2, RFC 3581 §4): `received` and `rport` noted in the top Via; with `rport`, and on
 * streams, to the source itself, else to the port the Via names.
 */
function returnPath(via: readonly Via[], flow: Flow): { readonly via: readonly Via[]; readonly flow: Flow } {
  const [top, ...rest] = via;
  if (top === undefined || flow.transport === 'local') return { via, flow };
  const rport = top.params['rport'] !== undefined;
  const source = withoutZone(flow.host);
  if (!rport && sameHost(top.host, source))
    return { via, flow: flow.transport === 'udp' ? { ...flow, port: top.port ?? 5060 } : flow };
  const params = { ...top.params, received: source, ...(rport ? { rport: String(flow.port) } : {}) };
  const back = flow.transport === 'udp' && !rport ? { ...flow, port: top.port ?? 5060 } : flow;
  return { via: [{ ...top, params }, ...rest], flow: back };
}
