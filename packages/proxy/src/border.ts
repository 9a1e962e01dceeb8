import { sameHost } from '@sidetone/core';
import {
  ACCEPTED,
  digestUserName,
  type ExtraHeaders,
  type Flow,
  headersNamed,
  type NameAddr,
  type SipRequest,
  unescapeUser,
} from '@sidetone/sip';
import type { Identity, Trunk } from '@sidetone/wire';
import { isWebSocket, VOICE_USER } from './own-address.ts';
import type { Welcome } from './strangers.ts';

/** Who sent a request from outside, proven. */
export type Sender =
  /** A carrier, by its source address. */
  | { readonly kind: 'trunk'; readonly trunk: string }
  /** A phone, by digest; `binding` when it is registered by the same flow as an instance (RFC 5626). */
  | { readonly kind: 'phone'; readonly user: string; readonly binding?: string }
  /** A party of a dialog, by its token, by the flow of a registered contact (both say whose phone it is), or by the source of the call. */
  | { readonly kind: 'party'; readonly user?: string }
  /** Somebody without a login who calls an application that takes calls from anyone. */
  | { readonly kind: 'stranger'; readonly user?: never };

/** What the border does with a request from outside, before anything is kept for it. */
export type Verdict =
  | { readonly type: 'pass'; readonly sender: Sender }
  | { readonly type: 'drop' }
  /** 302: by this Contact. */
  | { readonly type: 'again'; readonly contact: NameAddr }
  /** No usable credentials: 401 from the registrar, 407 from the proxy. */
  | { readonly type: 'challenge'; readonly status: 401 | 407 }
  /** Credentials for our realm: check them. */
  | { readonly type: 'check'; readonly status: 401 | 407; readonly authorization: readonly string[] };

export interface BorderFacts {
  readonly identity: Identity;
  /** Our address and domain. */
  readonly isOurHost: (host: string) => boolean;
  /** A valid dialog token in the top Route. */
  readonly holdsToken: boolean;
  /** A registered contact is reached by this very flow. */
  readonly isContact: boolean;
  /** Whose phone that is, by the token or by the flow. */
  readonly user: string | undefined;
  /** An INVITE with this Call-ID passed from this source and its transaction still lives. */
  readonly isCaller: boolean;
  /** What it is to one without a login. */
  readonly welcome: Welcome;
}

/** The one place that decides who is who; changes nothing. */
export function identify(request: SipRequest, flow: Flow, facts: BorderFacts): Verdict {
  const registers = request.method === 'REGISTER';
  const status = registers ? 401 : 407;
  const authorization = headersNamed(request, registers ? 'Authorization' : 'Proxy-Authorization');
  const claims = digestUserName(authorization, facts.identity.domain) !== undefined;
  const proof: Verdict = claims ? { type: 'check', status, authorization } : { type: 'challenge', status };
  if (registers) return proof;
  const inDialog = request.headers.to.params['tag'] !== undefined;
  const { user } = facts;
  // Who says where the phone is from now on (RFC 3261 §12.2) says who it is.
  const vouched = refreshesTarget(request) ? user !== undefined : facts.isContact || facts.isCaller;
  if (inDialog && (facts.holdsToken || vouched))
    return { type: 'pass', sender: { kind: 'party', ...(user === undefined ? {} : { user }) } };
  const looksLikePhone = claims || facts.isContact || claimsUser(request, facts);
  const trunk = trunkAt(facts.identity.trunks, flow, looksLikePhone);
  if (trunk !== undefined) return { type: 'pass', sender: { kind: 'trunk', trunk: trunk.name } };
  // Who says that it is a user of ours proves it there, too.
  const { welcome } = facts;
  if (welcome !== 'no' && request.method === 'INVITE' && !inDialog && !looksLikePhone)
    return welcome === 'in'
      ? { type: 'pass', sender: { kind: 'stranger' } }
      : { type: 'again', contact: welcome };
  // An ACK cannot be challenged (RFC 3261 §22.1).
  return request.method === 'ACK' ? { type: 'drop' } : proof;
}

/** INVITE and UPDATE (RFC 3311 §5.1) refresh the remote target of their dialog. */
export const refreshesTarget = ({ method }: SipRequest): boolean =>
  method === 'INVITE' || method === 'UPDATE';

/**
 * The trunk at a source address. Its port may differ (carriers send from other ports than they listen at), unless the
 * request looks like one of our own phones: then a phone that shares the carrier's address must prove itself.
 */
function trunkAt(trunks: readonly Trunk[], flow: Flow, looksLikePhone: boolean): Trunk | undefined {
  // Carriers open no WebSockets: at a carrier's address that is one of our phones.
  if (flow.transport === 'local' || isWebSocket(flow)) return undefined;
  // The source of a datagram can be forged: a carrier that speaks TCP is not believed by UDP.
  const here = trunks.filter(
    (t) =>
      (t.addresses ?? [t.host]).some((host) => sameHost(host, flow.host)) &&
      !(t.transport === 'tcp' && flow.transport === 'udp'),
  );
  const exact = here.find((t) => t.port === flow.port);
  return exact ?? (looksLikePhone ? undefined : here[0]);
}

function claimsUser(request: SipRequest, facts: BorderFacts): boolean {
  const { uri } = request.headers.from;
  if (uri.user === undefined || !facts.isOurHost(uri.host)) return false;
  return facts.identity.userByName(unescapeUser(uri.user)) !== undefined;
}

/** What a request from outside that may pass asks for. */
export type Errand =
  | { readonly to: 'voice' }
  | { readonly to: 'registrar' }
  | { readonly to: 'self' }
  | { readonly to: 'nowhere'; readonly status: 403 | 404 | 405 | 481 | 501 };

/** Methods that are answered here or in `voice` when they come from outside. */
export const ALLOW = 'INVITE, ACK, CANCEL, BYE, INFO, UPDATE, OPTIONS, REGISTER, REFER';

/** What an OPTIONS to ourselves is told (RFC 3261 §11.2). */
export const CAPABILITIES: ExtraHeaders = [
  ['Allow', ALLOW],
  ['Accept', ACCEPTED],
];

const KNOWN = new Set(['MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'PRACK', 'INFO', 'UPDATE', 'BYE']);

/** Where a request from outside leads: everything but REGISTER and OPTIONS to ourselves is a matter of `voice`. */
export function errandOf(request: SipRequest, isOurHost: (host: string) => boolean): Errand {
  const { method, uri } = request;
  if (method === 'REGISTER') return { to: 'registrar' };
  // Also peers that ignore our Contact and call the number again reach their dialog: voice knows it by its tags, and
  // answers 481 to what it does not know.
  if (request.headers.to.params['tag'] !== undefined) return { to: 'voice' };
  // A call is transferred from within (RFC 5589 §5); nobody makes us place calls out of nothing.
  if (method === 'REFER') return { to: 'nowhere', status: 403 };
  if (isOurHost(uri.host) && VOICE_USER.test(uri.user ?? '')) return { to: 'voice' };
  if (method === 'INVITE' || method === 'ACK') return { to: 'voice' };
  if (method === 'CANCEL') return { to: 'nowhere', status: 481 };
  if (method === 'OPTIONS') return isOurHost(uri.host) ? { to: 'self' } : { to: 'nowhere', status: 404 };
  return { to: 'nowhere', status: KNOWN.has(method) ? 405 : 501 };
}
