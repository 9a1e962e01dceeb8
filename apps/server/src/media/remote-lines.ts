import { createSocket, type Socket } from 'node:dgram';
import { familyOf, type Ms } from '@sidetone/core';
import type { RemoteEvents, RemoteLine, RemotePort } from '@sidetone/media';
import { WebSocket } from 'ws';
import { epoch, monotonic } from '../clock.ts';
import { createGuard, type GuardOptions, Refusal, urlOfScheme, wordsOf } from '../outgoing/guard.ts';
import { createMp3Decoder } from './mp3-decoder.ts';

/*
 * WebSockets that media opens, through the same guard as webhooks: names are resolved once, and only to addresses that may be reached.
 * No redirect is followed and no compression offered.
 */

const CONNECT_MS: Ms = 10_000;
/** 30 s of L16 at 48 kHz are 3.9 million characters of base64. */
const MOST_FRAME = 4 * 1024 * 1024;
/** Of one socket: read beyond a second's worth, it is not read for as long as the rest would have taken. */
const BYTES_A_SECOND = 4 * 1024 * 1024;
/** Pings and pongs are frames, too. */
const FRAMES_A_SECOND = 1000;
/** Pings of an end that has so many octets still to read are not answered. */
const MOST_UNREAD = 64 * 1024;
/** An end from which nothing came for so long, not even an answer to a ping, is gone. */
const PING_MS: Ms = 15_000;
const DEAD_MS: Ms = 45_000;
/** An end that does not close when it is asked to. */
const CLOSE_MS: Ms = 5_000;

export interface RemoteOptions extends GuardOptions {
  /** Certificate authorities (PEM) instead of the system's. */
  readonly ca?: string;
  /** So long an end may take to answer the opening request. */
  readonly connectMs?: Ms;
}

export function createRemote(options: RemoteOptions): RemotePort {
  const guard = createGuard(options);
  const mp3 = createMp3Decoder();
  const senders = new Map<'udp4' | 'udp6', Socket>();
  const sender = (type: 'udp4' | 'udp6'): Socket => {
    let socket = senders.get(type);
    if (socket === undefined) {
      socket = createSocket({ type });
      // Who is not there, or no network: copies are lost, as packets are.
      socket.on('error', () => {});
      socket.unref();
      senders.set(type, socket);
    }
    return socket;
  };
  return {
    connect: ({ url, token, trusted = false }, events) => {
      const target = urlOfScheme(url, ['ws:', 'wss:']);
      const why = target.ok ? (trusted ? null : guard.refusalOf(target.value)) : target.error;
      if (!target.ok || why !== null) return refusedLine(events, why ?? 'refused');
      const socket = new WebSocket(target.value, {
        headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
        maxPayload: MOST_FRAME,
        perMessageDeflate: false,
        autoPong: false,
        followRedirects: false,
        ...(trusted ? {} : { lookup: guard.lookup }),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      });
      return new Line(socket, events, options.connectMs ?? CONNECT_MS);
    },
    datagrams: (address, port) => {
      const why = guard.refusalOfAddress(address);
      if (why !== null) return why;
      const socket = sender(familyOf(address) === 6 ? 'udp6' : 'udp4');
      return { send: (packet) => socket.send(packet, port, address) };
    },
    decodeMp3: mp3.decode,
    epoch,
  };
}

function refusedLine(events: RemoteEvents, why: string): RemoteLine {
  let open = true;
  queueMicrotask(() => {
    if (open) events.ended('refused', why);
  });
  return {
    waiting: 0,
    send: () => {},
    sendBytes: () => {},
    close: () => {
      open = false;
    },
  };
}

class Line implements RemoteLine {
  readonly #socket: WebSocket;
  readonly #events: RemoteEvents;
  #told = false;
  #opened = false;
  #why = 'the connection was lost';
  /** When what was read so far would be over at the rate that is read. */
  #paidUntil = 0;
  #resume: NodeJS.Timeout | undefined;
  /** A ping that is not answered yet. */
  #pinged: Buffer | undefined;
  #heardAt = monotonic();
  #pings: NodeJS.Timeout | undefined;
  readonly #connecting: NodeJS.Timeout;

  constructor(socket: WebSocket, events: RemoteEvents, connectMs: Ms) {
    this.#socket = socket;
    this.#events = events;
    // Of all of it: the timeout of a request begins anew with each octet.
    this.#connecting = setTimeout(() => {
      this.#why = `no answer within ${connectMs / 1000} s`;
      socket.terminate();
    }, connectMs).unref();
    socket.on('open', () => {
      clearTimeout(this.#connecting);
      this.#opened = true;
      this.#heardAt = monotonic();
      this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
      events.opened();
    });
    socket.on('message', (data, binary) => {
      this.#heardAt = monotonic();
      if (this.#told) return;
      this.#pay(data as Buffer);
      if (binary) events.binary();
      else events.text(data.toString());
    });
    socket.on('ping', (data) => {
      this.#heardAt = monotonic();
      if (this.#told) return;
      this.#pay(data);
      this.#pinged = data;
      if (this.#resume === undefined) this.#pong();
    });
    socket.on('pong', (data) => {
      this.#heardAt = monotonic();
      if (!this.#told) this.#pay(data);
    });
    socket.on('unexpected-response', (_, response) => {
      this.#why = `the answer was HTTP ${response.statusCode}, not 101`;
      socket.terminate();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#why = wordsFor(error, this.#why);
    });
    socket.on('close', (code) => {
      clearInterval(this.#pings);
      clearTimeout(this.#resume);
      clearTimeout(this.#connecting);
      // 1006: without a close frame (RFC 6455 §7.1.5); 1009 and 1002 are our own word about what came.
      const isOrderly = this.#opened && code !== 1006 && this.#why === 'the connection was lost';
      if (isOrderly) this.#end('closed', `closed with code ${code}`);
      else this.#end(this.#opened ? 'lost' : 'refused', this.#why);
    });
  }

  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  close(): void {
    this.#told = true;
    const socket = this.#socket;
    clearTimeout(this.#resume);
    if (socket.readyState === WebSocket.OPEN) {
      socket.resume();
      socket.close(1000);
      setTimeout(() => socket.terminate(), CLOSE_MS).unref();
    } else socket.terminate();
  }

  #end(how: 'closed' | 'lost' | 'refused', reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#events.ended(how, reason);
  }

  /** What came has its time; who sends faster is read later, and waits in its own network. */
  #pay(data: Buffer): void {
    const now = monotonic();
    const costs = Math.max(data.length / BYTES_A_SECOND, 1 / FRAMES_A_SECOND) * 1000;
    this.#paidUntil = Math.max(this.#paidUntil, now) + costs;
    const ahead = this.#paidUntil - now - 1000;
    if (ahead <= 0 || this.#resume !== undefined) return;
    this.#socket.pause();
    this.#resume = setTimeout(() => {
      this.#resume = undefined;
      this.#socket.resume();
      this.#pong();
    }, ahead + 100);
  }

  /** Of many pings the latest is answered (RFC 6455 §5.5.3), and none of an end that does not read. */
  #pong(): void {
    const { readyState, bufferedAmount } = this.#socket;
    if (this.#pinged !== undefined && readyState === WebSocket.OPEN && bufferedAmount <= MOST_UNREAD)
      this.#socket.pong(this.#pinged);
    this.#pinged = undefined;
  }

  #ping(): void {
    // One that is not read says nothing.
    if (this.#resume !== undefined) this.#heardAt = monotonic();
    if (monotonic() - this.#heardAt > DEAD_MS) {
      this.#why = 'nothing comes from the other end any more';
      this.#socket.terminate();
    } else if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }
}

/** Without the URL, which may hold secrets. */
function wordsFor(error: NodeJS.ErrnoException, known: string): string {
  if (known !== 'the connection was lost') return known;
  if (error instanceof Refusal) return error.message;
  if (error.code?.startsWith('WS_ERR')) return `what came is no WebSocket as agreed (${error.code})`;
  return wordsOf(error);
}
