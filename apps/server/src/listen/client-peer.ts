import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { TLSSocket } from 'node:tls';
import { canonicalHost, familyOf } from '@sidetone/core';
import { plainAddress } from '../net/addresses.ts';
import { type Chain, chainOfForwarded, chainOfList, type Hop } from './forwarded.ts';

/** Who is at the other end of an HTTP connection. */
export interface ClientPeer {
  readonly address: string;
  /** Of the connection to us when a proxy does not tell the client's. */
  readonly port: number;
  /** By https or wss. */
  readonly secure: boolean;
  /** The host that the client asked for. */
  readonly host: string | undefined;
  /** Whose share of the connections it takes: its address, or what a proxy says of nobody in particular. */
  readonly share: string;
}

/**
 * The client of a request: its peer, or, behind proxies that we trust, the nearest node that is none of them. What anybody else writes
 * into `X-Forwarded-For` (or `Forwarded`, RFC 7239) means nothing: a guesser would write another address each time.
 *
 *   client ─▶ X ─▶ trusted ─▶ trusted ─▶ us        what X says of who stands before it is not heard
 */
export class TrustedProxies {
  readonly #networks = new BlockList();
  readonly #any: boolean;

  /** @param entries addresses and networks (`10.0.0.0/8`), valid as the configuration has them */
  constructor(entries: readonly string[]) {
    this.#any = entries.length > 0;
    for (const entry of entries) {
      const [address, bits] = entry.split('/') as [string, string?];
      const family = familyOf(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#networks.addAddress(canonicalHost(address), family);
      else this.#networks.addSubnet(address, Number(bits), family);
    }
  }

  trusts(address: string): boolean {
    const family = familyOf(address);
    if (!this.#any || family === null) return false;
    return this.#networks.check(address.split('%', 1)[0]!, family === 6 ? 'ipv6' : 'ipv4');
  }

  clientOf(request: IncomingMessage): ClientPeer {
    const { socket, headers } = request;
    const peer: ClientPeer = {
      address: plainAddress(socket.remoteAddress),
      port: socket.remotePort ?? 0,
      secure: socket instanceof TLSSocket,
      host: headers.host,
      share: plainAddress(socket.remoteAddress),
    };
    if (!this.trusts(peer.address)) return peer;
    const list = text(headers['x-forwarded-for']);
    const elements = text(headers['forwarded']);
    if (list === undefined && elements === undefined) return peer;
    const told = [
      list === undefined
        ? undefined
        : this.#nearest(
            chainOfList(list, text(headers['x-forwarded-proto']), text(headers['x-forwarded-host'])),
          ),
      elements === undefined ? undefined : this.#nearest(chainOfForwarded(elements)),
    ].filter((hop) => hop !== undefined);
    // A proxy writes one of the two and may hand on what the client wrote into the other: then they must agree.
    const agreed = told.every((hop) => hop?.address === told[0]?.address) ? told[0] : null;
    if (agreed === null || agreed === undefined) return { ...peer, share: `by ${peer.address}` };
    const { address } = agreed;
    return { ...peer, ...agreed, share: address };
  }

  /** The nearest node that is no proxy of ours; the farthest of them when all are. `null`: it is not told. */
  #nearest(chain: Chain): Hop | null {
    let nearest: Hop | null = null;
    for (const hop of chain.toReversed()) {
      nearest = hop;
      if (hop === null || !this.trusts(hop.address)) break;
    }
    return nearest;
  }
}

/** Node joins what comes several times. */
const text = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'object' ? header.join(', ') : header;
