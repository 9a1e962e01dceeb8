import { type PcmDecoder, pcmDecoder } from '../codec.ts';
import type { OpusFactory } from '../opus.ts';
import type { PayloadFormat } from './tap.ts';

/*
 * What the other end of a stream says, piece behind piece, whatever the pieces' lengths.
 *
 *   idle ──a piece──▶ filling ──60 ms are there, or have passed──▶ playing ──nothing more──▶ pausing ──1 s──▶ idle
 *                        ▲                                                                      │
 *                        └──────────────────────── a piece ────────────────────────────────────┘
 *
 * Frames are taken by ticks, and everyone who takes one in a tick gets the same. In `filling` and `pausing` they are silent, so that a
 * speaker whose pieces come one by one, in their time, is heard without breaks.
 */

const FRAME_MS = 20;
const CUSHION_TICKS = 3;
const PAUSE_TICKS = 50;
const MOST_MARKS = 1000;
/** What a piece takes besides its octets. */
const PIECE_OCTETS = 128;

type Item =
  | { readonly kind: 'sound'; readonly bytes: Uint8Array }
  /** A file that is being decoded, and is behind what came before. */
  | { readonly kind: 'file'; sound: Int16Array | undefined; dropped: boolean }
  | { readonly kind: 'mark'; readonly name: string };

/** Octets that wait to be heard, of one stream; and that are there, of all. */
export class Room {
  #used = 0;
  readonly #most: number;
  readonly #all: Room | undefined;

  constructor(most: number, all?: Room) {
    this.#most = most;
    this.#all = all;
  }

  take(octets: number): boolean {
    if (this.#used + octets > this.#most || this.#all?.take(octets) === false) return false;
    this.#used += octets;
    return true;
  }

  give(octets: number): void {
    this.#used -= octets;
    this.#all?.give(octets);
  }

  /** They wait no more; they are gone when what is returned is called. */
  hear(octets: number): () => void {
    this.#used -= octets;
    return () => this.#all?.give(octets);
  }
}

const NOTHING = new Int16Array(0);

export interface SpeechOut {
  /** Everything before the mark has been heard. */
  played(mark: string): void;
  /** A piece was no sound. */
  invalid(): void;
}

export class SpeechQueue {
  /** Samples a second of the frames. */
  readonly rate: number;
  readonly #format: PayloadFormat;
  readonly #decoder: PcmDecoder | undefined;
  readonly #room: Room;
  readonly #out: SpeechOut;
  readonly #items: Item[] = [];
  readonly #frame: Int16Array;
  #state: 'idle' | 'filling' | 'playing' | 'pausing' = 'idle';
  #ticks = 0;
  #marks = 0;
  /** Decoded, and not heard yet. */
  #pcm: Int16Array = NOTHING;
  #at = 0;
  /** Gives back the room of `#pcm`. */
  #over: (() => void) | undefined;
  #decoding: Promise<void> = Promise.resolve();
  /** How far the first item has been decoded, in octets. */
  #offset = 0;
  #taken = false;

  constructor(format: PayloadFormat, opus: OpusFactory, room: Room, out: SpeechOut) {
    const { codec, rate } = format;
    // What Opus says is heard at the rate of the widest mix.
    this.rate = codec === 'OPUS' ? 16_000 : rate;
    this.#format = format;
    this.#decoder =
      codec === 'L16'
        ? undefined
        : pcmDecoder(codec, codec === 'PCMU' || codec === 'PCMA' ? 8000 : 16_000, opus);
    this.#room = room;
    this.#out = out;
    this.#frame = new Int16Array(Math.round(this.rate / 50));
  }

  get speaks(): boolean {
    return this.#state !== 'idle';
  }

  /** `false`: too much waits. */
  push(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    if (!this.#room.take(bytes.length + PIECE_OCTETS)) return false;
    this.#items.push({ kind: 'sound', bytes });
    this.#fill();
    return true;
  }

  /**
   * A file, heard when it is decoded and what came before is over; `undefined`: too much waits. One is decoded behind the other, so that a
   * stream with many does not fill the queue of all.
   */
  pushFile(decode: () => Promise<Int16Array | undefined>, octets: number): Promise<void> | undefined {
    if (!this.#room.take(octets)) return undefined;
    const item: Extract<Item, { kind: 'file' }> = { kind: 'file', sound: undefined, dropped: false };
    this.#items.push(item);
    this.#decoding = this.#decoding
      .then(() => (item.dropped ? undefined : decode()))
      .then(
        (pcm) => this.#decoded(item, octets, pcm),
        () => this.#decoded(item, octets, undefined),
      );
    return this.#decoding;
  }

  #decoded(item: Extract<Item, { kind: 'file' }>, octets: number, pcm: Int16Array | undefined): void {
    this.#room.give(octets);
    if (item.dropped) return;
    if (pcm === undefined || !this.#room.take(2 * pcm.length)) {
      this.#out.invalid();
      item.sound = NOTHING;
    } else item.sound = pcm;
    this.#fill();
    this.#passMarks();
  }

  /** `false`: too many wait. */
  mark(name: string): boolean {
    if (this.#marks >= MOST_MARKS) return false;
    this.#marks++;
    this.#items.push({ kind: 'mark', name });
    this.#passMarks();
    return true;
  }

  /** Nothing that has come is heard any more. */
  clear(): void {
    const marks: string[] = [];
    for (const item of this.#items.splice(0)) {
      if (item.kind === 'mark') marks.push(item.name);
      else this.#drop(item);
    }
    this.#offset = 0;
    this.#heard(NOTHING);
    this.#marks = 0;
    for (const name of marks) this.#out.played(name);
  }

  free(): void {
    for (const item of this.#items.splice(0)) if (item.kind !== 'mark') this.#drop(item);
    this.#heard(NOTHING);
    this.#decoder?.free();
    this.#state = 'idle';
  }

  #drop(item: Exclude<Item, { kind: 'mark' }>): void {
    if (item.kind === 'sound') this.#room.give(item.bytes.length + PIECE_OCTETS);
    else if (item.sound !== undefined) this.#room.give(2 * item.sound.length);
    else item.dropped = true;
  }

  /** Another frame may be taken. */
  tick(): void {
    this.#taken = false;
  }

  /** The frame of this tick; only to be read, until the next. */
  frame(): Int16Array {
    if (this.#taken || this.#state === 'idle') return this.#frame;
    this.#taken = true;
    if (this.#state === 'filling') {
      if (++this.#ticks <= CUSHION_TICKS && !this.#hasCushion()) return this.#silence();
      this.#state = 'playing';
    }
    if (this.#state === 'playing') {
      const filled = this.#take();
      if (filled === this.#frame.length) return this.#frame;
      this.#frame.fill(0, filled);
      this.#state = 'pausing';
      this.#ticks = 0;
      return this.#frame;
    }
    if (++this.#ticks >= PAUSE_TICKS) this.#state = 'idle';
    return this.#silence();
  }

  #fill(): void {
    if (this.#state === 'playing' || this.#state === 'filling') return;
    this.#state = 'filling';
    this.#ticks = 0;
  }

  #silence(): Int16Array {
    this.#frame.fill(0);
    return this.#frame;
  }

  #hasCushion(): boolean {
    const { codec, rate } = this.#format;
    let ms = 0;
    for (const item of this.#items) {
      // A packet of Opus says by itself how long it is: 20 ms as a rule.
      if (item.kind === 'sound')
        ms +=
          codec === 'OPUS'
            ? FRAME_MS
            : codec === 'L16'
              ? item.bytes.length / (rate / 500)
              : item.bytes.length / 8;
      else if (item.kind === 'file') ms += item.sound === undefined ? 0 : CUSHION_TICKS * FRAME_MS;
      if (ms >= CUSHION_TICKS * FRAME_MS) return true;
    }
    return false;
  }

  #take(): number {
    const frame = this.#frame;
    let filled = 0;
    while (filled < frame.length) {
      if (this.#at >= this.#pcm.length && !this.#more(frame.length - filled)) break;
      const count = Math.min(frame.length - filled, this.#pcm.length - this.#at);
      frame.set(this.#pcm.subarray(this.#at, this.#at + count), filled);
      this.#at += count;
      filled += count;
    }
    this.#passMarks();
    return filled;
  }

  /** Decodes what is next, about as many samples as are asked for; `false`: there is nothing now. */
  #more(samples: number): boolean {
    this.#heard(NOTHING);
    this.#passMarks();
    const item = this.#items[0];
    if (item === undefined || item.kind === 'mark') return false;
    if (item.kind === 'file') {
      if (item.sound === undefined) return false;
      this.#items.shift();
      this.#heard(item.sound, this.#room.hear(2 * item.sound.length));
      return true;
    }
    const { codec } = this.#format;
    const octets = codec === 'L16' ? 2 * samples : codec === 'G722' ? Math.ceil(samples / 2) : samples;
    const rest = item.bytes.subarray(this.#offset);
    const piece = codec === 'OPUS' ? rest : rest.subarray(0, octets);
    this.#offset += piece.length;
    if (this.#offset >= item.bytes.length) {
      this.#items.shift();
      this.#offset = 0;
      this.#room.give(item.bytes.length + PIECE_OCTETS);
    }
    const pcm =
      this.#decoder === undefined ? samplesOf(piece, this.#format.bigEndian) : this.#decoder.decode(piece);
    if (pcm === undefined) this.#out.invalid();
    this.#heard(pcm ?? NOTHING);
    return true;
  }

  #heard(pcm: Int16Array, over?: () => void): void {
    this.#over?.();
    this.#over = over;
    this.#pcm = pcm;
    this.#at = 0;
  }

  /** Marks at the front, with nothing before them that is still to be heard. */
  #passMarks(): void {
    while (this.#at >= this.#pcm.length) {
      const item = this.#items[0];
      if (item?.kind !== 'mark') return;
      this.#items.shift();
      this.#marks--;
      this.#out.played(item.name);
    }
  }
}

/** 16-bit PCM of octets, of which there is an even number. */
export function samplesOf(bytes: Uint8Array, bigEndian: boolean): Int16Array {
  const out = new Int16Array(bytes.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const [first, second] = [bytes[2 * i]!, bytes[2 * i + 1]!];
    out[i] = bigEndian ? (first << 8) | second : (second << 8) | first;
  }
  return out;
}
