import type { Ms } from '@sidetone/core';
import type { Flow, NameAddr, SipRequest, SipResponse, Uri } from '@sidetone/sip';
import { CONTACT_PARAM } from '@sidetone/wire';
import type { Sender } from './border.ts';
import { dialogToken, type Peer, type PhonePeer } from './dialog-token.ts';
import { namedBy, type Way, wayOf } from './phone-way.ts';
import type { Target } from './targets.ts';

/*
 * Where the peer of a dialog is, as `voice` holds it for us: nothing is kept here, so it outlives the process.
 *
 *   INVITE ──▶ Record-Route: the token of the peer, in the route set for good
 *   re-INVITE, UPDATE of a phone that proves itself, and its answers ──▶ Contact with a newer token, in the remote target until
 *                                                                       the next refresh (RFC 3261 §12.2)
 *   REGISTER of the same contact from another source ──▶ the location table; the latest of the three counts (`targets.ts`)
 */

/** §16.6 item 4: we stay on the path of dialogs that cross the border. The peer outside, and the token for its dialog. */
export function pathOf(
  request: SipRequest,
  source: Flow,
  target: Target,
  sender: Sender | null,
  secret: Uint8Array,
  now: Ms,
): { readonly peer: Flow; readonly token: string } | null {
  if (request.headers.to.params['tag'] !== undefined || request.method !== 'INVITE') return null;
  const { callId } = request.headers;
  if (source.transport !== 'local') {
    const phone = (): PhonePeer => ({
      phone: wayOf(request, nextHopOf(request), source),
      ...(sender?.kind === 'phone' ? namesOf(sender) : {}),
      at: now,
    });
    const peer = sender?.kind === 'trunk' ? { trunk: sender.trunk } : phone();
    return { peer: source, token: dialogToken(secret, callId, peer) };
  }
  if (target.flow.transport === 'local') return null;
  const peer =
    target.trunk === undefined ? phoneAt(target, { flow: target.flow }, now) : { trunk: target.trunk };
  return { peer: target.flow, token: dialogToken(secret, callId, peer) };
}

/**
 * Where a phone is that refreshes the target of a dialog (RFC 3261 §12.2, RFC 3311 §5.1) and has proved itself: by the token of the dialog, by digest, or by the flow that it
 * registered by (`users`: who did). `null` for everybody else, and for carriers.
 */
export function movedTo(
  request: SipRequest,
  source: Flow,
  sender: Sender | null,
  peer: Peer | null,
  users: readonly string[],
  now: Ms,
): PhonePeer | null {
  const { to, from } = request.headers;
  if (request.method !== 'INVITE' && request.method !== 'UPDATE') return null;
  if (to.params['tag'] === undefined || sender === null || sender.kind === 'trunk') return null;
  const phone = wayOf(request, nextHopOf(request), source);
  if (peer !== null) return 'trunk' in peer ? null : { ...peer, phone, at: now };
  const user =
    sender.kind === 'phone'
      ? sender.user
      : users.length > 1
        ? users.find((u) => u === from.uri.user)
        : users[0];
  return user === undefined ? null : { phone, user, at: now };
}

/** An answer of a phone with a Contact that says where it was when it gave it. */
export function answeredBy(response: SipResponse, target: Target, secret: Uint8Array, now: Ms): SipResponse {
  const { contact, callId } = response.headers;
  const [first] = contact;
  if (target.phone === undefined || first === undefined || contact === '*') return response;
  if (response.status <= 100 || response.status >= 300) return response;
  const named = target.phone.byContact ? namedBy((first as NameAddr).uri, target.flow) : null;
  const token = dialogToken(secret, callId, phoneAt(target, named ?? { flow: target.flow }, now));
  return { ...response, headers: { ...response.headers, contact: withMark(contact, token) } };
}

/** Contacts with the token of where their phone is; the first is the remote target. */
export function withMark(contact: readonly NameAddr[] | '*', token: string): readonly NameAddr[] | '*' {
  const [first, ...rest] = contact;
  if (contact === '*' || first === undefined) return contact;
  const { uri, ...name } = first as NameAddr;
  const marked: Uri = { ...uri, params: { ...uri.params, [CONTACT_PARAM.peer]: token } };
  return [{ ...name, uri: marked }, ...(rest as NameAddr[])];
}

function phoneAt({ phone }: Target, way: Way, now: Ms): PhonePeer {
  const { byContact, ...names } = phone ?? {};
  return { phone: byContact ? { ...way, byContact } : way, ...namesOf(names), at: now };
}

const namesOf = ({
  user,
  binding,
}: Pick<PhonePeer, 'user' | 'binding'>): Pick<PhonePeer, 'user' | 'binding'> => ({
  ...(user === undefined ? {} : { user }),
  ...(binding === undefined ? {} : { binding }),
});

/** The next hop towards who sent this: the last proxy that stays on the path, else its Contact. */
function nextHopOf({ headers }: SipRequest): Uri | undefined {
  const { recordRoute, contact } = headers;
  return recordRoute[0]?.uri ?? (contact === '*' ? undefined : contact[0]?.uri);
}
