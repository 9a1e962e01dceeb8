import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Flow, LIMITS, parseMessage } from '@sidetone/sip';
import { type WebSocket, WebSocketServer } from 'ws';
import { AddressShares } from './address-shares.ts';
import type { SipTransportOptions } from './sip-transport-options.ts';

type WebSocketFlow = Extract<Flow, { transport: 'tcp' | 'tls' | 'ws' | 'wss' }>;

/** The name of SIP among WebSocket subprotocols (RFC 7118 §4.1). */
const SUBPROTOCOL = 'sip';
/** Each costs its own buffer, however small; clients send whole frames. */
const MAX_FRAGMENTS = 64;
const MAX_CONNECTIONS = 20_000;
/** Of those, what one address may open: a large office behind one NAT fits in. */
const MAX_PER_ADDRESS = 2000;
const MAX_QUEUED_BYTES = 256 * 1024;
/** A peer that never sent a whole message is let go after this long. */
const STRANGER_IDLE_MS = 30_000;
/** One that did may rest for longer than any registration lasts (7200 s), as long as it answers pings. */
const KNOWN_IDLE_MS = 7_500_000;
/** Often enough for the NATs and reverse proxies before a browser, which sends nothing by itself. */
const PING_MS = 25_000;
/** Frames in a row that are no SIP message. */
const MAX_MALFORMED = 20;

/** SIP over WebSocket (RFC 7118), on connections that the HTTP server hands over. */
export interface SipWebSockets {
  /** Whether an upgrade asks for SIP rather than for the JSON dialect. */
  wants(request: IncomingMessage): boolean;
  /** Takes the connection of an upgrade; `false`: there is no room for it. */
  accept(request: IncomingMessage, stream: Duplex, head: Buffer, client: SipClient): boolean;
  send(bytes: Uint8Array, flow: WebSocketFlow): void;
  close(): void;
}

/** Who opens a connection, as a proxy before us tells it. */
export interface SipClient {
  readonly address: string;
  readonly port: number;
  /** By TLS. */
  readonly secure: boolean;
  /** Whose share of the connections it takes. */
  readonly share: string;
}

interface Connection {
  readonly ws: WebSocket;
  readonly flow: WebSocketFlow;
  /** It has sent a SIP message. */
  known: boolean;
  /** Something came since the last ping. */
  heard: boolean;
  saidAt: number;
  malformed: number;
}

type Told = Pick<SipTransportOptions, 'received' | 'unparseable' | 'failed'>;

/**
 * One message a frame, text or binary; no frames of ours are split. Only clients open connections, so a flow whose connection is
 * gone has failed, and so has whatever was registered by it.
 */
export const createSipWebSockets = (options: Told): SipWebSockets => new Phones(options);

class Phones implements SipWebSockets {
  readonly #told: Told;
  readonly #connections = new Map<string, Connection>();
  readonly #shares = new AddressShares(MAX_PER_ADDRESS);
  readonly #acceptor = new WebSocketServer({
    noServer: true,
    maxPayload: LIMITS.message,
    maxFragments: MAX_FRAGMENTS,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  readonly #looking = setInterval(() => this.#look(), PING_MS).unref();

  constructor(told: Told) {
    this.#told = told;
  }

  wants(request: IncomingMessage): boolean {
    const names = (request.headers['sec-websocket-protocol'] ?? '').split(',');
    return names.some((name) => name.trim().toLowerCase() === SUBPROTOCOL);
  }

  accept(request: IncomingMessage, stream: Duplex, head: Buffer, client: SipClient): boolean {
    const { address: host, port, secure, share } = client;
    if (this.#connections.size >= MAX_CONNECTIONS || !this.#shares.take(share)) return false;
    stream.once('close', () => this.#shares.give(share));
    const transport = secure ? 'wss' : 'ws';
    this.#acceptor.handleUpgrade(request, stream, head, (ws) =>
      this.#begin(ws, { transport, host, port, connection: randomUUID() }),
    );
    return true;
  }

  send(bytes: Uint8Array, flow: WebSocketFlow): void {
    const ws = this.#connections.get(flow.connection ?? '')?.ws;
    if (ws === undefined || ws.readyState !== ws.OPEN) {
      // Told on a turn of its own, as a socket would tell it.
      setImmediate(() => this.#told.failed(flow));
      return;
    }
    // A peer that does not read is let go before it costs memory.
    if (ws.bufferedAmount > MAX_QUEUED_BYTES) ws.terminate();
    else ws.send(bytes, { binary: !isUtf8(bytes) });
  }

  close(): void {
    clearInterval(this.#looking);
    for (const { ws } of this.#connections.values()) ws.close(1001, 'server is stopping');
    this.#acceptor.close();
  }

  #look(): void {
    const now = performance.now();
    for (const connection of this.#connections.values()) {
      const { ws, known, heard, saidAt } = connection;
      if (!heard || now - saidAt > (known ? KNOWN_IDLE_MS : STRANGER_IDLE_MS)) ws.terminate();
      else {
        connection.heard = false;
        ws.ping();
      }
    }
  }

  #begin(ws: WebSocket, flow: WebSocketFlow & { readonly connection: string }): void {
    const saidAt = performance.now();
    const connection: Connection = { ws, flow, known: false, heard: true, saidAt, malformed: 0 };
    this.#connections.set(flow.connection, connection);
    const heard = (): void => {
      connection.heard = true;
    };
    ws.on('pong', heard);
    ws.on('ping', heard);
    ws.on('message', (data: Buffer) => {
      heard();
      this.#hear(connection, data);
    });
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      this.#connections.delete(flow.connection);
      // Nothing is known of who never sent a message.
      if (connection.known) this.#told.failed(flow);
    });
  }

  #hear(connection: Connection, bytes: Buffer): void {
    const { ws, flow } = connection;
    if (isKeepAlive(bytes)) {
      // RFC 5626 §3.5.1: CRLF for CRLF CRLF. None to a peer that does not read the last: strangers may ping.
      if (bytes.length === 4 && ws.bufferedAmount === 0) ws.send('\r\n');
      return;
    }
    const parsed = parseMessage(new Uint8Array(bytes));
    if (parsed.ok) {
      connection.known = true;
      connection.saidAt = performance.now();
      connection.malformed = 0;
      this.#told.received(parsed.value, flow);
      return;
    }
    connection.malformed += 1;
    if (connection.malformed > MAX_MALFORMED) ws.close(1002, 'not SIP');
    else this.#told.unparseable(parsed.error, flow);
  }
}

const isKeepAlive = (bytes: Uint8Array): boolean =>
  bytes.length <= 4 && bytes.every((byte) => byte === 13 || byte === 10);
