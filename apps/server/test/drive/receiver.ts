import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly at: number;
  /** What it was answered. */
  readonly status: number;
}

/** A back end's endpoint on loopback, which remembers every request. */
export class Receiver {
  readonly requests: Request[] = [];
  /** The answer to a request; a promise keeps it waiting. */
  answer: (body: string) => number | Promise<number> = () => 200;
  #server!: Server;

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    receiver.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', async () => {
        const body = Buffer.concat(parts).toString('utf8');
        const status = await receiver.answer(body);
        receiver.requests.push({
          method: request.method!,
          url: request.url!,
          headers: request.headers as Record<string, string>,
          body,
          at: performance.now(),
          status,
        });
        response.writeHead(status).end();
      });
    });
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Ids of the events in the order in which they were taken. */
  taken(): string[] {
    return this.requests
      .filter(({ status }) => status === 200)
      .map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
