import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * Ports of the tests lie here: away from what a developer's machine usually runs, and below those that the system gives to outgoing connections,
 * which may take the port of a server while it is being started anew.
 */
const FIRST = 21_000;
const LAST = 31_999;

/** Where the carrier and the phone live. */
export const CARRIER_HOST = '127.0.0.1';

let next = FIRST + Math.floor(Math.random() * 300) * 10;

/** The machine's first own IPv4 address beside loopback, or loopback when there is none. */
export function interfaceAddress(): string {
  for (const list of Object.values(networkInterfaces()))
    for (const entry of list ?? []) if (entry.family === 'IPv4' && !entry.internal) return entry.address;
  return '127.0.0.1';
}

async function isFree(port: number): Promise<boolean> {
  const udp = await new Promise<boolean>((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '0.0.0.0', () => socket.close(() => resolve(true)));
  });
  if (!udp) return false;
  return await new Promise<boolean>((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

/** A port free for UDP and TCP; never the same twice in a process. */
export async function freePort(): Promise<number> {
  const [port] = await freeRange(1);
  return port;
}

/** First and last of `count` free ports in a row, starting at an even one. */
export async function freeRange(count: number): Promise<readonly [first: number, last: number]> {
  for (let tries = 0; tries < 400; tries++) {
    if (next + count > LAST) next = FIRST;
    const first = next + (next & 1);
    next = first + count + (count & 1);
    let free = true;
    for (let port = first; free && port < first + count; port++) free = await isFree(port);
    if (free) return [first, first + count - 1];
  }
  throw new Error(`no ${count} free ports in a row between ${FIRST} and ${LAST}`);
}

/** Is a UDP port bound by some process? Peers that do not say when they listen are asked through the kernel's table. */
export function udpBound(port: number): boolean {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .some((line) => line.trim().split(/\s+/)[1]?.endsWith(hex));
}
