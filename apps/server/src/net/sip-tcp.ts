import { randomUUID } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createFramer, type Flow } from '@sidetone/sip';
import { AddressShares } from './address-shares.ts';
import { plainAddress } from './addresses.ts';
import { GatheredWrites } from './gathered-writes.ts';
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
  const streams = new Streams(options);
  const servers = await openEach(options.host, (host) => listen(host, options, streams));
  return {
    send: (bytes, flow) => streams.send(bytes, flow),
    close: () => {
      for (const server of servers) server.close();
      streams.close();
    },
  };
}

function listen(host: string, { tcp: port }: SipTransportOptions, streams: Streams): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => streams.accept(socket));
    const refuse = (cause: Error): void => reject(new ListenError('sip.tcp', host, port, cause));
    server.once('error', refuse);
    server.listen({ port, host, ipv6Only: true }, () => {
      server.off('error', refuse);
      server.on('error', () => {});
      resolve(server);
    });
  });
}

interface Stream {
  readonly socket: Socket;
  readonly writes: GatheredWrites;
}

/** All connections, by their id and by who is at the other end. */
class Streams {
  readonly #options: SipTransportOptions;
  readonly #streams = new Map<string, Stream>();
  readonly #byPeer = new Map<string, string>();
  readonly #shares = new AddressShares(MAX_PER_ADDRESS);

  constructor(options: SipTransportOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    const from = plainAddress(socket.remoteAddress);
    if (this.#streams.size >= MAX_CONNECTIONS || !this.#shares.take(from)) {
      socket.destroy();
      return;
    }
    socket.once('close', () => this.#shares.give(from));
    this.#adopt(socket, from, socket.remotePort ?? 0);
  }

  send(bytes: Uint8Array, flow: TcpFlow): void {
    const id = flow.connection ?? this.#byPeer.get(peerOf(flow));
    const stream = id === undefined ? undefined : this.#streams.get(id);
    if (stream === undefined || stream.socket.destroyed) return this.#dial(bytes, flow);
    const { socket, writes } = stream;
    if (socket.writableLength <= MAX_QUEUED_BYTES) return writes.write(bytes);
    socket.destroy();
    this.#options.failed(flow);
  }

  close(): void {
    for (const { socket, writes } of this.#streams.values()) {
      writes.flush();
      socket.destroy();
    }
  }

  #dial(bytes: Uint8Array, flow: TcpFlow): void {
    const socket = connect({ host: flow.host, port: flow.port, allowHalfOpen: true });
    let open = false;
    const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), CONNECT_MS);
    const { writes } = this.#adopt(socket, flow.host, flow.port);
    socket.once('connect', () => {
      open = true;
      clearTimeout(timer);
    });
    socket.once('close', () => {
      clearTimeout(timer);
      if (!open) this.#options.failed(flow);
    });
    writes.write(bytes);
  }

  #adopt(socket: Socket, host: string, port: number): Stream {
    const flow = { transport: 'tcp', host, port, connection: randomUUID() } as const;
    const stream = { socket, writes: new GatheredWrites(socket) };
    this.#streams.set(flow.connection, stream);
    this.#byPeer.set(peerOf(flow), flow.connection);
    const forget = (): void => {
      this.#streams.delete(flow.connection);
      if (this.#byPeer.get(peerOf(flow)) === flow.connection) this.#byPeer.delete(peerOf(flow));
    };
    socket.once('close', forget);
    readStream(stream, flow, this.#options, forget);
    return stream;
  }
}

const peerOf = ({ host, port }: TcpFlow): string => `${host}:${port}`;

/** Cuts what comes by a connection into messages. `forget`: what is sent there from now on needs another connection. */
function readStream(
  { socket, writes }: Stream,
  flow: TcpFlow,
  { received, unparseable, behind }: SipTransportOptions,
  forget: () => void,
): void {
  const framer = createFramer();
  let known = false;
  let unfinished: NodeJS.Timeout | undefined;
  const part = (): void => {
    // The requests before in the stream still wait for their turn.
    behind(() => {
      setTimeout(() => {
        socket.end();
        forget();
        setTimeout(() => socket.destroy(), LINGER_MS).unref();
      }, ANSWER_MS).unref();
    });
  };
  /** Whoever began a message that does not end hears so, as far as it could be read. */
  const leave = (): void => {
    for (const frame of framer.end()) if (frame.type === 'fatal') unparseable(frame.error, flow);
    part();
  };
  const watch = (arrived: boolean): void => {
    if (arrived || framer.pending === 0) {
      clearTimeout(unfinished);
      unfinished = undefined;
    }
    if (framer.pending > 0) unfinished ??= setTimeout(leave, MESSAGE_MS);
  };
  socket.setNoDelay(true);
  socket.setTimeout(STRANGER_IDLE_MS, leave);
  socket.on('end', leave);
  socket.on('data', (bytes: Buffer) => {
    let pinged = false;
    let arrived = false;
    for (const frame of framer.push(bytes)) {
      if (frame.type === 'message') {
        arrived = true;
        if (!known) socket.setTimeout(KNOWN_IDLE_MS);
        known = true;
        received(frame.message, flow);
      } else if (frame.type === 'ping') {
        pinged = true;
      } else if (frame.type === 'malformed' || frame.type === 'fatal') {
        arrived = true;
        unparseable(frame.error, flow);
        if (frame.type === 'fatal') part();
      }
    }
    // One answer for all pings of a chunk, and none to a peer that does not read the last: strangers may ping.
    if (pinged) writes.flush();
    if (pinged && socket.writable && socket.writableLength === 0) socket.write('\r\n');
    if (!socket.destroyed) watch(arrived);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(unfinished));
}
