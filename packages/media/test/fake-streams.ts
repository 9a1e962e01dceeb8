import { checkedUfrag } from '@sidetone/rtc';
import type { Receive, StreamDoor, StreamPort } from '../src/index.ts';

interface Network {
  bind(address: string, port: number, receive: Receive): void;
  deliver(packet: Uint8Array, from: string, fromPort: number, to: string, toPort: number): void;
}

/** The TCP port of a `World`: whole packets travel, and a peer's address and port are its connection. */
export class FakeStreams implements StreamPort {
  readonly addresses: readonly string[];
  readonly port = 4443;
  readonly #network: Network;
  readonly #doors = new Map<StreamDoor, { receive: Receive; ufrags: string[] }>();
  readonly #connections = new Map<string, StreamDoor>();

  constructor(network: Network, addresses: readonly string[]) {
    this.#network = network;
    this.addresses = addresses;
    for (const address of addresses)
      network.bind(address, this.port, (packet, from, port) => this.#arrived(packet, from, port));
  }

  get doors(): number {
    return this.#doors.size;
  }

  open(receive: Receive): StreamDoor {
    const entry = { receive, ufrags: [] as string[] };
    const door: StreamDoor = {
      address: this.addresses[0]!,
      port: this.port,
      admit: (ufrag) => {
        entry.ufrags = [ufrag, ...entry.ufrags].slice(0, 2);
      },
      send: (packet, to, toPort) => {
        if (this.#connections.get(`${to}:${toPort}`) === door)
          this.#network.deliver(packet, door.address, door.port, to, toPort);
      },
      close: () => {
        this.#doors.delete(door);
      },
    };
    this.#doors.set(door, entry);
    return door;
  }

  #arrived(packet: Uint8Array, from: string, port: number): void {
    const key = `${from}:${port}`;
    let door = this.#connections.get(key);
    if (door === undefined) {
      const ufrag = checkedUfrag(packet);
      door = [...this.#doors].find(([, { ufrags }]) => ufrags.includes(ufrag ?? ''))?.[0];
      if (door === undefined) return;
      this.#connections.set(key, door);
    }
    this.#doors.get(door)?.receive(packet, from, port);
  }
}
