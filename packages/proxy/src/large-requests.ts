import { type Ms, sameHost } from '@sidetone/core';
import { type Flow, messageSize, type SipRequest, type Via } from '@sidetone/sip';
import type { Trunk } from '@sidetone/wire';
import { sentBy } from './own-address.ts';
import type { ProxyOptions } from './proxy-events.ts';
import type { Target } from './target.ts';

/*
 * RFC 3261 §18.1.1: a request that is too large for UDP goes by TCP, and by UDP after all when no connection is made. We do not know
 * what the path takes, and ask no peer for TCP of whom nobody says that it listens there: a firewall that drops it costs seconds.
 *
 *   by UDP ──too large, TCP known──▶ by TCP ──no connection──▶ by UDP, and for ten minutes at once by UDP
 */

/** Bytes; with an unknown path MTU. */
const MOST_BY_UDP = 1300;
const SPARED_MS: Ms = 10 * 60_000;
/** Peers that are spared; the oldest makes room. */
const MOST_SPARED = 1000;
/** As long as ours will be. */
const BRANCH = 'z9hG4bK'.padEnd(27, '0');

/** Where a target takes by TCP what it takes by UDP; `null`: nothing is known of it. Never another host than the datagrams go to. */
export function streamOf(target: Target, trunks: readonly Trunk[]): Flow | null {
  const { flow, route, uri } = target;
  if (flow.transport !== 'udp') return null;
  // RFC 3263 §4.1: what names a transport wants that one.
  const hop = route[0]?.uri ?? uri;
  const wanted = hop.params['transport']?.toLowerCase();
  const { host } = flow;
  if (target.trunk !== undefined) {
    const trunk = trunks.find(({ name }) => name === target.trunk);
    if (trunk?.large_requests !== 'tcp' || wanted === 'udp') return null;
    // Where its far ends listen is not said.
    if (![trunk.host, ...(trunk.addresses ?? [])].some((own) => sameHost(own, host))) return null;
    return { transport: 'tcp', host, port: flow.port };
  }
  // A phone that registered by UDP, from where its Contact says that it listens by TCP.
  if (wanted !== 'tcp' || !sameHost(hop.host, host)) return null;
  return { transport: 'tcp', host, port: hop.port ?? 5060 };
}

/** Chooses the flow of each request, and remembers who took no connection. */
export class LargeRequests {
  readonly #address: ProxyOptions['address'];
  /** Until when, by host and port. */
  readonly #spared = new Map<string, Ms>();

  constructor(address: ProxyOptions['address']) {
    this.#address = address;
  }

  flowFor(request: SipRequest, target: Target, trunks: readonly Trunk[], now: Ms): Flow {
    const { flow } = target;
    const stream = streamOf(target, trunks);
    if (stream === null || !this.#isTooLarge(request, flow)) return flow;
    return (this.#spared.get(nameOf(stream)) ?? now) > now ? flow : stream;
  }

  /** No connection was made. */
  refused(stream: Flow, now: Ms): void {
    const name = nameOf(stream);
    this.#spared.delete(name);
    if (this.#spared.size >= MOST_SPARED) this.#spared.delete(this.#spared.keys().next().value!);
    this.#spared.set(name, now + SPARED_MS);
  }

  /** With the Via that it will have. */
  #isTooLarge(request: SipRequest, flow: Flow): boolean {
    const own: Via = {
      transport: 'UDP',
      ...sentBy(this.#address, flow),
      params: { branch: BRANCH, rport: '' },
    };
    const { headers } = request;
    const sent = { ...request, headers: { ...headers, via: [own, ...headers.via] } };
    return messageSize(sent) > MOST_BY_UDP;
  }
}

const nameOf = (flow: Flow): string => (flow.transport === 'local' ? flow.node : `${flow.host} ${flow.port}`);
