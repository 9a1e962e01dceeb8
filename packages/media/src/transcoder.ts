import type { CodecName } from '@sidetone/wire';
import { clockRate, type PcmDecoder, type PcmEncoder, type PcmRate } from './codec.ts';
import { PcmStream } from './pcm-stream.ts';

/** One encoded 20 ms frame leaves. `skipped`: timestamp units of silence before it, on the outgoing clock. */
export type FrameOut = (payload: Uint8Array, skipped: number) => void;

/** One stream of one codec in, frames of another out. A pause of the sender becomes a jump of the timestamp. */
export class Transcoder {
  readonly #stream: PcmStream;
  readonly #encoder: PcmEncoder;
  readonly #outRate: number;
  readonly #out: FrameOut;
  #skipped = 0;

  constructor(
    from: CodecName,
    to: CodecName,
    rate: PcmRate,
    decoder: PcmDecoder,
    encoder: PcmEncoder,
    out: FrameOut,
  ) {
    this.#stream = new PcmStream(from, rate, decoder, this.#frame);
    this.#encoder = encoder;
    this.#outRate = clockRate(to);
    this.#out = out;
  }

  packet(seq: number, timestamp: number, payload: Uint8Array): void {
    this.#stream.packet(seq, timestamp, payload);
  }

  /** The stream was interrupted (digits, another source): the next packet is a new start. */
  reset(): void {
    this.#stream.reset();
    this.#skipped = 0;
  }

  free(): void {
    this.#stream.free();
    this.#encoder.free();
  }

  readonly #frame = (pcm: Int16Array, gapMs: number): void => {
    if (gapMs > 0) this.#skipped += Math.round((gapMs * this.#outRate) / 1000);
    const packet = this.#encoder.encode(pcm);
    if (packet === undefined) return;
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.#out(packet, skipped);
  };
}
