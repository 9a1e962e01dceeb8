import { sameHost, withoutZone } from '@sidetone/core';
import type { Flow } from '../flow.ts';
import { formatVia } from '../header-grammar.ts';
import type { SipRequest, SipResponse, Via } from '../message.ts';
import { formatUri } from '../uri.ts';

export const COOKIE = 'z9hG4bK';

/**
 * The key of a request's server transaction (RFC 3261 §17.2.3): branch, sent-by and method; an ACK and a CANCEL look up their INVITE by
 * `method`. A branch without the magic cookie (or with nothing behind it) is from RFC 2543 and needs the old rules.
 */
export function serverKey(request: SipRequest, method: string): string {
  const top = request.headers.via[0]!;
  const branch = top.params['branch'] ?? '';
  if (branch.length > COOKIE.length && branch.startsWith(COOKIE))
    return `${branch} ${top.host.toLowerCase()}:${top.port ?? ''} ${method}`;
  const h = request.headers;
  return `2543 ${formatVia(top)} ${formatUri(request.uri)} ${h.callId} ${h.from.params['tag'] ?? ''} ${h.cseq.seq} ${method}`;
}

/** The key of the client transaction a response belongs to (§17.1.3). */
export const clientKey = (response: SipResponse): string =>
  `${response.headers.via[0]!.params['branch'] ?? ''} ${response.headers.cseq.method}`;

/** Notes in the top Via where a request really came from (§18.2.1, RFC 3581 §4). */
export function stampSource(request: SipRequest, flow: Flow): SipRequest {
  if (flow.transport === 'local') return request;
  const [top, ...rest] = request.headers.via as [Via, ...Via[]];
  const rport = top.params['rport'] !== undefined;
  const source = withoutZone(flow.host);
  if (!rport && sameHost(top.host, source)) return request;
  const params: Record<string, string> = { ...top.params, received: source };
  if (rport) params['rport'] = String(flow.port);
  const via = [{ ...top, params }, ...rest];
  return { ...request, headers: { ...request.headers, via } };
}

/**
 * Where responses go (§18.2.2, RFC 3581 §4): back to the source. Without `rport` a UDP response goes to the port of the Via. `maddr` is
 * ignored: it would let a stranger direct our packets.
 */
export function replyFlow(request: SipRequest, flow: Flow): Flow {
  const top = request.headers.via[0]!;
  if (flow.transport !== 'udp' || top.params['rport'] !== undefined) return flow;
  return { ...flow, port: top.port ?? 5060 };
}

/** Whether two flows are the same hop; a named connection is compared by its name. */
export function sameFlow(a: Flow, b: Flow): boolean {
  if (a.transport === 'local') return b.transport === 'local' && a.node === b.node;
  if (b.transport === 'local' || a.transport !== b.transport) return false;
  if (
    a.transport !== 'udp' &&
    b.transport !== 'udp' &&
    a.connection !== undefined &&
    b.connection !== undefined
  )
    return a.connection === b.connection;
  return a.host === b.host && a.port === b.port;
}

/** The host at the other end, or the room. */
export const hostOf = (flow: Flow): string => (flow.transport === 'local' ? flow.node : flow.host);

/** Equal for all flows that `sameFlow` may find the same. */
export const hopOf = (flow: Flow): string =>
  flow.transport === 'local' ? flow.node : `${flow.transport} ${flow.host} ${flow.port}`;
