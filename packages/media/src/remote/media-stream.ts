import { isFields, type Ms } from '@sidetone/core';
import type { StreamBack, StreamCommand } from '@sidetone/wire';
import type { Leg } from '../leg.ts';
import type { LegWorld } from '../leg-world.ts';
import type { RemoteEvents, RemoteLine, RemotePort } from '../ports.ts';
import { CONNECTED, type Fault, FrameWriter, readFrame } from './frames.ts';
import { type Room, SpeechQueue } from './speech-queue.ts';
import { formatOf, type PayloadFormat, Tap } from './tap.ts';
import { Voice } from './voice.ts';

export type StreamWish = Omit<Extract<StreamCommand, { op: 'stream' }>, 'op' | 'leg'>;

/** Unsent octets at which media is dropped, and for how long that may last. */
const MOST_UNSENT = 256 * 1024;
const DEAF_MS: Ms = 10_000;
/** Faulty frames of the other end that are borne at once; one a second is forgiven. */
const MOST_FAULTS = 100;
/** Of sound that waits to be heard, in octets: an MP3 file of 5 minutes, and more. */
export const MOST_WAITING = 10 * 1024 * 1024;
/** From one MP3 file to the next. */
const MP3_MS: Ms = 1000;
/** Tries, and the pauses before them. */
const MOST_TRIES = 10;
const FIRST_PAUSE_MS: Ms = 1000;
const LONGEST_PAUSE_MS: Ms = 10_000;
const MP3_FORMAT: PayloadFormat = { codec: 'L16', rate: 16_000, bigEndian: false };

export interface StreamWorld extends Pick<LegWorld, 'opus' | 'now' | 'report'> {
  readonly remote: RemotePort;
  /** Of all streams. */
  readonly room: Room;
}

/**
 * A leg's sound on its way to the other end of a WebSocket, and back.
 *
 *   connecting ──opened: `connected`──▶ open ──begin: `start`, told open──▶ running ──stop, leg closed: `stop`──▶ over, told closed
 *       ▲                                                                     ├──closed by the other end──▶ over, told closed
 *       └──────── after a pause, where it reconnects ◀── lost, refused ───────┴── else ──▶ over, told failed
 *
 * An end that does not read loses media, and after 10 s the stream fails; one that sends what is no frame is told so, and fails at the 100th.
 */
export class MediaStream {
  readonly id: string;
  readonly #wish: StreamWish;
  readonly #leg: Leg;
  readonly #world: StreamWorld;
  readonly #frames: FrameWriter;
  #start: Readonly<Record<string, unknown>>;
  #line: RemoteLine | undefined;
  #state: 'connecting' | 'open' | 'running' | 'over' = 'connecting';
  #mayBegin: boolean;
  /** When `start` was sent first. */
  #begunAt: Ms | undefined;
  #taps: readonly Tap[] = [];
  readonly #chunks = { inbound: 0, outbound: 0 };
  #deafSince: Ms | undefined;
  #faults = 0;
  #faultAt: Ms = 0;
  #tries = 0;
  #againAt: Ms | undefined;
  #queue: SpeechQueue | undefined;
  #voices: readonly { readonly leg: Leg; readonly voice: Voice }[] = [];
  #hearers: readonly Leg[] | undefined;
  #mp3At: Ms = Number.NEGATIVE_INFINITY;

  constructor(wish: StreamWish, leg: Leg, world: StreamWorld) {
    this.id = wish.id;
    this.#wish = wish;
    this.#leg = leg;
    this.#world = world;
    this.#frames = new FrameWriter(wish.id);
    this.#start = fieldsOf(wish.start);
    this.#mayBegin = wish.waits !== true;
    this.#connect();
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  // -- wishes ----------------------------------------------------------------------------------------------------

  begin(start: string): void {
    if (this.#mayBegin) return;
    this.#start = fieldsOf(start);
    this.#mayBegin = true;
    if (this.#state === 'open') this.#begin();
  }

  stop(): void {
    if (this.isOver) return;
    if (this.#state === 'running') {
      const { user_id, call_control_id } = this.#start;
      this.#line!.send(this.#frames.stop({ user_id, call_control_id }));
    }
    this.#end('closed');
  }

  digit(digit: string): void {
    if (this.#state !== 'running') return;
    this.#line!.send(this.#frames.dtmf(digit, new Date(this.#world.remote.epoch()).toISOString()));
  }

  // -- the socket ------------------------------------------------------------------------------------------------

  #connect(): void {
    const { url, token } = this.#wish;
    this.#state = 'connecting';
    this.#againAt = undefined;
    const isCurrent = (): boolean => this.#line === line && !this.isOver;
    const events: RemoteEvents = {
      opened: () => {
        if (isCurrent()) this.#opened();
      },
      text: (text) => {
        if (isCurrent()) this.#received(text);
      },
      binary: () => {
        if (isCurrent()) this.#fault('malformed', 'Frames are text.');
      },
      ended: (how, reason) => {
        if (isCurrent()) this.#ended(how, reason);
      },
    };
    const line = this.#world.remote.connect({ url, ...(token === undefined ? {} : { token }) }, events);
    this.#line = line;
  }

  #opened(): void {
    this.#state = 'open';
    this.#tries = 0;
    this.#line!.send(CONNECTED);
    if (this.#mayBegin) this.#begin();
  }

  #begin(): void {
    const format = formatOf(this.#wish, this.#leg.codec ?? 'PCMU');
    const { codec: encoding, rate: sample_rate } = format;
    this.#state = 'running';
    this.#line!.send(this.#frames.start(this.#start, { encoding, sample_rate, channels: 1 }));
    if (this.#begunAt === undefined) {
      this.#begunAt = this.#world.now();
      this.#world.report({ event: 'streamed', leg: this.#leg.id, id: this.id, state: 'open' });
      this.#listen();
    }
    const { track } = this.#wish;
    this.#taps = (['inbound', 'outbound'] as const)
      .filter((one) => track === one || track === 'both')
      .map((one) => {
        const tap = new Tap(format, this.#world, (payload, now) => this.#media(one, payload, now));
        if (one === 'inbound') this.#leg.tap(tap, true);
        else this.#leg.tapOut(tap, true);
        return tap;
      });
  }

  /** From now on what the other end says is heard. */
  #listen(): void {
    const { back, bigEndian = false } = this.#wish;
    if (back === undefined) return;
    const format = back.mode === 'mp3' ? MP3_FORMAT : backFormat(back, bigEndian);
    const { opus, room } = this.#world;
    this.#queue = new SpeechQueue(format, opus, room, {
      played: (name) => this.#answer(this.#frames.mark(name)),
      invalid: () =>
        this.#fault('invalid', `The payload is no ${back.mode === 'mp3' ? 'MP3 file' : format.codec}.`),
    });
    this.#aim(back.target, this.#queue);
  }

  /** Who hears it now. */
  #aim(target: StreamBack['target'], queue: SpeechQueue): void {
    const leg = this.#leg;
    this.#hearers = leg.hearers;
    const opposite = target === 'self' ? [] : leg.hearers.filter((one) => one !== leg);
    const wanted = target === 'opposite' ? opposite : [leg, ...opposite];
    for (const { leg: one, voice } of this.#voices) if (!wanted.includes(one)) one.removeVoice(voice);
    this.#voices = wanted.map((one) => {
      const there = this.#voices.find((had) => had.leg === one);
      if (there !== undefined) return there;
      const voice = new Voice(queue);
      one.addVoice(voice);
      return { leg: one, voice };
    });
  }

  #ended(how: 'closed' | 'lost' | 'refused', reason: string): void {
    this.#line = undefined;
    this.#deafSince = undefined;
    this.#untap();
    if (how === 'closed' && this.#begunAt !== undefined) return this.#end('closed');
    if (this.#wish.reconnects === true && this.#tries < MOST_TRIES) {
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#tries++);
      this.#state = 'connecting';
      this.#againAt = this.#world.now() + pause;
      this.#queue?.clear();
    } else this.#end('failed', reason);
  }

  #end(state: 'closed' | 'failed', reason?: string): void {
    this.#state = 'over';
    this.#untap();
    for (const { leg, voice } of this.#voices) leg.removeVoice(voice);
    this.#voices = [];
    this.#queue?.free();
    this.#queue = undefined;
    this.#line?.close();
    this.#line = undefined;
    const why = reason === undefined ? {} : { reason };
    this.#world.report({ event: 'streamed', leg: this.#leg.id, id: this.id, state, ...why });
  }

  #untap(): void {
    for (const tap of this.#taps) {
      this.#leg.tap(tap, false);
      this.#leg.tapOut(tap, false);
      tap.free();
    }
    this.#taps = [];
  }

  // -- out -------------------------------------------------------------------------------------------------------

  /** What the other end brings about by frames of its own: one that does not read gets no more of it. */
  #answer(text: string): void {
    if (this.#isHeard(this.#world.now())) this.#line!.send(text);
  }

  /** Whether the other end reads what it is sent. */
  #isHeard(now: Ms): boolean {
    if (this.#line === undefined) return false;
    const reads = this.#line.waiting <= MOST_UNSENT;
    this.#deafSince = reads ? undefined : (this.#deafSince ?? now);
    return reads;
  }

  #media(track: 'inbound' | 'outbound', payload: Uint8Array, now: Ms): void {
    // What is dropped is counted, so that the other end sees the gap.
    const chunk = ++this.#chunks[track];
    if (this.#state !== 'running' || !this.#isHeard(now)) return;
    const at = Math.max(0, Math.round(now - this.#begunAt!));
    this.#line!.send(this.#frames.media(track, chunk, at, payload));
  }

  // -- in --------------------------------------------------------------------------------------------------------

  #received(text: string): void {
    const frame = readFrame(text);
    if ('fault' in frame) return this.#fault(frame.fault, frame.detail);
    const queue = this.#queue;
    if (queue === undefined) {
      // Nothing is heard from an end that was not asked to speak; its marks have nothing before them.
      if (frame.event === 'mark' && this.#state === 'running') this.#answer(this.#frames.mark(frame.name));
      else if (frame.event === 'media')
        this.#fault('invalid', 'This stream is one way: stream_bidirectional_mode was not set.');
      return;
    }
    switch (frame.event) {
      case 'clear':
        return queue.clear();
      case 'mark':
        if (!queue.mark(frame.name)) this.#fault('tooMany', 'Too many marks wait.');
        return;
      case 'media':
        return this.#wish.back!.mode === 'mp3'
          ? this.#file(queue, frame.payload)
          : this.#sound(queue, frame.payload);
    }
  }

  #sound(queue: SpeechQueue, bytes: Uint8Array): void {
    if (this.#wish.back!.codec === 'L16' && bytes.length % 2 !== 0)
      return this.#fault('invalid', 'L16 has two octets a sample.');
    const spoke = queue.speaks;
    if (!queue.push(bytes)) return this.#fault('tooMany', 'Too much sound waits to be heard.');
    if (!spoke) for (const { leg } of this.#voices) leg.spoken();
  }

  #file(queue: SpeechQueue, bytes: Uint8Array): void {
    const { now, remote } = this.#world;
    if (now() - this.#mp3At < MP3_MS) return this.#fault('tooMany', 'At most one MP3 file a second.');
    this.#mp3At = now();
    // The room of a file is that of its octets until it is decoded.
    const decoded = queue.pushFile(() => remote.decodeMp3(bytes), bytes.length);
    if (decoded === undefined) return this.#fault('tooMany', 'Too much sound waits to be heard.');
    void decoded.then(() => {
      if (!this.isOver) for (const { leg } of this.#voices) leg.spoken();
    });
  }

  #fault(fault: Fault, detail: string): void {
    const line = this.#line;
    if (line === undefined || this.isOver) return;
    const now = this.#world.now();
    this.#faults = Math.max(0, this.#faults - (now - this.#faultAt) / 1000) + 1;
    this.#faultAt = now;
    this.#answer(this.#frames.error(fault, detail));
    if (this.#faults >= MOST_FAULTS) this.#end('failed', `too many frames that cannot be used: ${detail}`);
  }

  // -- time ------------------------------------------------------------------------------------------------------

  /** Every 20 ms, before the legs. */
  tick(now: Ms): void {
    if (this.#queue !== undefined) {
      this.#queue.tick();
      const { target } = this.#wish.back!;
      if (target !== 'self' && this.#leg.hearers !== this.#hearers) this.#aim(target, this.#queue);
    }
    if (this.#againAt !== undefined && now >= this.#againAt) this.#connect();
    if (this.#deafSince !== undefined && !this.#isHeard(now) && now - this.#deafSince > DEAF_MS)
      this.#end('failed', 'the other end does not read');
  }
}

const backFormat = ({ codec, rate }: StreamBack, bigEndian: boolean): PayloadFormat => ({
  codec,
  rate: codec === 'L16' ? rate : codec === 'PCMU' || codec === 'PCMA' ? 8000 : 16_000,
  bigEndian,
});

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  return isFields(value) ? value : {};
}
