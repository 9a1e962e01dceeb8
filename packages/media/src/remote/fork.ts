import type { Ms } from '@sidetone/core';
import { RTP_HEADER_LENGTH, type RtpHeader, writeRtp } from '@sidetone/rtc';
import type { CodecName, ForkAsk } from '@sidetone/wire';
import type { Leg } from '../leg.ts';
import type { RemoteDatagrams, RemotePort } from '../ports.ts';
import type { Feeder, Hearer, Sink } from '../sink.ts';

/** Packets of a leg as they are, opened, with the numbers that they have. */
class Copy implements Sink, Hearer {
  readonly inlet: Sink = this;
  readonly #to: RemoteDatagrams;

  constructor(to: RemoteDatagrams) {
    this.#to = to;
  }

  packet(_from: Feeder, _codec: CodecName, header: RtpHeader, packet: Uint8Array, _now: Ms): void {
    const { payloadType, marker, sequence, timestamp, ssrc, payloadOffset, payloadLength } = header;
    const copy = Buffer.allocUnsafe(RTP_HEADER_LENGTH + payloadLength);
    writeRtp(copy, 0, payloadType, marker, sequence, timestamp, ssrc);
    copy.set(packet.subarray(payloadOffset, payloadOffset + payloadLength), RTP_HEADER_LENGTH);
    this.#to.send(copy);
  }
}

/** Copies of what a peer sends (`rx`) and is sent (`tx`). */
export class Fork {
  readonly id: string;
  readonly #leg: Leg;
  readonly #rx: Copy | undefined;
  readonly #tx: Copy | undefined;

  private constructor(id: string, leg: Leg, rx: Copy | undefined, tx: Copy | undefined) {
    this.id = id;
    this.#leg = leg;
    this.#rx = rx;
    this.#tx = tx;
    if (rx !== undefined) leg.tap(rx, true);
    if (tx !== undefined) leg.tapOut(tx, true);
  }

  /** Text: why a target must not be reached. */
  static open(id: string, { rx, tx }: ForkAsk, leg: Leg, remote: RemotePort): Fork | string {
    const copies: (Copy | undefined)[] = [];
    for (const target of [rx, tx]) {
      const to = target === undefined ? undefined : remote.datagrams(target.address, target.port);
      if (typeof to === 'string') return to;
      copies.push(to === undefined ? undefined : new Copy(to));
    }
    return new Fork(id, leg, copies[0], copies[1]);
  }

  close(): void {
    if (this.#rx !== undefined) this.#leg.tap(this.#rx, false);
    if (this.#tx !== undefined) this.#leg.tapOut(this.#tx, false);
  }
}
