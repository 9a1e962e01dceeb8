import type { Ms } from '@sidetone/core';
import type { NegotiatedAudio } from '@sidetone/sdp';
import type { CodecName } from '@sidetone/wire';
import { type EncoderLimits, meetingRate, type PcmEncoder, pcmDecoder, pcmEncoder } from './codec.ts';
import type { LegWorld } from './leg-world.ts';
import { renderDigit, type Sound } from './synth.ts';
import { silence, type Track } from './track.ts';
import { Transcoder } from './transcoder.ts';

/** In-band digits are telephone audio. */
const DIGIT_RATE = 8000;
const DIGIT_FRAME = DIGIT_RATE / 50;

/** The stream that frames go into: that of the leg whose peer hears them. */
export interface Outlet {
  readonly codec: CodecName | undefined;
  readonly negotiated: NegotiatedAudio | undefined;
  /** `skipped`: frames that were lost or left out before this one. */
  sendFrame(frame: Uint8Array, feeder: number, now: Ms, skipped?: number): void;
}

/** The leg that is heard; another `feeder` is another stream of it. */
export interface Feeder {
  readonly feeder: number;
}

/** What a leg's stream needs besides relaying: the transcoder, the player, digits as tones. Made when first needed. */
export class Hearing {
  /** The feeder number of everything that the tick sends: played sounds, silence, keep-alive. */
  static readonly PLAYED = 1;
  static readonly #TONES = 2;

  readonly #leg: Outlet;
  readonly #world: LegWorld;
  #transcoder: { from: Feeder; codec: CodecName; feeder: number; engine: Transcoder } | undefined;
  #track: Track | undefined;
  #position = 0;
  #tones: PcmEncoder | undefined;
  readonly #tonePcm = new Int16Array(DIGIT_FRAME);

  constructor(leg: Outlet, world: LegWorld) {
    this.#leg = leg;
    this.#world = world;
  }

  /** Source, codec or direction changed: everything is chosen anew at the next packet. */
  reset(): void {
    this.#transcoder?.engine.free();
    this.#transcoder = undefined;
    this.#track = undefined;
    this.#position = 0;
    this.#tones?.free();
    this.#tones = undefined;
  }

  free(): void {
    this.reset();
  }

  transcode(from: Feeder, codec: CodecName, sequence: number, timestamp: number, payload: Uint8Array): void {
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
    current.engine.packet(sequence, timestamp, payload);
  }

  #build(from: CodecName): Transcoder {
    const to = this.#leg.codec!;
    const rate = meetingRate(from, to);
    const decoder = pcmDecoder(from, rate, this.#world.opus);
    const encoder = pcmEncoder(to, rate, this.#world.opus, this.#limits());
    const feeder = this.#world.newFeeder();
    return new Transcoder(from, to, rate, decoder, encoder, (frame, skipped) => {
      this.#leg.sendFrame(frame, feeder, this.#world.now(), skipped);
    });
  }

  play(sound: Sound, now: Ms): void {
    this.#track ??= this.#world.tracks.get(sound, this.#leg.codec!, this.#limits().maxBitrate);
    const frame = this.#track.frame(this.#position++);
    this.#leg.sendFrame(frame ?? silence(this.#leg.codec!), Hearing.PLAYED, now);
  }

  /** A digit for a peer that negotiated no telephone-event. The repeated ends carry nothing. */
  digitInBand(digit: string, elapsedMs: number, first: boolean, end: boolean, now: Ms): void {
    if (first) this.#tones ??= pcmEncoder(this.#leg.codec!, DIGIT_RATE, this.#world.opus, this.#limits());
    if (end && !first && elapsedMs === this.#lastElapsed) return;
    this.#lastElapsed = end ? elapsedMs : 0;
    renderDigit(digit, (elapsedMs / 20 - 1) * DIGIT_FRAME, this.#tonePcm);
    const frame = this.#tones?.encode(this.#tonePcm);
    if (frame !== undefined) this.#leg.sendFrame(frame, Hearing.#TONES, now);
  }

  #lastElapsed = 0;

  #limits(): EncoderLimits {
    const opus = this.#leg.negotiated?.opus;
    return {
      fec: opus?.fec ?? false,
      ...(opus?.maxBitrate == null ? {} : { maxBitrate: opus.maxBitrate }),
    };
  }
}
