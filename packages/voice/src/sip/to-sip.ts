import type { Random } from '@sidetone/core';
import {
  type ExtraHeaders,
  escapeUser,
  type Flow,
  formatNameAddr,
  type InviteOptions,
  type NameAddr,
  type ResponseOptions,
} from '@sidetone/sip';
import { ASSERTED_IDENTITY, HEADER, NODE_HOST, retryAfter } from '@sidetone/wire';
import type { Branch } from '../leg/branch.ts';
import type { Ending } from '../leg/ending.ts';
import type { Extra } from '../leg/headers.ts';
import { branchOf, type Caller, type Leg, targetOf } from '../leg/leg.ts';
import type { Wish } from '../message.ts';
import { reasonHeaders } from './reason.ts';

const address = (user: string, host: string, displayName?: string): NameAddr => ({
  ...(displayName === undefined ? {} : { displayName }),
  uri: { scheme: 'sip', user: escapeUser(user), host, params: {} },
  params: {},
});

/** Who transferred the call here (RFC 3892 §2.1): a carrier hears a number or nothing. */
function referredBy({ referredBy: by, domain }: Caller, { kind }: Branch): Extra {
  const user = kind === 'trunk' ? by?.number : by?.user;
  return user === undefined ? [] : [['Referred-By', formatNameAddr(address(user, domain))]];
}

/** With which trunk the proxy begins. */
const trunkAsked = ({ kind, trunk }: Branch): Extra =>
  kind === 'trunk' && trunk !== undefined ? [[HEADER.trunk, trunk]] : [];

/** What a room of ours may know about a leg; the proxy lets none of it out. */
const ids = ({ session, id, control }: Leg): Extra => [
  [HEADER.session, session],
  [HEADER.leg, id],
  [HEADER.callControl, control],
];

/** The INVITE of a branch that we call. Call-ID is the branch's id: a client is rung with it as callID. */
export function inviteFor(
  leg: Leg,
  wish: Extract<Wish, { type: 'invite' }>,
  flow: Flow,
): InviteOptions | null {
  const branch = branchOf(leg, wish.branch);
  if (leg.dial === null || branch === undefined) return null;
  const { caller } = leg.dial;
  const { callee, dialled } = targetOf(leg.dial, branch);
  const to = callee.to === 'trunk' ? callee.number : dialled;
  const proven =
    branch.kind === 'trunk' ? wish.shown.number : (caller.asserted ?? caller.userName ?? caller.number);
  return {
    requestUri: branch.target ?? address(to, caller.domain).uri,
    from: address(wish.shown.number, caller.domain, wish.shown.name),
    to: address(to, caller.domain),
    sdp: wish.sdp,
    callId: branch.id,
    flow,
    headers: [
      ...wish.headers,
      ...referredBy(caller, branch),
      [ASSERTED_IDENTITY, formatNameAddr(address(proven, caller.domain))],
      ...trunkAsked(branch),
      ...ids(leg),
    ],
  };
}

/** The question to the proxy where a user is registered. */
export function lookupFor(user: string, domain: string, flow: Flow) {
  const to = address(user, domain);
  return { method: 'OPTIONS', requestUri: to.uri, from: address('voice', NODE_HOST.voice), to, flow };
}

export function responseFor(
  leg: Leg,
  wish: Extract<Wish, { type: 'respond' }>,
  random: Random,
): ResponseOptions {
  const ours = wish.status === 503 && wish.ending?.by === 'platform';
  const saysWhen = !ours || wish.headers.some(([name]) => name === 'Retry-After');
  const headers: ExtraHeaders = [
    ...wish.headers,
    // RFC 3261 §21.5.4: without it a 503 is a 500.
    ...(saysWhen ? [] : [['Retry-After', retryAfter(random)] as const]),
    ...(branchOf(leg, wish.branch)?.kind === 'client' ? ids(leg) : []),
    ...(wish.ending === undefined ? [] : reasonHeaders(wish.ending)),
  ];
  const phrase = wish.ending?.phrase;
  return {
    headers,
    ...(wish.sdp === undefined ? {} : { sdp: wish.sdp }),
    ...(phrase === undefined ? {} : { reason: phrase }),
  };
}

/** Headers of a BYE or CANCEL: the reason, and the custom headers of the other side's. A Warning is of responses (RFC 3261 §20, table 3). */
export const byeHeaders = (ending: Ending): ExtraHeaders => [
  ...(ending.headers ?? []).filter(([name]) => name !== 'Warning'),
  ...reasonHeaders(ending),
];
