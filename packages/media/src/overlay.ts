import type { Ms } from '@sidetone/core';
import type { RtpHeader } from '@sidetone/rtc';
import type { CodecName, Source } from '@sidetone/wire';
import { codecRate, type PcmEncoder, type PcmRate, pcmDecoder, pcmEncoder } from './codec.ts';
import type { Feed } from './feed.ts';
import { FrameResampler } from './frame-resampler.ts';
import type { LegWorld } from './leg-world.ts';
import type { Outlet } from './outlet.ts';
import { PcmStream } from './pcm-stream.ts';
import type { Feeder, Sink } from './sink.ts';
import type { NoFrame } from './sound-feed.ts';
import { loopFrames, render } from './synth.ts';

/** Frames of the source that wait for their tick before the first is taken, so that jitter makes no holes. */
const CUSHION = 2;
/** More are too late: the oldest go. */
const MOST_WAITING = 6;

/** What is mixed in. */
export type Mixed = Pick<Feed, 'pcm'>;

/** The rate at which is mixed for a codec. */
export const mixRate = (codec: CodecName): PcmRate => codecRate(codec, 16_000);

/**
 * What a leg's peer hears while a file is mixed into it. The packets of the source are decoded as they come and wait for the tick,
 * which adds the file and sends.
 */
export class Overlay implements Sink {
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  readonly #feeder: number;
  /** Frames of the source, at the rate of the mix. */
  readonly #waiting: Int16Array[] = [];
  #cushioned = false;
  #mix: Int16Array = new Int16Array(0);
  #codec: CodecName | undefined;
  #encoder: PcmEncoder | undefined;
  #input: { from: Feeder; codec: CodecName; feeder: number; stream: PcmStream } | undefined;
  /** Frames of a sound of ours so far. */
  #position = 0;

  constructor(outlet: Outlet, world: LegWorld) {
    this.#outlet = outlet;
    this.#world = world;
    this.#feeder = world.newFeeder();
    if (outlet.codec !== undefined) this.#prepare(outlet.codec);
  }

  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array): void {
    if (this.#codec === undefined) return;
    const { payloadOffset, payloadLength } = header;
    this.#stream(from, codec, mixRate(this.#codec)).packet(
      header.sequence,
      header.timestamp,
      packet.subarray(payloadOffset, payloadOffset + payloadLength),
    );
  }

  /** One tick: mixes `over` into `below`, what is asked for its frames or another source. Returns why each that has no frame has none. */
  tick(
    over: readonly Mixed[],
    below: Feed | Source,
    now: Ms,
  ): { readonly over: readonly (NoFrame | undefined)[]; readonly below: NoFrame | undefined } {
    this.#prepare(this.#outlet.codec!);
    const rate = mixRate(this.#codec!);
    const under = 'kind' in below ? this.#source(below) : below.pcm(rate);
    if (typeof under === 'string') this.#mix.fill(0);
    else if (under !== this.#mix) this.#mix.set(under);
    const late = over.map((one) => {
      const pcm = one.pcm(rate);
      if (typeof pcm === 'string') return pcm;
      add(this.#mix, pcm);
      return undefined;
    });
    const frame = this.#encoder!.encode(this.#mix);
    if (frame !== undefined) this.#outlet.frame(frame, this.#feeder, now);
    return { over: late, below: typeof under === 'string' ? under : undefined };
  }

  /** Another source: nothing of the one before is heard. */
  restart(): void {
    this.#input?.stream.free();
    this.#input = undefined;
    this.#waiting.length = 0;
    this.#cushioned = false;
    this.#position = 0;
  }

  free(): void {
    this.restart();
    this.#encoder?.free();
    this.#encoder = undefined;
    this.#codec = undefined;
  }

  #prepare(codec: CodecName): void {
    if (codec === this.#codec) return;
    this.free();
    this.#codec = codec;
    const rate = mixRate(codec);
    this.#mix = new Int16Array(rate / 50);
    this.#encoder = pcmEncoder(codec, rate, this.#world.opus, this.#outlet.limits);
  }

  #source(source: Source): Int16Array | 'late' {
    switch (source.kind) {
      case 'silence':
      case 'file':
      case 'room':
        return 'late';
      case 'tone':
      case 'music':
      case 'ringback':
        render(source, this.#position++ % loopFrames(source), this.#mix);
        return this.#mix;
      case 'leg':
      case 'echo': {
        this.#cushioned = this.#waiting.length >= (this.#cushioned ? 1 : CUSHION);
        return (this.#cushioned ? this.#waiting.shift() : undefined) ?? 'late';
      }
    }
  }

  #stream(from: Feeder, codec: CodecName, rate: PcmRate): PcmStream {
    let input = this.#input;
    if (input === undefined || input.from !== from || input.codec !== codec) {
      input?.stream.free();
      input = { from, codec, feeder: from.feeder, stream: this.#open(codec, rate) };
      this.#input = input;
    }
    if (input.feeder !== from.feeder) {
      input.feeder = from.feeder;
      input.stream.reset();
    }
    return input.stream;
  }

  #open(from: CodecName, rate: PcmRate): PcmStream {
    const at = codecRate(from, rate);
    const keep = (frame: Int16Array): void => {
      this.#waiting.push(frame.slice());
      if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    };
    const decoder = pcmDecoder(from, at, this.#world.opus);
    if (at === rate) return new PcmStream(from, at, decoder, keep);
    const resampler = new FrameResampler(at, rate);
    return new PcmStream(from, at, decoder, (frame) => keep(resampler.push(frame)));
  }
}

/** Adds, and stays within 16 bits. */
function add(mix: Int16Array, sound: Int16Array): void {
  for (let i = 0; i < mix.length; i++) {
    const sum = mix[i]! + sound[i]!;
    mix[i] = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
  }
}
