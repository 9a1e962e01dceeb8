import { Buffer } from 'node:buffer';
import { assertClean, assertHeaders } from './header-access.ts';
import { canonicalName } from './header-names.ts';
import {
  type Headers,
  type NameAddr,
  NO_BODY,
  type SipRequest,
  type SipResponse,
  type Uri,
  type Via,
} from './message.ts';
import { type SipParseError, UNREADABLE } from './parse.ts';
import { reasonPhrase } from './reason-phrase.ts';
import type { ExtraHeaders } from './user-agent-events.ts';
import { SipWriteError } from './write.ts';

/** What a new request is made of. `via` stays empty: the transaction layer adds ours. */
export interface RequestParts {
  readonly method: string;
  readonly uri: Uri;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: number;
  /** 70 unless told (RFC 3261 §8.1.1.6). */
  readonly maxForwards?: number;
  readonly via?: readonly Via[];
  readonly contact?: readonly NameAddr[] | '*';
  readonly route?: readonly NameAddr[];
  readonly headers?: ExtraHeaders;
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}

/** What a response adds to what it copies from the request. */
export interface ResponseParts {
  readonly reason?: string;
  /** Added to To where the request has none there. */
  readonly toTag?: string;
  readonly headers?: ExtraHeaders;
  readonly contact?: readonly NameAddr[];
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}

const bytesOf = (body: string | Uint8Array | undefined): Uint8Array =>
  body === undefined || body.length === 0 ? NO_BODY : typeof body === 'string' ? Buffer.from(body) : body;

const canonical = (headers: ExtraHeaders | undefined): ExtraHeaders => {
  if (headers === undefined) return [];
  assertHeaders(headers);
  return headers.map(([name, value]) => [canonicalName(name), value]);
};

const assertAddress = (address: NameAddr): void => {
  assertClean(address.displayName ?? '');
  assertUri(address.uri);
  for (const name in address.params) assertClean(address.params[name]!);
};

const assertUri = (uri: Uri): void => {
  // A blank or bracket would end the URI early, in the request line or inside of <…>.
  if (/[\s<>"\0]/.test(`${uri.user ?? ''}${uri.password ?? ''}${uri.host}${uri.headers ?? ''}`))
    throw new SipWriteError('a blank or a delimiter in a URI');
  for (const name in uri.params) assertClean(uri.params[name]!);
};

/** Builds a request. Throws `SipWriteError` for a header or address that would break the message. */
export function createRequest(parts: RequestParts): SipRequest {
  assertUri(parts.uri);
  assertAddress(parts.from);
  assertAddress(parts.to);
  assertClean(parts.contentType ?? '');
  assertClean(parts.callId);
  const headers: Headers = {
    via: parts.via ?? [],
    from: parts.from,
    to: parts.to,
    callId: parts.callId,
    cseq: { seq: parts.cseq, method: parts.method },
    contact: parts.contact ?? [],
    route: parts.route ?? [],
    recordRoute: [],
    other: canonical(parts.headers),
    maxForwards: parts.maxForwards ?? 70,
    ...(parts.contentType === undefined ? undefined : { contentType: parts.contentType }),
  };
  return { kind: 'request', method: parts.method, uri: parts.uri, headers, body: bytesOf(parts.body) };
}

/**
 * Builds the response to a request (RFC 3261 §8.2.6): Via, From, To, Call-ID and CSeq are copied, Record-Route for 101 to 299
 * (§12.1.1), Timestamp for 100. Throws `SipWriteError` for a bad header.
 */
export function createResponse(request: SipRequest, status: number, parts: ResponseParts = {}): SipResponse {
  assertClean(parts.reason ?? '');
  assertClean(parts.contentType ?? '');
  const h = request.headers;
  const to =
    parts.toTag === undefined || h.to.params['tag'] !== undefined
      ? h.to
      : { ...h.to, params: { ...h.to.params, tag: parts.toTag } };
  const timestamp = status === 100 ? h.other.filter(([name]) => name === 'Timestamp') : [];
  return {
    kind: 'response',
    status,
    reason: parts.reason ?? reasonPhrase(status),
    headers: {
      via: h.via,
      from: h.from,
      to,
      callId: h.callId,
      cseq: h.cseq,
      contact: parts.contact ?? [],
      route: [],
      recordRoute: status > 100 && status < 300 ? h.recordRoute : [],
      other: [...timestamp, ...canonical(parts.headers)],
      ...(parts.contentType === undefined ? undefined : { contentType: parts.contentType }),
    },
    body: bytesOf(parts.body),
  };
}

/**
 * The answer to what did not parse (statelessly sent back to its source), or `null`: it was a response, an ACK, or has no Via to go by.
 * What else could not be read is left out where a message can do without it, else something that names nobody stands for it.
 */
export function createErrorResponse(error: SipParseError, toTag: string): SipResponse | null {
  const { via, from, to, callId, cseq } = error.salvaged;
  const method = error.salvaged.method ?? cseq?.method ?? 'UNKNOWN';
  if (error.kind === 'response' || method === 'ACK' || cseq?.method === 'ACK') return null;
  if (via === undefined || via.length === 0) return null;
  const nobody: NameAddr = { uri: UNREADABLE, params: {} };
  const { params, ...called } = to ?? nobody;
  return {
    kind: 'response',
    status: error.status,
    reason: error.status === 400 ? `Bad Request (${error.reason})` : reasonPhrase(error.status),
    headers: {
      via,
      from: from ?? nobody,
      to: { ...called, params: params['tag'] === undefined ? { ...params, tag: toTag } : params },
      callId: callId ?? 'unreadable',
      cseq: cseq ?? { seq: 0, method },
      contact: [],
      route: [],
      recordRoute: [],
      other: [],
    },
    body: NO_BODY,
  };
}
