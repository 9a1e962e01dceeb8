import { canonicalHost, type Ms } from '@sidetone/core';
import { type LegSocket, QUIET_MS } from './resting.ts';
import { isRtcp, type Sender, Senders, ssrcOf } from './senders.ts';
import type { Transport, TransportEvents } from './transport.ts';

/** Where the peer said it listens, and whence else it may be believed. */
export interface Signalled {
  readonly address: string;
  readonly port: number;
  readonly rtcpAddress: string;
  readonly rtcpPort: number;
  readonly mux: boolean;
  /** Of a proven phone: the host that its signalling comes from. */
  readonly from?: string;
}

/** A source on a port that was not described is believed after it alone was heard for this long. */
const LATCH_AFTER_MS = 250;
const LATCH_PACKETS = 5;
/** Who sends before the first description for longer than an answer may be on its way was sending to somebody else. */
const EARLY_MS = 500;
/** RFC 3550 appendix A.1, MAX_DROPOUT: no further ahead is the same run of sequence numbers. */
const MAX_DROPOUT = 3000;

interface Place {
  readonly address: string;
  readonly port: number;
}

/**
 * Plain RTP, symmetric (RFC 4961), with latching (RFC 7362 §4):
 *
 *   described ──packet from the described address and port──▶ heard there
 *       └──from another believed place, alone for 250 ms──▶ heard there ──from the described one──▶ heard there
 *
 * Believed are the described address and, of a proven phone, the host that its signalling comes from. A carrier is latched once.
 * A phone that is heard may move to another port of a believed host: at once when its stream simply goes on there (a NAT
 * forgot its binding), and as a new source when it was silent for a second.
 *
 * RTP has no authentication, and a sprayed packet must not move a call: packets from any other address are never heard and never
 * learned from. Nor are those of the leg that had the port before, until they pause, their place is described, or a phone begins another
 * stream there.
 */
export class PlainTransport implements Transport {
  readonly rtp: LegSocket;
  readonly rtcp: LegSocket | undefined;
  dropped = 0;
  readonly #events: TransportEvents;
  readonly #now: () => Ms;
  readonly #before: Senders;
  readonly #strays = new Senders();
  #signalled: Signalled | undefined;
  /** Where RTP goes, and whether RTP was heard from there. */
  #to: Place = { address: '', port: 0 };
  #heard = false;
  /** Of the last packet from there. */
  #ssrc: number | null = null;
  #sequence = 0;
  #at: Ms = 0;
  #candidate = { address: '', port: 0, since: 0, at: 0, packets: 0 };
  /** Where RTCP goes without rtcp-mux; `undefined`: not known. */
  #rtcpTo: Place | undefined;
  #rtcpHeard = false;
  #reachable = false;
  #closed = false;

  constructor(sockets: PlainSockets, events: TransportEvents, now: () => Ms) {
    this.#events = events;
    this.#now = now;
    this.rtp = sockets.rtp;
    this.rtcp = sockets.rtcp;
    this.#before = sockets.rtp.before;
    sockets.onRtp = (packet, address, port) => this.#receive(packet, address, port);
    sockets.onRtcp = (packet, address, port) => this.#receiveRtcp(packet, address, port);
  }

  get ready(): boolean {
    return this.#reachable && !this.#closed;
  }

  /** New signalling. The same places keep the latch. */
  signal(told: Signalled): void {
    const to: Signalled = {
      ...told,
      address: canonicalHost(told.address),
      rtcpAddress: canonicalHost(told.rtcpAddress),
      ...(told.from === undefined ? {} : { from: canonicalHost(told.from) }),
    };
    const old = this.#signalled;
    this.#signalled = to;
    if (old === undefined) this.#judgeEarly();
    const place = canonicalHost(this.#to.address);
    if (old !== undefined && samePlaces(old, to) && this.#believes(place)) return;
    // A phone behind a NAT is not where it says, so it is sought where it was until it is heard anew.
    const natted =
      this.#heard && old?.from !== undefined && old.from === to.from && old.address === to.address;
    const stays = natted && this.#isFrom(place) && to.from !== to.address;
    if (!stays) this.#to = { address: to.address, port: to.port };
    this.#heard = false;
    this.#candidate.packets = 0;
    this.#rtcpTo = { address: to.rtcpAddress, port: to.rtcpPort };
    this.#rtcpHeard = false;
    this.#reachable = to.port !== 0 && isUnicast(to.address);
    if (this.#reachable) this.#events.connected(this.#now());
  }

  sendRtp(packet: Uint8Array, length: number): void {
    if (!this.ready) return;
    this.rtp.send(packet.subarray(0, length), this.#to.address, this.#to.port);
  }

  sendRtcp(packet: Uint8Array, length: number): void {
    if (!this.ready) return;
    const mux = this.#signalled!.mux;
    const to = mux ? this.#to : this.#rtcpTo;
    if (to === undefined || to.port === 0 || !isUnicast(canonicalHost(to.address))) return;
    const socket = mux ? this.rtp : (this.rtcp ?? this.rtp);
    socket.send(packet.subarray(0, length), to.address, to.port);
  }

  tick(): void {}

  close(): void {
    this.#closed = true;
    const heard: Sender[] = [...this.#before.all(), ...this.#strays.all()];
    const { address, port } = this.#to;
    if (this.#heard) heard.push({ address, port, ssrc: this.#ssrc, since: this.#at, at: this.#at });
    this.rtp.close(heard);
    this.rtcp?.close();
  }

  #receive(packet: Uint8Array, address: string, port: number): void {
    if (this.#closed) return;
    const now = this.#now();
    const known = this.#heard && port === this.#to.port && address === this.#to.address;
    // Version 2 is all that RTP ever was. RFC 6263 §4.1, §4.5: what is none may keep a NAT binding.
    if (packet.length < 12 || packet[0]! >> 6 !== 2) {
      if (packet.length >= 8 && packet[0]! >> 6 === 2 && isRtcp(packet))
        this.#muxed(packet, address, port, now);
      else if (known || this.#isPeer(null, address, port, now)) this.#events.alive(now);
      else this.dropped++;
      return;
    }
    // RFC 5761 §4.
    if (isRtcp(packet)) {
      this.#muxed(packet, address, port, now);
      return;
    }
    if (!known && !this.#approved(packet, address, port, now)) {
      this.dropped++;
      return;
    }
    this.#ssrc = ssrcOf(packet);
    this.#sequence = sequenceOf(packet);
    this.#at = now;
    this.#events.rtp(packet, packet.length, now);
  }

  #muxed(packet: Uint8Array, address: string, port: number, now: Ms): void {
    if (this.#isPeer(ssrcOf(packet), address, port, now)) this.#events.rtcp(packet, packet.length, now);
    else this.dropped++;
  }

  #receiveRtcp(packet: Uint8Array, address: string, port: number): void {
    if (this.#closed) return;
    const now = this.#now();
    if (!this.#isRtcpPeer(packet, address, port, now)) this.dropped++;
    else if (packet.length >= 8 && packet[0]! >> 6 === 2 && isRtcp(packet))
      this.#events.rtcp(packet, packet.length, now);
    else this.#events.alive(now);
  }

  #believes(host: string): boolean {
    return host === this.#signalled?.address || this.#isFrom(host);
  }

  #isFrom(host: string): boolean {
    return this.#signalled?.from !== undefined && host === this.#signalled.from;
  }

  /** A packet of RTP from a place that is not the one that is heard. */
  #approved(packet: Uint8Array, address: string, port: number, now: Ms): boolean {
    const signalled = this.#signalled;
    const host = canonicalHost(address);
    const ssrc = ssrcOf(packet);
    if (signalled === undefined || !this.#reachable || !this.#believes(host)) {
      this.#strays.note(address, port, ssrc, now);
      return false;
    }
    if (host === signalled.address && port === signalled.port) return this.#latch(address, port);
    if (this.#isLeftOver(address, port, ssrc, now)) return false;
    const phone = signalled.from !== undefined;
    if (this.#heard) {
      const moved = phone && (this.#goesOn(packet, ssrc) || now - this.#at >= QUIET_MS);
      if (!moved) {
        this.#strays.note(address, port, ssrc, now);
        return false;
      }
      return this.#goesOn(packet, ssrc) ? this.#latch(address, port) : this.#consider(address, port, now);
    }
    // A NAT that kept the port.
    if (this.#isFrom(host) && port === signalled.port) return this.#latch(address, port);
    return this.#consider(address, port, now);
  }

  #goesOn(packet: Uint8Array, ssrc: number | null): boolean {
    const ahead = (sequenceOf(packet) - this.#sequence) & 0xffff;
    return ssrc === this.#ssrc && ahead > 0 && ahead < MAX_DROPOUT;
  }

  /** A place that was not described: believed only when it alone is heard for a while. */
  #consider(address: string, port: number, now: Ms): boolean {
    const candidate = this.#candidate;
    const same = candidate.packets > 0 && candidate.port === port && candidate.address === address;
    if (!same || now - candidate.at >= QUIET_MS) {
      this.#candidate = { address, port, since: now, at: now, packets: 1 };
      return false;
    }
    candidate.packets++;
    candidate.at = now;
    if (candidate.packets < LATCH_PACKETS || now - candidate.since < LATCH_AFTER_MS) return false;
    return this.#latch(address, port);
  }

  #latch(address: string, port: number): true {
    const { address: host, port: described, rtcpAddress, rtcpPort } = this.#signalled!;
    if (!this.#rtcpHeard) {
      // Behind a port-changing translator the RTCP port is unknown until it is heard, unless RTP kept its own.
      if (canonicalHost(address) === host && port === described)
        this.#rtcpTo = { address: rtcpAddress, port: rtcpPort };
      else this.#rtcpTo = port === described ? { address, port: rtcpPort } : undefined;
    }
    this.#to = { address, port };
    this.#heard = true;
    this.#candidate.packets = 0;
    return true;
  }

  /** What is no RTP, on the port of RTP: from the place that is heard, or described, or before that from a phone. */
  #isPeer(ssrc: number | null, address: string, port: number, now: Ms): boolean {
    const signalled = this.#signalled;
    if (signalled === undefined || !this.#reachable) return false;
    const host = canonicalHost(address);
    if (host === signalled.address && port === signalled.port) return true;
    if (this.#heard && address === this.#to.address && port === this.#to.port) return true;
    if (!this.#isFrom(host) || this.#isLeftOver(address, port, ssrc, now)) return false;
    if (this.#heard) return ssrc !== null && ssrc === this.#ssrc;
    // It listens where it sends from; who speaks decides.
    this.#to = { address, port };
    return true;
  }

  /**
   * The same on the port of RTCP: from the described place, or from a believed host with the SSRC that is heard. A phone's first RTCP
   * shows its place.
   */
  #isRtcpPeer(packet: Uint8Array, address: string, port: number, now: Ms): boolean {
    const signalled = this.#signalled;
    if (signalled === undefined || signalled.mux) return false;
    const to = this.#rtcpTo;
    if (this.#rtcpHeard && port === to?.port && address === to.address) return true;
    const host = canonicalHost(address);
    if (host !== signalled.rtcpAddress || port !== signalled.rtcpPort) {
      const ssrc = ssrcOf(packet);
      if (!this.#believes(host) || this.#isLeftOver(address, port, ssrc, now, this.rtcp?.before))
        return false;
      const phone = signalled.from !== undefined;
      if (!(this.#heard && ssrc === this.#ssrc) && !(phone && !this.#rtcpHeard)) return false;
      // It proves a carrier alive, but moves nothing.
      if (!phone && to !== undefined) return true;
    }
    this.#rtcpTo = { address, port };
    this.#rtcpHeard = true;
    return true;
  }

  /** Does it go on with what it sent to the leg that had the port before? */
  #isLeftOver(address: string, port: number, ssrc: number | null, now: Ms, before = this.#before): boolean {
    const left = before.find(address, port);
    if (left === undefined) return false;
    // A carrier's place is known by its description; a phone behind a NAT may well come from where it was in its last call.
    const phone = this.#signalled?.from !== undefined;
    const other = phone && left.ssrc !== null && ssrc !== null && left.ssrc !== ssrc;
    if (other || now - left.at >= QUIET_MS) {
      before.forget(address, port);
      return false;
    }
    before.note(address, port, left.ssrc ?? ssrc, now);
    return true;
  }

  #judgeEarly(): void {
    const now = this.#now();
    for (const sender of this.#strays.all()) {
      if (now - sender.since >= EARLY_MS && now - sender.at < QUIET_MS) this.#before.take(sender);
    }
  }
}

const samePlaces = (a: Signalled, b: Signalled): boolean =>
  a.address === b.address &&
  a.port === b.port &&
  a.rtcpAddress === b.rtcpAddress &&
  a.rtcpPort === b.rtcpPort &&
  a.mux === b.mux;

const sequenceOf = (packet: Uint8Array): number => (packet[2]! << 8) | packet[3]!;

/** The bound sockets of a plain leg; who hears them is set when the transport takes them. */
export interface PlainSockets {
  readonly rtp: LegSocket;
  readonly rtcp: LegSocket | undefined;
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
