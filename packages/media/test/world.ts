import assert from 'node:assert/strict';
import { type Ms, seededRandom } from '@sidetone/core';
import {
  createSrtpSession,
  newRtpHeader,
  readRtp,
  type SrtpSession,
  writeRtp,
  writeStun,
} from '@sidetone/rtc';
import type { CodecName, MediaCommand, MediaEvent, MediaReply } from '@sidetone/wire';
import {
  createMediaEngine,
  loadOpus,
  type MediaEngine,
  type MediaLimits,
  type OpusFactory,
  type Receive,
} from '../src/index.ts';
import { FakeDtls, FINGERPRINT, OURS, THEIRS } from './fake-dtls.ts';
import { FakeRecordings } from './fake-recordings.ts';
import { FakeRemote } from './fake-remote.ts';
import { FakeSounds } from './fake-sounds.ts';
import { FakeStreams } from './fake-streams.ts';

const opus = await loadOpus();

/** A packet as a peer saw it. */
export interface Seen {
  readonly at: Ms;
  readonly from: string;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Uint8Array;
}

export interface WorldOptions {
  readonly ports?: readonly [number, number];
  readonly limits?: Partial<MediaLimits>;
  readonly addresses?: readonly string[];
  readonly publicAddress?: string;
  /** With the TCP port. */
  readonly tcp?: boolean;
  readonly seed?: number;
  readonly opus?: OpusFactory;
}

/** The engine on a virtual clock and a network of this process: datagrams arrive at once, in order. */
export class World {
  now: Ms = 0;
  readonly engine: MediaEngine;
  readonly events: MediaEvent[] = [];
  readonly dtls = new FakeDtls();
  readonly streams: FakeStreams | undefined;
  readonly sounds = new FakeSounds();
  readonly remote = new FakeRemote();
  readonly recordings = new FakeRecordings();
  readonly #timers: { at: Ms; order: number; call: () => void }[] = [];
  readonly #bound = new Map<string, Receive>();
  #order = 0;
  readonly random;

  constructor(options: WorldOptions = {}) {
    this.random = seededRandom(options.seed ?? 1);
    const addresses = options.addresses ?? ['10.0.0.1'];
    this.streams = options.tcp === true ? new FakeStreams(this, addresses) : undefined;
    this.engine = createMediaEngine({
      sockets: {
        bind: async (address, port, receive) => {
          const key = `${address}:${port}`;
          if (this.#bound.has(key)) return undefined;
          this.#bound.set(key, receive);
          return {
            address,
            port,
            send: (packet, to, toPort) => this.deliver(packet, address, port, to, toPort),
            close: () => this.#bound.delete(key),
          };
        },
      },
      now: () => this.now,
      schedule: {
        at: (at, call) => {
          const timer = { at, order: this.#order++, call };
          this.#timers.push(timer);
          return () => {
            const i = this.#timers.indexOf(timer);
            if (i >= 0) this.#timers.splice(i, 1);
          };
        },
      },
      random: this.random,
      dtls: this.dtls,
      opus: options.opus ?? opus,
      sounds: this.sounds,
      remote: this.remote,
      recordings: this.recordings,
      addresses,
      ...(options.publicAddress === undefined ? {} : { publicAddress: options.publicAddress }),
      ...(this.streams === undefined ? {} : { streams: this.streams }),
      ports: options.ports ?? [33_000, 33_099],
      emit: (event) => this.events.push(event),
      limits: { rtpTimeoutMs: 60_000, ...options.limits },
    });
  }

  get openSockets(): number {
    return this.#bound.size;
  }

  get timers(): number {
    return this.#timers.length;
  }

  bind(address: string, port: number, receive: Receive): void {
    this.#bound.set(`${address}:${port}`, receive);
  }

  deliver(packet: Uint8Array, from: string, fromPort: number, to: string, toPort: number): void {
    this.#bound.get(`${to}:${toPort}`)?.(Uint8Array.from(packet), from, fromPort);
  }

  /** Lets time pass; `each` runs every 20 ms of it. */
  async run(ms: Ms, each?: () => void): Promise<void> {
    const end = this.now + ms;
    let next = this.now;
    for (;;) {
      // Promises of codecs and commands settle between two moments.
      await Promise.resolve();
      const timer = this.#timers.toSorted((a, b) => a.at - b.at || a.order - b.order)[0];
      const at = Math.min(timer?.at ?? Number.POSITIVE_INFINITY, each === undefined ? end : next);
      if (at > end || (each !== undefined && next >= end && (timer?.at ?? end + 1) > end)) break;
      this.now = Math.max(this.now, at);
      if (each !== undefined && at === next && next < end) {
        each();
        next += 20;
        continue;
      }
      if (timer === undefined || timer.at > end) break;
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.call();
    }
    this.now = end;
  }

  async command(command: MediaCommand): Promise<Extract<MediaReply, { ok: true }>> {
    const reply = await this.engine.command(command);
    assert.ok(reply.ok, JSON.stringify(reply));
    return reply;
  }

  eventsOf<E extends MediaEvent['event']>(name: E): Extract<MediaEvent, { event: E }>[] {
    return this.events.filter((e): e is Extract<MediaEvent, { event: E }> => e.event === name);
  }

  /** A carrier that offers to leg `id` and is answered. */
  async carrier(id: string, options: CarrierOptions = {}): Promise<Carrier> {
    const carrier = new Carrier(this, options);
    const reply = await this.command({
      op: 'answer',
      leg: id,
      kind: 'rtp',
      sdp: carrier.sdp(),
      codecs: options.accept ?? [carrier.codec],
    });
    carrier.connect(reply.sdp!);
    return carrier;
  }

  /** A browser that offers to leg `id`, is answered, checks the path and gets its keys. */
  async browser(id: string, codecs: readonly CodecName[] = ['OPUS']): Promise<BrowserPeer> {
    const peer = new BrowserPeer(this);
    const reply = await this.command({ op: 'answer', leg: id, kind: 'webrtc', sdp: peer.sdp(), codecs });
    peer.connect(reply.sdp!);
    return peer;
  }
}

export interface CarrierOptions {
  readonly codec?: 'PCMU' | 'PCMA' | 'OPUS' | 'G722';
  readonly port?: number;
  readonly address?: string;
  readonly events?: boolean;
  readonly accept?: readonly CodecName[];
}

const FORMATS = {
  PCMU: [0, 'PCMU/8000'],
  PCMA: [8, 'PCMA/8000'],
  G722: [9, 'G722/8000'],
  OPUS: [96, 'opus/48000/2'],
} as const;

const inAddress = (address: string): string => `IN IP${address.includes(':') ? 6 : 4} ${address}`;

let ports = 40_000;

abstract class Peer {
  readonly seen: Seen[] = [];
  readonly address: string;
  readonly port: number;
  protected readonly world: World;
  target = { address: '', port: 0 };
  sequence = 1000;
  timestamp = 5000;
  ssrc = 0x1234;

  constructor(world: World, address: string, port: number) {
    this.world = world;
    this.address = address;
    this.port = port;
    world.bind(address, port, (packet) => this.received(packet));
  }

  protected abstract received(packet: Uint8Array): void;
  abstract emitRtp(packet: Uint8Array, length: number): void;

  protected note(packet: Uint8Array, length: number): void {
    const header = newRtpHeader();
    if (packet[1]! >= 192 && packet[1]! < 224) return;
    assert.ok(readRtp(packet, length, header));
    this.seen.push({
      at: this.world.now,
      from: `${this.target.address}:${this.target.port}`,
      payloadType: header.payloadType,
      marker: header.marker,
      sequence: header.sequence,
      timestamp: header.timestamp,
      ssrc: header.ssrc,
      payload: packet.slice(header.payloadOffset, header.payloadOffset + header.payloadLength),
    });
  }

  connect(sdp: string): void {
    const port = Number(/m=audio (\d+)/.exec(sdp)?.[1]);
    const address = /c=IN IP[46] (\S+)/.exec(sdp)?.[1] ?? '';
    this.target = { address, port };
  }

  send(payloadType: number, payload: Uint8Array, marker = false, timestamp = this.timestamp): void {
    const packet = new Uint8Array(12 + payload.length + 40);
    writeRtp(packet, 0, payloadType, marker, this.sequence, timestamp, this.ssrc);
    packet.set(payload, 12);
    this.sequence = (this.sequence + 1) & 0xffff;
    this.emitRtp(packet, 12 + payload.length);
  }

  /** Forgets what was seen and returns it. */
  take(): Seen[] {
    return this.seen.splice(0);
  }
}

export class Carrier extends Peer {
  readonly codec: 'PCMU' | 'PCMA' | 'OPUS' | 'G722';
  readonly rtcp: Uint8Array[] = [];
  readonly #events: boolean;

  constructor(world: World, options: CarrierOptions = {}) {
    super(world, options.address ?? '10.0.0.9', options.port ?? (ports += 2));
    this.codec = options.codec ?? 'PCMU';
    this.#events = options.events ?? true;
    world.bind(this.address, this.port + 1, (packet) => this.rtcp.push(packet));
  }

  get payloadType(): number {
    return FORMATS[this.codec][0];
  }

  sdp(direction = 'sendrecv'): string {
    const [pt, map] = FORMATS[this.codec];
    return [
      'v=0',
      `o=- 1 1 ${inAddress(this.address)}`,
      's=-',
      `c=${inAddress(this.address)}`,
      't=0 0',
      `m=audio ${this.port} RTP/AVP ${pt}${this.#events ? ' 101' : ''}`,
      `a=rtpmap:${pt} ${map}`,
      ...(this.#events ? ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-16'] : []),
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  protected received(packet: Uint8Array): void {
    this.note(packet, packet.length);
  }

  emitRtp(packet: Uint8Array, length: number): void {
    this.emitFrom(this.address, this.port, packet.subarray(0, length));
  }

  emitFrom(address: string, port: number, packet: Uint8Array): void {
    this.world.deliver(packet, address, port, this.target.address, this.target.port);
  }

  /** One 20 ms frame. */
  frame(payload: Uint8Array = new Uint8Array(160).fill(0x55)): void {
    this.send(this.payloadType, payload);
    this.timestamp = (this.timestamp + (this.codec === 'OPUS' ? 960 : 160)) >>> 0;
  }
}

export class BrowserPeer extends Peer {
  readonly srtp: SrtpSession = createSrtpSession({
    profile: 'AES_CM_128_HMAC_SHA1_80',
    keys: { local: THEIRS, remote: OURS },
  });
  ufrag = 'BRWS';
  pwd = 'browser-password-000000';
  stunReplies = 0;
  undecryptable = 0;
  #remote = { ufrag: '', pwd: '' };

  constructor(world: World) {
    super(world, '10.0.0.50', (ports += 2));
  }

  sdp(direction = 'sendrecv', payloads = '111 0 8 110'): string {
    return [
      'v=0',
      'o=- 4 2 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      `m=audio 9 UDP/TLS/RTP/SAVPF ${payloads}`,
      'c=IN IP4 0.0.0.0',
      `a=ice-ufrag:${this.ufrag}`,
      `a=ice-pwd:${this.pwd}`,
      `a=fingerprint:sha-256 ${FINGERPRINT}`,
      'a=setup:actpass',
      'a=mid:0',
      `a=${direction}`,
      'a=rtcp-mux',
      'a=rtpmap:111 opus/48000/2',
      'a=fmtp:111 minptime=10;useinbandfec=1',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:110 telephone-event/48000',
      '',
    ].join('\r\n');
  }

  override connect(sdp: string): void {
    super.connect(sdp);
    this.#remote = {
      ufrag: /a=ice-ufrag:(\S+)/.exec(sdp)?.[1] ?? '',
      pwd: /a=ice-pwd:(\S+)/.exec(sdp)?.[1] ?? '',
    };
    this.check();
  }

  /** One connectivity check, with nomination unless told otherwise. */
  check(
    from = { address: this.address, port: this.port },
    password = this.#remote.pwd,
    nominate = true,
  ): void {
    const text = new TextEncoder();
    const request = writeStun(
      {
        class: 'request',
        method: 1,
        transactionId: this.world.random.bytes(12),
        attributes: [
          [0x0006, text.encode(`${this.#remote.ufrag}:${this.ufrag}`)],
          [0x0024, Uint8Array.of(0x6e, 0, 0, 1)],
          [0x802a, this.world.random.bytes(8)],
          ...(nominate ? [[0x0025, new Uint8Array(0)] as const] : []),
        ],
      },
      text.encode(password),
    );
    this.world.deliver(request, from.address, from.port, this.target.address, this.target.port);
  }

  protected received(packet: Uint8Array): void {
    if (packet[0]! < 4) {
      this.stunReplies++;
      return;
    }
    const buffer = new Uint8Array(packet.length);
    buffer.set(packet);
    const rtcp = packet[1]! >= 192 && packet[1]! < 224;
    const length = rtcp
      ? this.srtp.unprotectRtcp(buffer, packet.length)
      : this.srtp.unprotectRtp(buffer, packet.length);
    if (length <= 0) this.undecryptable++;
    else if (!rtcp) this.note(buffer, length);
  }

  emitRtp(packet: Uint8Array, length: number): void {
    const sealed = this.srtp.protectRtp(packet, length);
    assert.ok(sealed > 0);
    this.raw(packet.subarray(0, sealed));
  }

  raw(packet: Uint8Array, address = this.address, port = this.port): void {
    this.world.deliver(packet, address, port, this.target.address, this.target.port);
  }

  frame(payload: Uint8Array): void {
    this.send(111, payload);
    this.timestamp = (this.timestamp + 960) >>> 0;
  }
}
