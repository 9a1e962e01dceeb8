import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import { type Flow, keyedMac, type SipRequest } from '@sidetone/sip';
import type { Sender } from './border.ts';
import type { Target } from './targets.ts';

/** The peer of a dialog across the border: a phone is reached by its own flow, a carrier by the routes of the dialog. */
export type Peer = { readonly phone: Flow } | { readonly trunk: string };

/**
 * The user part of our Record-Route (RFC 5626 §5.2 has the idea): who shows it in a Route belongs to the dialog, from
 * whatever address, and requests of our own side that show it find the peer again. Bound to the Call-ID by a MAC, so
 * nothing is kept for it.
 */
export function dialogToken(secret: Uint8Array, callId: string, peer: Peer): string {
  const text = 'trunk' in peer ? `trunk,${peer.trunk}` : flowText(peer.phone);
  const payload = Buffer.from(text).toString('base64url');
  return `d.${payload}.${remember(secret, callId, payload, mac(secret, callId, payload))}`;
}

/** Reads the user part of a Route; `null` when it is not ours or belongs to another call. */
export function readDialogToken(secret: Uint8Array, callId: string, token: string | undefined): Peer | null {
  if (token === undefined || token.length > 512) return null;
  const parts = token.split('.');
  if (parts.length !== 3 || parts[0] !== 'd') return null;
  const [, payload, given] = parts as [string, string, string];
  const due = Buffer.from(mac(secret, callId, payload));
  const got = Buffer.from(given);
  if (due.length !== got.length || !timingSafeEqual(due, got)) return null;
  remember(secret, callId, payload, given);
  return peerOf(Buffer.from(payload, 'base64url').toString());
}

/** §16.6 item 4: we stay on the path of dialogs that cross the border. The peer outside, and the token for its dialog. */
export function pathOf(
  request: SipRequest,
  source: Flow,
  target: Target,
  sender: Sender | null,
  secret: Uint8Array,
): { readonly peer: Flow; readonly token: string } | null {
  if (request.headers.to.params['tag'] !== undefined || request.method !== 'INVITE') return null;
  const { callId } = request.headers;
  if (source.transport !== 'local') {
    const peer = sender?.kind === 'trunk' ? { trunk: sender.trunk } : { phone: source };
    return { peer: source, token: dialogToken(secret, callId, peer) };
  }
  if (target.flow.transport === 'local') return null;
  const peer = target.trunk === undefined ? { phone: target.flow } : { trunk: target.trunk };
  return { peer: target.flow, token: dialogToken(secret, callId, peer) };
}

/** Of the dialogs that were seen last, made by us or shown by who had them of us; what is not here is computed. */
const KNOWN_MACS = 4096;
const known = new WeakMap<Uint8Array, Map<string, string>>();

const textOf = (callId: string, payload: string): string => `dialog\0${callId}\0${payload}`;

const mac = (secret: Uint8Array, callId: string, payload: string): string =>
  known.get(secret)?.get(textOf(callId, payload)) ??
  keyedMac(secret).update(textOf(callId, payload)).digest().subarray(0, 12).toString('base64url');

function remember(secret: Uint8Array, callId: string, payload: string, made: string): string {
  let macs = known.get(secret);
  if (macs === undefined) known.set(secret, (macs = new Map()));
  if (macs.size >= KNOWN_MACS) for (const oldest of macs.keys()) if (macs.delete(oldest)) break;
  macs.set(textOf(callId, payload), made);
  return made;
}

const flowText = (flow: Flow): string =>
  flow.transport === 'local'
    ? `local,${flow.node}`
    : `${flow.transport},${flow.port},${flow.host},${flow.transport === 'udp' ? '' : (flow.connection ?? '')}`;

/** Only reads what we wrote: the MAC was checked before. */
function peerOf(text: string): Peer | null {
  const [kind, second = '', host = '', connection = ''] = text.split(',');
  const port = Number(second);
  switch (kind) {
    case 'trunk':
      return { trunk: second };
    case 'udp':
      return { phone: { transport: kind, host, port } };
    case 'tcp':
    case 'tls':
    case 'ws':
    case 'wss':
      return { phone: { transport: kind, host, port, ...(connection === '' ? {} : { connection }) } };
    default:
      return null;
  }
}
