import { Buffer } from 'node:buffer';
import { err, ok, type Result } from '@sidetone/core';
import { all, DIGIT, decimal, is, skipBlank, TOKEN } from './characters.ts';
import { HeaderReader } from './header-grammar.ts';
import { canonicalName, usualName } from './header-names.ts';
import { type Headers, type NameAddr, NO_BODY, type SipMessage, type Uri, type Via } from './message.ts';
import { readUri } from './uri.ts';

/** What a message may cost us; beyond it is refused with 513 or 400. */
export const LIMITS = {
  /** Bytes of a whole message. */
  message: 65_536,
  /** Header lines after folding is undone. */
  headers: 256,
  /** Characters of one header line. */
  line: 16_384,
  /** Via, Route, Record-Route and Contact values together. */
  values: 256,
} as const;

/** What could be read of a message that is refused. Of a broken From or To it is the URI and the tag, when they can be found. */
export interface Salvage {
  method?: string;
  via?: readonly Via[];
  from?: NameAddr;
  to?: NameAddr;
  callId?: string;
  cseq?: { readonly seq: number; readonly method: string };
}

/** Why a message was refused, and what is needed to answer it. */
export interface SipParseError {
  /** What to answer a request with: 400, 505 or 513. */
  readonly status: number;
  /** A short sentence for logs and the reason phrase. */
  readonly reason: string;
  /** A broken response is dropped; `unknown` has no start line of SIP. */
  readonly kind: 'request' | 'response' | 'unknown';
  readonly salvaged: Readonly<Salvage>;
}

/** Stands for a URI that cannot be read (RFC 6761 §6.4). */
export const UNREADABLE: Uri = { scheme: 'sip', host: 'unreadable.invalid', params: {} };

const NO_VALUES: readonly never[] = Object.freeze([]);

/**
 * Reads one whole message, as it comes in a datagram or from the framer (RFC 3261 §7, §18.3). Bytes behind
 * Content-Length are ignored; without the header the body reaches to the end. Total and linear: whatever the bytes are,
 * the answer is a message or an error.
 */
export function parseMessage(bytes: Uint8Array): Result<SipMessage, SipParseError> {
  if (bytes.length > LIMITS.message) return refuse(513, 'message too large');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  // Line ends before the start-line are ignored (§7.5).
  while (buffer[start] === 13 && buffer[start + 1] === 10) start += 2;
  if (start === buffer.length) return refuse(400, 'empty');
  // With one character for each byte, positions in the text are positions in the bytes: one decoding, one search.
  const text = buffer.toString('utf8', start, buffer.length);
  const plain = text.length === buffer.length - start;
  const end = plain ? text.indexOf('\r\n\r\n') : buffer.indexOf('\r\n\r\n', start, 'latin1') - start;
  const bodyStart = end < 0 ? bytes.length : start + end + 4;
  const head = plain ? text : buffer.toString('utf8', start, bodyStart);
  const headEnd = plain && end >= 0 ? end + 2 : head.length - (end < 0 ? 0 : 2);
  let reading = new Reading(head, headEnd);
  if (!reading.read()) {
    const unfolded = unfold(head.slice(0, headEnd));
    reading = new Reading(unfolded, unfolded.length);
    if (!reading.read()) reading.fail(400, 'bad folding');
  }
  if (end < 0) reading.fail(400, 'no empty line behind the headers');
  return reading.finish(bytes, bodyStart);
}

/** A line that begins with a blank goes on with the one before (§7.3.1). */
const unfold = (head: string): string => head.replace(/\r\n[ \t]+/g, ' ');

const refuse = (status: number, reason: string): Result<never, SipParseError> =>
  err({ status, reason, kind: 'unknown', salvaged: {} });

/** One message being read. The first fault is kept and reading goes on, for what an answer needs. */
class Reading {
  readonly #text: string;
  readonly #reader: HeaderReader;
  /** A NUL is legal behind a backslash in a quoted string, and only there. */
  readonly #nul: boolean;
  readonly #end: number;
  #fault: { status: number; reason: string } | null = null;
  #kind: 'request' | 'response' | 'unknown' = 'unknown';
  #method = '';
  #uri: Uri | null = null;
  #status = 0;
  #reason = '';
  #via: Via[] = [];
  /** A Via that cannot be read: what is below it is nobody's way back. */
  #viaLost = false;
  #broken: Pick<Salvage, 'from' | 'to'> = {};
  #from: NameAddr | null = null;
  #to: NameAddr | null = null;
  #callId = '';
  #cseq: { seq: number; method: string } | null = null;
  #maxForwards = -1;
  #contact: NameAddr[] | '*' | null = null;
  #route: NameAddr[] | null = null;
  #recordRoute: NameAddr[] | null = null;
  #contentType: string | null = null;
  #contentLength = -1;
  #values = 0;
  readonly #other: [string, string][] = [];

  /** `end`: where the head ends in `text`, behind its last line. */
  constructor(text: string, end: number) {
    this.#text = text;
    this.#end = end;
    this.#reader = new HeaderReader(text);
    const nul = this.#text.indexOf('\0');
    this.#nul = nul >= 0 && nul < this.#end;
  }

  fail(status: number, reason: string): void {
    this.#fault ??= { status, reason };
  }

  /** Reads the head; false when it must be unfolded first. */
  read(): boolean {
    const text = this.#text;
    let at = 0;
    let lines = 0;
    while (at < this.#end) {
      const feed = text.indexOf('\n', at);
      let end = feed < 0 || feed >= this.#end ? this.#end : feed - 1;
      if (end < this.#end) {
        if (feed === at || text.charCodeAt(end) !== 13) {
          this.fail(400, 'bare line feed');
          end = feed;
          // The end of the head, for who ends lines like this.
          if (end === at) return true;
        }
        const next = end === feed ? 0 : text.charCodeAt(feed + 1);
        if ((next === 32 || next === 9) && feed + 1 < this.#end) return false;
      }
      if (end - at > LIMITS.line) this.fail(400, 'header line too long');
      else if (lines === 0) this.#startLine(at, end);
      else this.#header(at, end);
      lines += 1;
      if (lines > LIMITS.headers) {
        this.fail(400, 'too many headers');
        return true;
      }
      at = feed < 0 ? this.#end : feed + 1;
    }
    return true;
  }

  finish(bytes: Uint8Array, bodyStart: number): Result<SipMessage, SipParseError> {
    let bodyEnd = bytes.length;
    if (this.#contentLength >= 0) {
      bodyEnd = bodyStart + this.#contentLength;
      if (bodyEnd > bytes.length) this.fail(400, 'body shorter than Content-Length');
    }
    if (this.#via.length === 0) this.fail(400, 'no Via');
    if (this.#callId === '') this.fail(400, 'no Call-ID');
    const from = this.#from;
    const to = this.#to;
    const cseq = this.#cseq;
    if (from === null) this.fail(400, 'no From');
    if (to === null) this.fail(400, 'no To');
    if (cseq === null) this.fail(400, 'no CSeq');
    else if (this.#kind === 'request' && cseq.method !== this.#method)
      this.fail(400, 'CSeq of another method');
    if (this.#fault !== null || from === null || to === null || cseq === null) return this.#error();
    const headers: { -readonly [K in keyof Headers]: Headers[K] } = {
      via: this.#via,
      from,
      to,
      callId: this.#callId,
      cseq,
      contact: this.#contact ?? NO_VALUES,
      route: this.#route ?? NO_VALUES,
      recordRoute: this.#recordRoute ?? NO_VALUES,
      other: this.#other,
    };
    if (this.#maxForwards >= 0) headers.maxForwards = this.#maxForwards;
    if (this.#contentType !== null) headers.contentType = this.#contentType;
    const body = bodyStart < bodyEnd ? bytes.subarray(bodyStart, bodyEnd) : NO_BODY;
    return ok(
      this.#kind === 'request'
        ? { kind: 'request', method: this.#method, uri: this.#uri!, headers, body }
        : { kind: 'response', status: this.#status, reason: this.#reason, headers, body },
    );
  }

  #error(): Result<never, SipParseError> {
    const salvaged: Salvage = {};
    if (this.#method !== '') salvaged.method = this.#method;
    if (this.#via.length > 0) salvaged.via = this.#via;
    const from = this.#from ?? this.#broken.from;
    const to = this.#to ?? this.#broken.to;
    if (from !== undefined) salvaged.from = from;
    if (to !== undefined) salvaged.to = to;
    if (this.#callId !== '') salvaged.callId = this.#callId;
    if (this.#cseq !== null) salvaged.cseq = this.#cseq;
    return err({ ...(this.#fault ?? { status: 400, reason: 'malformed' }), kind: this.#kind, salvaged });
  }

  #startLine(from: number, to: number): void {
    const text = this.#text;
    if (text.startsWith('SIP/', from)) {
      this.#kind = 'response';
      if (!text.startsWith('SIP/2.0 ', from)) return this.fail(505, 'version not supported');
      this.#status = decimal(text, from + 8, from + 11, 699);
      const c = text.charCodeAt(from + 11);
      if (this.#status < 100 || to < from + 11 || (to > from + 11 && c !== 32))
        return this.fail(400, 'bad status line');
      this.#reason = this.#plain(from + 12, to);
      return;
    }
    const blank = text.indexOf(' ', from);
    if (blank <= from || blank >= to || !all(text, from, blank, TOKEN))
      return this.fail(400, 'bad start line');
    let uriEnd = blank + 1;
    while (uriEnd < to && text.charCodeAt(uriEnd) !== 32) uriEnd += 1;
    const version = text.slice(uriEnd + 1, to);
    // Only what ends like SIP is a request worth an answer.
    if (!version.startsWith('SIP/') && !text.slice(blank, to).includes(' SIP/'))
      return this.fail(400, 'bad start line');
    this.#kind = 'request';
    this.#method = text.slice(from, blank);
    if (version !== 'SIP/2.0') {
      const digits = /^SIP\/\d{1,4}\.\d{1,4}$/.test(version);
      return this.fail(digits ? 505 : 400, digits ? 'version not supported' : 'bad request line');
    }
    this.#uri = readUri(text, blank + 1, uriEnd);
    // Header parts are not allowed in a request URI (§19.1.1).
    if (this.#uri === null || this.#uri.headers !== undefined) this.fail(400, 'bad request URI');
  }

  #header(from: number, to: number): void {
    const text = this.#text;
    let name = usualName(text, from);
    let colon = from + name.length;
    if (name === '') {
      while (colon < to && is(text.charCodeAt(colon), TOKEN)) colon += 1;
      name = canonicalName(text.slice(from, colon));
      colon = skipBlank(text, colon, to);
      if (name === '' || colon >= to || text.charCodeAt(colon) !== 58)
        return this.fail(400, 'bad header line');
    }
    const start = skipBlank(text, colon + 1, to);
    let end = to;
    while (end > start && (text.charCodeAt(end - 1) === 32 || text.charCodeAt(end - 1) === 9)) end -= 1;
    switch (name) {
      case 'Via':
        return this.#vias(start, end);
      case 'From':
        if (this.#from !== null) return this.fail(400, 'more than one From');
        this.#from = this.#single(start, end, name);
        if (this.#from === null) this.#broken.from ??= findAddress(text.slice(start, end));
        return;
      case 'To':
        if (this.#to !== null) return this.fail(400, 'more than one To');
        this.#to = this.#single(start, end, name);
        if (this.#to === null) this.#broken.to ??= findAddress(text.slice(start, end));
        return;
      case 'Call-ID':
        if (this.#callId !== '') return this.fail(400, 'more than one Call-ID');
        return this.#readCallId(start, end);
      case 'CSeq':
        if (this.#cseq !== null) return this.fail(400, 'more than one CSeq');
        return this.#readCseq(start, end);
      case 'Max-Forwards':
        if (this.#maxForwards >= 0) return this.fail(400, 'more than one Max-Forwards');
        this.#maxForwards = decimal(text, start, end, 255);
        if (this.#maxForwards < 0) this.fail(400, 'bad Max-Forwards');
        return;
      case 'Content-Length':
        if (this.#contentLength >= 0) return this.fail(400, 'more than one Content-Length');
        this.#contentLength = decimal(text, start, end, 0x7fffffff);
        if (this.#contentLength < 0) this.fail(400, 'bad Content-Length');
        return;
      case 'Content-Type':
        if (this.#contentType !== null) return this.fail(400, 'more than one Content-Type');
        this.#contentType = this.#plain(start, end);
        return;
      case 'Contact':
        return this.#readContact(start, end);
      case 'Route':
        this.#nameAddrs(start, end, (this.#route ??= []), name);
        return;
      case 'Record-Route':
        this.#nameAddrs(start, end, (this.#recordRoute ??= []), name);
        return;
      default:
        this.#other.push([name, this.#plain(start, end)]);
    }
  }

  #plain(from: number, to: number): string {
    const value = this.#text.slice(from, to);
    if (value.includes('\r') || (this.#nul && value.includes('\0')))
      this.fail(400, 'control character in a header');
    return value;
  }

  #single(from: number, to: number, name: string): NameAddr | null {
    const value = this.#reader.nameAddr(from, to);
    if (value !== null && this.#reader.at === to) return value;
    this.fail(400, `bad ${name}`);
    return null;
  }

  #nameAddrs(from: number, to: number, into: NameAddr[], name: string): void {
    let at = from;
    for (;;) {
      const value = this.#reader.nameAddr(at, to);
      if (value === null) return this.fail(400, `bad ${name}`);
      if (++this.#values > LIMITS.values) return this.fail(400, 'too many values');
      into.push(value);
      if (this.#reader.at >= to) return;
      at = this.#reader.at + 1;
    }
  }

  #vias(from: number, to: number): void {
    let at = from;
    while (!this.#viaLost) {
      const value = this.#reader.via(at, to);
      if (value === null) {
        if (this.#reader.partialVia !== null) this.#via.push(this.#reader.partialVia);
        this.#viaLost = true;
        return this.fail(400, 'bad Via');
      }
      if (++this.#values > LIMITS.values) return this.fail(400, 'too many values');
      if (this.#reader.foreignVersion) this.fail(400, 'bad Via version');
      this.#via.push(withoutBrackets(value));
      if (this.#reader.at >= to) return;
      at = this.#reader.at + 1;
    }
  }

  #readContact(from: number, to: number): void {
    if (to - from === 1 && this.#text.charCodeAt(from) === 42) {
      if (this.#contact !== null) return this.fail(400, 'bad Contact');
      this.#contact = '*';
      return;
    }
    if (this.#contact === '*') return this.fail(400, 'bad Contact');
    const values = this.#contact ?? [];
    this.#contact = values;
    this.#nameAddrs(from, to, values, 'Contact');
  }

  #readCallId(from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const c = this.#text.charCodeAt(i);
      if (c <= 32 || c === 127) return this.fail(400, 'bad Call-ID');
    }
    this.#callId = this.#text.slice(from, to);
  }

  #readCseq(from: number, to: number): void {
    const text = this.#text;
    let digits = from;
    while (digits < to && is(text.charCodeAt(digits), DIGIT)) digits += 1;
    const seq = decimal(text, from, digits, 0xffffffff);
    const start = skipBlank(text, digits, to);
    if (start === digits || !all(text, start, to, TOKEN)) return this.fail(400, 'bad CSeq');
    if (seq < 0) this.fail(400, 'bad CSeq');
    const method = this.#kind === 'request' && text.startsWith(this.#method, start) ? this.#method : '';
    // An answer to a number out of range is still matched by branch and method.
    this.#cseq = {
      seq: Math.max(seq, 0),
      method: method.length === to - start ? method : text.slice(start, to),
    };
  }
}

/** A broken From or To is never written again; its URI and tag are, where they can be found. */
function findAddress(text: string): NameAddr {
  const [found] = /sips?:[^\s<>"]{1,256}/i.exec(text) ?? [];
  const uri = found === undefined ? null : readUri(found, 0, found.length);
  const [, tag] = /;\s?tag\s?=\s?([\w.!%*+`'~-]{1,128})\s?$/i.exec(text) ?? [];
  return {
    uri: uri === null || uri.headers !== undefined ? UNREADABLE : { ...uri, params: {} },
    params: tag === undefined ? {} : { tag },
  };
}

/** `received=[2001:db8::1]` and the bare form are both accepted; we keep and write the bare one (RFC 5118 §4.5). */
function withoutBrackets(via: Via): Via {
  const received = via.params['received'];
  if (received === undefined || !received.startsWith('[') || !received.endsWith(']')) return via;
  return { ...via, params: { ...via.params, received: received.slice(1, -1) } };
}
