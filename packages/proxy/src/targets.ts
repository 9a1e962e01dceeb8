import type { Ms } from '@sidetone/core';
import {
  escapeUser,
  type Flow,
  type NameAddr,
  routed,
  type SipRequest,
  type Uri,
  unescapeUser,
} from '@sidetone/sip';
import {
  CONTACT_PARAM,
  canonicalNumber,
  type Identity,
  isNumber,
  NODE_HOST,
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
import { isPlaceOf, trunkHop } from './trunk-credentials.ts';

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
  // A strict router put our Record-Route into the request URI and the real one last. It may have lost `lr` on the way: the token tells.
  if (last !== undefined && isOwn(facts.address, uri)) {
    const shown = readDialogToken(facts.secret, callId, uri.user);
    if (shown !== null || uri.params['lr'] !== undefined) {
      peer = shown;
      uri = last.uri;
      left = left.slice(0, -1);
    }
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
    return only({ ...routed(uri, left), flow: present ?? peer.phone, phone: true });
  }
  const onward = (hop: Flow | null): Routing =>
    hop === null
      ? answer(403)
      : only({ ...routed(uri, left), ...trunkOf(trunkHop(facts.identity.trunks, hop), peer, facts) });
  const next = left[0];
  if (next !== undefined) return onward(hopOf(next.uri));
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
  return onward(hopOf(uri));
}

/** Whose dialog it is: the token tells, or (of a carrier that has lost our Record-Route) its own place. */
function trunkOf(
  flow: Flow,
  peer: Preprocessed['peer'],
  { identity }: RoutingFacts,
): Pick<Target, 'flow' | 'trunk'> {
  const trunk =
    peer !== null && 'trunk' in peer
      ? peer.trunk
      : identity.trunks.find((candidate) => isPlaceOf(candidate, flow))?.name;
  return trunk === undefined ? { flow } : { flow, trunk };
}

/** A contact without its mark: still registered, or not reachable any more. Foreign addresses are never called. */
function gone(uri: Uri, facts: RoutingFacts): Routing {
  const binding = facts.bindingByContact(uri);
  return binding === undefined ? answer(480) : only(toBinding(binding));
}

function routeHere(request: SipRequest, uri: Uri, facts: RoutingFacts): Routing {
  const user = uri.user === undefined ? '' : unescapeUser(uri.user);
  if (VOICE_USER.test(user)) return only({ uri, flow: { transport: 'local', node: 'voice' }, route: [] });
  const number = canonicalNumber(user);
  const owner = rungByNumber(facts.identity, number);
  const named = facts.identity.userByName(user) ?? (owner && facts.identity.userById(owner.id));
  if (named !== undefined) return toUser(request, named, facts);
  if (request.method === 'OPTIONS') return answer(user === '' ? 200 : 404);
  const trunks = isNumber(number) ? trunksFor(facts.identity.trunks, number) : [];
  if (trunks.length === 0) return answer(404);
  return { kind: 'forward', groups: trunks.map((trunk) => [toTrunk(trunk, number)]) };
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
