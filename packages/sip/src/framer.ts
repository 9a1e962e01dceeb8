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

const NOTHING: Buffer = Buffer.alloc(0);

class StreamFramer implements Framer {
  /** Bytes not yet taken are `store[from, to)`: those of the caller while they are read, else our own, growing by doubling. */
  #store: Buffer = NOTHING;
  #from = 0;
  #to = 0;
  /** How far (absolute in `store`) the empty line has been searched for. */
  #searched = 0;
  /** Bytes of the message whose head is complete, or 0. */
  #wanted = 0;
  /** Of these, the body. */
  #body = 0;
  #lost = false;

  get pending(): number {
    return this.#to - this.#from;
  }

  push(bytes: Uint8Array): readonly FramerEvent[] {
    if (this.#lost) return [];
    const borrowed = this.pending === 0;
    if (borrowed) this.#use(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes.length);
    else this.#append(bytes);
    const out: FramerEvent[] = [];
    for (let event = this.#next(); event !== null; event = this.#lost ? null : this.#next()) out.push(event);
    if (borrowed) this.#grow(0);
    return out;
  }

  end(): readonly FramerEvent[] {
    return this.#lost || this.pending === 0 ? [] : [this.#fatal(400, 'unfinished message')];
  }

  #append(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#store.length) this.#grow(bytes.length);
    this.#store.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Takes what is pending to a store of our own with room for `more`; single bytes cost no quadratic copying. */
  #grow(more: number): void {
    const live = this.pending;
    if (live + more === 0) return this.#use(NOTHING, 0);
    const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 * (live + more)));
    this.#store.copy(grown, 0, this.#from, this.#to);
    const searched = Math.max(0, this.#searched - this.#from);
    this.#use(grown, live);
    this.#searched = searched;
  }

  #use(store: Buffer, to: number): void {
    this.#store = store;
    this.#from = 0;
    this.#to = to;
    this.#searched = 0;
  }

  #take(count: number): void {
    this.#from += count;
    this.#searched = this.#from;
    this.#wanted = 0;
    if (this.#from === this.#to) this.#use(NOTHING, 0);
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
    this.#body = body;
    this.#wanted = end + 4 - from + body;
    return this.#wanted > LIMITS.message ? this.#fatal(513, 'message too large') : this.#message();
  }

  #message(): FramerEvent | null {
    if (this.pending < this.#wanted) return null;
    const read = this.#store.subarray(this.#from, this.#from + this.#wanted);
    // A copy of what a message keeps of its bytes, so that it does not hold the buffer of the stream.
    const bytes = this.#body === 0 ? read : new Uint8Array(read);
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
  for (let at = head.indexOf('\r\n') + 2; at < head.length; at = head.indexOf('\r\n', at) + 2) {
    // Most lines begin with neither c nor l: their names are not looked at.
    const letter = head.charCodeAt(at) | 0x20;
    if (letter !== 0x63 && letter !== 0x6c) continue;
    const end = head.indexOf('\r\n', at);
    const colon = head.indexOf(':', at);
    if (colon < 0 || colon > end) continue;
    const name = head.slice(at, colon).trimEnd().toLowerCase();
    if (name !== 'content-length' && name !== 'l') continue;
    if (length >= 0) return 'more than one Content-Length';
    const digits = foldedLine(head, colon + 1, end).trim();
    length = decimal(digits, 0, digits.length, 0x7fffffff);
    if (length < 0) return 'bad Content-Length';
  }
  return length < 0 ? 'no Content-Length on a stream' : length;
}

/** A value that may go on in lines which begin with a blank. */
function foldedLine(head: string, from: number, end: number): string {
  let value = head.slice(from, end);
  let at = end + 2;
  while (head.charCodeAt(at) === 32 || head.charCodeAt(at) === 9) {
    const next = head.indexOf('\r\n', at);
    value += head.slice(at, next);
    at = next + 2;
  }
  return value;
}

const salvage = (message: SipMessage): Pick<SipParseError, 'kind' | 'salvaged'> => {
  const { via, from, to, callId, cseq } = message.headers;
  return { kind: message.kind, salvaged: { method: cseq.method, via, from, to, callId, cseq } };
};
