import type { Random } from '@sidetone/core';
import type { CodecName, MediaCommand, MediaEvent, MediaReply, Source } from '@sidetone/wire';
import { ReportLog } from '../../packages/media/src/report-log.ts';
import { PretendPlays } from './plays.ts';
import { PretendRooms } from './pretend-rooms.ts';
import type { World } from './world.ts';

/** How long a WebRTC peer may send no checks, and how often that is looked at. */
const CONSENT_MS = 30_000;
const CHECK_MS = 5000;

interface Peer {
  /** Its ICE user name. */
  readonly ufrag: string;
  readonly heardAt: number;
  /** Its owner has been told that it is gone. */
  readonly failed: boolean;
}

/** The reply to a claim is on its way: what happens meanwhile is told behind it. */
interface Claiming {
  readonly seen: Readonly<Record<string, number>>;
  readonly held: MediaEvent[];
}

/**
 * A media engine without media: keeps the legs a real one would keep, answers after a while, and now and then fails as a
 * real one can. What matters here is that every leg it opened is closed in the end.
 */
export class PretendEngine {
  readonly legs = new Set<string>();
  /** What each of them hears. */
  readonly sources = new Map<string, Source>();
  readonly rooms: PretendRooms;
  /** All that there ever were. */
  readonly opened = new Set<string>();
  /** Peers of WebRTC legs that have both descriptions. */
  readonly #peers = new Map<string, Peer>();
  readonly #speaks: (ufrag: string) => boolean;
  readonly #world: World;
  readonly #random: Random;
  readonly #failureRate: number;
  readonly #event: (event: MediaEvent) => void;
  readonly #reports = new ReportLog((event) => this.#emit(event));
  readonly #plays: PretendPlays;
  #claiming: Claiming | null = null;
  readonly #line: MediaEvent[] = [];
  #draining = false;

  constructor(
    world: World,
    random: Random,
    failureRate: number,
    speaks: (ufrag: string) => boolean,
    event: (event: MediaEvent) => void,
  ) {
    this.#speaks = speaks;
    this.#world = world;
    this.#random = random;
    this.#failureRate = failureRate;
    this.#event = event;
    this.rooms = new PretendRooms(world, random, this.sources, (told) => this.#emit(told));
    this.#plays = new PretendPlays(world, (played) => void this.#reports.tell(played));
  }

  /** Files that play now. */
  get playing(): number {
    return this.#plays.size;
  }

  /** The peer of a leg presses a digit. */
  press(leg: string, digit: string): void {
    if (this.legs.has(leg)) this.#reports.tell({ event: 'dtmf', leg, digit, durationMs: 100 });
  }

  #emit(event: MediaEvent): void {
    const claiming = this.#claiming;
    // Told again behind the reply, with what came before it.
    if (claiming !== null && 'n' in event && 'leg' in event && (event.leg ?? '') in claiming.seen) return;
    if (claiming !== null) claiming.held.push(event);
    else this.#line.push(event);
    this.#drain();
  }

  /** As over a connection: what an event brings about is told behind those that have left. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    for (let event = this.#line.shift(); event !== undefined; event = this.#line.shift()) this.#event(event);
    this.#draining = false;
  }

  /** Does it fail now and then? */
  get fails(): boolean {
    return this.#failureRate > 0;
  }

  /** Commands are carried out in order; the reply takes 1 to 20 ms. */
  command(command: MediaCommand, reply: (reply: MediaReply) => void): void {
    const answer = this.#carryOut(command);
    const claiming = command.op === 'claim' ? { seen: command.seen ?? {}, held: [] } : null;
    this.#claiming = claiming ?? this.#claiming;
    this.#world.after(1 + this.#random.int(20), () => {
      reply(answer);
      // The one who claimed may have died meanwhile, and another claims.
      if (command.op !== 'claim' || this.#claiming !== claiming) return;
      this.#claiming = null;
      this.#draining = true;
      // A new owner has not heard what has happened; of legs that nobody is told of, only how they failed.
      for (const leg of command.legs) {
        const last = command.seen?.[leg];
        if (last !== undefined) this.#reports.tellAgain(leg, last);
        else if (this.#peers.get(leg)?.failed === true) this.#emit({ event: 'failed', leg, why: 'ice' });
      }
      this.#line.push(...(claiming?.held ?? []));
      this.#draining = false;
      this.#drain();
      this.#reports.forgetClosed(new Set(command.legs));
      this.rooms.claimed(command.seen ?? {});
    });
  }

  #carryOut(command: MediaCommand): MediaReply {
    switch (command.op) {
      case 'answer':
      case 'offer': {
        const isNew = !this.legs.has(command.leg);
        if (this.#random.int(1_000_000) < this.#failureRate * 1_000_000)
          return { ok: false, error: this.#refusal(command.op, isNew), message: 'by the seed' };
        this.legs.add(command.leg);
        this.opened.add(command.leg);
        this.#reports.opened(command.leg);
        if (isNew && command.kind === 'webrtc') this.#later(command.leg, 'connected');
        if (command.op === 'answer') this.#negotiated(command.leg, command.sdp);
        else if (command.restart === true) this.#allowTime(command.leg);
        const codec: CodecName = command.codecs[0] ?? 'PCMU';
        return {
          ok: true,
          codec,
          direction: command.direction ?? 'sendrecv',
          sdp: description(command.kind, command.op, this.#random),
        };
      }
      case 'accept':
        if (!this.legs.has(command.leg)) return noLeg(command.leg);
        this.#negotiated(command.leg, command.sdp);
        return { ok: true, codec: 'PCMU' };
      case 'stats':
        // A peer that has media is heard, unless its path broke, too.
        if (!this.#hears(command.leg)) return { ok: true, stats: NO_STATS };
        return { ok: true, stats: { ...NO_STATS, heardMsAgo: this.#random.int(2) * 5000 } };
      case 'close':
        this.#close(command.leg);
        return { ok: true };
      case 'claim': {
        for (const leg of [...this.legs]) if (!command.legs.includes(leg)) this.#close(leg);
        return { ok: true, missing: command.legs.filter((leg) => !this.legs.has(leg)) };
      }
      case 'source':
        if (!this.legs.has(command.leg)) return noLeg(command.leg);
        this.#hear(command.leg, command.source);
        return { ok: true };
      case 'play':
        if (!this.legs.has(command.leg)) return noLeg(command.leg);
        this.#plays.start(command);
        return { ok: true };
      case 'stop':
        this.#plays.stop(command.leg, command.id);
        return { ok: true };
      case 'keep':
        return { ok: true };
      case 'health':
        return { ok: true, health: { legs: this.legs.size, rooms: 0, portsFree: 1000 } };
      case 'record':
      case 'recordPause':
      case 'recordResume':
      case 'recordStop':
        return 'leg' in command && this.legs.has(command.leg)
          ? { ok: true }
          : noLeg('leg' in command ? command.leg : command.room);
      case 'roomPlay':
      case 'roomStop':
      case 'roomBeep':
        return this.rooms.command(command);
      default:
        return this.legs.has(command.leg) ? { ok: true, codec: 'PCMU' } : noLeg(command.leg);
    }
  }

  /** A leg that it has keeps its port, and its own offer finds a codec always. */
  #refusal(op: 'answer' | 'offer', isNew: boolean): 'no-port' | 'no-codec' | 'engine' {
    const one = this.#random.int(2) === 0;
    if (isNew) return one ? 'no-port' : 'no-codec';
    return op === 'answer' && one ? 'no-codec' : 'engine';
  }

  #negotiated(leg: string, sdp: string): void {
    const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
    if (ufrag === undefined) return;
    const isNew = !this.#peers.has(leg);
    this.#peers.set(leg, { ufrag, heardAt: this.#world.now, failed: false });
    if (isNew) this.#watch(leg);
  }

  /** An ICE restart: the new path has its full time. What was told of the old one is not told again. */
  #allowTime(leg: string): void {
    const peer = this.#peers.get(leg);
    if (peer !== undefined) this.#peers.set(leg, { ...peer, heardAt: this.#world.now });
  }

  /** Consent (RFC 7675): a peer that is not there any more is told, once a negotiation, also when it was on hold. */
  #watch(leg: string): void {
    this.#world.after(CHECK_MS, () => {
      const peer = this.#peers.get(leg);
      if (peer === undefined) return;
      const { now } = this.#world;
      if (this.#hears(leg)) this.#peers.set(leg, { ...peer, heardAt: now });
      else if (!peer.failed && now - peer.heardAt > CONSENT_MS) {
        this.#peers.set(leg, { ...peer, failed: true });
        this.#reports.tell({ event: 'failed', leg, why: 'ice' });
      }
      this.#watch(leg);
    });
  }

  #hears(leg: string): boolean {
    return this.#speaks(this.#peers.get(leg)?.ufrag ?? '');
  }

  #close(leg: string): void {
    this.#plays.closed(leg);
    this.#reports.closed(leg);
    this.legs.delete(leg);
    this.#hear(leg, undefined);
    this.#peers.delete(leg);
  }

  #hear(leg: string, source: Source | undefined): void {
    const before = this.sources.get(leg);
    if (source === undefined) this.sources.delete(leg);
    else this.sources.set(leg, source);
    this.rooms.changed(before, source);
  }

  #later(leg: string, event: 'connected'): void {
    this.#world.after(30 + this.#random.int(50), () => {
      if (this.legs.has(leg)) this.#emit({ event, leg });
    });
  }
}

const noLeg = (leg: string): MediaReply => ({ ok: false, error: 'no-leg', message: leg });

const NO_STATS = {
  packetsReceived: 0,
  packetsSent: 0,
  bytesReceived: 0,
  bytesSent: 0,
  packetsLost: 0,
  jitterMs: 0,
  dtmfReceived: 0,
  dropped: 0,
} as const;

/** A session description of a leg of ours: enough for the dialect and SIP, which carry it and only touch its direction. */
function description(kind: 'webrtc' | 'rtp', op: 'offer' | 'answer', random: Random): string {
  const head = ['v=0', `o=- ${random.int(1e9)} 1 IN IP4 192.0.2.1`, 's=-', 't=0 0'];
  if (kind === 'rtp') {
    return lines([
      ...head,
      'c=IN IP4 192.0.2.1',
      'm=audio 20000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=sendrecv',
    ]);
  }
  return lines([
    ...head,
    'a=group:BUNDLE 0',
    'a=ice-lite',
    'm=audio 20000 UDP/TLS/RTP/SAVPF 111 126',
    'c=IN IP4 192.0.2.1',
    'a=mid:0',
    'a=rtcp-mux',
    `a=ice-ufrag:${op}${random.int(1e6)}`,
    'a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    `a=setup:${op === 'offer' ? 'actpass' : 'passive'}`,
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:126 telephone-event/48000',
    'a=candidate:1 1 udp 2130706431 192.0.2.1 20000 typ host',
    'a=sendrecv',
  ]);
}

export const lines = (rows: readonly string[]): string => `${rows.join('\r\n')}\r\n`;
