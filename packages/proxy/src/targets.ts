import { escapeUser, type Flow, type NameAddr, type SipRequest, type Uri, unescapeUser } from '@sidetone/sip';
import { type Directory, NODE_HOST, route, type Trunk } from '@sidetone/wire';
import { type Peer, readDialogToken } from './dialog-token.ts';
import type { Binding } from './location.ts';
import { hopOf, isOwn, VOICE_USER } from './own-address.ts';
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
  /** Our domain, for the identity that is asserted to `voice`. */
  readonly domain?: string;
}

/** Targets by group (one group after the other, a group at once), or the answer. */
export type Routing =
  | { readonly kind: 'forward'; readonly groups: readonly (readonly Target[])[] }
  | { readonly kind: 'answer'; readonly status: number; readonly contacts?: readonly NameAddr[] };

export interface RoutingFacts {
  readonly directory: Directory;
  readonly address: ProxyOptions['address'];
  readonly secret: Uint8Array;
  readonly isOurHost: (host: string) => boolean;
  /** Live bindings of a user, the last to register first. */
  readonly bindingsOf: (user: string) => readonly Binding[];
  readonly bindingById: (id: string) => Binding | undefined;
  readonly bindingByContact: (uri: Uri) => Binding | undefined;
}

/** Names a binding in the contacts that `voice` is told, since two phones behind NATs may register the same address. */
const BINDING_PARAM = 'sidetone-binding';

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
  const id = uri.params[BINDING_PARAM];
  const binding = id === undefined ? undefined : facts.bindingById(id);
  if (binding !== undefined) return only(toBinding(binding));
  const host = uri.host.toLowerCase();
  const inDialog = request.headers.to.params['tag'] !== undefined;
  if (host === NODE_HOST.vsp)
    return inDialog ? only({ uri, flow: { transport: 'local', node: 'vsp' }, route: [] }) : gone(uri, facts);
  // A peer on our own host has another port: inside a dialog its Contact is no address of ours.
  const here = inDialog
    ? isOwn(facts.address, uri) || host === facts.directory.domain.toLowerCase()
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
  const user = uri.user === undefined ? '' : unescapeUser(uri.user);
  if (VOICE_USER.test(user)) return only({ uri, flow: { transport: 'local', node: 'voice' }, route: [] });
  const named = facts.directory.connections.find((c) => c.user_name === user);
  if (named !== undefined) return toUser(request, user, named.simultaneous_ringing === 'enabled', facts);
  if (request.method === 'OPTIONS') return answer(user === '' ? 200 : 404);
  const where = route(facts.directory, user, 'user');
  if (where.to === 'user')
    return toUser(
      request,
      where.connection.user_name,
      where.connection.simultaneous_ringing === 'enabled',
      facts,
    );
  if (where.to !== 'trunk') return answer(404);
  return { kind: 'forward', groups: where.trunks.map((trunk) => [toTrunk(trunk, where.number)]) };
}

/** RFC 3261 §16.5: the bindings of a user, all at once or only the last one; OPTIONS asks for the list itself. */
function toUser(request: SipRequest, user: string, all: boolean, facts: RoutingFacts): Routing {
  const bindings = facts.bindingsOf(user);
  if (bindings.length === 0) return answer(480);
  if (request.method === 'OPTIONS')
    return { kind: 'answer', status: 200, contacts: bindings.map((b) => ({ uri: marked(b), params: {} })) };
  return { kind: 'forward', groups: [(all ? bindings : bindings.slice(0, 1)).map(toBinding)] };
}

const marked = ({ uri, id }: Binding): Uri => ({ ...uri, params: { ...uri.params, [BINDING_PARAM]: id } });

const toBinding = ({ uri, flow }: Binding): Target =>
  flow.transport === 'local' ? { uri, flow, route: [] } : { uri, flow, route: [], phone: true };

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
