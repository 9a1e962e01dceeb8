import type { Ms } from '@sidetone/core';
import type { RtpHeader } from '@sidetone/rtc';
import type { CodecName } from '@sidetone/wire';
import { codecRate, type PcmRate, pcmDecoder } from '../codec.ts';
import type { LegWorld } from '../leg-world.ts';
import { PcmStream } from '../pcm-stream.ts';
import type { Feeder, Hearer, Sink } from '../sink.ts';
import { Nap } from './nap.ts';

/** What comes first waits so long for its tick, so that a little jitter makes no holes. */
const SETTLE_MS = 8;
/** Frames that wait at most: a packet of 120 ms, and what jitter needs. */
const MOST_WAITING = 10;
/** After so many ticks without a frame the sender has paused: what comes then comes first again. */
const PAUSE_TICKS = 5;
/** Frames that waited through all of so many ticks are too many. */
const SURPLUS_TICKS = 100;

interface Input {
  readonly codec: CodecName;
  feeder: number;
  readonly stream: PcmStream;
}

/**
 * What a member of a room says, as a frame of PCM a tick. Packets are decoded as they come, and wait.
 *
 *   quiet ──8 ms after the first frame──▶ flowing ──5 ticks without a frame──▶ quiet
 *
 * A frame that is late leaves a hole, in which the sound dies away, and stays: so the waiting grows to what the jitter needs. What has waited
 * for 2 s is passed over: one frame is blended into another.
 */
export class Slot implements Sink, Hearer {
  readonly inlet: Sink = this;
  /** Nothing has been said for a while: packets that say so of themselves need not be decoded. */
  still = false;
  readonly #world: LegWorld;
  #most: PcmRate;
  #input: Input | undefined;
  #rate: PcmRate = 8000;
  /** A ring of frames, and the one that is given out. */
  #frames: Int16Array[] = [];
  #out: Int16Array = new Int16Array(0);
  #first = 0;
  #waiting = 0;
  #firstAt: Ms = 0;
  #flowing = false;
  /** Ticks without a frame since the last. */
  #dry = 0;
  /** What is decoded now is not to be heard. */
  #unheard = false;
  readonly #nap = new Nap();
  #ticks = 0;
  #fewest = MOST_WAITING;

  /** `most`: no rate above it is of use. */
  constructor(world: LegWorld, most: PcmRate) {
    this.#world = world;
    this.#most = most;
  }

  /** The rate of the frames. */
  get rate(): PcmRate {
    return this.#rate;
  }

  set most(most: PcmRate) {
    if (most === this.#most) return;
    this.#most = most;
    if (this.#input !== undefined && codecRate(this.#input.codec, most) !== this.#rate) this.free();
  }

  packet(from: Feeder, codec: CodecName, header: RtpHeader, packet: Uint8Array): void {
    let input = this.#input;
    if (input === undefined || input.codec !== codec) input = this.#open(codec, from.feeder);
    if (input.feeder !== from.feeder) {
      input.feeder = from.feeder;
      input.stream.reset();
      this.#nap.forget();
    }
    const { sequence, timestamp, payloadOffset, payloadLength } = header;
    const payload = packet.subarray(payloadOffset, payloadOffset + payloadLength);
    if (codec === 'OPUS') {
      if (this.still && this.#nap.passes(sequence, timestamp, payload)) return;
      if (this.#nap.isDeep) this.#wake(input.stream);
    }
    input.stream.packet(sequence, timestamp, payload);
  }

  /** The frame of this tick, valid until the next; `undefined`: nothing is said. */
  pull(now: Ms): Int16Array | undefined {
    if (!this.#flowing) {
      if (this.#waiting === 0 || now - this.#firstAt < SETTLE_MS) return undefined;
      this.#flowing = true;
      this.#dry = 1;
    }
    if (this.#waiting === 0) this.#input?.stream.flush();
    if (this.#waiting === 0) return this.#hole();
    const out = this.#out;
    out.set(this.#shift());
    if (this.#dry > 0) rampIn(out);
    this.#dry = 0;
    this.#fewest = Math.min(this.#fewest, this.#waiting);
    if (++this.#ticks >= SURPLUS_TICKS) {
      for (; this.#fewest > 1; this.#fewest--) this.#shift();
      if (this.#fewest > 0) blend(out, this.#shift());
      this.#ticks = 0;
      this.#fewest = MOST_WAITING;
    }
    return out;
  }

  free(): void {
    this.#input?.stream.free();
    this.#input = undefined;
    this.#waiting = 0;
    this.#flowing = false;
  }

  /** The decoder is told what came last while it was not asked, so that it knows what is predicted from that. */
  #wake(stream: PcmStream): void {
    stream.reset();
    this.#unheard = true;
    this.#nap.tell((sequence, timestamp, payload) => stream.packet(sequence, timestamp, payload));
    this.#unheard = false;
  }

  #open(codec: CodecName, feeder: number): Input {
    this.free();
    this.#rate = codecRate(codec, this.#most);
    const samples = this.#rate / 50;
    if (samples !== this.#out.length) {
      this.#out = new Int16Array(samples);
      this.#frames = Array.from({ length: MOST_WAITING }, () => new Int16Array(samples));
    }
    const decoder = pcmDecoder(codec, this.#rate, this.#world.opus);
    this.#input = { codec, feeder, stream: new PcmStream(codec, this.#rate, decoder, this.#keep) };
    return this.#input;
  }

  readonly #keep = (frame: Int16Array): void => {
    if (this.#unheard) return;
    if (this.#waiting === 0) this.#firstAt = this.#world.now();
    if (this.#waiting === MOST_WAITING) {
      // Too late: the oldest goes.
      this.#first = (this.#first + 1) % MOST_WAITING;
      this.#waiting--;
    }
    this.#frames[(this.#first + this.#waiting++) % MOST_WAITING]!.set(frame);
  };

  #shift(): Int16Array {
    const frame = this.#frames[this.#first]!;
    this.#first = (this.#first + 1) % MOST_WAITING;
    this.#waiting--;
    return frame;
  }

  /** No frame has come: what was heard last dies away. */
  #hole(): Int16Array | undefined {
    if (++this.#dry > PAUSE_TICKS) this.#flowing = false;
    if (this.#dry > 1) return undefined;
    dieAway(this.#out);
    return this.#out;
  }
}

/** The decay of a sound that is broken off. */
const DECAY_S = 0.001;

/** In place of a frame, what goes on from its last sample, in its direction, and comes to rest: a critically damped swing. */
function dieAway(frame: Int16Array): void {
  const tau = DECAY_S * frame.length * 50;
  const last = frame.at(-1)!;
  const peak = frame.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const slope = Math.max(-peak / tau, Math.min(peak / tau, last - frame.at(-2)!));
  for (let i = 0; i < frame.length; i++) {
    const t = i + 1;
    const value = (last + (slope + last / tau) * t) * Math.exp(-t / tau);
    frame[i] = Math.round(Math.max(-32768, Math.min(32767, value)));
  }
}

/** 5 ms from nothing to all. */
function rampIn(frame: Int16Array): void {
  const ramp = frame.length >> 2;
  for (let i = 0; i < ramp; i++) frame[i] = Math.round((frame[i]! * i) / ramp);
}

/** Two frames become one, which begins as the first and ends as the second. */
function blend(frame: Int16Array, next: Int16Array): void {
  for (let i = 0; i < frame.length; i++)
    frame[i] = Math.round(frame[i]! + ((next[i]! - frame[i]!) * (i + 1)) / frame.length);
}
