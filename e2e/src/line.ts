import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/** Where the page finds the media relay: an address that the server does not know. */
export const MEDIA_RELAY_HOST = '127.0.0.9';
/** The line's side that the server sees; it changes when the line moves. */
const ADDRESSES = ['127.0.0.2', '127.0.0.3'] as const;

/** After a lost SYN the kernel tries again 1, 2, 4, 8 … s later (RFC 6298 §5.5). */
const SYN_AGAIN_MS = [1_000, 3_000, 7_000, 15_000, 31_000] as const;

/**
 * How a line fails.
 * - `cut`: connections are reset, new ones refused.
 * - `stall`: half-open: bytes vanish and nobody is told, also afterwards; a new connection waits for its next SYN.
 * - `move`: another network: what was open stays silent for ever, new connections are refused at first and then come from another
 *   address, and so does media.
 */
export type Failure = 'cut' | 'stall' | 'move';

interface Link {
  readonly client: Socket;
  upstream: Socket | undefined;
  dead: boolean;
}

interface Flow {
  readonly port: number;
  readonly browser: { readonly address: string; readonly port: number };
  readonly door: Datagrams;
  out: Datagrams;
}

/** A client's way to a server: its WebSocket and its media, which can fail together or the WebSocket alone. */
export class Line {
  readonly #tcp: Server;
  readonly #to: { readonly http: number; readonly media: string };
  readonly #links = new Set<Link>();
  readonly #doors: Datagrams[] = [];
  readonly #flows = new Map<string, Flow>();
  #failure: Failure | undefined;
  #mediaDown = false;
  #address = 0;

  private constructor(tcp: Server, to: { http: number; media: string }) {
    this.#tcp = tcp;
    this.#to = to;
    tcp.on('connection', (client) => this.#connect(client));
  }

  /** `media`: the server's media address and ports. */
  static async start(to: {
    readonly http: number;
    readonly media: string;
    readonly ports: readonly [first: number, last: number];
    /** The relay's address; every line of a server needs its own. */
    readonly relay?: string;
  }): Promise<Line> {
    const tcp = createServer();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const line = new Line(tcp, to);
    for (let port = to.ports[0]; port <= to.ports[1]; port++) {
      const door = createSocket('udp4');
      line.#doors.push(door);
      door.on('message', (packet, from) => line.#outward(door, port, from, packet));
      door.on('error', () => undefined);
      await new Promise<void>((resolve) => door.bind(port, to.relay ?? MEDIA_RELAY_HOST, resolve));
    }
    return line;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#tcp.address() as { port: number }).port}`;
  }

  /** The line fails. */
  down(failure: Failure, media: boolean): void {
    this.#failure = failure;
    this.#mediaDown = media;
    for (const link of this.#links)
      if (failure === 'cut') link.client.destroy();
      else link.dead = true;
  }

  /** The line is there again. */
  up(): void {
    if (this.#failure === 'move') {
      this.#address = 1 - this.#address;
      if (this.#mediaDown)
        for (const flow of this.#flows.values()) {
          flow.out.close();
          flow.out = this.#socketFor(flow);
        }
    }
    this.#failure = undefined;
    this.#mediaDown = false;
  }

  close(): void {
    for (const { client, upstream } of this.#links) {
      client.destroy();
      upstream?.destroy();
    }
    this.#tcp.close();
    for (const flow of this.#flows.values()) flow.out.close();
    for (const door of this.#doors) door.close();
  }

  #connect(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.#failure === 'cut' || this.#failure === 'move') return void client.destroy();
    const link: Link = { client, upstream: undefined, dead: false };
    this.#links.add(link);
    client.on('close', () => {
      this.#links.delete(link);
      // Whoever closes a dead line tells nobody.
      if (!link.dead) link.upstream?.destroy();
    });
    if (this.#failure === undefined) return this.#through(link);
    const syn = (n: number): void => {
      const before = SYN_AGAIN_MS[n - 1] ?? 0;
      setTimeout(() => {
        if (client.destroyed) return;
        if (this.#failure === undefined) this.#through(link);
        else if (n + 1 < SYN_AGAIN_MS.length) syn(n + 1);
      }, SYN_AGAIN_MS[n]! - before);
    };
    syn(0);
  }

  #through(link: Link): void {
    const upstream = tcpConnect({
      port: this.#to.http,
      host: '127.0.0.1',
      localAddress: ADDRESSES[this.#address]!,
    });
    link.upstream = upstream;
    upstream.on('error', () => upstream.destroy());
    link.client.on('data', (bytes) => {
      if (!link.dead) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (!link.dead) link.client.write(bytes);
    });
    upstream.on('close', () => {
      if (!link.dead) link.client.destroy();
    });
  }

  #outward(
    door: Datagrams,
    port: number,
    from: { readonly address: string; readonly port: number },
    packet: Buffer,
  ): void {
    if (this.#mediaDown) return;
    const key = `${from.address}:${from.port}>${port}`;
    let flow = this.#flows.get(key);
    if (flow === undefined) {
      flow = { port, browser: { address: from.address, port: from.port }, door, out: door };
      flow.out = this.#socketFor(flow);
      this.#flows.set(key, flow);
    }
    flow.out.send(packet, port, this.#to.media);
  }

  #socketFor(flow: Flow): Datagrams {
    const out = createSocket('udp4');
    out.on('error', () => undefined);
    out.on('message', (packet) => {
      if (!this.#mediaDown) flow.door.send(packet, flow.browser.port, flow.browser.address);
    });
    out.bind(0, ADDRESSES[this.#address]!);
    return out;
  }
}

/**
 * For a page, before its call: what the server says about its media leads to the relay, and nowhere else.
 */
export const throughRelay = (relay = MEDIA_RELAY_HOST): string => `(() => {
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const sdp = description.sdp
      .replace(/^a=candidate:\\S+ \\d+ tcp .*\\r\\n/gim, '')
      .replace(/^(a=candidate:\\S+ \\d+ udp \\d+) \\S+/gim, '$1 ${relay}');
    return set.call(this, { type: description.type, sdp });
  };
  return true;
})()`;
