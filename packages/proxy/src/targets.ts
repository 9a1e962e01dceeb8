import { canonicalHost, familyOf, sameHost } from '@sidetone/core';
import {
  escapeUser,
  type Flow,
  header,
  type NameAddr,
  routed,
  type SipRequest,
  sameFlow,
  type Uri,
  userOf,
} from '@sidetone/sip';
import {
  CONTACT_PARAM,
  HEADER,
  type Identity,
  isNumber,
  NODE_HOST,
  namedBy,
  rungByNumber,
  type SipUser,
  type Trunk,
  trunksFor,
} from '@sidetone/wire';
import { type Peer, type PhonePeer, readDialogToken } from './dialog-token.ts';
import { type Binding, reachedAt, staleLast } from './location.ts';
import { byPhone } from './outbound.ts';
import { hopOf, isOwn, isWebSocket, type OwnAddress, VOICE_USER } from './own-address.ts';
import { samePlace } from './phone-way.ts';
import type { Target } from './target.ts';
import { isPlaceOf, trunkHop } from './trunk-credentials.ts';

/** Targets by group (one group after the other, a group at once), or the answer. */
export type Routing =
  | { readonly kind: 'forward'; readonly groups: readonly (readonly Target[])[] }
  | { readonly kind: 'answer'; readonly status: number; readonly contacts?: readonly NameAddr[] };

export interface RoutingFacts {
  readonly identity: Identity;
  readonly address: OwnAddress;
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
  const moved = readMark(request, uri, facts);
  if (peer !== null && 'phone' in peer) return toPeer(unmarked(uri), left, peer, moved, facts);
  if (peer === null && moved !== null) return toPeer(unmarked(uri), left, null, moved, facts);
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
    const ways = facts.waysTo(binding).map((b) => [{ ...toBinding(b, facts), ...patience }]);
    return { kind: 'forward', groups: ways };
  }
  const host = uri.host.toLowerCase();
  const inDialog = request.headers.to.params['tag'] !== undefined;
  if (host === NODE_HOST.vsp)
    return inDialog ? only({ uri, flow: { transport: 'local', node: 'vsp' }, route: [] }) : gone(uri, facts);
  // A peer on our own host has another port: inside a dialog its Contact is no address of ours.
  const here = inDialog
    ? isOwn(facts.address, uri) || sameHost(host, facts.identity.domain)
    : facts.isOurHost(host);
  if (here) return routeHere(request, uri, facts);
  if (!inDialog) return gone(uri, facts);
  const known = facts.bindingByContact(uri);
  if (known !== undefined) return only({ ...toBinding(known, facts), uri });
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
  return binding === undefined ? answer(480) : only(toBinding(binding, facts));
}

function routeHere(request: SipRequest, uri: Uri, facts: RoutingFacts): Routing {
  const name = namedBy(uri.scheme, userOf(uri));
  if (VOICE_USER.test(name)) return only({ uri, flow: { transport: 'local', node: 'voice' }, route: [] });
  const first = header(request, HEADER.trunk);
  // Whose name or number it is was looked up by voice before it named a trunk; its offer is one for carriers.
  const user = first === undefined ? userFor(name, facts) : undefined;
  if (user !== undefined) return toUser(request, user, facts);
  if (request.method === 'OPTIONS') return answer(name === '' ? 200 : 404);
  const all = isNumber(name) ? trunksFor(facts.identity.trunks, name) : [];
  const trunks = oneRun(all, first);
  if (trunks.length === 0) return answer(404);
  return { kind: 'forward', groups: trunks.map((trunk) => [toTrunk(trunk, name)]) };
}

function userFor(name: string, { identity }: RoutingFacts): SipUser | undefined {
  const owner = rungByNumber(identity, name);
  return identity.userByName(name) ?? (owner && identity.userById(owner.id));
}

/** From the trunk that voice begins with, those of its address family: its offer speaks that one. Not told, or unknown: all. */
function oneRun(trunks: readonly Trunk[], first: string | undefined): readonly Trunk[] {
  const at = trunks.findIndex(({ name }) => name === first);
  if (at < 0) return trunks;
  const run = trunks.slice(at);
  const end = run.findIndex(({ host }) => familyOf(host) !== familyOf(run[0]!.host));
  return end < 0 ? run : run.slice(0, end);
}

/** RFC 3261 §16.5: the bindings of a user, all at once or only the last one; OPTIONS asks for the list itself. */
function toUser(request: SipRequest, user: SipUser, facts: RoutingFacts): Routing {
  const bindings = facts.bindingsOf(user.name);
  if (bindings.length === 0) return answer(480);
  const phones = byPhone(staleLast(bindings));
  if (request.method === 'OPTIONS')
    return { kind: 'answer', status: 200, contacts: phones.map(([b]) => ({ uri: marked(b), params: {} })) };
  const all = facts.identity.connection(user.connectionId)?.simultaneousRinging === true;
  const groups = all ? [phones.map(([b]) => b)] : phones[0]!.map((b) => [b]);
  return { kind: 'forward', groups: groups.map((group) => group.map((b) => toBinding(b, facts))) };
}

function marked({ uri, id, flow }: Binding): Uri {
  const overWebSocket = isWebSocket(flow) || uri.params['transport']?.toLowerCase() === 'ws';
  const media = overWebSocket ? { [CONTACT_PARAM.media]: 'webrtc' } : {};
  const family = flow.transport === 'local' ? null : familyOf(flow.host);
  const reached = family === null ? {} : { [CONTACT_PARAM.family]: String(family) };
  return { ...uri, params: { ...uri.params, [CONTACT_PARAM.binding]: id, ...media, ...reached } };
}

function toBinding(binding: Binding, facts: Pick<RoutingFacts, 'userOf'>): Target {
  const { id, uri, flow, hop, outbound, path = [] } = binding;
  if (flow.transport === 'local') return { uri, flow, route: [] };
  const user = facts.userOf(binding);
  const phone = {
    ...(user === undefined ? {} : { user }),
    ...(outbound === undefined ? {} : { binding: id }),
    ...(hop === undefined ? {} : ({ byContact: true } as const)),
  };
  return { uri, flow: reachedAt(binding), route: path, phone };
}

/** What the proxy told voice of where a phone is, in the Contact that became the remote target. */
function readMark({ headers }: SipRequest, { params }: Uri, { secret }: RoutingFacts): PhonePeer | null {
  const peer = readDialogToken(secret, headers.callId, params[CONTACT_PARAM.peer]);
  return peer !== null && 'phone' in peer ? peer : null;
}

function unmarked(uri: Uri): Uri {
  const marks: readonly string[] = Object.values(CONTACT_PARAM);
  const params = Object.fromEntries(Object.entries(uri.params).filter(([name]) => !marks.includes(name)));
  return { ...uri, params };
}

/**
 * The phone of a dialog, where it proved itself last: by the INVITE or its answer (`peer`), by a later request or answer (`moved`), or by
 * a REGISTER of the same contact from another source. A connection may be gone: then the next of these places.
 */
function toPeer(
  uri: Uri,
  route: readonly NameAddr[],
  peer: PhonePeer | null,
  moved: PhonePeer | null,
  facts: RoutingFacts,
): Routing {
  const theirs = moved !== null && (peer?.user === undefined || peer.user === moved.user) ? moved : null;
  const known = [theirs, peer].filter((p) => p !== null);
  const { user, binding } = peer ?? moved ?? {};
  const named = { ...(user === undefined ? {} : { user }), ...(binding === undefined ? {} : { binding }) };
  // Behind a proxy that stays on the path it is that proxy's flow.
  const bound = route.length > 0 ? [] : boundAt(uri, peer ?? moved, facts);
  const places = [
    ...bound.map((b) => ({ flow: reachedAt(b), byContact: b.hop !== undefined, at: b.here })),
    ...known.map(({ phone, at = 0 }) => ({ flow: phone.flow, byContact: phone.byContact === true, at })),
  ].sort((a, b) => b.at - a.at);
  const targets = places.map(
    ({ flow, byContact }): Target => ({
      ...routed(uri, route),
      flow,
      phone: byContact ? { ...named, byContact } : named,
    }),
  );
  const [first, ...others] = targets.filter(
    (t, i) => targets.findIndex((o) => sameFlow(o.flow, t.flow)) === i,
  );
  if (first === undefined) return answer(480);
  const next = first.flow.transport === 'udp' ? [] : others;
  return { kind: 'forward', groups: [first, ...next].map((target) => [target]) };
}

/** The bindings of the phone of a dialog. */
function boundAt(uri: Uri, peer: PhonePeer | null, facts: RoutingFacts): readonly Binding[] {
  const outside = ({ flow }: Binding): boolean => flow.transport !== 'local';
  if (peer?.user !== undefined)
    return facts
      .bindingsOf(peer.user)
      .filter((b) => outside(b) && (b.id === peer.binding || samePlace(b.uri, uri)));
  // A token of before does not say whose phone it is: an address stays, a connection may have been replaced.
  const known = peer?.phone.flow.transport === 'udp' ? undefined : facts.bindingByContact(uri);
  return known !== undefined && outside(known) ? [known] : [];
}

/** The connection of a phone says how long it may stay silent. Our own clients' room answers at once. */
function patienceOf(binding: Binding, facts: RoutingFacts): Pick<Target, 'patience'> {
  const user = facts.identity.userByName(facts.userOf(binding) ?? '');
  const connection = facts.identity.connection(user?.connectionId ?? '');
  if (binding.flow.transport === 'local' || connection === undefined) return {};
  return { patience: connection.timeout1xxSecs * 1000 };
}

function toTrunk(trunk: Trunk, number: string): Target {
  const { port, transport, name } = trunk;
  const host = canonicalHost(trunk.host);
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
