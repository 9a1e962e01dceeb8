import type { Ms } from '@sidetone/core';
import type { RtpHeader } from '@sidetone/rtc';
import type { CodecName, StreamAsk, StreamCodec } from '@sidetone/wire';
import { type PcmRate, pcmDecoder, pcmEncoder } from '../codec.ts';
import { FrameResampler } from '../frame-resampler.ts';
import type { LegWorld } from '../leg-world.ts';
import { PcmStream } from '../pcm-stream.ts';
import type { Feeder, Hearer, Sink } from '../sink.ts';

/** What a stream's payloads are. */
export interface PayloadFormat {
  readonly codec: StreamCodec;
  /** Samples a second, as the other end counts them. */
  readonly rate: number;
  readonly bigEndian: boolean;
}

/** `codec`: of the leg. */
export function formatOf(ask: StreamAsk, codec: CodecName): PayloadFormat {
  const wanted = ask.codec ?? (codec === 'OPUS' ? 'PCMU' : codec);
  return { codec: wanted, rate: rateOf(wanted, ask.rate), bigEndian: ask.bigEndian === true };
}

/** The rate of G.722 is that of its sound; the one of its RTP clock is another (RFC 3551 §4.5.2). */
const rateOf = (codec: StreamCodec, l16: number): number =>
  codec === 'L16' ? l16 : codec === 'OPUS' ? 48_000 : codec === 'G722' ? 16_000 : 8000;

/** A payload of 20 ms, or as long as the peer's packet where its codec is the stream's; only to be read during the call. */
export type PayloadOut = (payload: Uint8Array, now: Ms) => void;

interface Input {
  readonly codec: CodecName;
  feeder: number;
  readonly from: Feeder;
  readonly stream: PcmStream;
  readonly free: () => void;
}

/** One track of a leg on its way out: payloads of the stream's codec as they are, others transcoded. */
export class Tap implements Sink, Hearer {
  readonly inlet: Sink = this;
  readonly #format: PayloadFormat;
  readonly #world: Pick<LegWorld, 'opus'>;
  readonly #out: PayloadOut;
  #input: Input | undefined;
  #now: Ms = 0;

  constructor(format: PayloadFormat, world: Pick<LegWorld, 'opus'>, out: PayloadOut) {
    this.#format = format;
    this.#world = world;
    this.#out = out;
  }

  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array, now: Ms): void {
    const { payloadOffset, payloadLength } = header;
    const payload = packet.subarray(payloadOffset, payloadOffset + payloadLength);
    if (codec === this.#format.codec) return this.#out(payload, now);
    this.#now = now;
    let input = this.#input;
    if (input === undefined || input.codec !== codec || input.from !== from) {
      input?.free();
      input = this.#open(from, codec);
      this.#input = input;
    }
    if (input.feeder !== from.feeder) {
      input.feeder = from.feeder;
      input.stream.reset();
    }
    input.stream.packet(header.sequence, header.timestamp, payload);
  }

  free(): void {
    this.#input?.free();
    this.#input = undefined;
  }

  #open(from: Feeder, codec: CodecName): Input {
    const { codec: to, rate: wanted, bigEndian } = this.#format;
    const { opus } = this.#world;
    const rate = workingRate(codec, to, wanted);
    const decoder = pcmDecoder(codec, rate, opus);
    let free = (): void => decoder.free();
    let frame: (pcm: Int16Array) => void;
    if (to === 'L16') {
      const resampler = rate === wanted ? undefined : new FrameResampler(rate, wanted);
      frame = (pcm) => this.#out(octetsOf(resampler?.push(pcm) ?? pcm, bigEndian), this.#now);
    } else {
      const encoder = pcmEncoder(to, rate, opus, {});
      free = () => {
        decoder.free();
        encoder.free();
      };
      frame = (pcm) => {
        const payload = encoder.encode(pcm);
        if (payload !== undefined) this.#out(payload, this.#now);
      };
    }
    return { codec, from, feeder: from.feeder, stream: new PcmStream(codec, rate, decoder, frame), free };
  }
}

/** Where decoder and encoder meet. */
function workingRate(from: CodecName, to: StreamCodec, wanted: number): PcmRate {
  if (from === 'PCMU' || from === 'PCMA' || to === 'PCMU' || to === 'PCMA') return 8000;
  if (from === 'G722' || to !== 'L16') return to === 'L16' && wanted === 8000 ? 8000 : 16_000;
  return wanted === 8000 || wanted === 16_000 ? wanted : 24_000;
}

/** 16-bit PCM as octets. */
export function octetsOf(pcm: Int16Array, bigEndian: boolean): Uint8Array {
  const out = Buffer.allocUnsafe(2 * pcm.length);
  for (let i = 0; i < pcm.length; i++) {
    if (bigEndian) out.writeInt16BE(pcm[i]!, 2 * i);
    else out.writeInt16LE(pcm[i]!, 2 * i);
  }
  return out;
}
