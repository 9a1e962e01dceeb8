import { type Flow, formatUri, MergedRequests, ownText, type SipRequest } from '@sidetone/sip';

/** How often each key is in. */
export class Counts {
  readonly #counts = new Map<string, number>();

  has(key: string): boolean {
    return this.#counts.has(key);
  }

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(key: string): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

/** Requests from outside that passed the border and whose server transactions live: what belongs to them passes too. */
export class PassedRequests {
  readonly #entries = new Map<string, { readonly key: string; readonly caller: string | null }>();
  readonly #keys = new Counts();
  readonly #callers = new Counts();
  readonly #merged = new MergedRequests();
  readonly #sourceOf: (flow: Flow) => string;

  /** @param sourceOf who sends from there, as far as it tells transactions apart: a carrier may send from any of its addresses */
  constructor(sourceOf: (flow: Flow) => string = hostOf) {
    this.#sourceOf = sourceOf;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(tx: string, request: SipRequest, flow: Flow): void {
    const key = ownText(transactionKey(request, request.method, this.#sourceOf(flow)));
    const caller = request.method === 'INVITE' ? ownText(callerKey(request, this.#sourceOf(flow))) : null;
    this.#entries.set(tx, { key, caller });
    this.#keys.add(key);
    if (caller !== null) this.#callers.add(caller);
    this.#merged.add(tx, request);
  }

  remove(tx: string): void {
    const entry = this.#entries.get(tx);
    if (entry === undefined) return;
    this.#entries.delete(tx);
    this.#keys.remove(entry.key);
    if (entry.caller !== null) this.#callers.remove(entry.caller);
    this.#merged.remove(tx);
  }

  /** A copy of a request that passed, the CANCEL of one, or the ACK of its refusal. */
  knows(request: SipRequest, flow: Flow): boolean {
    const ofInvite = request.method === 'CANCEL' || request.method === 'ACK';
    return this.#keys.has(
      transactionKey(request, ofInvite ? 'INVITE' : request.method, this.#sourceOf(flow)),
    );
  }

  /** It was sent away, and may come again by another way. */
  sentAway(tx: string): void {
    this.#merged.remove(tx);
  }

  /** Whether it has come already, by another way (RFC 3261 §8.2.2.2). */
  isMerged(request: SipRequest): boolean {
    return this.#merged.has(request);
  }

  /** Whether an INVITE of this call came from this address. */
  isCaller(request: SipRequest, flow: Flow): boolean {
    return this.#callers.has(callerKey(request, this.#sourceOf(flow)));
  }
}

const callerKey = (request: SipRequest, source: string): string => `${source} ${request.headers.callId}`;

const hostOf = (flow: Flow): string => (flow.transport === 'local' ? flow.node : flow.host);

/** RFC 3261 §17.2.3 and the source, with what RFC 2543 had instead of a branch. */
export function transactionKey(request: SipRequest, method: string, source: string): string {
  const { via, callId, cseq, from } = request.headers;
  const top = via[0];
  const branch = top?.params['branch'] ?? '';
  const old = branch.startsWith('z9hG4bK') ? '' : `${callId} ${cseq.seq} ${from.params['tag'] ?? ''}`;
  return `${source} ${branch} ${top?.host.toLowerCase()}:${top?.port ?? ''} ${method} ${old}`;
}

/** The same for a request that comes back unchanged (RFC 3261 §16.3 item 4). */
export function loopKey(request: SipRequest): string {
  const { callId, cseq, from, to, route } = request.headers;
  const tags = `${from.params['tag'] ?? ''} ${to.params['tag'] ?? ''}`;
  return `${callId} ${tags} ${cseq.seq} ${request.method} ${formatUri(request.uri)} ${route.map((r) => formatUri(r.uri)).join()}`;
}
