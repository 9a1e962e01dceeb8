import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { Api } from './http-api.ts';
import { type Product, startSidetone } from './product.ts';

/** An event as the receiver of the bench heard it first. */
export interface Heard {
  readonly name: string;
  readonly control: string;
  readonly to: string;
  /** From the event to its arrival, by the clock of the day, which both ends share. */
  readonly lateMs: number;
}

type Frame = {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
};

/** A client of the dialect that says what it is told to, without media. */
export class BenchClient {
  /** Gets every request of the server. */
  heard: (method: string, params: Readonly<Record<string, unknown>>) => void = () => undefined;
  readonly #socket: WebSocket;
  readonly #replies = new Map<unknown, (frame: Frame) => void>();
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.method === undefined) {
        this.#replies.get(frame.id)?.(frame);
        this.#replies.delete(frame.id);
        return;
      }
      if (frame.method !== 'telnyx_rtc.clientReady')
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: frame.id, result: { method: frame.method } }));
      this.heard(frame.method, frame.params ?? {});
    });
  }

  static async loggedIn(url: string, login: string, passwd: string): Promise<BenchClient> {
    const socket = new WebSocket(url.replace('http', 'ws'), { perMessageDeflate: false });
    await once(socket, 'open');
    const client = new BenchClient(socket);
    const ready = new Promise<void>((resolve) => {
      client.heard = (method) => method === 'telnyx_rtc.clientReady' && resolve();
    });
    await client.ask('login', { login, passwd });
    await ready;
    return client;
  }

  async ask(method: string, params: object): Promise<Frame> {
    const id = `bench-${++this.#requests}`;
    const reply = new Promise<Frame>((resolve) => this.#replies.set(id, resolve));
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const frame = await reply;
    if (frame.error !== undefined) throw new Error(`${method}: ${frame.error.message}`);
    return frame;
  }

  async invite(to: string): Promise<string> {
    const callID = crypto.randomUUID();
    const dialogParams = { callID, destination_number: to };
    await this.ask('telnyx_rtc.invite', { sdp: offer('actpass'), dialogParams });
    return callID;
  }

  async inCall(method: string, callID: string, more: object = {}): Promise<void> {
    await this.ask(`telnyx_rtc.${method}`, { ...more, dialogParams: { callID } });
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** The product with a user whose calls are parked, one whose calls are not, and one who is called; and their back end. */
export class ParkedCalls {
  readonly product: Product;
  readonly api: Api;
  readonly parked: BenchClient;
  readonly plain: BenchClient;
  readonly called: BenchClient;
  /** The credential connection whose calls are parked. */
  readonly connection: string;
  readonly heard: Heard[] = [];
  readonly #server: Server;
  readonly #waiting = new Map<string, (heard: Heard) => void>();
  /** A webhook may overtake the answer to the command that led to it. */
  readonly #early = new Map<string, Heard>();
  #numbers = 0;

  private constructor(
    product: Product,
    api: Api,
    server: Server,
    connection: string,
    clients: readonly [parked: BenchClient, plain: BenchClient, called: BenchClient],
  ) {
    this.product = product;
    this.api = api;
    this.connection = connection;
    this.#server = server;
    [this.parked, this.plain, this.called] = clients;
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const at = performance.timeOrigin + performance.now();
        response.writeHead(200).end();
        this.#event(at, Buffer.concat(parts).toString());
      });
    });
    // Whoever is called answers at once.
    this.called.heard = (method, { callID }) => {
      if (method === 'telnyx_rtc.invite')
        void this.called.ask('telnyx_rtc.answer', { sdp: offer('active'), dialogParams: { callID } });
    };
  }

  static async start(inFlight: number): Promise<ParkedCalls> {
    const server = createServer();
    server.keepAliveTimeout = 60_000;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const product = await startSidetone({
      limits: { api_requests_per_minute: 1_000_000 },
      webhooks: { allow: ['127.0.0.1'] },
      // Nobody speaks here.
      media: { address: '127.0.0.1', ports: [40000, 43999], rtp_timeout_seconds: 3600 },
    });
    const key = /KEY\S+/.exec(product.command('key', 'create'))?.[0] ?? '';
    const api = new Api(product.url, key, inFlight);
    const clients: BenchClient[] = [];
    let connection = '';
    for (const [user_name, more] of [
      [
        'parked1',
        {
          outbound: { call_parking_enabled: true },
          webhook_event_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
        },
      ],
      ['plain1', {}],
      ['called1', { sip_uri_calling_preference: 'internal' }],
    ] as const) {
      const body = { connection_name: user_name, user_name, password: 'bench-password', ...more };
      const { status, text } = await api.ask('POST', '/credential_connections', body);
      if (status !== 201) throw new Error(`${status} ${text}`);
      if (user_name === 'parked1') connection = (JSON.parse(text) as { data: { id: string } }).data.id;
      clients.push(await BenchClient.loggedIn(product.url, user_name, 'bench-password'));
    }
    const [parked, plain, called] = clients;
    return new ParkedCalls(product, api, server, connection, [parked!, plain!, called!]);
  }

  #event(at: number, body: string): void {
    const { data } = JSON.parse(body) as {
      data: {
        event_type: string;
        occurred_at: string;
        payload: { call_control_id: string; to: string };
      };
    };
    const micros = Number(data.occurred_at.slice(-4, -1));
    const heard = {
      name: data.event_type,
      control: data.payload.call_control_id,
      to: data.payload.to,
      lateMs: at - Date.parse(data.occurred_at) - micros / 1000,
    };
    this.heard.push(heard);
    for (const name of [heard.control, heard.to]) {
      const what = `${heard.name} ${name}`;
      const waits = this.#waiting.get(what);
      this.#waiting.delete(what);
      if (waits === undefined) this.#early.set(what, heard);
      else waits(heard);
    }
  }

  /** An event of this name that nobody has asked for yet, of the leg with this control id or to this number. */
  async next(name: string, of: string): Promise<Heard> {
    const early = this.#early.get(`${name} ${of}`);
    this.#early.delete(`${name} ${of}`);
    if (early !== undefined) return early;
    return await new Promise((resolve) => this.#waiting.set(`${name} ${of}`, resolve));
  }

  async command(control: string, action: string, body: object = {}): Promise<void> {
    const method = action === 'client_state_update' ? 'PUT' : 'POST';
    const { status, text } = await this.api.ask(method, `/calls/${control}/actions/${action}`, body);
    if (status !== 200) throw new Error(`${action}: ${status} ${text}`);
  }

  /** One more client of the user whose calls are parked. */
  anotherClient(): Promise<BenchClient> {
    return BenchClient.loggedIn(this.product.url, 'parked1', 'bench-password');
  }

  /** A call that waits for commands. */
  async park(client = this.parked): Promise<{ readonly call: string; readonly control: string }> {
    const to = `+1312555${1000 + (this.#numbers++ % 9000)}`;
    const initiated = this.next('call.initiated', to);
    const call = await client.invite(to);
    return { call, control: (await initiated).control };
  }

  /** Dials `called1` for a leg; its control id when it is up. */
  async dial(linkTo: string): Promise<string> {
    const body = {
      connection_id: this.connection,
      to: 'called1',
      from: 'sip:parked1@bench.test',
      link_to: linkTo,
    };
    const { status, text } = await this.api.ask('POST', '/calls', body);
    if (status !== 200) throw new Error(`dial: ${status} ${text}`);
    const { data } = JSON.parse(text) as { data: { call_control_id: string } };
    await this.next('call.answered', data.call_control_id);
    return data.call_control_id;
  }

  async stop(): Promise<void> {
    for (const client of [this.parked, this.plain, this.called]) client.close();
    this.api.close();
    await this.product.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** What a browser says; nobody listens at its port. */
export function offer(setup: 'actpass' | 'active'): string {
  const rows = [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126',
    'c=IN IP4 0.0.0.0',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=ice-ufrag:u001',
    'a=ice-pwd:0123456789abcdefghijklmn',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => '0A').join(':')}`,
    `a=setup:${setup}`,
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:110 telephone-event/48000',
    'a=rtpmap:126 telephone-event/8000',
  ];
  return `${rows.join('\r\n')}\r\n`;
}
