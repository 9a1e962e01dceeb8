import type { Random } from '@sidetone/core';
import type { CodecName, MediaCommand, MediaEvent, MediaReply } from '@sidetone/wire';
import type { World } from './world.ts';

/**
 * A media engine without media: keeps the legs a real one would keep, answers after a while, and now and then fails as a
 * real one can. What matters here is that every leg it opened is closed in the end.
 */
export class PretendEngine {
  readonly legs = new Set<string>();
  /** All that there ever were. */
  readonly opened = new Set<string>();
  /** The peer's ICE user name, by leg. */
  readonly #peers = new Map<string, string>();
  readonly #speaks: (ufrag: string) => boolean;
  readonly #world: World;
  readonly #random: Random;
  readonly #failureRate: number;
  readonly #event: (event: MediaEvent) => void;

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
  }

  /** Does it fail now and then? */
  get fails(): boolean {
    return this.#failureRate > 0;
  }

  /** Commands are carried out in order; the reply takes 1 to 20 ms. */
  command(command: MediaCommand, reply: (reply: MediaReply) => void): void {
    const answer = this.#carryOut(command);
    this.#world.after(1 + this.#random.int(20), () => reply(answer));
  }

  #carryOut(command: MediaCommand): MediaReply {
    if (command.op === 'answer' || command.op === 'accept')
      this.#peers.set(command.leg, /^a=ice-ufrag:(\S+)/m.exec(command.sdp)?.[1] ?? '');
    switch (command.op) {
      case 'answer':
      case 'offer': {
        if (this.#random.int(1_000_000) < this.#failureRate * 1_000_000) {
          return {
            ok: false,
            error: this.#random.int(2) === 0 ? 'no-port' : 'no-codec',
            message: 'by the seed',
          };
        }
        const isNew = !this.legs.has(command.leg);
        this.legs.add(command.leg);
        this.opened.add(command.leg);
        if (isNew && command.kind === 'webrtc') this.#later(command.leg, 'connected');
        const codec: CodecName = command.codecs[0] ?? 'PCMU';
        return {
          ok: true,
          codec,
          direction: command.direction ?? 'sendrecv',
          sdp: description(command.kind, command.op, this.#random),
        };
      }
      case 'stats':
        // A peer that has media is heard, unless its path broke, too.
        if (!this.#speaks(this.#peers.get(command.leg) ?? '')) return { ok: true, stats: NO_STATS };
        return { ok: true, stats: { ...NO_STATS, heardMsAgo: this.#random.int(2) * 5000 } };
      case 'close':
        this.legs.delete(command.leg);
        return { ok: true };
      case 'claim': {
        for (const leg of [...this.legs]) if (!command.legs.includes(leg)) this.legs.delete(leg);
        return { ok: true, missing: command.legs.filter((leg) => !this.legs.has(leg)) };
      }
      case 'health':
        return { ok: true, health: { legs: this.legs.size, portsFree: 1000 } };
      default:
        return this.legs.has(command.leg)
          ? { ok: true, codec: 'PCMU' }
          : { ok: false, error: 'no-leg', message: command.leg };
    }
  }

  #later(leg: string, event: 'connected'): void {
    this.#world.after(30 + this.#random.int(50), () => {
      if (this.legs.has(leg)) this.#event({ event, leg });
    });
  }
}

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
