import type { Ms } from '@sidetone/core';
import type { RtpHeader } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';
import { meetingRate, pcmDecoder, pcmEncoder } from './codec.ts';
import type { LegWorld } from './leg-world.ts';
import { type Outlet, PLAYED } from './outlet.ts';
import type { Feeder, Sink } from './sink.ts';
import type { SynthOut } from './synth-out.ts';
import { silence } from './track.ts';
import { Transcoder } from './transcoder.ts';

/** A source that is silent for so long is filled in, so that the peer always hears something. */
const FILL_AFTER_MS = 100;
/** Then silence for as many beats, and comfort noise from there on. */
const COMFORT_AFTER_TICKS = 50;

/** Another leg, or its own, as a leg's peer hears it: equal codecs packet by packet, others transcoded; filled in while nothing comes. */
export class Relay implements Sink {
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  #transcoder: { from: Feeder; codec: CodecName; feeder: number; engine: Transcoder } | undefined;
  #filling = false;
  #filled = 0;

  constructor(outlet: Outlet, world: LegWorld) {
    this.#outlet = outlet;
    this.#world = world;
  }

  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array, now: Ms): void {
    const outlet = this.#outlet;
    if (!outlet.open) return;
    if (codec === outlet.codec) {
      if (outlet.relayed(from.feeder, header, packet, now)) this.#filling = false;
      return;
    }
    this.#filling = false;
    const { payloadOffset, payloadLength } = header;
    this.#transcode(from, codec).packet(
      header.sequence,
      header.timestamp,
      packet.subarray(payloadOffset, payloadOffset + payloadLength),
    );
  }

  /** A tick in which nothing may have come. `comfort`: then noise, in the end. */
  fill(now: Ms, comfort: SynthOut | undefined): void {
    const last = this.#outlet.numbers.lastAt;
    if (!this.#filling) {
      if (last !== undefined && now - last < FILL_AFTER_MS) return;
      this.#filling = true;
      this.#filled = 0;
    }
    // Who speaks no more, or has lost the network, leaves a line that is heard to stand.
    if (comfort !== undefined && this.#filled++ >= COMFORT_AFTER_TICKS)
      comfort.play({ kind: 'comfort' }, now);
    else this.#outlet.frame(silence(this.#outlet.codec!), PLAYED, now);
  }

  /** Source, codec or direction changed: the transcoder is chosen anew at the next packet. */
  reset(): void {
    this.#transcoder?.engine.free();
    this.#transcoder = undefined;
  }

  /** Another source: it is given its time to speak. */
  restart(): void {
    this.#filling = false;
    this.reset();
  }

  #transcode(from: Feeder, codec: CodecName): Transcoder {
    let current = this.#transcoder;
    if (current === undefined || current.from !== from || current.codec !== codec) {
      current?.engine.free();
      current = { from, codec, feeder: from.feeder, engine: this.#build(codec) };
      this.#transcoder = current;
    }
    if (current.feeder !== from.feeder) {
      current.feeder = from.feeder;
      current.engine.reset();
    }
    return current.engine;
  }

  #build(from: CodecName): Transcoder {
    const to = this.#outlet.codec!;
    const rate = meetingRate(from, to);
    const decoder = pcmDecoder(from, rate, this.#world.opus);
    const encoder = pcmEncoder(to, rate, this.#world.opus, this.#outlet.limits);
    const feeder = this.#world.newFeeder();
    return new Transcoder(from, to, rate, decoder, encoder, (frame, skipped) => {
      this.#outlet.frame(frame, feeder, this.#world.now(), skipped);
    });
  }
}
