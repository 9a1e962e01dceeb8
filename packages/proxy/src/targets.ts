import type { Ms } from '@sidetone/core';
import { escapeUser, type Flow, type NameAddr, type SipRequest, type Uri, userOf } from '@sidetone/sip';
import {
  CONTACT_PARAM,
  type Identity,
  isNumber,
  NODE_HOST,
  namedBy,
  rungByNumber,
  type SipUser,
  type Trunk,
  trunksFor,
} from '@sidetone/wire';
import { type Peer, readDialogToken } from './dialog-token.ts';
import type { Binding } from './location.ts';
import { byPhone } from './outbound.ts';
import { hopOf, isOwn, isWebSocket, VOICE_USER } from './own-address.ts';
import type { ProxyOptions } from './proxy-events.ts';

/** One place a request may be sent to. */
export interface Target {
  readonly uri: Uri;
  readonly flow: Flow;
  readonly route: readonly NameAddr[];
  /** The carrier's name. */
  readonly trunk?: string;
  /** A phone: later requests of the dialog come back by this very flow. */
  readonly phone?: true;
  /** A phone that has said nothing at all for this long is given up. */
  readonly patience?: Ms;
  /** Our domain, for the identity that is asserted to `voice`. */
  readonly domain?: string;
}

/** Targets by group (one group after the other, a group at once), or the answer. */
export type Routing =
  | { readonly kind: 'forward'; readonly groups: readonly (readonly Target[])[] }
  | { readonly kind: 'answer'; readonly status: number; readonly contacts?: readonly NameAddr[] };

export interface RoutingFacts {
  readonly identity: Identity;
  readonly address: ProxyOptions['address'];
  readonly secret: Uint8Array;
  readonly isOurHost: (host: string) => boolean;
  /** Live bindings of a user, the last to register first. */
  readonly bindingsOf: (user: string) => readonly Binding[];
  readonly bindingById: (id: string) => Binding | undefined;
  readonly userOf: (binding: Binding) => string | undefined;
  /** The ways to the phone of a binding, this one first (RFC 5626). */
  readonly waysTo: (binding: Binding) => readonly Binding[];
  readonly bindingByContact: (uri: Uri) => Binding | undefined;
}

const only = (target: Target): Routing => ({ kind: 'forward', groups: [[target]] });
const answer = (status: number): Routing => ({ kind: 'answer', status });

/** A request URI and its Routes behind our own (RFC 3261 §16.4), and what our own Route said. */
export interface Preprocessed {
  readonly uri: Uri;
  readonly route: readonly NameAddr[];
  /** Our dialog token for this very call was shown: who is on the other side of the border. */
  readonly peer: Peer | null;
}

export function preprocess(
  request: SipRequest,
  facts: Pick<RoutingFacts, 'address' | 'secret'>,
): Preprocessed {
  let { uri } = request;
  let { route: left } = request.headers;
  let peer: Peer | null = null;
  const { callId } = request.headers;
  const last = left.at(-1);
  // A strict router put our Record-Route into the request URI and the real one last.
  if (last !== undefined && uri.params['lr'] !== undefined && isOwn(facts.address, uri)) {
    peer = readDialogToken(facts.secret, callId, uri.user);
    uri = last.uri;
    left = left.slice(0, -1);
  }
  while (left[0] !== undefined && isOwn(facts.address, left[0].uri)) {
    peer ??= readDialogToken(facts.secret, callId, left[0].uri.user);
    left = left.slice(1);
  }
  return { uri, route: left, peer };
}

/** Where a request from one of our rooms goes. */
export function routeFromRoom(request: SipRequest, facts: RoutingFacts): Routing {
  const { uri, route: left, peer } = preprocess(request, facts);
  if (peer !== null && 'phone' in peer) {
    // A connection may have been replaced since the dialog began; an address stays.
    const present = peer.phone.transport === 'udp' ? undefined : facts.bindingByContact(uri)?.flow;
    return only({ uri, flow: present ?? peer.phone, route: left, phone: true });
  }
  const trunk = peer === null ? {} : { trunk: peer.trunk };
  const next = left[0];
  if (next !== undefined) {
    const flow = hopOf(next.uri);
    if (flow === null) return answer(403);
    if (next.uri.params['lr'] !== undefined) return only({ uri, flow, route: left, ...trunk });
    // The next hop routes strictly (§16.6 item 6).
    return only({ uri: next.uri, flow, route: [...left.slice(1), { uri, params: {} }], ...trunk });
  }
  const id = uri.params[CONTACT_PARAM.binding];
  const binding = id === undefined ? undefined : facts.bindingById(id);
  if (binding !== undefined) {
    const patience = patienceOf(binding, facts);
    const ways = facts.waysTo(binding).map((b) => [{ ...toBinding(b), ...patience }]);
    return { kind: 'forward', groups: ways };
  }
  const host = uri.host.toLowerCase();
  const inDialog = request.headers.to.params['tag'] !== undefined;
  if (host === NODE_HOST.vsp)
    return inDialog ? only({ uri, flow: { transport: 'local', node: 'vsp' }, route: [] }) : gone(uri, facts);
  // A peer on our own host has another port: inside a dialog its Contact is no address of ours.
  const here = inDialog
    ? isOwn(facts.address, uri) || host === facts.identity.domain.toLowerCase()
    : facts.isOurHost(host);
  if (here) return routeHere(request, uri, facts);
  if (!inDialog) return gone(uri, facts);
  const known = facts.bindingByContact(uri);
  if (known !== undefined) return only({ ...toBinding(known), uri });
  const flow = hopOf(uri);
  return flow === null ? answer(403) : only({ uri, flow, route: [], ...trunk });
}

/** A contact without its mark: still registered, or not reachable any more. Foreign addresses are never called. */
function gone(uri: Uri, facts: RoutingFacts): Routing {
  const binding = facts.bindingByContact(uri);
  return binding === undefined ? answer(480) : only(toBinding(binding));
}

function routeHere(request: SipRequest, uri: Uri, facts: RoutingFacts): Routing {
  const name = namedBy(uri.scheme, userOf(uri));
  if (VOICE_USER.test(name)) return only({ uri, flow: { transport: 'local', node: 'voice' }, route: [] });
  const owner = rungByNumber(facts.identity, name);
  const user = facts.identity.userByName(name) ?? (owner && facts.identity.userById(owner.id));
  if (user !== undefined) return toUser(request, user, facts);
  if (request.method === 'OPTIONS') return answer(name === '' ? 200 : 404);
  const trunks = isNumber(name) ? trunksFor(facts.identity.trunks, name) : [];
  if (trunks.length === 0) return answer(404);
  return { kind: 'forward', groups: trunks.map((trunk) => [toTrunk(trunk, name)]) };
}

/** RFC 3261 §16.5: the bindings of a user, all at once or only the last one; OPTIONS asks for the list itself. */
function toUser(request: SipRequest, user: SipUser, facts: RoutingFacts): Routing {
  const bindings = facts.bindingsOf(user.name);
  if (bindings.length === 0) return answer(480);
  const phones = byPhone(bindings);
  if (request.method === 'OPTIONS')
    return { kind: 'answer', status: 200, contacts: phones.map(([b]) => ({ uri: marked(b), params: {} })) };
  const all = facts.identity.connection(user.connectionId)?.simultaneousRinging === true;
  const groups = all ? [phones.map(([b]) => b)] : phones[0]!.map((b) => [b]);
  return { kind: 'forward', groups: groups.map((group) => group.map(toBinding)) };
}

function marked({ uri, id, flow }: Binding): Uri {
  const overWebSocket = isWebSocket(flow) || uri.params['transport']?.toLowerCase() === 'ws';
  const media = overWebSocket ? { [CONTACT_PARAM.media]: 'webrtc' } : {};
  return { ...uri, params: { ...uri.params, [CONTACT_PARAM.binding]: id, ...media } };
}

function toBinding({ uri, flow, path = [] }: Binding): Target {
  if (flow.transport === 'local') return { uri, flow, route: [] };
  return { uri, flow, route: path, phone: true };
}

/** The connection of a phone says how long it may stay silent. Our own clients' room answers at once. */
function patienceOf(binding: Binding, facts: RoutingFacts): Pick<Target, 'patience'> {
  const user = facts.identity.userByName(facts.userOf(binding) ?? '');
  const connection = facts.identity.connection(user?.connectionId ?? '');
  if (binding.flow.transport === 'local' || connection === undefined) return {};
  return { patience: connection.timeout1xxSecs * 1000 };
}

function toTrunk(trunk: Trunk, number: string): Target {
  const { host, port, transport, name } = trunk;
  const params: Record<string, string> = transport === 'tcp' ? { transport } : {};
  return {
    uri: { scheme: 'sip', user: escapeUser(number), host, port, params },
    flow: { transport, host, port },
    route: [],
    trunk: name,
  };
}

/** A request from outside that may pass goes to `voice`, with the Routes that are not ours taken off it. */
export const toVoice = (uri: Uri, domain: string): Target => ({
  uri,
  flow: { transport: 'local', node: 'voice' },
  route: [],
  domain,
});
