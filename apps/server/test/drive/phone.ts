import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  createUserAgent,
  type Flow,
  type InviteOptions,
  parseMessage,
  type ResponseOptions,
  type UserAgent,
  type UserAgentOut,
  writeMessage,
} from '@sidetone/sip';
import { until } from './running.ts';

export type Event = Exclude<UserAgentOut, { type: 'sip' }>;
type EventOf<T extends Event['type']> = Extract<Event, { type: T }>;

/** A SIP peer on a UDP port: our own user agent core, real datagrams. Plays the carrier and the phone. */
export class Phone {
  readonly events: Event[] = [];
  readonly agent: UserAgent;
  readonly host: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    this.host = socket.address().address;
    this.port = socket.address().port;
    this.agent = createUserAgent({
      random: { int: randomInt, bytes: (length) => new Uint8Array(randomBytes(length)) },
      sentBy: { host: this.host, port: this.port },
      contact: () => ({ scheme: 'sip', user: 'phone', host: this.host, port: this.port, params: {} }),
      resolve: () => this.flow(server),
      userAgent: 'Test Phone',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS'],
    });
    socket.on('message', (bytes, from) => {
      const parsed = parseMessage(new Uint8Array(bytes));
      if (!parsed.ok) throw new Error(`the server sent what no peer can parse: ${bytes.toString()}`);
      this.do(this.agent.receive(parsed.value, this.flow(from.port), this.now()));
    });
    this.#timer = setInterval(() => {
      const due = this.agent.deadline();
      if (due !== null && due <= this.now()) this.do(this.agent.tick(this.now()));
    }, 10);
  }

  /** On a loopback address, IPv4 unless told. */
  static async open(server: number, port = 0, host = '127.0.0.1'): Promise<Phone> {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    return new Phone(socket, server);
  }

  now(): number {
    return performance.now();
  }

  flow(port: number): Flow {
    return { transport: 'udp', host: this.host, port };
  }

  /** Sends what the agent wants sent, and keeps the rest. */
  do(outs: readonly UserAgentOut[]): void {
    for (const out of outs) {
      if (out.type !== 'sip') {
        this.events.push(out);
        if (out.type === 'info') this.do(this.agent.respondRequest(out.tx, 200, {}, this.now()));
      } else {
        const { host, port } = out.flow as Extract<Flow, { transport: 'udp' }>;
        this.#socket.send(writeMessage(out.message), port, host);
      }
    }
  }

  /** Takes the next event of a type. */
  async gets<T extends Event['type']>(
    type: T,
    match: (event: EventOf<T>) => boolean = () => true,
  ): Promise<EventOf<T>> {
    return await until(
      `SIP ${type}`,
      () => {
        const at = this.events.findIndex((e) => e.type === type && match(e as EventOf<T>));
        return at < 0 ? undefined : (this.events.splice(at, 1)[0] as EventOf<T>);
      },
      () => JSON.stringify(this.events.map((e) => [e.type, 'status' in e ? e.status : ''])),
    );
  }

  respond(leg: string, status: number, options: ResponseOptions = {}): void {
    this.do(this.agent.respond(leg, status, options, this.now()));
  }

  /** Calls `user` at the server; `null` for an INVITE without an offer. */
  invite(
    user: string,
    server: number,
    more: Partial<InviteOptions> = {},
    sdp: string | null = plainSdp(40_000),
  ): string {
    const uri = { scheme: 'sip', user, host: this.host, port: server, params: {} } as const;
    const { leg, out } = this.agent.invite(
      {
        requestUri: uri,
        from: {
          displayName: 'Bob',
          uri: { scheme: 'sip', user: '+13125559999', host: this.host, params: {} },
          params: {},
        },
        to: { uri: { ...uri }, params: {} },
        ...(sdp === null ? {} : { sdp }),
        flow: this.flow(server),
        ...more,
      },
      this.now(),
    );
    this.do(out);
    return leg;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

/** A plain RTP description. */
export function plainSdp(
  port: number,
  formats = '0 8 101',
  direction = 'sendrecv',
  address = '127.0.0.1',
): string {
  const place = `IN IP${address.includes(':') ? 6 : 4} ${address}`;
  return [
    'v=0',
    `o=- 1 1 ${place}`,
    's=-',
    `c=${place}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    ...(formats.includes('96') ? ['a=rtpmap:96 opus/48000/2'] : []),
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}
