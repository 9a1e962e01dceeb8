import type { Ms, Random, Result } from '@sidetone/core';
import type { NameAddr, SipMessage, SipRequest, SipResponse, Uri, Via } from './message.ts';
import type { TransactionLayer } from './transport-events.ts';
import type { ExtraHeaders, UserAgent, UserAgentOptions } from './user-agent-events.ts';

export { type Flow, isReliable, type LocalNode } from './flow.ts';
export {
  type Headers,
  type NameAddr,
  NO_BODY,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  type Uri,
  type Via,
} from './message.ts';
export type { SipReceived, SipSend, TransactionLayer, TransactionOut } from './transport-events.ts';
export type {
  ExtraHeaders,
  InviteOptions,
  LegId,
  ResponseOptions,
  UserAgent,
  UserAgentOptions,
  UserAgentOut,
} from './user-agent-events.ts';

// bytes <-> messages
export interface SipParseError {
  /** What to answer a request with: 400, 505, 513. */
  readonly status: number;
  /** A short sentence for logs and for the reason phrase. */
  readonly reason: string;
  /** Whether the broken message was a request; a broken response is dropped. */
  readonly kind: 'request' | 'response' | 'unknown';
  /** What could be read, so that an answer can be built. */
  readonly salvaged: {
    readonly method?: string;
    readonly via?: readonly Via[];
    readonly from?: NameAddr;
    readonly to?: NameAddr;
    readonly callId?: string;
    readonly cseq?: { readonly seq: number; readonly method: string };
  };
}
export declare function parseMessage(bytes: Uint8Array): Result<SipMessage, SipParseError>;
/** Throws `SipWriteError` for CR, LF or NUL in any part of the head. */
export declare function writeMessage(message: SipMessage): Uint8Array;
/** The answer to a request that did not parse; `null` when too little of it could be read. */
export declare function createErrorResponse(error: SipParseError, toTag: string): SipResponse | null;
export type FramerEvent =
  | { readonly type: 'message'; readonly message: SipMessage }
  /** A bad message whose end is known: answer it (`createErrorResponse`) and read on. */
  | { readonly type: 'malformed'; readonly error: SipParseError }
  /** CRLF CRLF: answer with CRLF (RFC 5626 §3.5.1). */
  | { readonly type: 'ping' }
  | { readonly type: 'pong' }
  /** The framing is lost: answer if possible, then close. Nothing follows. */
  | { readonly type: 'fatal'; readonly error: SipParseError };
export interface Framer {
  push(bytes: Uint8Array): readonly FramerEvent[];
}
export declare function createFramer(): Framer;

// values
export declare function parseUri(text: string): Result<Uri, string>;
export declare function formatUri(uri: Uri): string;
export declare function parseNameAddr(text: string): Result<NameAddr, string>;
export declare function formatNameAddr(value: NameAddr): string;
/** Escapes what RFC 3261 §25.1 does not allow in the user part. */
export declare function escapeUser(text: string): string;
export declare function unescapeUser(user: string): string;
/** RFC 3261 §19.1.4. */
export declare function sameUri(a: Uri, b: Uri): boolean;

// messages
/** The first value of a header kept in `other`, by any spelling of its name. */
export declare function header(message: SipMessage, name: string): string | undefined;
export declare function headersNamed(message: SipMessage, name: string): readonly string[];
/** Comma separated values of all lines with this name. */
export declare function listHeader(message: SipMessage, name: string): readonly string[];
/** Replaces (or adds) one header of `other`. */
export declare function withHeader<M extends SipMessage>(message: M, name: string, value: string): M;
export declare function withoutHeader<M extends SipMessage>(message: M, name: string): M;
/** Why this header must not be written (CR, LF, NUL, bad name, a structured header), or `null`. */
export declare function headerProblem(name: string, value: string): string | null;
export declare function bodyText(message: SipMessage): string;
export declare function reasonPhrase(status: number): string;
export interface RequestParts {
  readonly method: string;
  readonly uri: Uri;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: number;
  readonly maxForwards?: number;
  readonly via?: readonly Via[];
  readonly contact?: readonly NameAddr[] | '*';
  readonly route?: readonly NameAddr[];
  readonly headers?: ExtraHeaders;
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}
export declare function createRequest(parts: RequestParts): SipRequest;
export interface ResponseParts {
  readonly reason?: string;
  readonly toTag?: string;
  readonly headers?: ExtraHeaders;
  readonly contact?: readonly NameAddr[];
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}
/** RFC 3261 §8.2.6: copies Via, From, To, Call-ID, CSeq; Record-Route for 101-299 of a dialog-forming request. */
export declare function createResponse(
  request: SipRequest,
  status: number,
  parts?: ResponseParts,
): SipResponse;
export interface RequestRules {
  /** Methods we accept; others get 405. */
  readonly allow?: readonly string[];
  /** Option tags we understand (Require, or Proxy-Require for a proxy). */
  readonly supported?: readonly string[];
  readonly role: 'user-agent' | 'proxy';
}
/** RFC 3261 §8.2.1-3, §16.3: what to refuse a request with, or `null`. */
export declare function validateRequest(
  request: SipRequest,
  rules: RequestRules,
): { readonly status: number; readonly reason: string; readonly headers: ExtraHeaders } | null;

// digest
export type DigestAlgorithm = 'MD5' | 'SHA-256';
export interface Credentials {
  readonly userName: string;
  readonly password: string;
}
export declare function ha1(
  user: string,
  realm: string,
  password: string,
  algorithm: DigestAlgorithm,
): string;
/** Header values for WWW-Authenticate or Proxy-Authenticate, strongest first. Stateless: the nonce is an HMAC. */
export declare function createChallenge(options: {
  readonly realm: string;
  readonly secret: Uint8Array;
  readonly now: Ms;
  /** Bound into the nonce, for example the source address. */
  readonly source: string;
  readonly stale?: boolean;
}): readonly string[];
export declare function verifyDigest(options: {
  /** Authorization or Proxy-Authorization values. */
  readonly authorization: readonly string[];
  readonly method: string;
  readonly realm: string;
  readonly secret: Uint8Array;
  readonly now: Ms;
  readonly source: string;
  readonly lifetime?: Ms;
  /** HA1 in lower-case hex of this user, or `undefined`. */
  readonly ha1: (userName: string, algorithm: DigestAlgorithm) => string | undefined;
}): Result<{ readonly userName: string }, 'missing' | 'malformed' | 'stale' | 'unknown-user' | 'wrong'>;
/** The user name a digest claims, before any check: for an asynchronous lookup. */
export declare function digestUserName(authorization: readonly string[], realm: string): string | undefined;

// transactions and the user agent
export declare function createTransactionLayer(options: {
  readonly sentBy: { readonly host: string; readonly port?: number };
  readonly random: Random;
}): TransactionLayer;
export declare function createUserAgent(options: UserAgentOptions & { readonly random: Random }): UserAgent;
