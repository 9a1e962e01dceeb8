import { Buffer } from 'node:buffer';
import { err, ok, type Result } from '@sidetone/core';
import { header } from './header-access.ts';
import { HeaderReader, unquote } from './header-grammar.ts';
import { NO_BODY, type SipMessage } from './message.ts';

/*
 * Bodies (RFC 3261 §7.4, RFC 5621): one part, or a tree of them.
 *
 *   multipart/mixed, related, …   every part counts: those with handling=optional are passed over, an unknown one is refused
 *   multipart/alternative         one thing in several forms: the last that is understood (RFC 2046 §5.1.4)
 *
 * Total and linear: whatever the bytes are, the answer is parts or a refusal.
 */

/** What a body may cost us; beyond it is refused with 400. */
const LIMITS = {
  /** Parts, those that hold others included. */
  parts: 32,
  depth: 4,
  /** Bytes of the headers of a part. */
  head: 4096,
  /** RFC 2046 §5.1.1. */
  boundary: 70,
} as const;

/** One part of a body that is not made of parts. */
export interface BodyPart {
  /** The media type in lower case, without parameters. */
  readonly type: string;
  /** Content-Disposition in lower case, or its default (RFC 3261 §20.11). */
  readonly disposition: string;
  /** `handling=optional`. */
  readonly optional: boolean;
  readonly content: Uint8Array;
}

interface Leaf extends BodyPart {
  readonly kind: 'leaf';
  /** In a form that we do not undo (Content-Encoding). */
  readonly encoded: boolean;
}

interface Group {
  readonly kind: 'group';
  readonly alternative: boolean;
  readonly optional: boolean;
  readonly parts: readonly Node[];
}

type Node = Leaf | Group;

/** Headers of a body or a part, as far as they matter here. */
interface Facts {
  readonly type: string | undefined;
  readonly disposition: string | undefined;
  readonly encoding: string | undefined;
  readonly transferEncoding: string | undefined;
}

/** Why a request is refused for its body. */
export interface BodyRefusal {
  readonly status: 400 | 415;
  readonly reason?: string;
}

/** What a body holds for somebody who reads `types`. */
export interface BodyRead {
  /** The parts that are understood, in order. */
  readonly parts: readonly BodyPart[];
  /** A request with this body is to be refused; of other messages `parts` is what there is. */
  readonly refusal: BodyRefusal | null;
}

const EMPTY: BodyRead = { parts: [], refusal: null };

const SDP = 'application/sdp';
/** Media types that we read where descriptions are, for Accept. */
export const ACCEPTED = `${SDP}, multipart/mixed, multipart/alternative, multipart/related`;

/**
 * The parts of a message's body with one of these media types, and whether there is one that must be known and is not. A type without
 * a body is a part without content.
 */
export function readBody(message: SipMessage, types: readonly string[]): BodyRead {
  const facts: Facts = {
    type: message.headers.contentType,
    disposition: header(message, 'Content-Disposition'),
    encoding: header(message, 'Content-Encoding'),
    transferEncoding: undefined,
  };
  if (message.body.length === 0) return readEmpty(facts, types);
  const read = readNode(facts, message.body, { left: LIMITS.parts }, 1);
  if (!read.ok) return { parts: [], refusal: { status: 400, reason: `Bad Request (${read.error})` } };
  const parts: BodyPart[] = [];
  const known = collect(read.value, types, parts);
  return { parts, refusal: known || read.value.optional ? null : { status: 415 } };
}

/** Our own rooms say some things by a type alone; what is unknown and empty is nothing. */
function readEmpty(facts: Facts, types: readonly string[]): BodyRead {
  const { type } = parameters(facts.type ?? '');
  if (!types.includes(type)) return EMPTY;
  return { parts: [{ type, disposition: 'render', optional: true, content: NO_BODY }], refusal: null };
}

/** The session description of a message as text, or `undefined`. */
export function sessionDescription(message: SipMessage): string | undefined {
  const part = readSession(message).parts[0];
  if (part === undefined || part.content.length === 0) return undefined;
  const text = partText(part);
  // The line end before a delimiter belongs to the delimiter.
  return part.content === message.body || text.endsWith('\n') ? text : `${text}\r\n`;
}

/** The content of a part as UTF-8 text. */
export const partText = ({ content }: BodyPart): string =>
  Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');

/** Whether a request that may carry a description has to be refused for its body. */
export const bodyRefusal = (message: SipMessage): BodyRefusal | null => readSession(message).refusal;

const readSession = (message: SipMessage): BodyRead => readBody(message, [SDP]);

/** Adds the understood parts of a node. False: it holds one that must be understood and is not. */
function collect(node: Node, types: readonly string[], into: BodyPart[]): boolean {
  if (node.kind === 'leaf') {
    const { type, disposition, optional, content, encoded } = node;
    const known = types.includes(type) && !encoded && (type !== SDP || disposition === 'session');
    if (known) into.push({ type, disposition, optional, content });
    return known;
  }
  if (!node.alternative)
    return node.parts.reduce((all, part) => (collect(part, types, into) || part.optional) && all, true);
  for (const part of node.parts.toReversed()) {
    const found: BodyPart[] = [];
    if (!collect(part, types, found)) continue;
    into.push(...found);
    return true;
  }
  return false;
}

function readNode(
  facts: Facts,
  content: Uint8Array,
  budget: { left: number },
  depth: number,
): Result<Node, string> {
  if (budget.left === 0) return err('too many body parts');
  budget.left -= 1;
  const { type, params } = parameters(facts.type ?? (depth === 1 ? '' : 'text/plain'));
  const stated = facts.disposition === undefined ? null : parameters(facts.disposition);
  const optional = stated !== null && unquoted(stated.params['handling'] ?? '').toLowerCase() === 'optional';
  const disposition = stated?.type ?? (type === SDP ? 'session' : 'render');
  const encoded = (facts.encoding ?? 'identity').trim().toLowerCase() !== 'identity';
  if (!type.startsWith('multipart/') || encoded) {
    const plain = decoded(content, facts.transferEncoding);
    const leaf = { kind: 'leaf', type, disposition, optional, encoded: encoded || plain === null } as const;
    return ok({ ...leaf, content: plain ?? content });
  }
  const parts = readParts(content, unquoted(params['boundary'] ?? ''), budget, depth);
  // What may be passed over may also be broken.
  if (!parts.ok && !optional) return parts;
  const alternative = type === 'multipart/alternative';
  return ok({ kind: 'group', alternative, optional, parts: parts.ok ? parts.value : [] });
}

/** The parts between delimiters (RFC 2046 §5.1.1); what stands before the first and behind the last is none. */
function readParts(
  bytes: Uint8Array,
  boundary: string,
  budget: { left: number },
  depth: number,
): Result<readonly Node[], string> {
  if (boundary === '' || boundary.length > LIMITS.boundary) return err('bad boundary');
  if (depth > LIMITS.depth) return err('body parts too deep');
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = Buffer.from(`--${boundary}`);
  const nodes: Node[] = [];
  let start = -1;
  for (let at = nextDelimiter(buffer, delimiter, 0); ; at = nextDelimiter(buffer, delimiter, at.next)) {
    if (start >= 0) {
      const part = readPart(buffer.subarray(start, Math.max(start, at.begin)), budget, depth);
      if (!part.ok) return part;
      nodes.push(part.value);
    }
    // Without the last delimiter the body itself is the end: Content-Length says that it is whole.
    if (at.closes) break;
    start = at.next;
  }
  return nodes.length === 0 ? err('no body part') : ok(nodes);
}

interface Delimiter {
  /** Where the part before it ends: at the line end, which belongs to the delimiter. */
  readonly begin: number;
  /** Where the part behind it begins. */
  readonly next: number;
  readonly closes: boolean;
}

/** The next line that is the delimiter: behind it only blanks, or `--` for the last. */
function nextDelimiter(buffer: Buffer, delimiter: Buffer, from: number): Delimiter {
  const end: Delimiter = { begin: buffer.length, next: buffer.length, closes: true };
  // The line end of one delimiter may be that before the next.
  let at = buffer.indexOf(delimiter, Math.max(0, from));
  for (; at >= 0; at = buffer.indexOf(delimiter, at + 1)) {
    if (at > 0 && (buffer[at - 1] !== 10 || buffer[at - 2] !== 13)) continue;
    let i = at + delimiter.length;
    const closes = buffer[i] === 45 && buffer[i + 1] === 45;
    if (closes) i += 2;
    while (buffer[i] === 32 || buffer[i] === 9) i += 1;
    const atEnd = i === buffer.length;
    if (!atEnd && (buffer[i] !== 13 || buffer[i + 1] !== 10)) continue;
    if (closes || atEnd) return { ...end, begin: at - 2 };
    return { begin: at - 2, next: i + 2, closes: false };
  }
  return end;
}

function readPart(part: Buffer, budget: { left: number }, depth: number): Result<Node, string> {
  // A part may have no headers: then it begins with the empty line.
  const bare = part.length === 0 || (part[0] === 13 && part[1] === 10);
  const end = bare ? 0 : part.indexOf('\r\n\r\n');
  if (end > LIMITS.head || (end < 0 && part.length > LIMITS.head)) return err('body part head too long');
  const head = bare ? '' : part.toString('latin1', 0, end < 0 ? part.length : end);
  const fields = new Map<string, string>();
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const facts: Facts = {
    type: fields.get('content-type') ?? fields.get('c'),
    disposition: fields.get('content-disposition'),
    encoding: fields.get('content-encoding') ?? fields.get('e'),
    transferEncoding: fields.get('content-transfer-encoding'),
  };
  const content = part.subarray(bare ? Math.min(2, part.length) : end < 0 ? part.length : end + 4);
  return readNode(facts, content, budget, depth + 1);
}

/** Content-Transfer-Encoding undone (RFC 2045 §6); `null` for one that is unknown. */
function decoded(content: Uint8Array, encoding: string | undefined): Uint8Array | null {
  switch ((encoding ?? 'binary').toLowerCase()) {
    case '7bit':
    case '8bit':
    case 'binary':
      return content;
    case 'base64':
      return Buffer.from(Buffer.from(content).toString('latin1'), 'base64');
    case 'quoted-printable':
      return Buffer.from(
        Buffer.from(content)
          .toString('latin1')
          .replace(/=[ \t]*\r\n/g, '')
          .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      );
    default:
      return null;
  }
}

/** `type;name=value…`; parameters that cannot be read are left out. */
function parameters(value: string): {
  readonly type: string;
  readonly params: Readonly<Record<string, string>>;
} {
  const semicolon = value.indexOf(';');
  const type = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  if (semicolon < 0) return { type, params: {} };
  return { type, params: new HeaderReader(value).params(semicolon, value.length) ?? {} };
}

const unquoted = (value: string): string => (value.startsWith('"') ? unquote(value) : value);
