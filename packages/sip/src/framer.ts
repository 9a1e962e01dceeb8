import { Buffer } from 'node:buffer';
import { decimal } from './characters.ts';
import type { SipMessage } from './message.ts';
import { LIMITS, parseMessage, type SipParseError } from './parse.ts';

/** What came out of a stream. */
export type FramerEvent =
  | { readonly type: 'message'; readonly message: SipMessage }
  /** A bad message whose end is known: answer it (`createErrorResponse`) and read on. */
  | { readonly type: 'malformed'; readonly error: SipParseError }
  /** CRLF CRLF: answer with CRLF (RFC 5626 §3.5.1). */
  | { readonly type: 'ping' }
  /** A single CRLF: the answer to our ping. */
  | { readonly type: 'pong' }
  /** Nobody knows where the next message begins: answer if possible, then close. Nothing follows. */
  | { readonly type: 'fatal'; readonly error: SipParseError };

export interface Framer {
  push(bytes: Uint8Array): readonly FramerEvent[];
  /** The stream is over, or is not waited for any more: what is unfinished is lost, and may be answered. */
  end(): readonly FramerEvent[];
  /** Bytes of an unfinished message; an edge closes a connection that stays above 0 for too long. */
  readonly pending: number;
}

/**
 * Cuts a byte stream into messages by Content-Length (RFC 3261 §18.3), which is mandatory there: without it, twice, or not a number,
 * the stream is lost. Holds at most one message (64 KiB); each byte of a head is searched once.
 */
export function createFramer(): Framer {
  /** Bytes not yet taken are `store[from, to)`; it grows by doubling, so that single bytes cost no quadratic copying. */
  let store: Buffer = Buffer.alloc(0);
  let from = 0;
  let to = 0;
  /** How far (absolute in `store`) the empty line has been searched for. */
  let searched = 0;
  /** Bytes of the message whose head is complete, or 0. */
  let wanted = 0;
  let lost = false;

  const append = (bytes: Uint8Array): void => {
    if (to + bytes.length > store.length) {
      const live = to - from;
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 * (live + bytes.length)));
      store.copy(grown, 0, from, to);
      store = grown;
      searched = Math.max(0, searched - from);
      from = 0;
      to = live;
    }
    store.set(bytes, to);
    to += bytes.length;
  };

  const take = (count: number): void => {
    from += count;
    searched = from;
    wanted = 0;
    if (from < to) return;
    store = Buffer.alloc(0);
    from = 0;
    to = 0;
    searched = 0;
  };

  const fatal = (status: number, reason: string): FramerEvent => {
    lost = true;
    const parsed = parseMessage(store.subarray(from, Math.min(to, from + LIMITS.message)));
    take(to - from);
    const known = parsed.ok ? salvage(parsed.value) : parsed.error;
    return { type: 'fatal', error: { ...known, status, reason } };
  };

  const next = (): FramerEvent | null => {
    const length = to - from;
    if (wanted === 0) {
      if (length < 2) return null;
      if (store[from] === 13 && store[from + 1] === 10) {
        if (length === 3 && store[from + 2] === 13) return null;
        const ping = length > 3 && store[from + 2] === 13 && store[from + 3] === 10;
        take(ping ? 4 : 2);
        return { type: ping ? 'ping' : 'pong' };
      }
      const end = store.subarray(0, to).indexOf('\r\n\r\n', searched, 'latin1');
      if (end < 0) {
        searched = Math.max(from, to - 3);
        return length > LIMITS.message ? fatal(513, 'message too large') : null;
      }
      const body = contentLength(store.toString('latin1', from, end + 2));
      if (typeof body === 'string') return fatal(400, body);
      wanted = end + 4 - from + body;
      if (wanted > LIMITS.message) return fatal(513, 'message too large');
    }
    if (length < wanted) return null;
    // A copy, so that a kept message does not hold the buffer of the stream.
    const parsed = parseMessage(new Uint8Array(store.subarray(from, from + wanted)));
    take(wanted);
    return parsed.ok
      ? { type: 'message', message: parsed.value }
      : { type: 'malformed', error: parsed.error };
  };

  return {
    push(bytes) {
      if (lost) return [];
      append(bytes);
      const out: FramerEvent[] = [];
      for (let event = next(); event !== null; event = lost ? null : next()) out.push(event);
      return out;
    },
    end() {
      if (lost || from === to) return [];
      return [fatal(400, 'unfinished message')];
    },
    get pending() {
      return to - from;
    },
  };
}

/** The one Content-Length of a head, or what is wrong with it. */
function contentLength(head: string): number | string {
  let length = -1;
  let at = head.indexOf('\r\n') + 2;
  while (at < head.length) {
    const end = head.indexOf('\r\n', at);
    const line = head.slice(at, end);
    at = end + 2;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (name !== 'content-length' && name !== 'l') continue;
    if (length >= 0) return 'more than one Content-Length';
    let value = line.slice(colon + 1);
    // The value may stand on folded lines.
    while (head.charCodeAt(at) === 32 || head.charCodeAt(at) === 9) {
      const next = head.indexOf('\r\n', at);
      value += head.slice(at, next);
      at = next + 2;
    }
    const digits = value.trim();
    length = decimal(digits, 0, digits.length, 0x7fffffff);
    if (length < 0) return 'bad Content-Length';
  }
  return length < 0 ? 'no Content-Length on a stream' : length;
}

const salvage = (message: SipMessage): Pick<SipParseError, 'kind' | 'salvaged'> => {
  const { via, from, to, callId, cseq } = message.headers;
  return { kind: message.kind, salvaged: { method: cseq.method, via, from, to, callId, cseq } };
};
