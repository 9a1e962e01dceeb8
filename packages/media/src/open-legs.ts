import { familyOf, hexId } from '@sidetone/core';
import type { IceCredentials } from '@sidetone/rtc';
import type { Candidate, SessionDescription } from '@sidetone/sdp';
import type { LegKind, OpusAsk } from '@sidetone/wire';
import { advertised, defaultOf, hostCandidates } from './candidates.ts';
import { Leg } from './leg.ts';
import type { LegWorld } from './leg-world.ts';
import { addressFor } from './peer-address.ts';
import { PlainTransport } from './plain-transport.ts';
import { PortRange } from './port-range.ts';
import type { MediaEngineOptions } from './ports.ts';
import { NO_ADDRESS, type Refusal, refuse } from './refusal.ts';
import { RestingSockets } from './resting.ts';
import type { Rooms } from './room/rooms.ts';
import { Routes } from './routes.ts';
import { bindPlain, bindWebRtc } from './sockets.ts';
import { WebRtcTransport } from './webrtc-transport.ts';

/** A leg with its port, and everything about it that signalling, not packets, cares for. */
export interface OpenLeg {
  readonly leg: Leg;
  /** Where the peer is told to send. */
  port: number;
  address: string;
  readonly candidates: readonly Candidate[];
  readonly sessionId: string;
  /** Our last description. */
  local: SessionDescription | undefined;
  /** Our offer that awaits (further) answers. */
  offered: SessionDescription | undefined;
  /** What the peer shall be asked to send in Opus. */
  opus: OpusAsk;
}

export type Opened = { readonly ok: true; readonly open: OpenLeg } | Refusal;

/** The legs of an engine: opened on ports of the range, moved between address families, closed. */
export class OpenLegs {
  readonly routes: Routes;
  readonly #options: MediaEngineOptions;
  readonly #world: LegWorld;
  readonly #range: PortRange;
  readonly #sockets: RestingSockets;
  readonly #legs = new Map<string, OpenLeg>();

  constructor(options: MediaEngineOptions, world: LegWorld, rooms: Rooms) {
    this.routes = new Routes((id) => this.#legs.get(id)?.leg, rooms);
    this.#options = options;
    this.#world = world;
    this.#range = new PortRange(options.ports[0], options.ports[1]);
    this.#sockets = new RestingSockets(options.sockets, options.schedule, options.now);
  }

  get size(): number {
    return this.#legs.size;
  }

  get portsFree(): number {
    return this.#range.free;
  }

  get(id: string): OpenLeg | undefined {
    return this.#legs.get(id);
  }

  all(): Iterable<OpenLeg> {
    return this.#legs.values();
  }

  /** The leg of that name, opened if it is new; a plain one on `address`. */
  async ensure(id: string, kind: LegKind, address: string | undefined): Promise<Opened> {
    const open = this.#legs.get(id);
    if (open === undefined) return kind === 'webrtc' ? this.#openWebRtc(id) : this.#openPlain(id, address);
    if (open.leg.kind !== kind) return refuse('wrong-state', `${id} is a leg of another kind`);
    return { ok: true, open };
  }

  /** Is a plain leg of another family than its peer? */
  isApart({ leg: { transport } }: OpenLeg, peer: string | undefined): boolean {
    return (
      peer !== undefined &&
      transport instanceof PlainTransport &&
      familyOf(transport.rtp.address) !== familyOf(peer)
    );
  }

  /** Takes a plain leg to the family of its peer: a description may move the stream (RFC 3264 §8.3.1). `true`: it moved. */
  async follow(
    open: OpenLeg,
    peer: string | undefined,
    from: string | undefined,
  ): Promise<boolean | Refusal> {
    if (!this.isApart(open, peer)) return false;
    const bound = await this.#bind(addressFor(this.#options.addresses, peer, from));
    if ('ok' in bound) return bound;
    const { leg } = open;
    leg.transport.close();
    this.#range.givePair(open.port);
    leg.transport = new PlainTransport(bound, leg, this.#options.now);
    open.port = bound.rtp.port;
    open.address = advertised(bound.rtp.address, this.#options);
    return true;
  }

  remove(open: OpenLeg): void {
    const { leg } = open;
    this.routes.remove(leg);
    this.#legs.delete(leg.id);
    leg.close();
    if (leg.kind === 'webrtc') this.#range.giveOne(open.port);
    else this.#range.givePair(open.port);
  }

  /** All legs are gone, and so are the sockets that rest. */
  closeSockets(): void {
    this.#sockets.closeAll();
  }

  credentials(): IceCredentials {
    const { random } = this.#options;
    return { ufrag: hexId(random, 4), pwd: hexId(random, 16) };
  }

  async #bind(address: string | undefined) {
    if (address === undefined) return NO_ADDRESS;
    const bound = await bindPlain(this.#sockets, this.#range, address);
    return bound ?? refuse('no-port', 'no free port in the range of media');
  }

  async #openPlain(id: string, address: string | undefined): Promise<Opened> {
    const bound = await this.#bind(address);
    if ('ok' in bound) return bound;
    const leg = new Leg(id, 'rtp', this.#world);
    leg.transport = new PlainTransport(bound, leg, this.#options.now);
    return this.#add(leg, bound.rtp.port, advertised(bound.rtp.address, this.#options), []);
  }

  async #openWebRtc(id: string): Promise<Opened> {
    const options = this.#options;
    const bound = await bindWebRtc(this.#sockets, this.#range, options.addresses);
    if (bound === undefined) return refuse('no-port', 'no free port in the range of media');
    const leg = new Leg(id, 'webrtc', this.#world);
    const door = options.streams?.open((packet, from, port) =>
      transport.receive(bound.sockets.length, packet, from, port),
    );
    const transport = new WebRtcTransport(
      bound.sockets,
      door,
      this.credentials(),
      leg,
      options.now,
      options.dtls,
      this.#world.limits,
    );
    bound.hears(transport);
    leg.transport = transport;
    const candidates = hostCandidates(bound.sockets, options.streams, options);
    return this.#add(leg, bound.port, defaultOf(candidates), candidates);
  }

  #add(leg: Leg, port: number, address: string, candidates: readonly Candidate[]): Opened {
    const open: OpenLeg = {
      leg,
      port,
      address,
      candidates,
      sessionId: String(this.#options.random.int(2 ** 31) + 1),
      local: undefined,
      offered: undefined,
      opus: {},
    };
    this.#legs.set(leg.id, open);
    this.routes.publish(leg.id);
    return { ok: true, open };
  }
}
