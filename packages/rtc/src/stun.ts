import { createHmac, timingSafeEqual } from 'node:crypto';
import { err, formatIp, ok, parseIp, type Result } from '@sidetone/core';
import { crc32 } from './crc32.ts';
import { readUint32, writeUint32 } from './rtp.ts';

/** An IP address in its usual text form and a UDP port. */
export interface TransportAddress {
  readonly address: string;
  readonly port: number;
}

export type StunClass = 'request' | 'indication' | 'success' | 'error';

/** A STUN message (RFC 8489) and where its authenticated parts lie. Values are views into the parsed bytes. */
export interface StunMessage {
  readonly class: StunClass;
  /** 1 = Binding. */
  readonly method: number;
  /** 12 bytes. */
  readonly transactionId: Uint8Array;
  /** The first attribute of each type; those after MESSAGE-INTEGRITY are left out, FINGERPRINT excepted. */
  readonly attributes: ReadonlyMap<number, Uint8Array>;
  /** Comprehension-required attributes that we do not know (RFC 8489 §6.3.1). */
  readonly unknownRequired: readonly number[];
  /** Offset of MESSAGE-INTEGRITY in the bytes, or -1. */
  readonly integrityAt: number;
  readonly bytes: Uint8Array;
}

export type StunError = 'too-short' | 'not-stun' | 'bad-length' | 'bad-attribute' | 'bad-fingerprint';

export const BINDING = 1;

/** Attribute types (RFC 8489 §18.3, RFC 8445 §16.1). */
export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

/** Required ones that may stand in a message to us: with MAPPED-ADDRESS, REALM, NONCE, and those of RFC 8489. */
const KNOWN = new Set([
  0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020, 0x0024, 0x0025,
]);

const COOKIE = 0x2112a442;
const HEADER = 20;
const MAX_MESSAGE = 1500;
const MAX_ATTRIBUTES = 32;
const FINGERPRINT_XOR = 0x5354554e;
const CLASSES: readonly StunClass[] = ['request', 'indication', 'success', 'error'];

/** Reads one STUN message. Total. A FINGERPRINT that is present must be right. */
export function parseStun(bytes: Uint8Array): Result<StunMessage, StunError> {
  if (bytes.length < HEADER) return err('too-short');
  if (bytes[0]! > 3 || readUint32(bytes, 4) !== COOKIE) return err('not-stun');
  const length = (bytes[2]! << 8) | bytes[3]!;
  if (length % 4 !== 0 || HEADER + length !== bytes.length || bytes.length > MAX_MESSAGE)
    return err('bad-length');
  const type = (bytes[0]! << 8) | bytes[1]!;
  const attributes = new Map<number, Uint8Array>();
  const unknownRequired: number[] = [];
  let integrityAt = -1;
  let count = 0;
  for (let at = HEADER; at < bytes.length; ) {
    if (at + 4 > bytes.length || ++count > MAX_ATTRIBUTES) return err('bad-attribute');
    const kind = (bytes[at]! << 8) | bytes[at + 1]!;
    const size = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (at + 4 + size > bytes.length) return err('bad-attribute');
    const value = bytes.subarray(at + 4, at + 4 + size);
    if (kind === ATTRIBUTE.fingerprint) {
      // §14.7: always last.
      if (size !== 4 || at + 8 !== bytes.length || !fingerprintHolds(bytes, at))
        return err('bad-fingerprint');
      attributes.set(kind, value);
    } else if (integrityAt < 0) {
      if (kind === ATTRIBUTE.messageIntegrity) {
        if (size !== 20) return err('bad-attribute');
        integrityAt = at;
      }
      if (!attributes.has(kind)) attributes.set(kind, value);
      if (kind < 0x8000 && !KNOWN.has(kind) && !unknownRequired.includes(kind)) unknownRequired.push(kind);
    }
    at += 4 + ((size + 3) & ~3);
  }
  return ok({
    class: CLASSES[((type >> 7) & 2) | ((type >> 4) & 1)]!,
    method: (type & 0x0f) | ((type & 0xe0) >> 1) | ((type & 0x3e00) >> 2),
    transactionId: bytes.subarray(8, HEADER),
    attributes,
    unknownRequired,
    integrityAt,
    bytes,
  });
}

export interface StunDraft {
  readonly class: StunClass;
  readonly method: number;
  readonly transactionId: Uint8Array;
  readonly attributes: readonly (readonly [type: number, value: Uint8Array])[];
}

/** Writes a message, with MESSAGE-INTEGRITY if `key` is given, and FINGERPRINT always. */
export function writeStun(draft: StunDraft, key?: Uint8Array): Uint8Array {
  return write(draft, key, true);
}

function write(draft: StunDraft, key: Uint8Array | undefined, fingerprint: boolean): Uint8Array {
  let size = HEADER;
  for (const [, value] of draft.attributes) size += 4 + ((value.length + 3) & ~3);
  const integrityAt = size;
  if (key !== undefined) size += 24;
  const fingerprintAt = size;
  if (fingerprint) size += 8;

  const bytes = new Uint8Array(size);
  const kind = CLASSES.indexOf(draft.class);
  const { method } = draft;
  const type =
    (method & 0x0f) |
    ((method & 0x70) << 1) |
    ((method & 0xf80) << 2) |
    ((kind & 1) << 4) |
    ((kind & 2) << 7);
  writeHead(bytes, 0, type, 0);
  writeUint32(bytes, 4, COOKIE);
  bytes.set(draft.transactionId, 8);
  let at = HEADER;
  for (const [attribute, value] of draft.attributes) {
    writeHead(bytes, at, attribute, value.length);
    bytes.set(value, at + 4);
    at += 4 + ((value.length + 3) & ~3);
  }
  if (key !== undefined) {
    writeHead(bytes, integrityAt, ATTRIBUTE.messageIntegrity, 20);
    bytes.set(integrity(bytes, integrityAt, key), integrityAt + 4);
  }
  bytes[2] = (size - HEADER) >> 8;
  bytes[3] = size - HEADER;
  if (fingerprint) {
    writeHead(bytes, fingerprintAt, ATTRIBUTE.fingerprint, 4);
    writeUint32(bytes, fingerprintAt + 4, crc32(bytes.subarray(0, fingerprintAt)) ^ FINGERPRINT_XOR);
  }
  return bytes;
}

function writeHead(bytes: Uint8Array, at: number, first: number, second: number): void {
  bytes[at] = first >> 8;
  bytes[at + 1] = first;
  bytes[at + 2] = second >> 8;
  bytes[at + 3] = second;
}

/** §14.5: the HMAC covers the message up to the attribute, with the length that would end right behind it. */
function integrity(bytes: Uint8Array, at: number, key: Uint8Array): Uint8Array {
  const head = bytes.slice(0, HEADER);
  head[2] = (at + 24 - HEADER) >> 8;
  head[3] = at + 24 - HEADER;
  return createHmac('sha1', key).update(head).update(bytes.subarray(HEADER, at)).digest();
}

function fingerprintHolds(bytes: Uint8Array, at: number): boolean {
  return readUint32(bytes, at + 4) === (crc32(bytes.subarray(0, at)) ^ FINGERPRINT_XOR) >>> 0;
}

/** Does MESSAGE-INTEGRITY hold under `key` (short-term credentials: the password's bytes)? Constant time in the tag. */
export function verifyIntegrity(message: StunMessage, key: Uint8Array): boolean {
  const at = message.integrityAt;
  if (at < 0) return false;
  return timingSafeEqual(message.bytes.subarray(at + 4, at + 24), integrity(message.bytes, at, key));
}

/** The value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2); empty for an address that is not IP. */
export function xorAddress(source: TransportAddress, transactionId: Uint8Array): Uint8Array {
  const ip = parseIp(source.address);
  if (ip === null) return new Uint8Array(0);
  const out = new Uint8Array(4 + ip.length);
  out[1] = ip.length === 4 ? 1 : 2;
  const port = source.port ^ (COOKIE >>> 16);
  out[2] = port >> 8;
  out[3] = port;
  for (let i = 0; i < ip.length; i++) out[4 + i] = ip[i]! ^ mask(i, transactionId);
  return out;
}

/** Reads XOR-MAPPED-ADDRESS; `null` when malformed. */
export function readXorAddress(value: Uint8Array, transactionId: Uint8Array): TransportAddress | null {
  if (value.length < 8 || value.length !== (value[1] === 1 ? 8 : value[1] === 2 ? 20 : -1)) return null;
  const ip = value.slice(4);
  for (let i = 0; i < ip.length; i++) ip[i]! ^= mask(i, transactionId);
  return { address: formatIp(ip), port: ((value[2]! << 8) | value[3]!) ^ (COOKIE >>> 16) };
}

/** The magic cookie, then the transaction id. */
function mask(i: number, transactionId: Uint8Array): number {
  return i < 4 ? (COOKIE >>> (24 - 8 * i)) & 0xff : transactionId[i - 4]!;
}

const text = new TextEncoder();

/** An error response (RFC 8489 §6.3.4) to `request`; 420 lists the attributes that were not understood. */
export function errorResponse(request: StunMessage, code: number, reason: string): StunDraft {
  const words = text.encode(reason);
  const value = new Uint8Array(4 + words.length);
  value[2] = Math.floor(code / 100);
  value[3] = code % 100;
  value.set(words, 4);
  const attributes: [number, Uint8Array][] = [[ATTRIBUTE.errorCode, value]];
  if (code === 420) {
    const list = Uint8Array.from(request.unknownRequired.flatMap((kind) => [kind >> 8, kind & 0xff]));
    attributes.push([ATTRIBUTE.unknownAttributes, list]);
  }
  return { class: 'error', method: request.method, transactionId: request.transactionId, attributes };
}

/**
 * A bare STUN server: the answer to an unauthenticated Binding request, or `null` when the bytes deserve none. At most 44
 * bytes longer than the request, so that it is of no use to an amplifier.
 */
export function answerBinding(request: Uint8Array, source: TransportAddress): Uint8Array | null {
  const parsed = parseStun(request);
  if (!parsed.ok) return null;
  const message = parsed.value;
  if (message.class !== 'request' || message.method !== BINDING) return null;
  const fingerprint = message.attributes.has(ATTRIBUTE.fingerprint);
  if (message.unknownRequired.length > 0) {
    return write(errorResponse(message, 420, 'Unknown Attribute'), undefined, fingerprint);
  }
  const mapped = xorAddress(source, message.transactionId);
  if (mapped.length === 0) return null;
  const { transactionId } = message;
  return write(
    {
      class: 'success',
      method: BINDING,
      transactionId,
      attributes: [[ATTRIBUTE.xorMappedAddress, mapped]],
    },
    undefined,
    fingerprint,
  );
}
