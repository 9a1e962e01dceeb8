import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import {
  createUserAgent,
  type Flow,
  header,
  parseMessage,
  type SipResponse,
  type UserAgent,
  type UserAgentOut,
  writeMessage,
} from '@sidetone/sip';
import { until } from './wait.ts';

type Event = Exclude<UserAgentOut, { type: 'sip' }>;
type EventOf<T extends Event['type']> = Extract<Event, { type: T }>;

export interface SipPeerOptions {
  /** The server's SIP port. */
  readonly server: number;
  /** Where it really is: a loopback address, which stands for a host. */
  readonly host: string;
  /** What it says of itself; another address when it stands behind a NAT. */
  readonly says?: string;
  readonly port?: number;
  /** A phone that registers. */
  readonly user?: { readonly name: string; readonly password: string };
}

/** A desk phone or a carrier by UDP: our user agent core, real datagrams. Its sound is an `RtpPeer`'s. */
export class SipPeer {
  readonly events: Event[] = [];
  readonly options: SipPeerOptions;
  readonly #agent: UserAgent;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #tokens = 0;

  private constructor(socket: Socket, options: SipPeerOptions) {
    this.#socket = socket;
    this.options = options;
    const { port } = socket.address();
    const host = options.says ?? options.host;
    const user = options.user?.name ?? 'carrier';
    this.#agent = createUserAgent({
      random: { int: (bound) => randomInt(bound), bytes: (length) => new Uint8Array(randomBytes(length)) },
      sentBy: { host, port },
      contact: () => ({ scheme: 'sip', user, host, port, params: {} }),
      resolve: () => this.#server,
      userAgent: 'SIP peer',
      allow: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'INFO', 'UPDATE', 'OPTIONS'],
    });
    socket.on('message', (bytes) => {
      const parsed = parseMessage(new Uint8Array(bytes));
      if (parsed.ok) this.#do(this.#agent.receive(parsed.value, this.#server, now()));
    });
    this.#timer = setInterval(() => {
      const due = this.#agent.deadline();
      if (due !== null && due <= now()) this.#do(this.#agent.tick(now()));
    }, 10);
  }

  static async open(options: SipPeerOptions): Promise<SipPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(options.port ?? 0, options.host, () => resolve());
    });
    const peer = new SipPeer(socket, options);
    if (options.user !== undefined) await peer.#register(options.user);
    return peer;
  }

  get #server(): Flow {
    return { transport: 'udp', host: '127.0.0.1', port: this.options.server };
  }

  #do(outs: readonly UserAgentOut[]): void {
    for (const out of outs) {
      if (out.type === 'sip') {
        this.#socket.send(writeMessage(out.message), this.options.server, '127.0.0.1');
        continue;
      }
      if (out.type === 'info') this.#do(this.#agent.respondRequest(out.tx, 200, {}, now()));
      this.events.push(out);
    }
  }

  async #register({ name, password }: { readonly name: string; readonly password: string }): Promise<void> {
    const domain = 'sip.localhost';
    const uri = { scheme: 'sip', host: domain, params: {} } as const;
    const self = { uri: { ...uri, user: name }, params: {} };
    const host = this.options.says ?? this.options.host;
    const contact = {
      uri: { scheme: 'sip', user: name, host, port: this.#socket.address().port, params: {} },
      params: {},
    } as const;
    const credentials = { userName: name, password };
    const request = {
      method: 'REGISTER',
      requestUri: uri,
      from: self,
      to: self,
      contact: [contact],
      credentials,
    };
    this.#do(this.#agent.send(request, 'register', now()));
    const { status } = await this.gets('result');
    if (status !== 200) throw new Error(`REGISTER of ${name}: ${status}`);
  }

  /** The next event of a type; it is taken away. */
  async gets<T extends Event['type']>(type: T): Promise<EventOf<T>> {
    return await until(
      `${type} at ${this.options.user?.name ?? 'the carrier'}`,
      () => {
        const at = this.events.findIndex((event) => event.type === type);
        return at < 0 ? undefined : (this.events.splice(at, 1)[0] as EventOf<T>);
      },
      { detail: () => JSON.stringify(this.events.map((e) => [e.type, 'status' in e ? e.status : ''])) },
    );
  }

  /** Calls `user`; the leg. */
  invite(to: string, sdp: string): string {
    const { user } = this.options;
    const uri = {
      scheme: 'sip',
      user: to,
      host: '127.0.0.1',
      port: this.options.server,
      params: {},
    } as const;
    const from = user === undefined ? '+13125559999' : user.name;
    const { leg, out } = this.#agent.invite(
      {
        requestUri: uri,
        from: { uri: { scheme: 'sip', user: from, host: 'sip.localhost', params: {} }, params: {} },
        to: { uri, params: {} },
        sdp,
        flow: this.#server,
        ...(user === undefined ? {} : { credentials: { userName: user.name, password: user.password } }),
      },
      now(),
    );
    this.#do(out);
    return leg;
  }

  /** Calls, and waits for the answer: the leg, and the other side's description. */
  async calls(to: string, sdp: string): Promise<{ readonly leg: string; readonly sdp: string }> {
    const leg = this.invite(to, sdp);
    const accepted = await this.gets('accepted');
    return { leg, sdp: accepted.sdp ?? '' };
  }

  respond(leg: string, status: number, sdp?: string): void {
    this.#do(this.#agent.respond(leg, status, sdp === undefined ? {} : { sdp }, now()));
  }

  /** Answers the next call: the leg, and the other side's description. */
  async answers(sdp: string): Promise<{ readonly leg: string; readonly sdp: string }> {
    const { leg, sdp: offer } = await this.gets('incoming');
    this.respond(leg, 180);
    this.respond(leg, 200, sdp);
    await this.gets('confirmed');
    return { leg, sdp: offer ?? '' };
  }

  /** A re-INVITE or an UPDATE with this offer; the answer's status and description. */
  async offers(leg: string, sdp: string, method: 'INVITE' | 'UPDATE' = 'INVITE') {
    const token = `offer-${++this.#tokens}`;
    if (method === 'INVITE') {
      this.#do(this.#agent.reinvite(leg, sdp, token, now()));
      const { status, sdp: answer } = await this.gets('reinviteResult');
      return { status, sdp: answer };
    }
    const update = { method, contentType: 'application/sdp', body: sdp };
    this.#do(this.#agent.requestInDialog(leg, update, token, now()));
    const { status, response } = await this.gets('inDialogResult');
    return { status, sdp: response === undefined ? undefined : bodyOf(response) };
  }

  /** Sends an INFO; the status of its answer. */
  async informs(leg: string, contentType: string, body: string): Promise<number> {
    const request = { method: 'INFO', contentType, body } as const;
    this.#do(this.#agent.requestInDialog(leg, request, `info-${++this.#tokens}`, now()));
    return (await this.gets('inDialogResult')).status;
  }

  answersReinvite(leg: string, tx: string, sdp: string): void {
    this.#do(this.#agent.respondReinvite(leg, tx, 200, { sdp }, now()));
  }

  bye(leg: string): void {
    this.#do(this.#agent.bye(leg, [], now()));
  }

  /** The Reason of the BYE that comes. */
  async hearsBye(): Promise<string | undefined> {
    const { request } = await this.gets('bye');
    return header(request, 'Reason');
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }
}

const now = (): number => performance.now();
const bodyOf = (response: SipResponse): string => Buffer.from(response.body).toString();

/** A plain RTP description. */
export function plainSdp(
  host: string,
  port: number,
  more: readonly string[] = [],
  formats = '0 101',
): string {
  return [
    'v=0',
    `o=- 1 ${++versions} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} RTP/AVP ${formats}`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    ...more,
    '',
  ].join('\r\n');
}
let versions = 0;

/** Where a plain description wants to hear RTP. */
export function audioAt(sdp: string): { readonly host: string; readonly port: number } {
  const host = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
  if (host === undefined || !(port > 0)) throw new Error(`no audio in\n${sdp}`);
  return { host, port };
}
