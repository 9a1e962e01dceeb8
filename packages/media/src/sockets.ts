import type { PlainSockets } from './plain-transport.ts';
import type { PortRange } from './port-range.ts';
import type { Receive } from './ports.ts';
import type { LegSocket, RestingSockets } from './resting.ts';

/** A port that another program holds is passed over; so many are tried before the range counts as used up. */
const ATTEMPTS = 32;
/** After so many ports an address that never binds is taken for gone, and done without. */
const PARTIAL_AFTER = 3;

const deaf: Receive = () => {};

/**
 * Ports for the tries of one leg. What another program holds is kept aside until `end`, as long as there are others: given back at once it could
 * be taken again and again (the half of a broken pair goes first), although the range has room.
 */
class Tries {
  readonly #take: () => number | undefined;
  readonly #give: (port: number) => void;
  readonly #held: number[] = [];

  constructor(take: () => number | undefined, give: (port: number) => void) {
    this.#take = take;
    this.#give = give;
  }

  next(): number | undefined {
    const port = this.#take();
    if (port !== undefined || this.#held.length === 0) return port;
    this.end();
    return this.#take();
  }

  failed(port: number): void {
    this.#held.push(port);
  }

  end(): void {
    for (const port of this.#held.splice(0)) this.#give(port);
  }
}

/** An even RTP port and the RTCP port above it, on one address. `undefined`: no port left. */
export async function bindPlain(
  sockets: RestingSockets,
  range: PortRange,
  address: string,
): Promise<PlainSockets | undefined> {
  const tries = new Tries(
    () => range.takePair((p) => sockets.isNoisy(p)),
    (port) => range.givePair(port),
  );
  for (let i = 0; i < ATTEMPTS; i++) {
    const port = tries.next();
    if (port === undefined) break;
    const heard = { onRtp: deaf, onRtcp: deaf };
    const rtp = await sockets.bind(address, port, (packet, from, fromPort) =>
      heard.onRtp(packet, from, fromPort),
    );
    const rtcp =
      rtp &&
      (await sockets.bind(address, port + 1, (packet, from, fromPort) =>
        heard.onRtcp(packet, from, fromPort),
      ));
    if (rtp !== undefined && rtcp !== undefined) {
      tries.end();
      return Object.assign(heard, { rtp, rtcp });
    }
    rtp?.close();
    tries.failed(port);
  }
  tries.end();
  return undefined;
}

/** Whoever takes the datagrams of a WebRTC leg, with the number of the socket they came by. */
export interface Listener {
  receive(socket: number, packet: Uint8Array, address: string, port: number): void;
}

export interface WebRtcSockets {
  readonly port: number;
  readonly sockets: readonly LegSocket[];
  hears(listener: Listener): void;
}

/** One port on each address, so that replies leave from the address that was asked. `undefined`: no port left. */
export async function bindWebRtc(
  sockets: RestingSockets,
  range: PortRange,
  addresses: readonly string[],
): Promise<WebRtcSockets | undefined> {
  const tries = new Tries(
    () => range.takeOne((p) => sockets.isNoisy(p)),
    (port) => range.giveOne(port),
  );
  for (let i = 0; i < ATTEMPTS; i++) {
    const port = tries.next();
    if (port === undefined) break;
    let listener: Listener = { receive: () => {} };
    const open: LegSocket[] = [];
    for (const address of addresses) {
      const socket = open.length;
      const bound = await sockets.bind(address, port, (packet, from, fromPort) =>
        listener.receive(socket, packet, from, fromPort),
      );
      if (bound !== undefined) open.push(bound);
    }
    if (open.length === addresses.length || (open.length > 0 && i >= PARTIAL_AFTER)) {
      tries.end();
      return {
        port,
        sockets: open,
        hears: (next) => {
          listener = next;
        },
      };
    }
    for (const socket of open) socket.close();
    tries.failed(port);
  }
  tries.end();
  return undefined;
}
