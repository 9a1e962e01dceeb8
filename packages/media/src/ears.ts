import type { Ms } from '@sidetone/core';
import type { DtmfDetected, RtpHeader } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';
import { pcmDecoder } from './codec.ts';
import type { LegWorld } from './leg-world.ts';
import { PcmStream } from './pcm-stream.ts';
import type { Feeder, Hearer, Sink } from './sink.ts';
import { type Sounding, SoundWatch } from './sound-watch.ts';
import { ToneDigits } from './tone-digits.ts';

/** Tones and noise of the telephone band are all that is listened for. */
const RATE = 8000;
/** Who sends nothing for so long is silent, and a digit that sounded is over. */
const NOTHING_MS = 200;
/** Digits that we sent as tones come back from some lines for so long. */
const ECHO_MS = 300;

export interface EarsOut {
  digit(digit: DtmfDetected): void;
  heard(what: Sounding, ms: Ms): void;
}

/** Listens to what a leg's peer says: for digits in the sound, and for what the sound is. Only legs that need it have ears. */
export class Ears implements Sink, Hearer {
  readonly inlet: Sink = this;
  readonly #world: LegWorld;
  readonly #out: EarsOut;
  #input: { codec: CodecName; feeder: number; stream: PcmStream } | undefined;
  #digits: ToneDigits | undefined;
  #watch: SoundWatch | undefined;
  /** When `listen` was asked for. */
  #since: Ms = 0;
  #lastAt: Ms;
  #deafUntil: Ms = 0;

  constructor(world: LegWorld, out: EarsOut) {
    this.#world = world;
    this.#out = out;
    this.#lastAt = world.now();
  }

  get idle(): boolean {
    return this.#digits === undefined && this.#watch === undefined;
  }

  /** Are digits listened for? */
  set forDigits(on: boolean) {
    if (on) this.#digits ??= new ToneDigits();
    else this.#digits = undefined;
  }

  /** Is what the sound is listened for? */
  set forSound(on: boolean) {
    if (!on) this.#watch = undefined;
    if (!on || this.#watch !== undefined) return;
    this.#since = this.#world.now();
    this.#lastAt = this.#since;
    this.#watch = new SoundWatch((what, at) =>
      this.#out.heard(what, Math.max(0, Math.round(at - this.#since))),
    );
  }

  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array, now: Ms): void {
    let input = this.#input;
    if (input === undefined || input.codec !== codec) {
      input?.stream.free();
      const decoder = pcmDecoder(codec, RATE, this.#world.opus);
      input = { codec, feeder: from.feeder, stream: new PcmStream(codec, RATE, decoder, this.#frame) };
      this.#input = input;
    }
    if (input.feeder !== from.feeder) {
      input.feeder = from.feeder;
      input.stream.reset();
    }
    this.#lastAt = now;
    const { sequence, timestamp, payloadOffset, payloadLength } = header;
    input.stream.packet(sequence, timestamp, packet.subarray(payloadOffset, payloadOffset + payloadLength));
  }

  /** A digit of ours sounds at the peer's end: what comes back of it is none of the peer's. */
  toneSent(at: Ms): void {
    this.#deafUntil = at + ECHO_MS;
  }

  /** Time passes. */
  tick(now: Ms): void {
    if (now - this.#lastAt < NOTHING_MS) return;
    this.#tell(this.#digits?.flush());
    this.#watch?.nothing(this.#lastAt);
  }

  free(): void {
    this.#input?.stream.free();
    this.#input = undefined;
  }

  readonly #frame = (pcm: Int16Array, gapMs: number): void => {
    const now = this.#lastAt;
    this.#watch?.push(pcm, now);
    if (this.#digits === undefined) return;
    if (gapMs > 0) this.#tell(this.#digits.flush());
    if (now < this.#deafUntil) this.#digits.flush();
    else this.#digits.push(pcm, this.#found);
  };

  readonly #found = (digit: DtmfDetected): void => this.#tell(digit);

  #tell(digit: DtmfDetected | undefined): void {
    if (digit !== undefined) this.#out.digit(digit);
  }
}
