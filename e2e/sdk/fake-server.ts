import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: frames are read by many names.
export type Frame = Record<string, any>;

/** Something that is served. */
export interface Page {
  readonly type: string;
  readonly body: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** For files of the folder; as strict as the product's own. */
const POLICY = "default-src 'self'; connect-src 'self' ws: wss:; media-src 'self' blob: mediastream:";

/**
 * The other half of the dialect in as few lines as a client needs: accepts one user, answers every request, and does to calls
 * what the test says. Media is not here: the answer to an offer comes from `answerFor`.
 */
export class FakeServer {
  readonly frames: Frame[] = [];
  /** Pages by path, served without a content policy. */
  readonly pages = new Map<string, Page>();
  /** Gives the SDP answer to an offer; the far end of the media. */
  answerFor: (offer: string) => Promise<string> = async () => '';
  /** The same for an offer of new ICE credentials. */
  restartFor: (offer: string) => Promise<string> = async () => '';
  /** What happens to an invite after its reply; rings and answers by default. */
  onInvite: (params: Frame) => Promise<void> = async (params) => {
    const { callID } = params['dialogParams'];
    this.ask('telnyx_rtc.ringing', { callID });
    this.ask('telnyx_rtc.answer', { callID, sdp: await this.answerFor(params['sdp']) });
  };
  /** The calls that outlive a connection; told at the next login. */
  kept: string[] = [];
  /** What the server does once the client is registered again. */
  onRegistered: () => Promise<void> = async () => undefined;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #socket: WebSocket | undefined;
  #held = false;
  #id = 0;

  private constructor(folder: string) {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (request.method === 'POST' && pathname === '/api/login-link')
        return void response.setHeader('content-type', 'application/json').end(
          JSON.stringify({
            login_token: 'good-token',
            user_name: 'line1',
            domain: 'sip.localhost',
            others: ['line2'],
          }),
        );
      const page = this.pages.get(pathname);
      if (page !== undefined) return void response.setHeader('content-type', page.type).end(page.body);
      const file = join(folder, pathname === '/' ? 'index.html' : pathname);
      if (!existsSync(file)) return void response.writeHead(404).end();
      response
        .setHeader('content-security-policy', POLICY)
        .setHeader('content-type', TYPES[extname(file)] ?? 'text/plain')
        .end(readFileSync(file));
    });
    this.#server.on('upgrade', (request, socket, head) =>
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => {
        this.#socket = accepted;
        accepted.on('message', (data) => this.#receive(JSON.parse(String(data))));
      }),
    );
  }

  /** Serves `pages`, then the files of a folder. */
  static async start(folder = '/nowhere'): Promise<FakeServer> {
    const fake = new FakeServer(folder);
    await new Promise<void>((listening) => fake.#server.listen(0, '127.0.0.1', listening));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The frames of a method so far. */
  requests(method: string): Frame[] {
    return this.frames.filter((frame) => frame['method'] === method);
  }

  /** A request of the server. */
  ask(method: string, params: Frame): void {
    this.#send({ jsonrpc: '2.0', id: ++this.#id, method, params });
  }

  /** Breaks the connection without a close frame. */
  cut(): void {
    this.#socket?.terminate();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  #send(frame: Frame): void {
    this.#socket?.send(JSON.stringify({ ...frame, voice_sdk_id: 'fake-token' }));
  }

  #receive(frame: Frame): void {
    this.frames.push(frame);
    const { id, method, params } = frame;
    if (method === undefined) return;
    const reply = (result: Frame): void => this.#send({ jsonrpc: '2.0', id, result });
    switch (method) {
      case 'login':
        if (params.passwd !== 'secret' && params.login_token !== 'good-token')
          return this.#send({ jsonrpc: '2.0', id, error: { code: -32001, message: 'Login Incorrect' } });
        reply({ message: 'logged in', sessid: 'fake-session' });
        return this.ask('telnyx_rtc.clientReady', { reattached_sessions: this.kept });
      case 'telnyx_rtc.gatewayState':
        reply({ params: { state: 'REGED' } });
        return void this.onRegistered();
      case 'telnyx_rtc.invite':
        this.#held = false;
        reply({ message: 'CALL CREATED', callID: params.dialogParams.callID });
        return void this.onInvite(params);
      case 'telnyx_rtc.modify':
        if (params.action === 'updateMedia')
          return void this.restartFor(params.sdp).then((sdp) => reply({ action: params.action, sdp }));
        if (params.action === 'transfer' || params.action === 'replace') {
          reply({ action: params.action });
          const { callID } = params.dialogParams;
          return this.ask('telnyx_rtc.bye', { callID, cause: 'NORMAL_CLEARING', causeCode: 16 });
        }
        this.#held = params.action === 'hold' || (params.action === 'toggleHold' && !this.#held);
        return reply({ action: params.action, holdState: this.#held ? 'held' : 'active' });
      default:
        return reply({});
    }
  }
}
