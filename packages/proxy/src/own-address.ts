import { canonicalHost, familyOf, isUnspecified, sameHost } from '@sidetone/core';
import type { Flow, NameAddr, SipMessage, SipSend, Uri, Via } from '@sidetone/sip';

/** Our SIP address as peers see it: goes into Via, Record-Route and the Contacts of `voice`, in the family of the peer. */
export interface OwnAddress {
  /** One for each family, the preferred first; a name stands for both. */
  readonly hosts: readonly [string, ...string[]];
  readonly udp?: number;
  readonly tcp?: number;
  /** Where SIP over WebSocket is served. */
  readonly ws?: number;
}

/** The user part of the Contacts that `voice` gives to peers begins like this. */
export const VOICE_USER = /^v-/;

const DEFAULT_PORT = 5060;

/** Whether host and port name this proxy. */
export function isOwn(
  address: OwnAddress,
  place: { readonly host: string; readonly port?: number },
): boolean {
  if (!address.hosts.some((host) => sameHost(host, place.host))) return false;
  const port = place.port ?? DEFAULT_PORT;
  const { udp = DEFAULT_PORT, tcp = DEFAULT_PORT, ws } = address;
  return port === udp || port === tcp || port === ws;
}

/** Whether a Via is ours (RFC 3261 §16.3 item 4); those between our rooms do not count. */
export const isOwnVia = (address: OwnAddress, via: Via): boolean =>
  via.transport !== 'LOCAL' && isOwn(address, via);

export const isWebSocket = (flow: Flow): boolean => flow.transport === 'ws' || flow.transport === 'wss';

/** What a peer on this flow calls us: our host of its family. */
export function hostFor({ hosts }: OwnAddress, flow: Flow): string {
  const family = flow.transport === 'local' ? null : familyOf(flow.host);
  const fits = (host: string): boolean => family === null || (familyOf(host) ?? family) === family;
  return hosts.find(fits) ?? hosts[0];
}

/** Sent-by of our Via (RFC 3261 §18.1.1): where we listen on this transport. */
export function sentBy(address: OwnAddress, flow: Flow): { readonly host: string; readonly port?: number } {
  const host = hostFor(address, flow);
  const port = portFor(address, flow);
  return port === undefined ? { host } : { host, port };
}

/** What leaves the house: `voice` does not know of which family its peers are, so its Contacts are told as they see us. */
export function presented(send: SipSend, address: OwnAddress): SipSend {
  const { message, flow } = send;
  const { contact } = message.headers;
  if (flow.transport === 'local' || contact === '*' || contact.length === 0 || address.hosts.length < 2)
    return send;
  const host = hostFor(address, flow);
  const own = ({ uri }: NameAddr): boolean => VOICE_USER.test(uri.user ?? '') && isOwn(address, uri);
  if (!contact.some((c) => own(c) && c.uri.host !== host)) return send;
  const told = contact.map((c) => (own(c) ? { ...c, uri: { ...c.uri, host } } : c));
  return { ...send, message: { ...message, headers: { ...message.headers, contact: told } } as SipMessage };
}

/** Where a peer on this transport finds us. */
function portFor(address: OwnAddress, flow: Flow): number | undefined {
  if (flow.transport === 'tcp') return address.tcp;
  return isWebSocket(flow) ? address.ws : address.udp;
}

/** RFC 7118 §5.3: `ws` in a URI, whether or not TLS lies below. */
function transportParam(flow: Flow): Record<string, string> {
  if (flow.transport === 'tcp') return { transport: 'tcp' };
  return isWebSocket(flow) ? { transport: 'ws' } : {};
}

/** Our Record-Route (§16.6 item 4) for a peer on this transport. */
export function recordRoute(address: OwnAddress, flow: Flow, token: string): NameAddr {
  const port = portFor(address, flow);
  const uri: Uri = {
    scheme: 'sip',
    user: token,
    host: hostFor(address, flow),
    ...(port === undefined ? {} : { port }),
    params: { ...transportParam(flow), lr: '' },
  };
  return { uri, params: {} };
}

/** The hop that a URI names, without DNS: the edge resolves the host (RFC 3263 without NAPTR and SRV). */
export function hopOf(uri: Uri): Flow | null {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return null;
  const host = canonicalHost(uri.params['maddr'] || uri.host);
  if (!isUnicast(host) || uri.port === 0) return null;
  const wanted = uri.params['transport']?.toLowerCase();
  // A WebSocket is opened by the client alone (RFC 7118 §5): its addresses are names for a flow that is there or is not.
  if (wanted === 'ws' || wanted === 'wss' || isInvalid(host)) return null;
  if (uri.scheme === 'sips' || wanted === 'tls') return { transport: 'tls', host, port: uri.port ?? 5061 };
  const port = uri.port ?? DEFAULT_PORT;
  return wanted === 'tcp' ? { transport: 'tcp', host, port } : { transport: 'udp', host, port };
}

/** Nothing is ever sent to a broadcast or multicast address, or to "any address". */
export function isUnicast(host: string): boolean {
  const name = canonicalHost(host);
  if (/^ff[0-9a-f]{2}:/.test(name) || isUnspecified(name)) return false;
  const first = /^(\d{1,3})\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.exec(name)?.[1];
  return first === undefined || (Number(first) > 0 && Number(first) < 224);
}

/** Names that no resolver knows (RFC 6761 §6.4): what clients write that have no address. */
export const isInvalid = (host: string): boolean => /(?:^|\.)invalid\.?$/i.test(host);

/** Whether anything may be handed to the edge for this flow: peers also write port 0 and worse into Via and Contact. */
export const isReachable = (flow: Flow): boolean =>
  flow.transport === 'local' || (flow.port > 0 && flow.port <= 65535 && isUnicast(flow.host));
