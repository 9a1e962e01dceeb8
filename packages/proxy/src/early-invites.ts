import {
  type Checks,
  hexId,
  isNumber,
  isString,
  type JournalLine,
  listOf,
  maybe,
  oneOf,
  type Random,
  readRecord,
} from '@sidetone/core';
import {
  areVias,
  type Flow,
  formatUri,
  isNameAddr,
  isOutsideFlow,
  type NameAddr,
  NO_BODY,
  parseUri,
  type SipRequest,
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

/** An early INVITE as plain JSON: addresses as they are, the URI as text, no body. */
interface Written {
  readonly side: 'in' | 'out';
  readonly flow: Flow;
  readonly uri: string;
  readonly via: readonly Via[];
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly seq: number;
  readonly route?: readonly NameAddr[];
  readonly back?: readonly Via[];
}

const WRITTEN: Checks<Written> = {
  side: oneOf('in', 'out'),
  flow: isOutsideFlow,
  uri: (value) => isString(value) && parseUri(value).ok,
  via: (value) => areVias(value) && value.length > 0,
  from: isNameAddr,
  to: isNameAddr,
  callId: isString,
  seq: isNumber,
  route: maybe(listOf(isNameAddr)),
  back: maybe(areVias),
};

function writeEarlyInvite(invite: EarlyInvite): Written {
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
  const written = readRecord(WRITTEN, value);
  const uri = written === null ? null : parseUri(written.uri);
  if (written === null || !uri?.ok) return null;
  const { side, flow, via, from, to, callId, seq, route = [], back = [] } = written;
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
  return side === 'in'
    ? { side, request, flow: reachableAgain(flow, via[0]) }
    : { side, request, flow: reachableAgain(flow), back };
}

/** A connection died with its process: the peer is reached by a new one, at the port that its Via names (RFC 3261 §18.2.2). */
function reachableAgain(flow: Flow, via?: Via): Flow {
  if (flow.transport === 'local' || flow.transport === 'udp') return flow;
  const { transport, host, port } = flow;
  return { transport, host, port: via === undefined ? port : (via.port ?? 5060) };
}

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
