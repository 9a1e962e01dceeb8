import type { Ms } from '@sidetone/core';
import type { Datagrams } from './ports.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** Where the peer said it listens. */
export interface Signalled {
  readonly address: string;
  readonly port: number;
  readonly rtcpPort: number;
  readonly mux: boolean;
}

/** A source on another port of the signalled address is believed after it alone was heard for this long. */
const LATCH_AFTER_MS = 250;
const LATCH_PACKETS = 5;

/**
 * Plain RTP with symmetric latching, once for each signalled address:
 *
 *   signalled ──packet from the signalled address and port──▶ locked
 *       └──other port of the signalled address, alone for 250 ms──▶ latched ──from the signalled port──▶ locked
 *
 * Packets from any other address are never heard and never learned from (RTP has no authentication; a sprayed packet
 * must not move a call). New signalling starts again.
 */
export class PlainTransport implements Transport {
  readonly rtp: Datagrams;
  readonly rtcp: Datagrams | undefined;
  dropped = 0;
  readonly #events: TransportEvents;
  readonly #now: () => Ms;
  #signalled: Signalled | undefined;
  #state: 'signalled' | 'latched' | 'locked' = 'signalled';
  #port = 0;
  #rtcpPort = 0;
  #candidate = { port: 0, since: 0, packets: 0 };
  #reachable = false;
  #closed = false;

  constructor(sockets: PlainSockets, events: TransportEvents, now: () => Ms) {
    this.#events = events;
    this.#now = now;
    this.rtp = sockets.rtp;
    this.rtcp = sockets.rtcp;
    sockets.onRtp = (packet, address, port) => this.#receive(packet, address, port);
    sockets.onRtcp = (packet, address, port) => this.#receiveRtcp(packet, address, port);
  }

  get ready(): boolean {
    return this.#reachable && !this.#closed;
  }

  /** New signalling. The same address and ports keep the latch. */
  signal(to: Signalled): void {
    const old = this.#signalled;
    this.#signalled = to;
    if (
      old !== undefined &&
      old.address === to.address &&
      old.port === to.port &&
      old.rtcpPort === to.rtcpPort
    ) {
      return;
    }
    this.#state = 'signalled';
    this.#port = to.port;
    this.#rtcpPort = to.mux ? to.port : to.rtcpPort;
    this.#candidate.packets = 0;
    this.#reachable = to.port !== 0 && isUnicast(to.address);
    if (this.#reachable) this.#events.connected(this.#now());
  }

  sendRtp(packet: Uint8Array, length: number): void {
    if (!this.ready) return;
    this.rtp.send(packet.subarray(0, length), this.#signalled!.address, this.#port);
  }

  sendRtcp(packet: Uint8Array, length: number): void {
    if (!this.ready || this.#rtcpPort === 0) return;
    const socket = this.#signalled!.mux ? this.rtp : (this.rtcp ?? this.rtp);
    socket.send(packet.subarray(0, length), this.#signalled!.address, this.#rtcpPort);
  }

  tick(): void {}

  close(): void {
    this.#closed = true;
    this.rtp.close();
    this.rtcp?.close();
  }

  #receive(packet: Uint8Array, address: string, port: number): void {
    // RFC 5761 §4 for multiplexed RTCP; version 2 is all that RTP ever was.
    if (this.#closed) return;
    if (packet.length < 12 || packet[0]! >> 6 !== 2 || !this.#approved(address, port)) {
      this.dropped++;
      return;
    }
    const type = packet[1]!;
    if (type >= 192 && type <= 223) this.#events.rtcp(packet, packet.length, this.#now());
    else this.#events.rtp(packet, packet.length, this.#now());
  }

  #receiveRtcp(packet: Uint8Array, address: string, port: number): void {
    if (this.#closed) return;
    if (this.#signalled === undefined || address !== this.#signalled.address || port !== this.#rtcpPort) {
      this.dropped++;
      return;
    }
    this.#events.rtcp(packet, packet.length, this.#now());
  }

  #approved(address: string, port: number): boolean {
    const signalled = this.#signalled;
    if (signalled === undefined || !this.#reachable || address !== signalled.address) return false;
    if (port === signalled.port) {
      if (this.#state !== 'locked') {
        this.#state = 'locked';
        this.#port = port;
        this.#rtcpPort = signalled.mux ? port : signalled.rtcpPort;
      }
      return true;
    }
    if (this.#state === 'locked') return false;
    if (this.#state === 'latched') return port === this.#port;
    return this.#consider(port);
  }

  /** A source port that was not signalled: believed only when it alone is heard for a while. */
  #consider(port: number): boolean {
    const now = this.#now();
    const candidate = this.#candidate;
    if (candidate.packets === 0 || candidate.port !== port) {
      candidate.port = port;
      candidate.since = now;
      candidate.packets = 1;
      return false;
    }
    candidate.packets++;
    if (candidate.packets < LATCH_PACKETS || now - candidate.since < LATCH_AFTER_MS) return false;
    this.#state = 'latched';
    this.#port = port;
    // Behind a port-changing translator the RTCP port is unknown unless it is the same one.
    this.#rtcpPort = this.#signalled!.mux ? port : 0;
    return true;
  }
}

/** The bound sockets of a plain leg; who hears them is set when the transport takes them. */
export interface PlainSockets {
  readonly rtp: Datagrams;
  readonly rtcp: Datagrams | undefined;
  onRtp: (packet: Uint8Array, address: string, port: number) => void;
  onRtcp: (packet: Uint8Array, address: string, port: number) => void;
}

/**
 * May media be sent there? Only to one host's literal address: not to `0.0.0.0` (RFC 2543 hold), which would be this very
 * machine, not to a group or to everybody (RFC 4566 lets a description say so), and not to a name.
 */
export function isUnicast(address: string): boolean {
  if (address.includes(':')) return !/^(::|0*(:0*){1,7}|ff.*)$/i.test(address);
  const octets = address.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return octets.length === 4 && octets.every((octet) => octet < 256) && octets[0]! > 0 && octets[0]! < 224;
}
