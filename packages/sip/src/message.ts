/**
 * SIP messages as values (RFC 3261 §7). Headers that routing, transactions and dialogs need are structured; every
 * other header is kept as text in `other`, in the order it arrived, under its canonical name.
 */

/** A SIP, SIPS or other URI (RFC 3261 §19.1). `user` is kept as written (escapes not undone). */
export interface Uri {
  readonly scheme: string;
  readonly user?: string;
  readonly password?: string;
  /** Host name, IPv4 address, or IPv6 address without brackets. For non-SIP schemes the whole rest of the URI. */
  readonly host: string;
  readonly port?: number;
  /** Names in lower case; a parameter without value is ''. */
  readonly params: Readonly<Record<string, string>>;
  /** The part behind `?`, as written. */
  readonly headers?: string;
}

/** name-addr with header parameters: From, To, Contact, Route, Record-Route. Parameter names in lower case. */
export interface NameAddr {
  readonly displayName?: string;
  readonly uri: Uri;
  readonly params: Readonly<Record<string, string>>;
}

/** One Via value (RFC 3261 §20.42). `params` holds branch, received, rport and the rest. */
export interface Via {
  /** UDP, TCP, TLS, WS, WSS, or LOCAL between rooms of one process. */
  readonly transport: string;
  readonly host: string;
  readonly port?: number;
  readonly params: Readonly<Record<string, string>>;
}

export interface Headers {
  readonly via: readonly Via[];
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: { readonly seq: number; readonly method: string };
  readonly maxForwards?: number;
  readonly contact: readonly NameAddr[] | '*';
  readonly route: readonly NameAddr[];
  readonly recordRoute: readonly NameAddr[];
  readonly contentType?: string;
  /** All other headers as [canonical name, value]. Content-Length is never here: the writer counts. */
  readonly other: readonly (readonly [name: string, value: string])[];
}

export interface SipRequest {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: Uri;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface SipResponse {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;

export const NO_BODY: Uint8Array = new Uint8Array(0);
