import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import type { Ms } from '@sidetone/core';
import { type Flow, keyedMac, ownText } from '@sidetone/sip';
import type { Way } from './phone-way.ts';

/** A phone in a dialog: where it was when it proved itself. */
export interface PhonePeer {
  readonly phone: Way;
  /** Who proved it; tokens of before do not say. */
  readonly user?: string;
  /** The binding of a phone that is known by its instance (RFC 5626), not by its Contact. */
  readonly binding?: string;
  /** When. */
  readonly at?: Ms;
}

/** The peer of a dialog across the border: a phone is reached where it was last, a carrier by the routes of the dialog. */
export type Peer = PhonePeer | { readonly trunk: string };

/**
 * The user part of our Record-Route (RFC 5626 §5.2 has the idea): who shows it in a Route belongs to the dialog, from
 * whatever address, and requests of our own side that show it find the peer again. Bound to the Call-ID by a MAC, so
 * nothing is kept for it. `voice` gets a newer one in the Contact of a phone that moves (`moves.ts`).
 */
export function dialogToken(secret: Uint8Array, callId: string, peer: Peer): string {
  const text = 'trunk' in peer ? `trunk,${peer.trunk}` : phoneText(peer);
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
  const text = textOf(callId, payload);
  if (macs.has(text)) return made;
  if (macs.size >= KNOWN_MACS) for (const oldest of macs.keys()) if (macs.delete(oldest)) break;
  macs.set(ownText(text), ownText(made));
  return made;
}

const flowText = (flow: Flow): string =>
  flow.transport === 'local'
    ? `local,${flow.node}`
    : `${flow.transport},${flow.port},${flow.host},${flow.transport === 'udp' ? '' : (flow.connection ?? '')}`;

/** The flow first, as tokens of before had it alone. */
const phoneText = ({ phone, user = '', binding = '', at }: PhonePeer): string =>
  [
    flowText(phone.flow),
    encodeURIComponent(user),
    binding,
    at === undefined ? '' : String(Math.floor(at)),
    phone.byContact ? 'contact' : '',
  ].join();

/** Only reads what we wrote: the MAC was checked before. */
function peerOf(text: string): Peer | null {
  const [kind, second = '', host = '', connection = '', ...rest] = text.split(',');
  const port = Number(second);
  switch (kind) {
    case 'trunk':
      return { trunk: second };
    case 'udp':
      return phonePeer({ transport: kind, host, port }, rest);
    case 'tcp':
    case 'tls':
    case 'ws':
    case 'wss':
      return phonePeer({ transport: kind, host, port, ...(connection === '' ? {} : { connection }) }, rest);
    default:
      return null;
  }
}

function phonePeer(flow: Flow, [user = '', binding = '', at = '', way]: readonly string[]): PhonePeer {
  return {
    phone: way === 'contact' ? { flow, byContact: true } : { flow },
    ...(user === '' ? {} : { user: decodeURIComponent(user) }),
    ...(binding === '' ? {} : { binding }),
    ...(at === '' ? {} : { at: Number(at) }),
  };
}
