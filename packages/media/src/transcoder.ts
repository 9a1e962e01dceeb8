import type { CodecName } from '@sidetone/wire';
import { clockRate, type PcmDecoder, type PcmEncoder, type PcmRate } from './codec.ts';
import { Reorder } from './reorder.ts';

/** One encoded 20 ms frame leaves. `skipped`: timestamp units of silence before it, on the outgoing clock. */
export type FrameOut = (payload: Uint8Array, skipped: number) => void;

/** The longest gap that is concealed; beyond it a listener hears silence anyway. */
const MAX_CONCEAL_MS = 120;
/** What a packet may hold at most (RFC 6716 §3.2: 120 ms). */
const MAX_PACKET_MS = 120;

/**
 * One stream of one codec in, frames of another out: reorder → decode → 20 ms frames → encode. Event driven: a frame
 * leaves in the turn in which its last sample came. A lost frame is rebuilt from the redundancy of the next one, or
 * concealed (RFC 6716 §2.1.7); a pause of the sender becomes a jump of the timestamp.
 */
export class Transcoder {
  readonly #decoder: PcmDecoder;
  readonly #encoder: PcmEncoder;
  readonly #rate: PcmRate;
  readonly #inRate: number;
  readonly #outRate: number;
  readonly #reorder = new Reorder();
  readonly #frame: Int16Array;
  readonly #out: FrameOut;
  #filled = 0;
  #skipped = 0;
  #expectedTimestamp: number | undefined;

  constructor(
    from: CodecName,
    to: CodecName,
    rate: PcmRate,
    decoder: PcmDecoder,
    encoder: PcmEncoder,
    out: FrameOut,
  ) {
    this.#inRate = clockRate(from);
    this.#outRate = clockRate(to);
    this.#rate = rate;
    this.#decoder = decoder;
    this.#encoder = encoder;
    this.#frame = new Int16Array(rate / 50);
    this.#out = out;
  }

  packet(seq: number, timestamp: number, payload: Uint8Array): void {
    this.#reorder.push(seq, timestamp, payload, this.#deliver);
  }

  /** The stream was interrupted (digits, another source): the next packet is a new start. */
  reset(): void {
    this.#reorder.reset();
    this.#expectedTimestamp = undefined;
    this.#filled = 0;
    this.#skipped = 0;
  }

  free(): void {
    this.#decoder.free();
    this.#encoder.free();
  }

  readonly #deliver = (payload: Uint8Array, timestamp: number, lost: number): void => {
    if (this.#expectedTimestamp !== undefined) {
      const gapMs = (((timestamp - this.#expectedTimestamp) | 0) * 1000) / this.#inRate;
      if (lost > 0 && gapMs > 0 && gapMs <= MAX_CONCEAL_MS) this.#rebuild(payload, gapMs);
      else if (gapMs > 0 && gapMs < 10_000) this.#skip(gapMs);
    }
    const pcm = this.#decoder.decode(payload);
    if (pcm === undefined || pcm.length > (this.#rate * MAX_PACKET_MS) / 1000) {
      this.#expectedTimestamp = undefined;
      return;
    }
    this.#expectedTimestamp = (timestamp + Math.round((pcm.length * this.#inRate) / this.#rate)) >>> 0;
    this.#push(pcm);
  };

  /** `gapMs` of audio is missing right before `payload`: conceal all but the last frame, recover that one. */
  #rebuild(payload: Uint8Array, gapMs: number): void {
    let samples = Math.round((gapMs * this.#rate) / 1000);
    const frame = this.#rate / 50;
    for (; samples >= 2 * frame; samples -= frame) this.#push(this.#decoder.conceal(frame));
    this.#push(samples === frame ? this.#decoder.recover(payload, frame) : this.#decoder.conceal(samples));
  }

  #skip(gapMs: number): void {
    if (this.#filled > 0) {
      this.#frame.fill(0, this.#filled);
      this.#flush();
    }
    this.#skipped += Math.round((gapMs * this.#outRate) / 1000);
  }

  #push(pcm: Int16Array | undefined): void {
    if (pcm === undefined) return;
    for (let i = 0; i < pcm.length; ) {
      const take = Math.min(pcm.length - i, this.#frame.length - this.#filled);
      this.#frame.set(i === 0 && take === pcm.length ? pcm : pcm.subarray(i, i + take), this.#filled);
      this.#filled += take;
      i += take;
      if (this.#filled === this.#frame.length) this.#flush();
    }
  }

  #flush(): void {
    this.#filled = 0;
    const packet = this.#encoder.encode(this.#frame);
    if (packet === undefined) return;
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.#out(packet, skipped);
  }
}
