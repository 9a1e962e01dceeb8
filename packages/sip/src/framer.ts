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
export const createFramer = (): Framer => new StreamFramer();

class StreamFramer implements Framer {
  /** Bytes not yet taken are `store[from, to)`; it grows by doubling, so that single bytes cost no quadratic copying. */
  #store: Buffer = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** How far (absolute in `store`) the empty line has been searched for. */
  #searched = 0;
  /** Bytes of the message whose head is complete, or 0. */
  #wanted = 0;
  #lost = false;

  get pending(): number {
    return this.#to - this.#from;
  }

  push(bytes: Uint8Array): readonly FramerEvent[] {
    if (this.#lost) return [];
    this.#append(bytes);
    const out: FramerEvent[] = [];
    for (let event = this.#next(); event !== null; event = this.#lost ? null : this.#next()) out.push(event);
    return out;
  }

  end(): readonly FramerEvent[] {
    return this.#lost || this.pending === 0 ? [] : [this.#fatal(400, 'unfinished message')];
  }

  #append(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#store.length) {
      const live = this.pending;
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 * (live + bytes.length)));
      this.#store.copy(grown, 0, this.#from, this.#to);
      this.#store = grown;
      this.#searched = Math.max(0, this.#searched - this.#from);
      this.#from = 0;
      this.#to = live;
    }
    this.#store.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  #take(count: number): void {
    this.#from += count;
    this.#searched = this.#from;
    this.#wanted = 0;
    if (this.#from < this.#to) return;
    this.#store = Buffer.alloc(0);
    this.#from = 0;
    this.#to = 0;
    this.#searched = 0;
  }

  #fatal(status: number, reason: string): FramerEvent {
    this.#lost = true;
    const from = this.#from;
    const parsed = parseMessage(this.#store.subarray(from, Math.min(this.#to, from + LIMITS.message)));
    this.#take(this.pending);
    const known = parsed.ok ? salvage(parsed.value) : parsed.error;
    return { type: 'fatal', error: { ...known, status, reason } };
  }

  #next(): FramerEvent | null {
    return this.#wanted === 0 ? this.#head() : this.#message();
  }

  /** A keep-alive, or how long the message that begins here is. */
  #head(): FramerEvent | null {
    const store = this.#store;
    const from = this.#from;
    const length = this.pending;
    if (length < 2) return null;
    if (store[from] === 13 && store[from + 1] === 10) {
      if (length === 3 && store[from + 2] === 13) return null;
      const ping = length > 3 && store[from + 2] === 13 && store[from + 3] === 10;
      this.#take(ping ? 4 : 2);
      return { type: ping ? 'ping' : 'pong' };
    }
    const end = store.subarray(0, this.#to).indexOf('\r\n\r\n', this.#searched, 'latin1');
    if (end < 0) {
      this.#searched = Math.max(from, this.#to - 3);
      return length > LIMITS.message ? this.#fatal(513, 'message too large') : null;
    }
    const body = contentLength(store.toString('latin1', from, end + 2));
    if (typeof body === 'string') return this.#fatal(400, body);
    this.#wanted = end + 4 - from + body;
    return this.#wanted > LIMITS.message ? this.#fatal(513, 'message too large') : this.#message();
  }

  #message(): FramerEvent | null {
    if (this.pending < this.#wanted) return null;
    // A copy, so that a kept message does not hold the buffer of the stream.
    const bytes = new Uint8Array(this.#store.subarray(this.#from, this.#from + this.#wanted));
    this.#take(this.#wanted);
    const parsed = parseMessage(bytes);
    return parsed.ok
      ? { type: 'message', message: parsed.value }
      : { type: 'malformed', error: parsed.error };
  }
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
