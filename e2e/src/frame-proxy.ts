import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { until } from './wait.ts';

// biome-ignore lint/suspicious/noExplicitAny: frames are read by many names.
export type Frame = Record<string, any>;

/** What becomes of a frame: `undefined` passes it on, `null` swallows it, frames take its place. */
export type Verdict = Frame | readonly Frame[] | null | undefined;

/** Something that was posted. */
export interface Posted {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Frame;
}

/**
 * Stands between a page and the real server and understands the dialect: it can swallow, change, delay or invent frames, so that
 * a client meets what our server never does. `POST`s of clients end here.
 */
export class FrameProxy {
  /** Frames as they left: towards the server (`up`) or the client. */
  readonly frames: { readonly up: boolean; readonly frame: Frame; readonly at: number }[] = [];
  /** The query of every connection, oldest first. */
  readonly visits: URLSearchParams[] = [];
  readonly posts: Posted[] = [];
  /** Text of the client that is no JSON. */
  readonly oddities: string[] = [];
  fromClient: (frame: Frame) => Verdict = () => undefined;
  fromServer: (frame: Frame) => Verdict = () => undefined;
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #to: number;
  #client: WebSocket | undefined;
  #server: WebSocket | undefined;
  #open = true;
  #ids = 0;
  /** The server's routing token, which it puts on every frame. */
  #token: string | undefined;

  private constructor(to: number) {
    this.#to = to;
    this.#http = createServer((request, response) => this.#posted(request, response));
    this.#http.on('upgrade', (request, socket, head) => {
      if (!this.#open) return void socket.destroy();
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#link(client, request));
    });
  }

  static async start(to: number): Promise<FrameProxy> {
    const proxy = new FrameProxy(to);
    await new Promise<void>((listening) => proxy.#http.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** The client's socket is there. */
  get linked(): boolean {
    return this.#client?.readyState === WebSocket.OPEN;
  }

  /** Requests of the client so far. */
  sent(method: string): Frame[] {
    return this.frames.filter(({ up, frame }) => up && frame['method'] === method).map(({ frame }) => frame);
  }

  /** Requests of the server that reached the client. */
  got(method: string): Frame[] {
    return this.frames.filter(({ up, frame }) => !up && frame['method'] === method).map(({ frame }) => frame);
  }

  /** What the client answered to a request, if it did. */
  acknowledged(id: string): Frame | undefined {
    return this.frames.find(({ up, frame }) => up && frame['id'] === id && frame['method'] === undefined)
      ?.frame;
  }

  /** Waits for the n-th request of the client. */
  async sends(method: string, count = 1): Promise<Frame> {
    await until(`${count} × ${method} of the client`, () => this.sent(method).length >= count, {
      detail: () => this.transcript(),
    });
    return this.sent(method)[count - 1]!;
  }

  /** A request in the server's name; gives its id. */
  ask(method: string, params: Frame): string {
    const id = `proxy-${++this.#ids}`;
    this.toClient({ jsonrpc: '2.0', id, method, params, ...(this.#token && { voice_sdk_id: this.#token }) });
    return id;
  }

  /** A reply in the server's name. */
  reply(request: Frame, result: Frame): void {
    this.toClient({ jsonrpc: '2.0', id: request['id'], result });
  }

  toClient(frame: Frame): void {
    this.frames.push({ up: false, frame, at: performance.now() });
    this.raw(JSON.stringify(frame));
  }

  /** Any text to the client. */
  raw(text: string): void {
    if (this.linked) this.#client!.send(text);
  }

  toServer(frame: Frame): void {
    this.frames.push({ up: true, frame, at: performance.now() });
    if (this.#server?.readyState === WebSocket.OPEN) this.#server.send(JSON.stringify(frame));
  }

  /** Breaks the line without a close frame; with `closed` nobody comes through until `restore`. */
  cut(closed = false): void {
    this.#open = !closed;
    this.#client?.terminate();
    this.#server?.terminate();
  }

  restore(): void {
    this.#open = true;
  }

  async close(): Promise<void> {
    this.cut(true);
    this.#http.closeAllConnections();
    await new Promise<void>((closed) => this.#http.close(() => closed()));
  }

  /** The last frames, one a line. */
  transcript(): string {
    return this.frames
      .slice(-30)
      .map(({ up, frame }) => `${up ? 'C>S' : 'S>C'} ${JSON.stringify(frame).slice(0, 260)}`)
      .join('\n');
  }

  #link(client: WebSocket, request: IncomingMessage): void {
    const query = new URL(request.url ?? '/', 'http://localhost').search;
    this.visits.push(new URLSearchParams(query));
    const server = new WebSocket(`ws://127.0.0.1:${this.#to}/${query}`, {
      ...(request.headers.origin === undefined ? {} : { origin: request.headers.origin }),
    });
    const waiting: string[] = [];
    this.#client = client;
    this.#server = server;
    client.on('error', () => client.terminate());
    server.on('error', () => server.terminate());
    server.on('open', () => {
      for (const text of waiting.splice(0)) server.send(text);
    });
    client.on('message', (data) =>
      this.#pass(String(data), true, (text) => {
        if (server.readyState === WebSocket.CONNECTING) waiting.push(text);
        else if (server.readyState === WebSocket.OPEN) server.send(text);
      }),
    );
    server.on('message', (data) =>
      this.#pass(String(data), false, (text) => {
        if (client.readyState === WebSocket.OPEN) client.send(text);
      }),
    );
    client.on('close', () => server.close());
    server.on('close', (code, reason) => {
      if (client.readyState !== WebSocket.OPEN) return;
      if (code >= 1000 && code < 5000 && code !== 1005 && code !== 1006) client.close(code, reason);
      else client.terminate();
    });
  }

  #pass(text: string, up: boolean, send: (text: string) => void): void {
    let frame: Frame;
    try {
      frame = JSON.parse(text) as Frame;
    } catch {
      if (up) this.oddities.push(text);
      return send(text);
    }
    if (!up) this.#token = frame['voice_sdk_id'] ?? this.#token;
    const verdict = (up ? this.fromClient : this.fromServer)(frame);
    if (verdict === null) {
      // What the client sent counts, also when the server never learns of it.
      if (up) this.frames.push({ up, frame, at: performance.now() });
      return;
    }
    const frames = verdict === undefined ? [frame] : Array.isArray(verdict) ? verdict : [verdict];
    for (const one of frames) {
      this.frames.push({ up, frame: one as Frame, at: performance.now() });
      send(JSON.stringify(one));
    }
  }

  #posted(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Allow-Methods', 'POST');
    response.setHeader(
      'Access-Control-Allow-Headers',
      'content-type, x-call-report-id, x-call-id, x-voice-sdk-id',
    );
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'POST')
        this.posts.push({
          path: request.url ?? '',
          headers: request.headers,
          body: JSON.parse(body || '{}') as Frame,
        });
      response.writeHead(request.method === 'OPTIONS' ? 204 : 200).end();
    });
  }
}
