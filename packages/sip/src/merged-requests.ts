import type { SipRequest } from './message.ts';
import { ownText } from './own-text.ts';
import { userOf } from './uri.ts';

/**
 * Merged requests (RFC 3261 §8.2.2.2): what a fork before us sent by two ways that meet here again has two branches and is one request,
 * known by Call-ID, From tag, CSeq and method, and by the user that it is for: who is called next, when the first has refused, is somebody
 * else. The second gets 482 while a transaction of the first lives, unless that was sent away with 503. Only requests that begin something
 * count. A retry with credentials has the next CSeq, a new call another tag.
 */
export class MergedRequests {
  /** Transactions by request, and the other way. */
  readonly #txs = new Map<string, Set<string>>();
  readonly #names = new Map<string, string>();

  add(tx: string, request: SipRequest): void {
    const known = nameOf(request);
    if (known === null) return;
    const name = ownText(known);
    const txs = this.#txs.get(name);
    if (txs === undefined) this.#txs.set(name, new Set([tx]));
    else txs.add(tx);
    this.#names.set(tx, name);
  }

  /** The transaction has ended. */
  remove(tx: string): void {
    const name = this.#names.get(tx);
    if (name === undefined) return;
    this.#names.delete(tx);
    const txs = this.#txs.get(name);
    txs?.delete(tx);
    if (txs?.size === 0) this.#txs.delete(name);
  }

  /** Whether this request, by a transaction of its own, is one that is in hand. */
  has(request: SipRequest): boolean {
    const name = nameOf(request);
    return name !== null && this.#txs.has(name);
  }
}

/** A registrar orders by CSeq itself (§10.3); OPTIONS changes nothing, and pingers repeat theirs. */
const NEVER = new Set(['ACK', 'CANCEL', 'REGISTER', 'OPTIONS']);

/** `null`: a request that cannot be merged. Without a From tag (RFC 2543) nothing tells two requests apart. */
function nameOf({ method, uri, headers }: SipRequest): string | null {
  const { from, to, callId, cseq } = headers;
  const tag = from.params['tag'] ?? '';
  if (NEVER.has(method) || to.params['tag'] !== undefined || tag === '') return null;
  return `${callId} ${tag} ${cseq.seq} ${method} ${userOf(uri)}`;
}
