import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

const FIRST = 48_000;
const LAST = 49_999;

/** A TCP relay in front of the server: what a network does to a WebSocket, on command. */
export class Relay {
  readonly port: number;
  readonly #server: Server;
  readonly #links = new Set<{ readonly client: Socket; readonly upstream: Socket }>();
  #open = true;
  /** Connections relayed so far. */
  connections = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(to: number): Promise<Relay> {
    for (let port = FIRST + (process.pid % 500) * 4; port <= LAST; port++) {
      const server = createServer();
      const bound = await new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen(port, '127.0.0.1', () => resolve(true));
      });
      if (!bound) continue;
      const relay = new Relay(server, port);
      server.on('connection', (client) => relay.#link(client, to));
      return relay;
    }
    throw new Error(`no free port between ${FIRST} and ${LAST}`);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  #link(client: Socket, to: number): void {
    client.on('error', () => client.destroy());
    if (!this.#open) {
      client.destroy();
      return;
    }
    this.connections += 1;
    const upstream = tcpConnect(to, '127.0.0.1');
    upstream.on('error', () => upstream.destroy());
    const link = { client, upstream };
    this.#links.add(link);
    client.on('data', (bytes) => upstream.write(bytes));
    upstream.on('data', (bytes) => client.write(bytes));
    client.on('close', () => {
      upstream.destroy();
      this.#links.delete(link);
    });
    upstream.on('close', () => {
      // While stalled, the client must not learn of it.
      if (!upstream.isPaused()) client.destroy();
    });
  }

  /** Every connection breaks, and none comes through until `restore`. */
  cut(): void {
    this.#open = false;
    for (const { client } of this.#links) client.destroy();
  }

  /** Nothing passes any more, but nobody is told: a half-open line. New connections fail. */
  stall(): void {
    this.#open = false;
    for (const { client, upstream } of this.#links) {
      client.pause();
      upstream.pause();
    }
  }

  restore(): void {
    this.#open = true;
    for (const { client, upstream } of this.#links)
      if (client.isPaused() || upstream.destroyed) client.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
