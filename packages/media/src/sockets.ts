import type { PlainSockets } from './plain-transport.ts';
import type { PortRange } from './port-range.ts';
import type { Receive } from './ports.ts';
import type { LegSocket, RestingSockets } from './resting.ts';

/** A port that another program holds is passed over; so many are tried before the range counts as used up. */
const ATTEMPTS = 32;
/** After so many ports an address that never binds is taken for gone, and done without. */
const PARTIAL_AFTER = 3;

const deaf: Receive = () => {};

/** An even RTP port and the RTCP port above it, on one address. `undefined`: no port left. */
export async function bindPlain(
  sockets: RestingSockets,
  range: PortRange,
  address: string,
): Promise<PlainSockets | undefined> {
  for (let i = 0; i < ATTEMPTS; i++) {
    const port = range.takePair((p) => sockets.isNoisy(p));
    if (port === undefined) return undefined;
    const heard = { onRtp: deaf, onRtcp: deaf };
    const rtp = await sockets.bind(address, port, (packet, from, fromPort) =>
      heard.onRtp(packet, from, fromPort),
    );
    const rtcp =
      rtp &&
      (await sockets.bind(address, port + 1, (packet, from, fromPort) =>
        heard.onRtcp(packet, from, fromPort),
      ));
    if (rtp !== undefined && rtcp !== undefined) return Object.assign(heard, { rtp, rtcp });
    rtp?.close();
    range.givePair(port);
  }
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
  for (let i = 0; i < ATTEMPTS; i++) {
    const port = range.takeOne((p) => sockets.isNoisy(p));
    if (port === undefined) return undefined;
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
      return {
        port,
        sockets: open,
        hears: (next) => {
          listener = next;
        },
      };
    }
    for (const socket of open) socket.close();
    range.giveOne(port);
  }
  return undefined;
}
