import type { CodecName } from '@sidetone/wire';
import { clockRate, type PcmDecoder, type PcmRate } from './codec.ts';
import { Reorder } from './reorder.ts';

/** 20 ms of PCM, valid during the call. `gapMs`: how long the sender paused before it. */
export type PcmOut = (frame: Int16Array, gapMs: number) => void;

/** The longest gap that is concealed; beyond it a listener hears silence anyway. */
const MAX_CONCEAL_MS = 120;
/** What a packet may hold at most (RFC 6716 §3.2: 120 ms). */
const MAX_PACKET_MS = 120;

/**
 * One stream of one codec in, 20 ms frames of PCM out: reorder → decode → frames. Event driven: a frame leaves in the turn in which
 * its last sample came. A lost frame is rebuilt from the redundancy of the next one, or concealed (RFC 6716 §2.1.7).
 */
export class PcmStream {
  readonly #decoder: PcmDecoder;
  readonly #rate: PcmRate;
  readonly #inRate: number;
  readonly #reorder = new Reorder();
  readonly #frame: Int16Array;
  readonly #out: PcmOut;
  #filled = 0;
  #gapMs = 0;
  #expectedTimestamp: number | undefined;

  constructor(from: CodecName, rate: PcmRate, decoder: PcmDecoder, out: PcmOut) {
    this.#inRate = clockRate(from);
    this.#rate = rate;
    this.#decoder = decoder;
    this.#frame = new Int16Array(rate / 50);
    this.#out = out;
  }

  packet(seq: number, timestamp: number, payload: Uint8Array): void {
    this.#reorder.push(seq, timestamp, payload, this.#deliver);
  }

  /** What is missing is waited for no longer. */
  flush(): void {
    this.#reorder.flush(this.#deliver);
  }

  /** The stream was interrupted (digits, another source): the next packet is a new start. */
  reset(): void {
    this.#reorder.reset();
    this.#expectedTimestamp = undefined;
    this.#filled = 0;
    this.#gapMs = 0;
  }

  free(): void {
    this.#decoder.free();
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
    this.#gapMs += gapMs;
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
    const gapMs = this.#gapMs;
    this.#gapMs = 0;
    this.#out(this.#frame, gapMs);
  }
}
