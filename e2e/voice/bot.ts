import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { decodeG711, encodeG711 } from '../src/g711.ts';
import { sine } from '../src/tone.ts';
import { until } from '../src/wait.ts';
import type { Json } from './back-end.ts';
import { type Ear, pcmEar } from './ears.ts';

/** One media stream, as the program at its other end has it. */
export class BotStream {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly frames: Json[] = [];
  closed = false;
  readonly #socket: WebSocket;
  readonly #heard: Record<string, (pcm: Int16Array) => void> = {};

  constructor(socket: WebSocket, request: IncomingMessage) {
    this.path = request.url!;
    this.authorization = request.headers.authorization;
    this.#socket = socket;
    socket.on('message', (text) => {
      const frame = JSON.parse(String(text));
      const track = frame.media?.track;
      if (frame.event !== 'media') this.frames.push(frame);
      else this.#heard[track]?.(decodeG711('PCMU', Buffer.from(frame.media.payload, 'base64')));
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** The frames that are no media, by their events. */
  get events(): string[] {
    return this.frames.map(({ event }) => event);
  }

  async gets(event: string, count = 1): Promise<Json> {
    return await until(
      `the ${count}. frame ${event} of the stream`,
      () => this.frames.filter((frame) => frame.event === event)[count - 1],
      { detail: () => JSON.stringify(this.frames) },
    );
  }

  async isClosed(): Promise<void> {
    await until('the end of the stream', () => this.closed);
  }

  ear(track: 'inbound' | 'outbound'): Ear {
    const { ear, push } = pcmEar(`the bot, ${track}`, 8000);
    this.#heard[track] = push;
    return ear;
  }

  /** As programs do it: without a stream_id. */
  says(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  /** Some seconds of a tone, in frames of any length. */
  speaks(hz: number, seconds: number, frameMs = 200): void {
    const payload = encodeG711('PCMU', sine(hz, 8000, 8000 * seconds, 0.5));
    const octets = 8 * frameMs;
    for (let at = 0; at < payload.length; at += octets) {
      const part = Buffer.from(payload.subarray(at, at + octets)).toString('base64');
      this.says({ event: 'media', media: { payload: part } });
    }
  }

  mark(name: string): void {
    this.says({ event: 'mark', mark: { name } });
  }

  close(): void {
    this.#socket.close();
  }
}

/** The program that streams are sent to. */
export class Bot {
  readonly streams: BotStream[] = [];
  readonly #http: Server;

  private constructor(http: Server) {
    this.#http = http;
  }

  static async open(): Promise<Bot> {
    const http = createServer((_, response) => response.writeHead(404).end());
    const bot = new Bot(http);
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket, request) => bot.streams.push(new BotStream(socket, request)));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return bot;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** The stream that came to this path. */
  async stream(path: string): Promise<BotStream> {
    return await until(`a stream to ${path}`, () => this.streams.find((one) => one.path === path));
  }

  close(): void {
    this.#http.closeAllConnections();
    this.#http.close();
  }
}
