import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import {
  answerChallenge,
  chooseChallenge,
  createFramer,
  createRequest,
  createResponse,
  formatUri,
  headersNamed,
  type NameAddr,
  parseMessage,
  parseUri,
  type ResponseParts,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  withHeader,
  writeMessage,
} from '@sidetone/sip';
import { WebSocket } from 'ws';
import { until } from './running.ts';

export const address = (text: string, params: Record<string, string> = {}): NameAddr => {
  const uri = parseUri(text);
  if (!uri.ok) throw new Error(text);
  return { uri: uri.value, params };
};

/** A socket of a phone at an address of its own, and what it heard there. */
export class Place {
  readonly heard: SipMessage[] = [];
  readonly transport: 'UDP' | 'TCP' | 'WS';
  readonly host: string;
  readonly port: number;
  readonly #write: (bytes: Uint8Array) => void;
  readonly close: () => void;

  private constructor(
    transport: Place['transport'],
    at: { readonly host: string; readonly port: number },
    write: (bytes: Uint8Array) => void,
    close: () => void,
  ) {
    this.transport = transport;
    this.host = at.host;
    this.port = at.port;
    this.#write = write;
    this.close = close;
  }

  static async udp(host: string, server: number, port = 0): Promise<Place> {
    const socket: UdpSocket = createSocket('udp4');
    socket.bind(port, host);
    await once(socket, 'listening');
    const send = (bytes: Uint8Array): void => socket.send(bytes, server, '127.0.0.1');
    const place = new Place('UDP', { host, port: socket.address().port }, send, () => socket.close());
    socket.on('message', (bytes) => place.#take(new Uint8Array(bytes)));
    return place;
  }

  static async tcp(host: string, server: number): Promise<Place> {
    const socket: TcpSocket = connect({ host: '127.0.0.1', port: server, localAddress: host });
    await once(socket, 'connect');
    const write = (bytes: Uint8Array): boolean => socket.write(bytes);
    const place = new Place('TCP', { host, port: socket.localPort! }, write, () => socket.destroy());
    const framer = createFramer();
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      for (const frame of framer.push(bytes)) if (frame.type === 'message') place.heard.push(frame.message);
    });
    return place;
  }

  static async ws(host: string, http: number): Promise<Place> {
    const socket = new WebSocket(`ws://127.0.0.1:${http}`, 'sip', { localAddress: host });
    await once(socket, 'open');
    const place = new Place(
      'WS',
      { host: 'd3sk.invalid', port: 0 },
      (bytes) => socket.send(Buffer.from(bytes).toString()),
      () => socket.terminate(),
    );
    socket.on('error', () => {});
    socket.on('message', (data) => place.#take(Buffer.from(String(data))));
    return place;
  }

  #take(bytes: Uint8Array): void {
    const parsed = parseMessage(bytes);
    if (!parsed.ok) throw new Error(`the server sent what no phone can parse: ${parsed.error.reason}`);
    this.heard.push(parsed.value);
  }

  send(message: SipMessage): void {
    this.#write(writeMessage(message));
  }

  /** Takes the next message of a kind out of what was heard here. */
  async gets<M extends SipMessage>(what: string, match: (message: SipMessage) => message is M): Promise<M> {
    return await until(
      what,
      () => {
        const at = this.heard.findIndex(match);
        return at < 0 ? undefined : (this.heard.splice(at, 1)[0] as M);
      },
      () => JSON.stringify(this.heard.map((m) => (m.kind === 'request' ? m.method : m.status))),
    );
  }

  /** Takes the next request with this method. */
  async request(method: string): Promise<SipRequest> {
    return await this.gets(method, (m): m is SipRequest => m.kind === 'request' && m.method === method);
  }
}

export interface Parts {
  readonly method: string;
  readonly uri?: string;
  readonly to?: string;
  readonly toTag?: string;
  /** Default: its own address of record. */
  readonly from?: string;
  readonly fromTag?: string;
  readonly callId: string;
  readonly route?: readonly NameAddr[];
  readonly contact: NameAddr;
  readonly headers?: readonly (readonly [string, string])[];
  readonly sdp?: string;
  /** What the Via says, when it is another place than the one it is sent from. */
  readonly via?: { readonly host: string; readonly port: number };
  /** Default: with it. */
  readonly rport?: false;
}

/** A phone of a user, wherever it is: every header is the test's. */
export class DeskPhone {
  readonly #user: string;
  #seq = 0;

  constructor(user: string) {
    this.#user = user;
  }

  #made(place: Place, parts: Parts): SipRequest {
    this.#seq += 1;
    const aor = `sip:${this.#user}@sip.localhost`;
    const { uri = 'sip:sip.localhost', to = aor, toTag, fromTag = 'desk', callId, route = [] } = parts;
    const made = createRequest({
      method: parts.method,
      uri: address(uri).uri,
      from: address(parts.from ?? aor, { tag: fromTag }),
      to: address(to, toTag === undefined ? {} : { tag: toTag }),
      callId,
      cseq: this.#seq,
      contact: [parts.contact],
      route,
      headers: parts.headers ?? [],
      ...(parts.sdp === undefined ? {} : { body: parts.sdp, contentType: 'application/sdp' }),
    });
    const { host, port } = parts.via ?? place;
    const branch = `z9hG4bK${callId}${this.#seq}`;
    const params: Record<string, string> = parts.rport === false ? { branch } : { branch, rport: '' };
    const via = { transport: place.transport, host, ...(port === 0 ? {} : { port }), params };
    return { ...made, headers: { ...made.headers, via: [via] } };
  }

  /** Sends a request and takes its final answer, which may come elsewhere; a challenge is answered. */
  async ask(place: Place, parts: Parts, answers: Place = place): Promise<SipResponse> {
    const first = this.#made(place, parts);
    const reply = await this.#final(place, first, answers);
    if (reply.status !== 401 && reply.status !== 407) return reply;
    if (parts.method === 'INVITE') this.#ackRefusal(place, first, reply);
    const proxy = reply.status === 407;
    const chosen = chooseChallenge(headersNamed(reply, proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate'));
    if (chosen === null) throw new Error('no challenge to answer');
    const again = this.#made(place, parts);
    const value = answerChallenge(chosen, {
      method: again.method,
      uri: formatUri(again.uri),
      credentials: { userName: this.#user, password: `${this.#user} password` },
      count: 1,
      cnonce: 'desk',
    });
    const name = proxy ? 'Proxy-Authorization' : 'Authorization';
    return await this.#final(place, withHeader(again, name, value), answers);
  }

  async #final(place: Place, request: SipRequest, answers: Place): Promise<SipResponse> {
    place.send(request);
    const { seq } = request.headers.cseq;
    const { callId } = request.headers;
    return await answers.gets(
      `the answer to ${request.method}`,
      (m): m is SipResponse =>
        m.kind === 'response' && m.status >= 200 && m.headers.cseq.seq === seq && m.headers.callId === callId,
    );
  }

  /** The ACK of the refusal of a request. */
  #ackRefusal(place: Place, refused: SipRequest, reply: SipResponse): void {
    const { headers } = refused;
    const cseq = { seq: headers.cseq.seq, method: 'ACK' };
    const bare = { ...refused, method: 'ACK', body: new Uint8Array() };
    place.send({ ...bare, headers: { ...headers, contact: [], cseq, to: reply.headers.to } });
  }

  /** Sends what gets no answer: the ACK of the 2xx to its last INVITE. */
  acks(place: Place, parts: Omit<Parts, 'method'>): void {
    const made = this.#made(place, { ...parts, method: 'ACK' });
    this.#seq -= 1;
    const cseq = { seq: this.#seq, method: 'ACK' };
    place.send({ ...made, headers: { ...made.headers, cseq } });
  }

  /** Answers a request where it was heard. */
  answer(place: Place, request: SipRequest, status: number, parts: ResponseParts = {}): void {
    const { tag } = request.headers.to.params;
    place.send(
      createResponse(request, status, { ...(tag === undefined ? { toTag: 'desk' } : {}), ...parts }),
    );
  }
}
