import type { IncomingMessage, Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { setTimeout as rest } from 'node:timers/promises';
import { MAX_FRAME_BYTES, retryAfter } from '@sidetone/wire';
import { type WebSocket, WebSocketServer } from 'ws';
import { AddressShares } from '../net/address-shares.ts';
import type { SipWebSockets } from '../net/sip-websocket.ts';
import { systemRandom } from '../system-random.ts';
import type { ClientPeer } from './client-peer.ts';
import { originAllowed } from './origins.ts';

/** Each costs its own buffer, however small; clients send whole frames. */
const MAX_FRAGMENTS = 1024;
const MAX_QUEUED_BYTES = 256 * 1024;
const MAX_SOCKETS = 20_000;
/** Of those, what one address may open: a large office behind one NAT fits in. */
const MAX_PER_ADDRESS = 2000;
/** With a jitter, so that those who were sent away do not come back together. */
const busy = (): string => `503 Service Unavailable\r\nRetry-After: ${retryAfter(systemRandom)}`;
/** A watched socket is asked so often (RFC 6455 §5.5.2), and given up when nothing came for so long: in 10 s at most. */
const PING_MS = 4000;
const DEAD_MS = 8000;
const LOOK_MS = 1000;

export interface WebSocketOptions {
  readonly origins: readonly string[];
  readonly host: string;
  readonly opened: (
    socket: string,
    origin: string | undefined,
    query: Readonly<Record<string, string>>,
    address: string,
  ) => void;
  readonly frame: (socket: string, text: string) => void;
  readonly closed: (socket: string) => void;
  readonly newId: () => string;
  readonly clientOf: (request: IncomingMessage) => ClientPeer;
  /** SIP phones by WebSocket, told by their subprotocol. */
  readonly sip: SipWebSockets;
}

export interface WebSocketListener {
  send(socket: string, text: string): void;
  close(socket: string, code: number, reason: string): void;
  /** A dead line on this socket must be noticed soon, because calls depend on it. */
  watch(socket: string, on: boolean): void;
  /** Resolves when no socket is on its way to its end any more, or after `limitMs`. */
  settled(limitMs: number): Promise<void>;
  closeAll(): void;
}

/** The query of a request target. Strangers write targets that are no URL at all, so none is asked to be one. */
function queryOf(target: string): Readonly<Record<string, string>> {
  const mark = target.indexOf('?');
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams(target.slice(mark + 1)));
}

/** WebSockets on any path of the HTTP server's port: SIP for those that name it as subprotocol, the dialect for all others. */
export function listenWebSocket(server: Server | TlsServer, options: WebSocketOptions): WebSocketListener {
  const clients = new Clients(options);
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    const why = clients.upgrade(request, stream, head);
    // The HTTP server has let go of the stream: who is refused and stays would keep a descriptor for ever.
    if (why !== null)
      stream.end(`HTTP/1.1 ${why}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy());
  });
  return clients;
}

class Clients implements WebSocketListener {
  readonly #options: WebSocketOptions;
  readonly #sockets = new Map<string, WebSocket>();
  readonly #watched = new Map<string, { heardAt: number; pingAt: number }>();
  readonly #shares = new AddressShares(MAX_PER_ADDRESS);
  readonly #acceptor = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
  });
  readonly #looking = setInterval(() => this.#look(), LOOK_MS).unref();

  constructor(options: WebSocketOptions) {
    this.#options = options;
  }

  /** Takes the connection, or gives the status line that refuses it. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): string | null {
    const { origins, host, sip, clientOf } = this.#options;
    const { origin } = request.headers;
    const client = clientOf(request);
    if (!originAllowed(origin, client.host, origins, host, client.address)) return '403 Forbidden';
    if (sip.wants(request)) return sip.accept(request, stream, head, client) ? null : busy();
    const { share, address } = client;
    if (this.#sockets.size >= MAX_SOCKETS || !this.#shares.take(share)) return busy();
    stream.once('close', () => this.#shares.give(share));
    this.#acceptor.handleUpgrade(request, stream, head, (ws) => this.#accept(ws, request, origin, address));
    return null;
  }

  send(id: string, text: string): void {
    const ws = this.#sockets.get(id);
    if (ws === undefined) return;
    // A client that does not read is let go before it costs memory.
    if (ws.bufferedAmount > MAX_QUEUED_BYTES) ws.close(1013, 'too slow');
    else ws.send(text);
  }

  close(id: string, code: number, reason: string): void {
    this.#sockets.get(id)?.close(code, reason);
  }

  watch(id: string, on: boolean): void {
    if (!on) this.#watched.delete(id);
    else if (this.#sockets.has(id)) {
      const now = performance.now();
      this.#watched.set(id, { heardAt: now, pingAt: now });
    }
  }

  async settled(limitMs: number): Promise<void> {
    const closing = (): boolean => [...this.#sockets.values()].some((ws) => ws.readyState !== ws.OPEN);
    const end = performance.now() + limitMs;
    while (closing() && performance.now() < end) await rest(10);
  }

  closeAll(): void {
    clearInterval(this.#looking);
    for (const ws of this.#sockets.values()) ws.close(1001, 'server is stopping');
    this.#acceptor.close();
  }

  #accept(ws: WebSocket, request: IncomingMessage, origin: string | undefined, address: string): void {
    const { newId, opened, frame, closed } = this.#options;
    const id = newId();
    const query = queryOf(request.url ?? '/');
    this.#sockets.set(id, ws);
    const heard = (): void => {
      const state = this.#watched.get(id);
      if (state !== undefined) state.heardAt = performance.now();
    };
    ws.on('pong', heard);
    ws.on('ping', heard);
    ws.on('message', (data, binary) => {
      heard();
      // The dialect has text frames only.
      if (binary) ws.close(1003, 'text frames only');
      else frame(id, data.toString());
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      this.#sockets.delete(id);
      this.#watched.delete(id);
      closed(id);
    });
    opened(id, origin, query, address);
  }

  #look(): void {
    const now = performance.now();
    for (const [id, state] of this.#watched) {
      const ws = this.#sockets.get(id);
      if (ws === undefined) this.#watched.delete(id);
      else if (now - state.heardAt > DEAD_MS) ws.terminate();
      else if (now >= state.pingAt && ws.readyState === ws.OPEN) {
        state.pingAt = now + PING_MS;
        ws.ping();
      }
    }
  }
}
