import { networkInterfaces } from 'node:os';

/** The IPv4 addresses of this machine, loopback last: the order in which media offers them. */
export function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const v4 = all.filter((a) => a.family === 'IPv4');
  return [...v4.filter((a) => !a.internal), ...v4.filter((a) => a.internal)].map((a) => a.address);
}

/** Is this host only reachable from this machine? */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Plain form of a socket's peer address: IPv4 inside IPv6 is unwrapped. */
export const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '');
