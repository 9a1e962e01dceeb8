import type { Ms } from '@sidetone/core';
import type { ForkCommand, MediaReply, StreamCommand, TranscribeCommand } from '@sidetone/wire';
import type { Leg } from '../leg.ts';
import type { LegWorld } from '../leg-world.ts';
import type { RemotePort } from '../ports.ts';
import { refuse } from '../refusal.ts';
import { Fork } from './fork.ts';
import { MediaStream, MOST_WAITING } from './media-stream.ts';
import { Room } from './speech-queue.ts';
import { Transcription } from './transcription.ts';

const MOST_ID = 256;
const MOST_URL = 16_384;
/** More than a request of the API may hold. */
const MOST_START = 128 * 1024;
/** Ends remembered, so that a wish that is said again does not begin anew. */
const MOST_ENDED = 4096;
/** Of sound that waits to be heard, of all streams, in octets. */
const MOST_WAITING_OF_ALL = 256 * 1024 * 1024;

const OK: MediaReply = { ok: true };

/** Where the sound of legs goes besides their peers: media streams, transcriptions and forks, at most one of each a leg. */
export class MediaStreams {
  readonly #world: LegWorld;
  readonly #remote: RemotePort | undefined;
  readonly #byLeg = new Map<string, MediaStream>();
  readonly #transcriptions = new Map<string, Transcription>();
  readonly #forks = new Map<string, Fork>();
  readonly #ended = new Set<string>();
  readonly #room = new Room(MOST_WAITING_OF_ALL);

  constructor(world: LegWorld, remote: RemotePort | undefined) {
    this.#world = world;
    this.#remote = remote;
  }

  command(leg: Leg, command: StreamCommand | TranscribeCommand | ForkCommand): MediaReply {
    switch (command.op) {
      case 'fork':
        return this.#fork(leg, command);
      case 'forkStop':
        if (this.#forks.get(leg.id)?.id === command.id) this.#closeFork(leg.id);
        return OK;
      case 'transcribe':
        return this.#transcribe(leg, command);
      case 'transcribeStop': {
        const there = this.#transcriptions.get(leg.id);
        if (there?.id === command.id) there.stop();
        return OK;
      }
      case 'stream':
        return this.#start(leg, command);
      case 'streamBegin':
        this.#of(leg, command.id)?.begin(command.start);
        return OK;
      case 'streamDigits':
        for (const digit of command.digits) this.#of(leg, command.id)?.digit(digit);
        return OK;
      case 'streamStop':
        this.#of(leg, command.id)?.stop();
        return OK;
    }
  }

  /** A digit of a leg's peer. */
  digit(leg: string, digit: string): void {
    this.#byLeg.get(leg)?.digit(digit);
  }

  /** What is none of these is stopped. */
  keep(leg: string, ids: ReadonlySet<string>): void {
    const isKept = ({ id }: { readonly id: string }): boolean => ids.has(id);
    const [stream, transcription, fork] = [
      this.#byLeg.get(leg),
      this.#transcriptions.get(leg),
      this.#forks.get(leg),
    ];
    if (stream !== undefined && !isKept(stream)) stream.stop();
    if (transcription !== undefined && !isKept(transcription)) transcription.stop();
    if (fork !== undefined && !isKept(fork)) this.#closeFork(leg);
  }

  /** The leg is about to be closed. */
  closing(leg: string): void {
    this.#byLeg.get(leg)?.stop();
    this.#byLeg.delete(leg);
    this.#transcriptions.get(leg)?.close();
    this.#transcriptions.delete(leg);
    this.#closeFork(leg);
  }

  /** Every 20 ms, before the legs. */
  tick(now: Ms): void {
    for (const [leg, stream] of this.#byLeg) {
      stream.tick(now);
      if (stream.isOver) this.#over(leg, stream);
    }
    for (const [leg, transcription] of this.#transcriptions) {
      transcription.tick(now);
      if (transcription.isOver) {
        this.#transcriptions.delete(leg);
        this.#remember(transcription.id);
      }
    }
  }

  #of(leg: Leg, id: string): MediaStream | undefined {
    const stream = this.#byLeg.get(leg.id);
    return stream?.id === id ? stream : undefined;
  }

  #over(leg: string, { id }: MediaStream): void {
    this.#byLeg.delete(leg);
    this.#remember(id);
  }

  #remember(id: string): void {
    this.#ended.add(id);
    if (this.#ended.size > MOST_ENDED) this.#ended.delete(this.#ended.values().next().value!);
  }

  #start(leg: Leg, { op: _, leg: __, ...wish }: Extract<StreamCommand, { op: 'stream' }>): MediaReply {
    const { id, url, start } = wish;
    if (typeof id !== 'string' || id === '' || id.length > MOST_ID)
      return refuse('wrong-state', `the id of a stream has 1 to ${MOST_ID} characters`);
    if (typeof url !== 'string' || url.length > MOST_URL)
      return refuse('wrong-state', `the URL of a stream has at most ${MOST_URL} characters`);
    if (typeof start !== 'string' || start.length > MOST_START)
      return refuse('wrong-state', `the start of a stream has at most ${MOST_START} characters`);
    const there = this.#byLeg.get(leg.id);
    if (there?.isOver === true) this.#over(leg.id, there);
    if (this.#ended.has(id)) return OK;
    if (there?.id === id && !there.isOver) {
      // Who asked before may have died before it said that the leg has answered.
      if (wish.waits !== true) there.begin(start);
      return OK;
    }
    if (there !== undefined && !there.isOver) return refuse('wrong-state', 'the leg has a stream');
    if (this.#remote === undefined) return refuse('engine', 'there are no media streams');
    const { opus, now, report } = this.#world;
    const room = new Room(MOST_WAITING, this.#room);
    this.#byLeg.set(leg.id, new MediaStream(wish, leg, { opus, now, report, room, remote: this.#remote }));
    return OK;
  }

  #transcribe(
    leg: Leg,
    { op: _, leg: __, ...wish }: Extract<TranscribeCommand, { op: 'transcribe' }>,
  ): MediaReply {
    const { id, engine } = wish;
    if (typeof id !== 'string' || id === '' || id.length > MOST_ID)
      return refuse('wrong-state', `the id of a transcription has 1 to ${MOST_ID} characters`);
    if (typeof engine?.url !== 'string' || engine.url.length > MOST_URL)
      return refuse('wrong-state', `the URL of an engine has at most ${MOST_URL} characters`);
    const there = this.#transcriptions.get(leg.id);
    if (this.#ended.has(id) || (there?.id === id && !there.isOver)) return OK;
    if (there !== undefined && !there.isOver) return refuse('wrong-state', 'the leg is transcribed already');
    if (this.#remote === undefined) return refuse('engine', 'there are no WebSockets');
    const { opus, now, report, emit } = this.#world;
    const world = { opus, now, report, emit, remote: this.#remote };
    this.#transcriptions.set(leg.id, new Transcription(wish, leg, world));
    return OK;
  }

  #closeFork(leg: string): void {
    this.#forks.get(leg)?.close();
    this.#forks.delete(leg);
  }

  #fork(leg: Leg, { id, rx, tx }: Extract<ForkCommand, { op: 'fork' }>): MediaReply {
    const there = this.#forks.get(leg.id);
    if (there?.id === id) return OK;
    if (there !== undefined) return refuse('wrong-state', 'the leg is forked already');
    if (this.#remote === undefined) return refuse('engine', 'there are no forks');
    const ask = { ...(rx === undefined ? {} : { rx }), ...(tx === undefined ? {} : { tx }) };
    const fork = Fork.open(id, ask, leg, this.#remote);
    if (typeof fork === 'string') return refuse('wrong-state', fork);
    this.#forks.set(leg.id, fork);
    return OK;
  }
}
