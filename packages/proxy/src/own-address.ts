import type { Flow, NameAddr, Uri, Via } from '@sidetone/sip';

/** Our SIP address as peers see it: goes into Via and Record-Route. */
export interface OwnAddress {
  readonly host: string;
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
  if (place.host.toLowerCase() !== address.host.toLowerCase()) return false;
  const port = place.port ?? DEFAULT_PORT;
  const { udp = DEFAULT_PORT, tcp = DEFAULT_PORT, ws } = address;
  return port === udp || port === tcp || port === ws;
}

/** Whether a Via is ours (RFC 3261 §16.3 item 4); those between our rooms do not count. */
export const isOwnVia = (address: OwnAddress, via: Via): boolean =>
  via.transport !== 'LOCAL' && isOwn(address, via);

export const isWebSocket = (flow: Flow): boolean => flow.transport === 'ws' || flow.transport === 'wss';

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
    host: address.host,
    ...(port === undefined ? {} : { port }),
    params: { ...transportParam(flow), lr: '' },
  };
  return { uri, params: {} };
}

/** The hop that a URI names, without DNS: the edge resolves the host (RFC 3263 without NAPTR and SRV). */
export function hopOf(uri: Uri): Flow | null {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return null;
  const host = uri.params['maddr'] || uri.host;
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
  if (/^ff[0-9a-f]{2}:/i.test(host) || host === '::') return false;
  const first = /^(\d{1,3})\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.exec(host)?.[1];
  return first === undefined || (Number(first) > 0 && Number(first) < 224);
}

/** Names that no resolver knows (RFC 6761 §6.4): what clients write that have no address. */
export const isInvalid = (host: string): boolean => /(?:^|\.)invalid\.?$/i.test(host);

/** Whether anything may be handed to the edge for this flow: peers also write port 0 and worse into Via and Contact. */
export const isReachable = (flow: Flow): boolean =>
  flow.transport === 'local' || (flow.port > 0 && flow.port <= 65535 && isUnicast(flow.host));
