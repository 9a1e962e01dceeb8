import type { Ms } from '@sidetone/core';
import { escapeUser, type Flow, type SipRequest, type SipResponse, type Uri } from '@sidetone/sip';
import { CONTACT_PARAM } from '@sidetone/wire';
import { refreshesTarget, type Sender } from './border.ts';
import { dialogToken, type Peer, type PhonePeer } from './dialog-token.ts';
import { namedBy, type Way, wayOf } from './phone-way.ts';
import type { Target } from './target.ts';

/*
 * Where the peer of a dialog is, as `voice` holds it for us: nothing is kept here, so it outlives the process.
 *
 *   INVITE ──▶ Record-Route: the token of the peer, in the route set for good
 *   re-INVITE, UPDATE of a phone that proves itself, and its answers ──▶ Contact with a newer token, in the remote target until
 *                                                                       the next refresh (RFC 3261 §12.2)
 *   REGISTER of the same contact from another source ──▶ the location table; the latest of the three counts (`targets.ts`)
 */

type Contacts = SipRequest['headers']['contact'];
type Names = Pick<PhonePeer, 'user' | 'binding'>;

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
 * The Contact of a request from outside as `voice` gets it. That of a phone which has proved itself, by the token of the dialog, by
 * digest or by the flow that it registered by, says where and whose it is; everybody else's stays as it is.
 */
export function contactFrom(
  request: SipRequest,
  source: Flow,
  sender: Sender | null,
  peer: Peer | null,
  secret: Uint8Array,
  now: Ms,
): Contacts {
  const { contact, callId } = request.headers;
  if (!refreshesTarget(request) || sender === null || sender.kind === 'trunk') return contact;
  if (peer === null ? sender.user === undefined : 'trunk' in peer) return contact;
  const phone = wayOf(request, nextHopOf(request), source);
  return marked(
    contact,
    { ...namesOf(sender), ...(peer as PhonePeer | null), phone, at: now },
    callId,
    secret,
  );
}

/** An answer of a phone with a Contact that says where it was when it gave it. */
export function answeredBy(response: SipResponse, target: Target, secret: Uint8Array, now: Ms): SipResponse {
  const { contact, callId } = response.headers;
  const uri = targetOf(contact);
  if (target.phone === undefined || uri === undefined) return response;
  if (response.status <= 100 || response.status >= 300) return response;
  const named = target.phone.byContact ? namedBy(uri, target.flow) : null;
  const peer = phoneAt(target, named ?? { flow: target.flow }, now);
  const headers = { ...response.headers, contact: marked(contact, peer, callId, secret) };
  return { ...response, headers };
}

/** The first is the remote target. */
function marked(contact: Contacts, peer: PhonePeer, callId: string, secret: Uint8Array): Contacts {
  if (contact === '*') return contact;
  const token = { [CONTACT_PARAM.peer]: dialogToken(secret, callId, peer) };
  const user = peer.user === undefined ? {} : { [CONTACT_PARAM.user]: escapeUser(peer.user) };
  return contact.map((c, i) =>
    i > 0 ? c : { ...c, uri: { ...c.uri, params: { ...c.uri.params, ...token, ...user } } },
  );
}

function phoneAt({ phone }: Target, way: Way, now: Ms): PhonePeer {
  const { byContact, ...names } = phone ?? {};
  return { phone: byContact ? { ...way, byContact } : way, ...namesOf(names), at: now };
}

const namesOf = ({ user, binding }: Names): Names => ({
  ...(user === undefined ? {} : { user }),
  ...(binding === undefined ? {} : { binding }),
});

/** The next hop towards who sent this: the last proxy that stays on the path, else its Contact. */
function nextHopOf({ headers }: SipRequest): Uri | undefined {
  return headers.recordRoute[0]?.uri ?? targetOf(headers.contact);
}

const targetOf = (contact: Contacts): Uri | undefined => (contact === '*' ? undefined : contact[0]?.uri);
