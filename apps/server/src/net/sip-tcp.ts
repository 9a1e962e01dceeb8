import { randomUUID } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createFramer, type Flow } from '@sidetone/sip';
import { AddressShares } from './address-shares.ts';
import { plainAddress } from './addresses.ts';
import { ListenError } from './listen-error.ts';
import { openEach } from './listen-hosts.ts';
import type { SipTransportOptions } from './sip-transport-options.ts';

type TcpFlow = Extract<Flow, { transport: 'tcp' | 'tls' | 'ws' | 'wss' }>;

const MAX_CONNECTIONS = 10_000;
/** Of those, what one address may open; a carrier needs few. */
const MAX_PER_ADDRESS = 1000;
const MAX_QUEUED_BYTES = 256 * 1024;
/** A peer that never sent a whole message is let go after this long; one that did may rest between messages. */
const STRANGER_IDLE_MS = 30_000;
const KNOWN_IDLE_MS = 30 * 60_000;
/** A message that has begun is whole within this time, however its bytes drip in. */
const MESSAGE_MS = 30_000;
/** A request whose password is looked up is answered in a moment. */
const ANSWER_MS = 250;
/** After the answer to what ends a stream. */
const LINGER_MS = 2_000;
/** Less than a silent trunk is given: what goes by TCP for its size alone has time to go by UDP (RFC 3261 §18.1.1). */
const CONNECT_MS = 3_000;

export interface SipTcp {
  send(bytes: Uint8Array, flow: TcpFlow): void;
  close(): void;
}

/** SIP over TCP: accepts connections, opens them on demand, and reuses the one a flow names. */
export async function listenSipTcp(options: SipTransportOptions): Promise<SipTcp> {
  const connections = new Map<string, Socket>();
  const byPeer = new Map<string, string>();
  const shares = new AddressShares(MAX_PER_ADDRESS);

  function adopt(socket: Socket, host: string, port: number): string {
    const connection = randomUUID();
    const flow: TcpFlow = { transport: 'tcp', host, port, connection };
    const framer = createFramer();
    connections.set(connection, socket);
    byPeer.set(`${host}:${port}`, connection);
    socket.setNoDelay(true);
    socket.setTimeout(STRANGER_IDLE_MS, () => leave());
    let unfinished: NodeJS.Timeout | undefined;
    const watch = (arrived: boolean): void => {
      if (arrived || framer.pending === 0) {
        clearTimeout(unfinished);
        unfinished = undefined;
      }
      if (framer.pending > 0) unfinished ??= setTimeout(leave, MESSAGE_MS);
    };
    const forget = (): void => {
      connections.delete(connection);
      if (byPeer.get(`${host}:${port}`) === connection) byPeer.delete(`${host}:${port}`);
    };
    const part = (): void => {
      // The requests before in the stream still wait for their turn.
      options.behind(() => {
        setTimeout(() => {
          socket.end();
          // What is sent there from now on needs another connection.
          forget();
          setTimeout(() => socket.destroy(), LINGER_MS).unref();
        }, ANSWER_MS).unref();
      });
    };
    /** Whoever began a message that does not end hears so, as far as it could be read. */
    const leave = (): void => {
      for (const frame of framer.end()) if (frame.type === 'fatal') options.unparseable(frame.error, flow);
      part();
    };
    socket.on('end', leave);
    socket.on('data', (bytes: Buffer) => {
      let pinged = false;
      let arrived = false;
      for (const frame of framer.push(bytes)) {
        if (frame.type === 'message') {
          arrived = true;
          socket.setTimeout(KNOWN_IDLE_MS);
          options.received(frame.message, flow);
        } else if (frame.type === 'ping') {
          pinged = true;
        } else if (frame.type === 'malformed' || frame.type === 'fatal') {
          arrived = true;
          options.unparseable(frame.error, flow);
          if (frame.type === 'fatal') part();
        }
      }
      // One answer for all pings of a chunk, and none to a peer that does not read the last: strangers may ping.
      if (pinged && socket.writable && socket.writableLength === 0) socket.write('\r\n');
      if (!socket.destroyed) watch(arrived);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(unfinished);
      forget();
    });
    return connection;
  }

  function write(socket: Socket, bytes: Uint8Array, flow: TcpFlow): void {
    if (socket.writableLength > MAX_QUEUED_BYTES) {
      socket.destroy();
      options.failed(flow);
      return;
    }
    socket.write(bytes);
  }

  function dial(bytes: Uint8Array, flow: TcpFlow): void {
    const socket = connect({ host: flow.host, port: flow.port, allowHalfOpen: true });
    let open = false;
    const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), CONNECT_MS);
    adopt(socket, flow.host, flow.port);
    socket.once('connect', () => {
      open = true;
      clearTimeout(timer);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      if (!open) options.failed(flow);
    });
    socket.write(bytes);
  }

  const listen = (host: string): Promise<Server> =>
    new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        const from = plainAddress(socket.remoteAddress);
        if (connections.size >= MAX_CONNECTIONS || !shares.take(from)) {
          socket.destroy();
          return;
        }
        socket.once('close', () => shares.give(from));
        adopt(socket, from, socket.remotePort ?? 0);
      });
      const refuse = (cause: Error): void => reject(new ListenError('sip.tcp', host, options.tcp, cause));
      server.once('error', refuse);
      server.listen({ port: options.tcp, host, ipv6Only: true }, () => {
        server.off('error', refuse);
        server.on('error', () => {});
        resolve(server);
      });
    });

  const servers = await openEach(options.host, listen);
  return {
    send: (bytes, flow) => {
      const id = flow.connection ?? byPeer.get(`${flow.host}:${flow.port}`);
      const socket = id === undefined ? undefined : connections.get(id);
      if (socket !== undefined && !socket.destroyed) write(socket, bytes, flow);
      else dial(bytes, flow);
    },
    close: () => {
      for (const server of servers) server.close();
      for (const socket of connections.values()) socket.destroy();
    },
  };
}
