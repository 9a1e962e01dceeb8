import { createServer, type Server, type Socket } from 'node:net';
import { networkOf } from '@sidetone/core';
import type { Receive, StreamDoor, StreamPort } from '@sidetone/media';
import { checkedUfrag, createStreamFramer, writeStreamLength } from '@sidetone/rtc';
import { plainAddress } from '../net/addresses.ts';
import { ListenError } from '../net/listen-error.ts';

/*
 * ICE-TCP, passive side: one port for all legs.
 *
 *   accepted ─▶ stranger ── a packet that a leg answers ─▶ proven ── idle, closed, leg gone ─▶ destroyed
 *                  │  checks for a ufrag of ours may come until then (the peer's description may be under way)
 *                  └─ anything else, too many bytes, too late, pushed out by a newer one ─▶ destroyed
 *
 * A leg answers only who knows its ICE password, so the first answer is the proof. Until then a connection is a socket, a timer and at
 * most one unfinished packet.
 */

export interface StreamLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** Of them from one address; an office may sit behind one. */
  readonly perAddress: number;
  /** Unproven ones; the oldest makes room for the newest, since an honest peer proves itself within a round trip. */
  readonly strangers: number;
  readonly strangersPerAddress: number;
  /** What a stranger may send. */
  readonly strangerBytes: number;
  readonly strangerMs: number;
  /** Of one leg: a browser opens one for each pair of addresses. */
  readonly perLeg: number;
  /** A proven connection repeats its checks every few seconds. */
  readonly idleMs: number;
  /** With more than this unsent, RTP is dropped: late audio is worth nothing, and would delay all that follows. */
  readonly unsentBytes: number;
}

export const STREAM_LIMITS: StreamLimits = {
  connections: 8192,
  perAddress: 512,
  strangers: 512,
  strangersPerAddress: 64,
  strangerBytes: 16 * 1024,
  strangerMs: 15_000,
  perLeg: 16,
  idleMs: 60_000,
  unsentBytes: 4096,
};

/** Checks and handshakes may wait this much longer than RTP; beyond it the connection is as good as gone. */
const HOPELESS = 16;

interface Connection {
  readonly socket: Socket;
  readonly address: string;
  /** Who is counted: in IPv6 a /64. */
  readonly network: string;
  readonly port: number;
  door: Door | undefined;
  proven: boolean;
  /** The leg has a packet of it in hands. */
  asking: boolean;
  bytes: number;
  timer: NodeJS.Timeout | undefined;
}

interface Door extends StreamDoor {
  readonly receive: Receive;
  /** By `address:port`. */
  readonly connections: Map<string, Connection>;
}

export interface Streams extends StreamPort {
  /** Alive now, for the operator and for tests. */
  readonly size: { readonly connections: number; readonly strangers: number };
  close(): void;
}

/** Listens on `port` of each address. Rejects with a `ListenError`. */
export async function listenStreams(
  addresses: readonly string[],
  port: number,
  limits: StreamLimits = STREAM_LIMITS,
): Promise<Streams> {
  const hub = new Hub(addresses, port, limits);
  await hub.listen();
  return hub;
}

class Hub implements Streams {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly #limits: StreamLimits;
  readonly #servers: Server[] = [];
  readonly #doors = new Map<string, Door>();
  readonly #connections = new Set<Connection>();
  /** Oldest first. */
  readonly #strangers = new Set<Connection>();
  readonly #perAddress = new Map<string, number>();

  constructor(addresses: readonly string[], port: number, limits: StreamLimits) {
    this.addresses = addresses;
    this.port = port;
    this.#limits = limits;
  }

  get size(): Streams['size'] {
    return { connections: this.#connections.size, strangers: this.#strangers.size };
  }

  async listen(): Promise<void> {
    for (const address of this.addresses) {
      const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause) => {
          this.close();
          reject(new ListenError('media.tcp_port', address, this.port, cause));
        });
        server.listen({ host: address, port: this.port, exclusive: true, ipv6Only: true }, resolve);
      });
      server.on('error', () => {});
    }
  }

  open(receive: Receive): StreamDoor {
    const names: string[] = [];
    const connections = new Map<string, Connection>();
    const door: Door = {
      address: this.addresses[0]!,
      port: this.port,
      receive,
      connections,
      admit: (ufrag) => {
        names.unshift(ufrag);
        this.#doors.set(ufrag, door);
        for (const old of names.splice(2)) this.#doors.delete(old);
      },
      send: (packet, address, port) => {
        const connection = connections.get(`${address}:${port}`);
        if (connection !== undefined) this.#send(connection, packet);
      },
      close: () => {
        for (const name of names) if (this.#doors.get(name) === door) this.#doors.delete(name);
        for (const connection of connections.values()) this.#part(connection);
      },
    };
    return door;
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const { socket } of [...this.#connections]) socket.destroy();
  }

  #accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    const port = socket.remotePort ?? 0;
    socket.on('error', () => socket.destroy());
    const network = networkOf(address);
    if (port === 0 || !this.#makeRoom(network)) {
      socket.destroy();
      return;
    }
    const connection: Connection = {
      socket,
      address,
      network,
      port,
      door: undefined,
      proven: false,
      asking: false,
      bytes: 0,
      timer: setTimeout(() => socket.destroy(), this.#limits.strangerMs),
    };
    this.#connections.add(connection);
    this.#strangers.add(connection);
    this.#perAddress.set(network, (this.#perAddress.get(network) ?? 0) + 1);
    socket.on('close', () => this.#forget(connection));
    const framer = createStreamFramer();
    const packet = (bytes: Uint8Array): void => this.#packet(connection, bytes);
    socket.on('data', (chunk: Buffer) => {
      if (!connection.proven && this.#tooMuch(connection, chunk.length)) return;
      if (!framer.push(chunk, packet)) socket.destroy();
    });
  }

  /** Is there room for one more from there? Strangers make it, the oldest first; the proven do not. */
  #makeRoom(network: string): boolean {
    const { connections, perAddress, strangers, strangersPerAddress } = this.#limits;
    const near = [...this.#strangers].filter((s) => s.network === network);
    const total = this.#perAddress.get(network) ?? 0;
    const full = this.#connections.size >= connections || total >= perAddress;
    const victim =
      near.length >= strangersPerAddress || total >= perAddress
        ? near[0]
        : full || this.#strangers.size >= strangers
          ? this.#strangers.values().next().value
          : undefined;
    if (victim === undefined) return !full;
    this.#forget(victim);
    victim.socket.destroy();
    return true;
  }

  #tooMuch(connection: Connection, bytes: number): boolean {
    connection.bytes += bytes;
    if (connection.bytes <= this.#limits.strangerBytes) return false;
    connection.socket.destroy();
    return true;
  }

  #packet(connection: Connection, bytes: Uint8Array): void {
    const { socket, address, port } = connection;
    if (socket.destroyed) return;
    if (!connection.proven) {
      const ufrag = checkedUfrag(bytes);
      const door = ufrag === null ? undefined : this.#doors.get(ufrag);
      const other = connection.door !== undefined && connection.door !== door;
      if (door === undefined || other || !this.#joins(connection, door)) {
        socket.destroy();
        return;
      }
    }
    connection.asking = true;
    connection.door!.receive(bytes, address, port);
    connection.asking = false;
  }

  /** Gives the connection to the leg, once. */
  #joins(connection: Connection, door: Door): boolean {
    if (connection.door === door) return true;
    // The same port of the peer towards two of our addresses: it connects again from another.
    const key = `${connection.address}:${connection.port}`;
    if (door.connections.size >= this.#limits.perLeg || door.connections.has(key)) return false;
    connection.door = door;
    door.connections.set(key, connection);
    return true;
  }

  #send(connection: Connection, packet: Uint8Array): void {
    const { socket } = connection;
    if (!socket.writable) return;
    // What is sent to one that asked for nothing is meant for whoever had its address and port before.
    if (!connection.proven && !connection.asking) return;
    if (!connection.proven) this.#prove(connection);
    const unsent = socket.writableLength;
    if (unsent > this.#limits.unsentBytes) {
      if (unsent > this.#limits.unsentBytes * HOPELESS) socket.destroy();
      // RFC 7983 §7: RTP and RTCP begin with 128 to 191.
      if (packet[0]! >= 128 || socket.destroyed) return;
    }
    const framed = Buffer.allocUnsafe(2 + packet.length);
    writeStreamLength(framed, packet.length);
    framed.set(packet, 2);
    socket.write(framed);
  }

  #prove(connection: Connection): void {
    const { socket } = connection;
    connection.proven = true;
    this.#strangers.delete(connection);
    clearTimeout(connection.timer);
    socket.setTimeout(this.#limits.idleMs, () => socket.destroy());
  }

  /** Its leg is gone: what is still to be sent (a last report) is sent, for as long as that may take to a peer that does not read. */
  #part(connection: Connection): void {
    const { socket } = connection;
    clearTimeout(connection.timer);
    connection.timer = setTimeout(() => socket.destroy(), this.#limits.idleMs);
    socket.destroySoon();
  }

  #forget(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.#strangers.delete(connection);
    clearTimeout(connection.timer);
    connection.door?.connections.delete(`${connection.address}:${connection.port}`);
    const left = (this.#perAddress.get(connection.network) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(connection.network, left);
    else this.#perAddress.delete(connection.network);
  }
}
