import { hexId, type JournalLine, type Random } from '@sidetone/core';
import {
  type Flow,
  formatUri,
  type NameAddr,
  NO_BODY,
  parseUri,
  type SipRequest,
  type Uri,
  type Via,
} from '@sidetone/sip';

/**
 * An INVITE across the border without a final response, as the journal keeps it: what a later process needs to end it and nothing else.
 * `in`: it came from outside; it will be refused. `out`: we sent it (with our Via on top), on behalf of the room that `back` leads
 * to; it will be cancelled.
 */
export type EarlyInvite =
  | { readonly side: 'in'; readonly request: SipRequest; readonly flow: Flow }
  | {
      readonly side: 'out';
      readonly request: SipRequest;
      readonly flow: Flow;
      readonly back: readonly Via[];
    };

/** Plain JSON of an early INVITE: addresses as they are, the URI as text, no body. */
function writeEarlyInvite(invite: EarlyInvite): object {
  const { uri, headers } = invite.request;
  const { via, from, to, callId, cseq, route } = headers;
  return {
    side: invite.side,
    flow: invite.flow,
    uri: formatUri(uri),
    via: invite.side === 'in' ? via : via.slice(0, 1),
    from,
    to,
    callId,
    seq: cseq.seq,
    ...(route.length === 0 ? {} : { route }),
    ...(invite.side === 'in' ? {} : { back: invite.back }),
  };
}

/** Reads it again; `null` when it is nothing of the kind. */
export function readEarlyInvite(value: unknown): EarlyInvite | null {
  if (!isRecord(value)) return null;
  const { side, flow, uri: text, via, from, to, callId, seq, route = [], back = [] } = value;
  const uri = typeof text === 'string' ? parseUri(text) : null;
  if (uri?.ok !== true || !isFlow(flow) || !isVias(via) || via.length === 0) return null;
  if (!isAddress(from) || !isAddress(to) || typeof callId !== 'string' || typeof seq !== 'number')
    return null;
  if (!Array.isArray(route) || !route.every(isAddress) || !isVias(back)) return null;
  const request: SipRequest = {
    kind: 'request',
    method: 'INVITE',
    uri: uri.value,
    headers: {
      via,
      from,
      to,
      callId,
      cseq: { seq, method: 'INVITE' },
      contact: [],
      route,
      recordRoute: [],
      other: [],
    },
    body: NO_BODY,
  };
  if (side === 'in') return { side, request, flow: reachableAgain(flow, via[0]) };
  return side === 'out' ? { side, request, flow: reachableAgain(flow), back } : null;
}

/** A connection died with its process: the peer is reached by a new one, at the port that its Via names (RFC 3261 §18.2.2). */
function reachableAgain(flow: Flow, via?: Via): Flow {
  if (flow.transport === 'local' || flow.transport === 'udp') return flow;
  const { transport, host, port } = flow;
  return { transport, host, port: via === undefined ? port : (via.port ?? 5060) };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function isFlow(value: unknown): value is Exclude<Flow, { transport: 'local' }> {
  if (!isRecord(value)) return false;
  const { transport, host, port } = value;
  const known = ['udp', 'tcp', 'tls', 'ws', 'wss'].includes(String(transport));
  return known && typeof host === 'string' && typeof port === 'number';
}

const isParams = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((param) => typeof param === 'string');

export const isUri = (value: unknown): value is Uri =>
  isRecord(value) &&
  typeof value['scheme'] === 'string' &&
  typeof value['host'] === 'string' &&
  isParams(value['params']);

export const isAddress = (value: unknown): value is NameAddr =>
  isRecord(value) && isUri(value['uri']) && isParams(value['params']);

const isVias = (value: unknown): value is readonly Via[] =>
  Array.isArray(value) &&
  value.every(
    (via) =>
      isRecord(via) &&
      typeof via['transport'] === 'string' &&
      typeof via['host'] === 'string' &&
      isParams(via['params']),
  );

/** The journal lines of early INVITEs, by transaction: one when it begins, written before the peer hears of it, one when it ends. */
export class EarlyLines {
  readonly #random: Random;
  readonly #keys = new Map<string, string>();

  constructor(random: Random) {
    this.#random = random;
  }

  started(tx: string, invite: EarlyInvite): JournalLine {
    const key = `early ${hexId(this.#random, 6)}`;
    this.#keys.set(tx, key);
    return { type: 'journal', key, value: writeEarlyInvite(invite) };
  }

  /** A line of the process before is now that of `tx`. */
  keep(tx: string, key: string): void {
    this.#keys.set(tx, key);
  }

  /** A final response, or the end of the transaction: nothing, or one line. */
  settled(tx: string): readonly JournalLine[] {
    const key = this.#keys.get(tx);
    if (key === undefined) return [];
    this.#keys.delete(tx);
    return [{ type: 'journal', key, value: null }];
  }
}
