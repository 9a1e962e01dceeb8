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
import { type Call, type Extra, legOf, sessionOf } from './call.ts';
import type { CallOut } from './call-events.ts';
import type { Ending } from './ending.ts';
import type { Leg } from './leg.ts';
import { reasonHeaders } from './reason.ts';

const address = (user: string, host: string, displayName?: string): NameAddr => ({
  ...(displayName === undefined ? {} : { displayName }),
  uri: { scheme: 'sip', user: escapeUser(user), host, params: {} },
  params: {},
});

/** Who transferred the call here (RFC 3892 §2.1): a carrier hears a number or nothing. */
function referredBy({ referredBy: by, domain }: Call['caller'], leg: Leg): Extra {
  const user = leg.kind === 'trunk' ? by?.number : by?.user;
  return user === undefined ? [] : [['Referred-By', formatNameAddr(address(user, domain))]];
}

/** What a room of ours may know about a leg; the proxy lets none of it out. */
const ids = (call: Call, leg: Leg): Extra => [
  [HEADER.session, sessionOf(call, leg)],
  [HEADER.leg, leg.id],
  [HEADER.callControl, leg.control],
];

/** The INVITE of a callee leg. Call-ID is the leg's id: a client is rung with it as callID. */
export function inviteFor(call: Call, wish: Extract<CallOut, { type: 'invite' }>, flow: Flow): InviteOptions {
  const leg = legOf(call, wish.leg)!;
  const { caller, plan } = call;
  const to = plan.to === 'trunk' ? plan.number : caller.dialled;
  const proven =
    leg.kind === 'trunk' ? wish.shown.number : (caller.asserted ?? caller.userName ?? caller.number);
  return {
    requestUri: wish.target ?? address(to, caller.domain).uri,
    from: address(wish.shown.number, caller.domain, wish.shown.name),
    to: address(to, caller.domain),
    sdp: wish.sdp,
    callId: leg.id,
    flow,
    headers: [
      ...wish.headers,
      ...referredBy(caller, leg),
      [ASSERTED_IDENTITY, formatNameAddr(address(proven, caller.domain))],
      ...ids(call, leg),
    ],
  };
}

/** The question to the proxy where a user is registered. */
export function lookupFor(call: Call, user: string, flow: Flow) {
  const to = address(user, call.caller.domain);
  return { method: 'OPTIONS', requestUri: to.uri, from: address('voice', NODE_HOST.voice), to, flow };
}

export function responseFor(
  call: Call,
  wish: Extract<CallOut, { type: 'respond' }>,
  random: Random,
): ResponseOptions {
  const leg = legOf(call, wish.leg)!;
  const ours = wish.status === 503 && wish.ending?.by === 'platform';
  const saysWhen = !ours || wish.headers.some(([name]) => name === 'Retry-After');
  const headers: ExtraHeaders = [
    ...wish.headers,
    // RFC 3261 §21.5.4: without it a 503 is a 500.
    ...(saysWhen ? [] : [['Retry-After', retryAfter(random)] as const]),
    ...(leg.kind === 'client' ? ids(call, leg) : []),
    ...(wish.ending === undefined ? [] : reasonHeaders(wish.ending)),
  ];
  const phrase = wish.ending?.phrase;
  return {
    headers,
    ...(wish.sdp === undefined ? {} : { sdp: wish.sdp }),
    ...(phrase === undefined ? {} : { reason: phrase }),
  };
}

/** Headers of a BYE or CANCEL: the reason, and the custom headers of the other side's. */
export const byeHeaders = (ending: Ending): ExtraHeaders => [
  ...(ending.headers ?? []),
  ...reasonHeaders(ending),
];
