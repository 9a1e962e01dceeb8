import { networkOf, type Random, sameHost } from '@sidetone/core';
import { type Flow, header, hostOf, type SipMessage, type SipRequest, withHeader } from '@sidetone/sip';
import { retryAfter, type Trunk } from '@sidetone/wire';
import type { ProxyOutput } from './proxy-events.ts';

export interface TurnFacts {
  readonly trunks: readonly Trunk[];
  /** Of a transaction or a dialog that lives. */
  readonly isLive: (request: SipRequest) => boolean;
  /** Whether a phone is registered from there. */
  readonly isPhone: boolean;
}

/** In whose line a message waits: `null` in none, as what lives goes first. */
export function turnOf(message: SipMessage, flow: Flow, facts: TurnFacts): string | null {
  if (message.kind === 'response' || message.method === 'ACK' || message.headers.via.length === 0)
    return null;
  if (facts.isLive(message)) return null;
  const host = hostOf(flow);
  if (facts.isPhone) return flow.transport === 'local' ? `phone ${host}` : `phone ${host} ${flow.port}`;
  const isFrom = (t: Trunk): boolean => (t.addresses ?? [t.host]).some((own) => sameHost(own, host));
  const trunk = facts.trunks.find(isFrom);
  if (trunk !== undefined) return `trunk ${trunk.name}`;
  // Anybody can write any address into a datagram.
  return flow.transport === 'udp' ? 'strangers' : `stranger ${networkOf(host)}`;
}

/** Whoever makes a 503, it says when to come back (RFC 3261 §21.5.4), to each another time. */
export function saysWhen(event: ProxyOutput, random: Random): ProxyOutput {
  if (event.type !== 'sip' || event.message.kind !== 'response' || event.message.status !== 503) return event;
  if (header(event.message, 'Retry-After') !== undefined) return event;
  return { ...event, message: withHeader(event.message, 'Retry-After', retryAfter(random)) };
}
