import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports of the tests. Test files run beside each other, so each process claims whole blocks: it listens on the first port of a block for as long
 * as it lives, and gives out the others. They lie away from what a developer's machine usually runs, and below those that the system gives to
 * outgoing connections, which may take the port of a server while it is being started anew.
 */
const FIRST = 11_000;
const BLOCK = 1_000;
const BLOCKS = 21;

/** What is left of the block that this process took last. */
let next = 0;
let end = 0;

/** Is it free for UDP and TCP right now? */
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

async function claim(): Promise<void> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let i = 0; i < BLOCKS; i++) {
    const first = FIRST + ((start + i) % BLOCKS) * BLOCK;
    const mark = createServer().listen(first, '127.0.0.1');
    const ours = await once(mark, 'listening').then(
      () => true,
      () => false,
    );
    if (!ours) continue;
    mark.unref();
    [next, end] = [first + 2, first + BLOCK];
    return;
  }
  throw new Error(`other tests hold every port between ${FIRST} and ${FIRST + BLOCKS * BLOCK - 1}`);
}

/** A port free for UDP and TCP; never the same twice in a process. */
export async function freePort(): Promise<number> {
  const [port] = await freeRange(1);
  return port;
}

/** First and last of `count` (up to 998) free ports in a row, starting at an even one. */
export async function freeRange(count: number): Promise<readonly [first: number, last: number]> {
  for (;;) {
    if (next + count > end) await claim();
    const first = next;
    next = first + count + (count & 1);
    let free = true;
    for (let port = first; free && port < first + count; port++) free = await isFree(port);
    if (free) return [first, first + count - 1];
  }
}
