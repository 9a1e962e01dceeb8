import type { Ms, Random } from '@sidetone/core';
import { newRtpHeader, RTP_HEADER_LENGTH, type RtpHeader, writeRtp } from '@sidetone/rtc';
import type { NegotiatedAudio } from '@sidetone/sdp';
import type { CodecName } from '@sidetone/wire';
import { clockRate, type EncoderLimits } from './codec.ts';
import type { PacketBuffers } from './packet-buffer.ts';
import type { Feeder, Sink } from './sink.ts';
import { StreamOut } from './stream-out.ts';
import type { Transport } from './transport.ts';

/** The feeder number of what the tick sends where nothing else is heard: sounds of ours, silence, keep-alive. */
export const PLAYED = 1;
/** Digits as tones. */
export const TONES = 2;
/** The first number that a stream of a leg, or a file, may have. */
export const FIRST_FEEDER = 16;

const NONE: readonly Sink[] = [];

/** The one stream that a leg's peer hears: what has been agreed, the numbers, the way out. Whatever is heard is sent here. */
export class Outlet implements Feeder {
  readonly numbers: StreamOut;
  transport!: Transport;
  bytesSent = 0;
  /** What has been agreed; `codec` is its. */
  negotiated: NegotiatedAudio | undefined;
  codec: CodecName | undefined;
  /** May audio be sent, by the description? */
  sends = false;
  /** A digit is being sent, so that audio must not be. */
  digit = false;
  /** What is given the audio that leaves. Replaced, never changed, by wishes. */
  sinks: readonly Sink[] = NONE;
  /** Its numbers run on whatever feeds it. */
  readonly feeder = 0;
  readonly #header = newRtpHeader();
  readonly #buffers: PacketBuffers;
  #rate = 8000;
  #payloadType = 0;

  constructor(random: Random, buffers: PacketBuffers) {
    this.numbers = new StreamOut(random);
    this.#buffers = buffers;
  }

  /** May audio be sent, by description, transport and digits? */
  get open(): boolean {
    return this.sends && this.transport.ready && !this.digit;
  }

  get limits(): EncoderLimits {
    const opus = this.negotiated?.opus;
    return {
      fec: opus?.fec ?? false,
      ...(opus?.maxBitrate == null ? {} : { maxBitrate: opus.maxBitrate }),
    };
  }

  settle(audio: NegotiatedAudio): void {
    this.negotiated = audio;
    this.codec = audio.codec;
    this.#rate = clockRate(audio.codec);
    this.#payloadType = audio.payloadType;
    this.sends = audio.direction === 'sendrecv' || audio.direction === 'sendonly';
  }

  /** Sends a frame made here, 20 ms. `skipped`: timestamp units of silence before it. */
  frame(payload: Uint8Array, feeder: number, now: Ms, skipped = 0): void {
    if (this.codec === undefined || !this.transport.ready) return;
    this.numbers.generated(feeder, now, this.#rate, this.#rate / 50, skipped);
    this.#send(this.#payloadType, payload, 0, payload.length, this.sinks, now);
  }

  /** Sends the payload of another stream's packet; `false`: it is older than ours may still send. */
  relayed(feeder: number, header: RtpHeader, packet: Uint8Array, now: Ms): boolean {
    const { numbers } = this;
    if (!numbers.relayed(feeder, header.sequence, header.timestamp, header.marker, now, this.#rate))
      return false;
    this.#send(this.#payloadType, packet, header.payloadOffset, header.payloadLength, this.sinks, now);
    return true;
  }

  /** Sends one packet of a telephone-event, `offset` timestamp units into it. `write` fills its four octets. */
  event(first: boolean, now: Ms, offset: number, write: (payload: Uint8Array) => void): void {
    const payload = this.#buffers.take(4);
    write(payload);
    this.numbers.event(first, now, this.#rate, offset);
    this.#send(this.negotiated!.dtmf.send!.payloadType, payload, 0, 4, NONE, now);
  }

  #send(
    payloadType: number,
    from: Uint8Array,
    offset: number,
    length: number,
    sinks: readonly Sink[],
    now: Ms,
  ): void {
    const packet = this.#buffers.take(RTP_HEADER_LENGTH + length);
    const { numbers } = this;
    writeRtp(packet, 0, payloadType, numbers.marker, numbers.seq, numbers.timestamp, numbers.ssrc);
    packet.set(
      offset === 0 && length === from.length ? from : from.subarray(offset, offset + length),
      RTP_HEADER_LENGTH,
    );
    numbers.packets++;
    numbers.octets += length;
    this.bytesSent += RTP_HEADER_LENGTH + length;
    // Before it is sealed, in place.
    for (let i = 0; i < sinks.length; i++)
      sinks[i]!.packet(this, this.codec!, this.#head(length), packet, now);
    this.transport.sendRtp(packet, RTP_HEADER_LENGTH + length);
  }

  /** The header of the packet that leaves. */
  #head(length: number): RtpHeader {
    const header = this.#header;
    header.marker = this.numbers.marker;
    header.sequence = this.numbers.seq;
    header.timestamp = this.numbers.timestamp;
    header.ssrc = this.numbers.ssrc;
    header.payloadType = this.#payloadType;
    header.payloadOffset = RTP_HEADER_LENGTH;
    header.payloadLength = length;
    return header;
  }
}
