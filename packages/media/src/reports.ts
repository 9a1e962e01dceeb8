import type { Ms, Random } from '@sidetone/core';
import { ntpFrom, parseRtcp, roundTrip, writeReport } from '@sidetone/rtc';
import type { PacketBuffers } from './packet-buffer.ts';
import type { StreamIn } from './stream-in.ts';
import type { StreamOut } from './stream-out.ts';
import type { Transport } from './transport.ts';

const REPORT_MS = 5000;
const FIRST_REPORT_MS = 1000;
const LARGEST_REPORT = 256;

/** RTCP of one leg: sender and receiver reports both ways. A BYE is not believed: signalling ends calls. */
export class Reports {
  /** Round-trip time in milliseconds, once the peer has reported. */
  roundTripMs: number | undefined;
  readonly #in: StreamIn;
  readonly #out: StreamOut;
  readonly #random: Random;
  readonly #buffers: PacketBuffers;
  readonly #cname: string;
  #due: Ms;

  constructor(
    streams: { readonly in: StreamIn; readonly out: StreamOut },
    shared: { readonly random: Random; readonly buffers: PacketBuffers; readonly cname: string },
    now: Ms,
  ) {
    this.#in = streams.in;
    this.#out = streams.out;
    this.#random = shared.random;
    this.#buffers = shared.buffers;
    this.#cname = shared.cname;
    this.#due = now + FIRST_REPORT_MS + shared.random.int(FIRST_REPORT_MS);
  }

  /** `false`: it is no RTCP. */
  received(packet: Uint8Array, length: number, now: Ms): boolean {
    const parsed = parseRtcp(packet, length);
    if (!parsed.ok) return false;
    for (const report of parsed.value) {
      if (report.type !== 'sr' && report.type !== 'rr') continue;
      const { reception } = this.#in;
      if (report.type === 'sr' && reception !== undefined && report.ssrc === reception.ssrc) {
        const { ntpSeconds, ntpFraction } = report.sender;
        reception.senderReport((((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0, now);
      }
      for (const block of report.blocks) {
        if (block.ssrc === this.#out.ssrc) this.roundTripMs = roundTrip(block, now) ?? this.roundTripMs;
      }
    }
    return true;
  }

  /** Sends a report when one is due. */
  tick(transport: Transport, clockRate: number, now: Ms): void {
    if (now < this.#due) return;
    // RFC 3550 §6.2: at random around the interval, so that legs do not report in step.
    this.#due = now + REPORT_MS * (0.8 + this.#random.int(400) / 1000);
    this.send(transport, clockRate, now, false);
  }

  send(transport: Transport, clockRate: number, now: Ms, bye: boolean): void {
    if (!transport.ready) return;
    const packet = this.#buffers.take(LARGEST_REPORT);
    const out = this.#out;
    const sender = {
      ...ntpFrom(now),
      rtpTimestamp: out.timestampAt(now, clockRate),
      packets: out.packets >>> 0,
      octets: out.octets >>> 0,
    };
    const { reception } = this.#in;
    const length = writeReport(packet.subarray(0, LARGEST_REPORT), {
      ssrc: out.ssrc,
      cname: this.#cname,
      sender: out.packets === 0 ? null : sender,
      blocks: reception === undefined ? [] : [reception.report(now)],
      bye,
    });
    if (length > 0) transport.sendRtcp(packet, length);
  }
}
