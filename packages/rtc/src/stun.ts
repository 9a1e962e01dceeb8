import type { Result } from '@sidetone/core';

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

/** Reads one STUN message. Total. A FINGERPRINT that is present must be right. */
export function parseStun(bytes: Uint8Array): Result<StunMessage, StunError> {
  throw new Error(String(bytes));
}

export interface StunDraft {
  readonly class: StunClass;
  readonly method: number;
  readonly transactionId: Uint8Array;
  readonly attributes: readonly (readonly [type: number, value: Uint8Array])[];
}

/** Writes a message, with MESSAGE-INTEGRITY if `key` is given, and FINGERPRINT always. */
export function writeStun(draft: StunDraft, key?: Uint8Array): Uint8Array {
  throw new Error(String(draft) + key);
}

/** Does MESSAGE-INTEGRITY hold under `key` (short-term credentials: the password's bytes)? Constant time in the tag. */
export function verifyIntegrity(message: StunMessage, key: Uint8Array): boolean {
  throw new Error(String(message) + key);
}

/** The value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2). */
export function xorAddress(source: TransportAddress, transactionId: Uint8Array): Uint8Array {
  throw new Error(String(source) + transactionId);
}

/** Reads XOR-MAPPED-ADDRESS; `null` when malformed. */
export function readXorAddress(value: Uint8Array, transactionId: Uint8Array): TransportAddress | null {
  throw new Error(String(value) + transactionId);
}

/**
 * A bare STUN server: the answer to an unauthenticated Binding request, or `null` when the bytes deserve none. Never
 * longer than 20 bytes more than the request.
 */
export function answerBinding(request: Uint8Array, source: TransportAddress): Uint8Array | null {
  throw new Error(String(request) + source);
}
