import type { Ms } from '@sidetone/core';
import type { RtpHeader } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';
import { type PcmRate, pcmDecoder } from './codec.ts';
import type { LegWorld } from './leg-world.ts';
import { PcmStream } from './pcm-stream.ts';
import { Resampler } from './resampler.ts';
import type { Feeder, Hearer, Sink } from './sink.ts';
import type { Timeline } from './timeline.ts';

/** A stream that runs ahead of the clock by more loses a frame: its sender counts faster than we do. */
const AHEAD_MS = 100;
/** One that has been behind for so long, and never less than so much, is put where the clock is. */
const BEHIND_MS = 100;
const WATCH_MS = 2000;

/** The clock of a recording: places in samples, pauses not counted. */
export interface RecordClock {
  place(now: Ms): number;
}

/**
 * A stream of packets on its way into a channel. Its own timestamps say where each frame belongs, so that a burst behind a pause of the
 * network is in the file as it was said; the clock of the recording says where the stream begins, and corrects it where it strays.
 */
export class RecordedTrack implements Sink, Hearer {
  readonly inlet: Sink = this;
  readonly #world: LegWorld;
  readonly #rate: PcmRate;
  readonly #clock: RecordClock;
  readonly #into: Timeline;
  #input: { codec: CodecName; feeder: number; stream: PcmStream } | undefined;
  #now: Ms = 0;
  /** Where the next frame belongs; `undefined`: where it comes. */
  #next: number | undefined;
  /** Behind the last frame. */
  #end = 0;
  #leastBehind = Number.POSITIVE_INFINITY;
  #watchedFrom: Ms = 0;

  constructor(world: LegWorld, rate: PcmRate, clock: RecordClock, into: Timeline) {
    this.#world = world;
    this.#rate = rate;
    this.#clock = clock;
    this.#into = into;
  }

  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array, now: Ms): void {
    let input = this.#input;
    if (input === undefined || input.codec !== codec) {
      input?.stream.free();
      input = { codec, feeder: from.feeder, stream: this.#open(codec) };
      this.#input = input;
      this.#next = undefined;
    }
    if (input.feeder !== from.feeder) {
      input.feeder = from.feeder;
      input.stream.reset();
      this.#next = undefined;
    }
    this.#now = now;
    const { sequence, timestamp, payloadOffset, payloadLength } = header;
    input.stream.packet(sequence, timestamp, packet.subarray(payloadOffset, payloadOffset + payloadLength));
  }

  /** What comes next is placed when it comes. */
  restart(): void {
    this.#input?.stream.reset();
    this.#next = undefined;
  }

  free(): void {
    this.#input?.stream.free();
    this.#input = undefined;
  }

  #open(codec: CodecName): PcmStream {
    const own = codec === 'PCMU' || codec === 'PCMA' ? 8000 : this.#rate;
    const decoder = pcmDecoder(codec, own, this.#world.opus);
    if (own === this.#rate)
      return new PcmStream(codec, own, decoder, (frame, gapMs) => this.#put(frame, gapMs));
    const resampler = new Resampler(own, this.#rate);
    const out = new Int16Array(this.#rate / 50);
    let gap = 0;
    return new PcmStream(codec, own, decoder, (frame, gapMs) => {
      gap += gapMs;
      let given = false;
      const input = (into: Int16Array): number => {
        if (given) return -1;
        given = true;
        into.set(frame);
        return frame.length;
      };
      while (resampler.pull(out, input) === 1) {
        this.#put(out, gap);
        gap = 0;
      }
    });
  }

  #put(frame: Int16Array, gapMs: number): void {
    const samples = (ms: Ms): number => Math.round((ms * this.#rate) / 1000);
    // The last sample of a frame is said when the frame can be sent.
    const clock = this.#clock.place(this.#now) - frame.length;
    let at = this.#next === undefined ? clock : this.#next + samples(gapMs);
    if (this.#next === undefined || at < this.#into.from) {
      at = clock;
      this.#watch();
    }
    const behind = clock - at;
    if (behind < -samples(AHEAD_MS)) {
      this.#next = at - samples(gapMs);
      return;
    }
    this.#leastBehind = Math.min(this.#leastBehind, behind);
    if (this.#now - this.#watchedFrom >= WATCH_MS) {
      if (this.#leastBehind > samples(BEHIND_MS)) at += this.#leastBehind;
      this.#watch();
    }
    at = Math.max(at, this.#end, 0);
    this.#into.add(at, frame);
    this.#end = at + frame.length;
    this.#next = this.#end;
  }

  #watch(): void {
    this.#leastBehind = Number.POSITIVE_INFINITY;
    this.#watchedFrom = this.#now;
  }
}
