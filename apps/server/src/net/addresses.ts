import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { canonicalHost, type Family, familyOf, isLinkLocal, isLoopbackAddress } from '@sidetone/core';

/**
 * The addresses of this machine in the order in which media offers them: IPv6 and IPv4 in turn (RFC 8421 §4), then IPv6 addresses that
 * are of use inside one site alone (RFC 6724 §2.1 puts `fc00::/7` behind IPv4), loopback last. None that means something on one link only.
 */
export function machineAddresses(interfaces = networkInterfaces()): readonly string[] {
  const all = Object.values(interfaces).flatMap((list) => list ?? []);
  const known = new Set(all.map(({ address }) => address));
  const addresses = [...known].filter((address) => !isLinkLocal(address));
  const of = (family: Family, wide: boolean): string[] =>
    addresses.filter((a) => familyOf(a) === family && !isLoopbackAddress(a) && !isSiteLocal(a) === wide);
  const [six, four] = [of(6, true), of(4, true)];
  const inTurn = Array.from({ length: Math.max(six.length, four.length) }, (_, i) => [six[i], four[i]]);
  const loopback = addresses.filter(isLoopbackAddress);
  return [
    ...inTurn.flat().filter((address) => address !== undefined),
    ...of(6, false),
    ...loopback.filter((a) => familyOf(a) === 4),
    ...loopback.filter((a) => familyOf(a) === 6),
  ];
}

/** RFC 4193. */
const isSiteLocal = (address: string): boolean => /^f[cd]/i.test(address) && familyOf(address) === 6;

/** Can a socket be bound to it? Not to one that is none of ours, nor while the network still looks for its double (RFC 4862 §5.4). */
export async function isBindable(address: string): Promise<boolean> {
  const six = familyOf(address) === 6;
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six });
  const bound = await new Promise<boolean>((done) => {
    socket.once('error', () => done(false));
    socket.bind(0, address, () => done(true));
  });
  socket.close();
  return bound;
}

/** Is this host only reachable from this machine? */
export const isLoopback = (host: string): boolean => host === 'localhost' || isLoopbackAddress(host);

/** Plain form of a socket's peer address: IPv4 inside IPv6 is unwrapped. */
export const plainAddress = (address: string | undefined): string => canonicalHost(address ?? '');

/** `host:port` as people and URLs write it. */
export const hostAndPort = (host: string, port: number): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
