import { createRequest, type RequestParts } from './build.ts';
import type { NameAddr, SipRequest, SipResponse, Uri } from './message.ts';

/** A dialog (RFC 3261 §12) as a plain record; every function gives a new one. */
export interface Dialog {
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  /** Our From in requests we send, tag included. */
  readonly local: NameAddr;
  /** Our To in requests we send; the tag is missing with a peer of RFC 2543. */
  readonly remote: NameAddr;
  readonly remoteTarget: Uri;
  readonly routeSet: readonly NameAddr[];
  readonly localSeq: number;
  /** `null` until the peer has sent a request in the dialog. */
  readonly remoteSeq: number | null;
}

/** The dialog a response to our INVITE makes (§12.1.2); without Contact the request URI stays the target. */
export function dialogAsUac(request: SipRequest, response: SipResponse): Dialog {
  return {
    role: 'uac',
    callId: request.headers.callId,
    local: request.headers.from,
    remote: response.headers.to,
    remoteTarget: contactOf(response) ?? request.uri,
    routeSet: [...response.headers.recordRoute].reverse(),
    localSeq: request.headers.cseq.seq,
    remoteSeq: null,
  };
}

/** The dialog our response to an INVITE makes (§12.1.1). */
export function dialogAsUas(request: SipRequest, localTag: string): Dialog {
  const h = request.headers;
  return {
    role: 'uas',
    callId: h.callId,
    local: { ...h.to, params: { ...h.to.params, tag: localTag } },
    remote: h.from,
    remoteTarget: contactOf(request) ?? h.from.uri,
    routeSet: h.recordRoute,
    localSeq: 0,
    remoteSeq: h.cseq.seq,
  };
}

/** The peer's tag, '' without one. */
export const remoteTag = (dialog: Dialog): string => dialog.remote.params['tag'] ?? '';

/** §12.2.2: in order; the dialog with the new remote CSeq, or `null` for a request out of order. */
export function checkOrder(dialog: Dialog, request: SipRequest): Dialog | null {
  const { seq } = request.headers.cseq;
  if (dialog.remoteSeq !== null && seq <= dialog.remoteSeq) return null;
  return { ...dialog, remoteSeq: seq };
}

/** Target refresh (§12.2.1.2, §12.2.2): the Contact of an INVITE or UPDATE, or of the 2xx to one. */
export function refreshTarget(dialog: Dialog, message: SipRequest | SipResponse): Dialog {
  const target = contactOf(message);
  return target === undefined ? dialog : { ...dialog, remoteTarget: target };
}

/** Where a request of this dialog goes first. */
export const nextHop = (dialog: Dialog): Uri => dialog.routeSet[0]?.uri ?? dialog.remoteTarget;

/**
 * Request URI and Route on the way to a target (§12.2.1.1, §16.6 item 6). A first route without `lr` is a strict router: it becomes the
 * request URI, without what may not stand there (§19.1.1), and the target goes last in Route.
 */
export function routed(
  target: Uri,
  route: readonly NameAddr[],
): { readonly uri: Uri; readonly route: readonly NameAddr[] } {
  const [first, ...rest] = route;
  if (first === undefined || first.uri.params['lr'] !== undefined) return { uri: target, route };
  const { headers: _, ...uri } = first.uri;
  const { method: __, ...params } = uri.params;
  return { uri: { ...uri, params }, route: [...rest, { uri: target, params: {} }] };
}

/** A request inside the dialog (§12.2.1.1) with `seq`, default the next number. */
export function requestIn(
  dialog: Dialog,
  parts: Omit<RequestParts, 'uri' | 'from' | 'to' | 'callId' | 'cseq' | 'route'>,
  seq?: number,
): { readonly dialog: Dialog; readonly request: SipRequest } {
  const cseq = seq ?? dialog.localSeq + 1;
  const request = createRequest({
    ...parts,
    ...routed(dialog.remoteTarget, dialog.routeSet),
    from: dialog.local,
    to: dialog.remote,
    callId: dialog.callId,
    cseq,
  });
  return { dialog: seq === undefined ? { ...dialog, localSeq: cseq } : dialog, request };
}

/** The first Contact, as a target: header parts of a URI never become headers of our requests. */
function contactOf(message: SipRequest | SipResponse): Uri | undefined {
  const { contact } = message.headers;
  const uri = contact === '*' ? undefined : contact[0]?.uri;
  if (uri?.headers === undefined) return uri;
  const { headers: _, ...target } = uri;
  return target;
}
