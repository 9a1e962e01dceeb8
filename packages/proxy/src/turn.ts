import { type Ms, networkOf, type Random, sameHost } from '@sidetone/core';
import {
  type Flow,
  header,
  hostOf,
  type SipMessage,
  type SipRequest,
  type SipSend,
  withHeader,
} from '@sidetone/sip';
import { retryAfter, type Trunk } from '@sidetone/wire';
import { isReachable } from './own-address.ts';
import type { ProxyOutput, Turns } from './proxy-events.ts';
import type { SentAway } from './sent-away.ts';
import { answerStatelessly } from './stateless.ts';

export interface TurnFacts {
  readonly trunks: () => readonly Trunk[];
  /** Of a transaction or a dialog that lives. */
  readonly isLive: (request: SipRequest, flow: Flow) => boolean;
  /** Whether a phone is registered from there. */
  readonly isPhone: (flow: Flow, now: Ms) => boolean;
  readonly sentAway: SentAway;
  readonly secret: Uint8Array;
  readonly random: Random;
}

/** What is said of messages from outside while they wait, and to those that have waited too long. */
export function createTurns(facts: TurnFacts): Turns {
  return {
    isNobodys: (message, flow) =>
      message.kind === 'request' &&
      message.method === 'ACK' &&
      hasToTag(message) &&
      !facts.isLive(message, flow),
    of: (message, flow, now) =>
      belongs(message, flow, facts) ? null : (knownLine(flow, facts, now) ?? strangersLine(flow)),
    refusal: (message, flow, now) => {
      if (message.kind === 'response' || message.method !== 'INVITE' || hasToTag(message)) return null;
      // Strangers are challenged instead, which costs as little and keeps nothing.
      if (belongs(message, flow, facts) || knownLine(flow, facts, now) === null) return null;
      facts.sentAway.add(message, flow, now);
      return refusal(message, flow, facts);
    },
  };
}

const hasToTag = (request: SipRequest): boolean => request.headers.to.params['tag'] !== undefined;

/** Whether this goes first, as what lives does. */
function belongs(message: SipMessage, flow: Flow, facts: TurnFacts): boolean {
  if (message.kind === 'response' || message.method === 'ACK' || message.headers.via.length === 0)
    return true;
  return facts.isLive(message, flow);
}

/** The line of a phone or a carrier. */
function knownLine(flow: Flow, facts: TurnFacts, now: Ms): string | null {
  const host = hostOf(flow);
  if (facts.isPhone(flow, now))
    return flow.transport === 'local' ? `phone ${host}` : `phone ${host} ${flow.port}`;
  const isFrom = (t: Trunk): boolean => (t.addresses ?? [t.host]).some((own) => sameHost(own, host));
  const trunk = facts.trunks().find(isFrom);
  return trunk === undefined ? null : `trunk ${trunk.name}`;
}

/** Anybody can write any address into a datagram. */
const strangersLine = (flow: Flow): string =>
  flow.transport === 'udp' ? 'strangers' : `stranger ${networkOf(hostOf(flow))}`;

function refusal(request: SipRequest, flow: Flow, { secret, random }: TurnFacts): SipSend | null {
  const headers = [['Retry-After', retryAfter(random)] as const];
  const send = answerStatelessly(secret, request, flow, 503, { headers });
  return send !== null && isReachable(send.flow) ? send : null;
}

/** Whoever makes a 503, it says when to come back (RFC 3261 §21.5.4), to each another time. */
export function saysWhen(event: ProxyOutput, random: Random): ProxyOutput {
  if (event.type !== 'sip' || event.message.kind !== 'response' || event.message.status !== 503) return event;
  if (header(event.message, 'Retry-After') !== undefined) return event;
  return { ...event, message: withHeader(event.message, 'Retry-After', retryAfter(random)) };
}
