import { createSocket, type Socket } from 'node:dgram';

/** Sockets of one flow: a browser's port towards one of ours. */
interface FlowSockets {
  readonly key: string;
  readonly back: (packet: Buffer) => void;
  readonly port: number;
  upstream: Socket;
}

/**
 * A UDP relay in front of media, as a NAT is: it listens beside the ports of media, at `shift` above each, and the server sees
 * each flow come from a port (and address) of the relay, which change on command.
 */
export class UdpRelay {
  readonly #host: string;
  readonly #shift: number;
  readonly #listeners: Socket[] = [];
  readonly #flows = new Map<string, FlowSockets>();
  #source = '127.0.0.1';
  #passes: (fromPort: number) => boolean = () => true;

  private constructor(host: string, shift: number) {
    this.#host = host;
    this.#shift = shift;
  }

  static async start(host: string, ports: readonly [number, number], shift: number): Promise<UdpRelay> {
    const relay = new UdpRelay(host, shift);
    for (let port = ports[0]; port <= ports[1]; port++) await relay.#listen(port);
    return relay;
  }

  async #listen(port: number): Promise<void> {
    const socket = createSocket('udp4');
    this.#listeners.push(socket);
    socket.on('message', (packet, from) => {
      if (!this.#passes(from.port)) return;
      const key = `${from.address}:${from.port} ${port}`;
      let flow = this.#flows.get(key);
      if (flow === undefined) {
        const back = (bytes: Buffer): void => {
          if (this.#passes(from.port)) socket.send(bytes, from.port, from.address);
        };
        flow = { key, back, port, upstream: this.#upstream(back) };
        this.#flows.set(key, flow);
      }
      flow.upstream.send(packet, flow.port, this.#host);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port + this.#shift, this.#host, resolve);
    });
    socket.on('error', () => {});
  }

  #upstream(back: (packet: Buffer) => void): Socket {
    const upstream = createSocket('udp4');
    upstream.on('error', () => {});
    upstream.on('message', back);
    upstream.bind(0, this.#source);
    return upstream;
  }

  /** From now on every flow comes from another port, and from this address; what is sent to the old ones is lost. */
  rebind(source: string): void {
    this.#source = source;
    for (const flow of this.#flows.values()) {
      flow.upstream.close();
      flow.upstream = this.#upstream(flow.back);
    }
  }

  /** Nothing passes any more, and nobody is told; except from and to the ports of `first`..`last`. */
  cut(first = 0, last = -1): void {
    this.#passes = (port) => port >= first && port <= last;
  }

  restore(): void {
    this.#passes = () => true;
  }

  close(): void {
    for (const socket of this.#listeners) socket.close();
    for (const { upstream } of this.#flows.values()) upstream.close();
  }
}
