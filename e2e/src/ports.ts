import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export { freePort, freeRange } from '../../apps/server/test/drive/ports.ts';

/** Where the carrier and the phone live. */
export const CARRIER_HOST = '127.0.0.1';

/** The machine's first own IPv4 address beside loopback, or loopback when there is none. */
export function interfaceAddress(): string {
  for (const list of Object.values(networkInterfaces()))
    for (const entry of list ?? []) if (entry.family === 'IPv4' && !entry.internal) return entry.address;
  return '127.0.0.1';
}

/** Is a UDP port bound by some process? Peers that do not say when they listen are asked through the kernel's table. */
export function udpBound(port: number): boolean {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .some((line) => line.trim().split(/\s+/)[1]?.endsWith(hex));
}
