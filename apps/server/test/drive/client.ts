import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { checkFrame, type Frame } from './frame-rules.ts';
import { until } from './running.ts';

/** A client of the dialect without an SDK. Every frame it hears must obey the rules of `frame-rules.ts`. */
export class Client {
  /** What the server sent, in order; what was looked at by `says` is taken out. */
  readonly frames: Frame[] = [];
  readonly problems: unknown[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  sessid = '';
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      try {
        this.frames.push(checkFrame(String(data)));
      } catch (problem) {
        this.problems.push(problem);
      }
    });
    socket.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }));
  }

  static async open(
    port: number,
    path = '/',
    headers: Readonly<Record<string, string>> = {},
    host = '127.0.0.1',
  ): Promise<Client> {
    const socket = new WebSocket(`ws://${host}:${port}${path}`, { headers });
    const client = new Client(socket);
    await new Promise<void>((done, fail) => {
      socket.once('open', () => done());
      socket.once('error', fail);
    });
    socket.on('error', () => undefined);
    return client;
  }

  static async loggedIn(port: number, user: string, more: object = {}, host?: string): Promise<Client> {
    const client = await Client.open(port, '/', {}, host);
    const reply = await client.request('login', { login: user, passwd: `${user} password`, ...more });
    if (reply.result === undefined) throw new Error(JSON.stringify(reply));
    client.sessid = reply.result['sessid'];
    await client.says('telnyx_rtc.clientReady');
    return client;
  }

  send(value: unknown): void {
    this.#socket.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  #detail(): string {
    return JSON.stringify({ closed: this.closed, problems: this.problems.map(String), frames: this.frames });
  }

  #take(match: (frame: Frame) => boolean): Frame | undefined {
    if (this.problems.length > 0) throw this.problems[0];
    const at = this.frames.findIndex(match);
    return at < 0 ? undefined : this.frames.splice(at, 1)[0];
  }

  /** Sends a request and takes its reply. */
  async request(method: string, params: object): Promise<Frame> {
    const id = randomUUID();
    this.send({ jsonrpc: '2.0', id, method, params });
    return await this.reply(id, method);
  }

  async reply(id: string | number, what = 'a request'): Promise<Frame> {
    return await until(
      `the reply to ${what}`,
      () => this.#take((f) => f.id === id && f.method === undefined),
      () => this.#detail(),
    );
  }

  /** Takes the next request of the server with this method, and acknowledges it as the published SDK does. */
  async says(method: string, callId?: string): Promise<NonNullable<Frame['params']>> {
    const frame = await until(
      method,
      () =>
        this.#take((f) => f.method === method && (callId === undefined || f.params!['callID'] === callId)),
      () => this.#detail(),
    );
    if (method !== 'telnyx_rtc.clientReady' && method !== 'telnyx_rtc.ping')
      this.send({ jsonrpc: '2.0', id: frame.id, result: { method } });
    return frame.params!;
  }

  /** Begins a call; its id. */
  async invite(destination: string, dialog: object = {}, sdp: string = browserOffer()): Promise<string> {
    const callID = randomUUID();
    const reply = await this.request('telnyx_rtc.invite', {
      sessid: this.sessid,
      sdp,
      dialogParams: { callID, destination_number: destination, ...dialog },
      'User-Agent': 'Web-2.27.10',
    });
    if (reply.error !== undefined) throw new Error(reply.error.message);
    return callID;
  }

  async inCall(method: string, callID: string, params: object = {}, dialog: object = {}): Promise<Frame> {
    return await this.request(`telnyx_rtc.${method}`, {
      sessid: this.sessid,
      ...params,
      dialogParams: { callID, ...dialog },
    });
  }

  close(): void {
    this.#socket.close();
  }
}

const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16).toUpperCase()).join(':');

/** A description as Chromium writes it, cut down. `setup` is `active` in an answer. */
export function browserOffer(
  more: { setup?: string; direction?: string; opus?: string; lines?: string[]; formats?: string } = {},
): string {
  const { setup = 'actpass', direction = 'sendrecv', opus = 'minptime=10;useinbandfec=1', lines = [] } = more;
  return [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'a=msid-semantic: WMS',
    `m=audio 9 UDP/TLS/RTP/SAVPF ${more.formats ?? '111 9 0 8 110'}`,
    'c=IN IP4 0.0.0.0',
    ...lines,
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=candidate:1 1 udp 2113937151 127.0.0.1 9 typ host generation 0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${FINGERPRINT}`,
    `a=setup:${setup}`,
    'a=mid:0',
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    `a=fmtp:111 ${opus}`,
    'a=rtpmap:9 G722/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:110 telephone-event/48000',
    '',
  ].join('\r\n');
}
