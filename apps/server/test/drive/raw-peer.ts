import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import {
  createFramer,
  createResponse,
  parseMessage,
  type ResponseParts,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  writeMessage,
} from '@sidetone/sip';
import { until } from './running.ts';

/** A message and the way back to who sent it. */
export interface Heard<M extends SipMessage = SipMessage> {
  readonly message: M;
  readonly reply: (bytes: Uint8Array) => void;
}

/** A SIP element on one UDP or TCP port that does nothing by itself: what it hears and says is the test's business. */
export class RawPeer {
  readonly heard: Heard[] = [];
  readonly port: number;
  readonly #say: (bytes: Uint8Array, port: number) => void;
  readonly #close: () => Promise<unknown>;

  private constructor(port: number, say: RawPeer['say'], close: () => Promise<unknown>) {
    this.port = port;
    this.#say = say;
    this.#close = close;
  }

  static async udp(port = 0): Promise<RawPeer> {
    const socket = createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    const say = (bytes: Uint8Array, to: number): void => socket.send(bytes, to, '127.0.0.1');
    const peer = new RawPeer(socket.address().port, say, async () => {
      socket.close();
      await once(socket, 'close');
    });
    socket.on('message', (bytes, from) => {
      const parsed = parseMessage(new Uint8Array(bytes));
      if (!parsed.ok) throw new Error(`the server sent what no peer can parse: ${bytes.toString()}`);
      peer.heard.push({ message: parsed.value, reply: (answer) => say(answer, from.port) });
    });
    return peer;
  }

  static async tcp(): Promise<RawPeer> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      const framer = createFramer();
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        for (const event of framer.push(new Uint8Array(bytes)))
          if (event.type === 'message')
            peer.heard.push({ message: event.message, reply: (answer) => socket.write(answer) });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const peer = new RawPeer(
      port,
      () => {
        throw new Error('a TCP peer only replies');
      },
      async () => {
        for (const socket of sockets) socket.destroy();
        server.close();
        await once(server, 'close');
      },
    );
    return peer;
  }

  say(bytes: Uint8Array, port: number): void {
    this.#say(bytes, port);
  }

  /** Takes the next request with this method. */
  async gets(method: string): Promise<Heard<SipRequest>> {
    return await this.#take(method, ({ message }) => message.kind === 'request' && message.method === method);
  }

  /** Takes the next response to a transaction of this branch. */
  async answer(branch: string, least = 101): Promise<SipResponse> {
    const heard = await this.#take<SipResponse>(
      `a response to ${branch}`,
      ({ message }) =>
        message.kind === 'response' &&
        message.status >= least &&
        message.headers.via[0]?.params['branch'] === branch,
    );
    return heard.message;
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async #take<M extends SipMessage>(what: string, match: (heard: Heard) => boolean): Promise<Heard<M>> {
    return await until(
      what,
      () => {
        const at = this.heard.findIndex(match);
        return at < 0 ? undefined : (this.heard.splice(at, 1)[0] as Heard<M>);
      },
      () => this.heard.map(({ message }) => Buffer.from(writeMessage(message)).toString()).join('\n'),
    );
  }
}

/** Answers a request. */
export function reply(to: Heard<SipRequest>, status: number, parts: ResponseParts = {}): void {
  to.reply(writeMessage(createResponse(to.message, status, { toTag: 'far', ...parts })));
}
