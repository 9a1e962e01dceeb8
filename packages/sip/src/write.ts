import { Buffer } from 'node:buffer';
import { formatNameAddr, formatVia } from './header-grammar.ts';
import type { NameAddr, SipMessage } from './message.ts';
import { formatUri } from './uri.ts';

/** Our own side tried to write what would break a message: CR, LF or NUL, or a header that is not free to set. */
export class SipWriteError extends Error {
  override readonly name = 'SipWriteError';
}

/**
 * Writes a message (RFC 3261 §7), header names in their long form, Content-Length counted. Throws `SipWriteError` when any part of the
 * head carries CR, LF or NUL: that is how one header becomes two.
 */
export function writeMessage(message: SipMessage): Uint8Array {
  const { head, lines } = headOf(message);
  if (!isClean(head, lines)) throw new SipWriteError('CR, LF or NUL in the head of a message');
  const bytes = Buffer.from(head, 'utf8');
  return message.body.length === 0 ? bytes : Buffer.concat([bytes, message.body]);
}

/** How many bytes `writeMessage` would make of it. Never throws. */
export const messageSize = (message: SipMessage): number =>
  Buffer.byteLength(headOf(message).head, 'utf8') + message.body.length;

/** Everything before the body, and how many lines it has. */
function headOf(message: SipMessage): { readonly head: string; readonly lines: number } {
  const h = message.headers;
  let lines = 0;
  let head =
    message.kind === 'request'
      ? `${message.method} ${formatUri(message.uri)} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`;
  for (const via of h.via) head += `Via: ${formatVia(via)}\r\n`;
  head += addresses('Record-Route', h.recordRoute) + addresses('Route', h.route);
  if (h.maxForwards !== undefined) {
    head += `Max-Forwards: ${h.maxForwards}\r\n`;
    lines += 1;
  }
  head += `From: ${formatNameAddr(h.from)}\r\nTo: ${formatNameAddr(h.to)}\r\nCall-ID: ${h.callId}\r\nCSeq: ${h.cseq.seq} ${h.cseq.method}\r\n`;
  if (h.contact === '*') {
    head += 'Contact: *\r\n';
    lines += 1;
  } else {
    head += addresses('Contact', h.contact);
    lines += h.contact.length;
  }
  for (const [name, value] of h.other) head += `${name}: ${value}\r\n`;
  if (h.contentType !== undefined) {
    head += `Content-Type: ${h.contentType}\r\n`;
    lines += 1;
  }
  head += `Content-Length: ${message.body.length}\r\n\r\n`;
  lines += 7 + h.via.length + h.recordRoute.length + h.route.length + h.other.length;
  return { head, lines };
}

function addresses(name: string, values: readonly NameAddr[]): string {
  let out = '';
  for (const value of values) out += `${name}: ${formatNameAddr(value)}\r\n`;
  return out;
}

/** Whether the head has exactly our own line ends: `lines` of them, each CR LF. */
function isClean(head: string, lines: number): boolean {
  if (head.includes('\0')) return false;
  let count = 0;
  let at = 0;
  for (;;) {
    const feed = head.indexOf('\n', at);
    if (feed < 0) break;
    if (head.charCodeAt(feed - 1) !== 13 || head.indexOf('\r', at) !== feed - 1) return false;
    count += 1;
    at = feed + 1;
  }
  return count === lines && head.indexOf('\r', at) < 0;
}
