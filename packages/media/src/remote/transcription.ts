import { isFields, type Ms } from '@sidetone/core';
import type { TranscribeCommand } from '@sidetone/wire';
import type { Leg } from '../leg.ts';
import type { LegWorld } from '../leg-world.ts';
import type { RemoteLine, RemotePort } from '../ports.ts';
import { Tap } from './tap.ts';

export type TranscribeWish = Omit<Extract<TranscribeCommand, { op: 'transcribe' }>, 'op' | 'leg'>;

/** What an engine is given: 16-bit PCM, low octet first. */
const RATE = 16_000;
const MOST_UNSENT = 256 * 1024;
const MOST_TEXT = 8000;
/** Of one track in a second; more are passed over. */
const MOST_INTERIM = 10;
const MOST_FINAL = 20;
/** Tries in a row, and from one to the next. */
const MOST_TRIES = 5;
const PAUSE_MS: Ms = 1000;
/** How long an engine may take for what is still to come. */
const LAST_MS: Ms = 3000;

export interface TranscriptionWorld extends Pick<LegWorld, 'opus' | 'now' | 'report' | 'emit'> {
  readonly remote: RemotePort;
}

type Track = 'inbound' | 'outbound';

/**
 * One track on its way to an engine:
 *
 *   connecting ──opened: `start`, then sound──▶ open ──stop: `stop`──▶ stopping ──closed, or 3 s──▶ over
 *       ▲                                         │
 *       └── 1 s, 5 times in a row ── refused, lost, closed by the engine ──▶ failed
 */
class Channel {
  readonly #track: Track;
  readonly #wish: TranscribeWish;
  readonly #leg: Leg;
  readonly #world: TranscriptionWorld;
  readonly #tap: Tap;
  readonly #failed: (reason: string) => void;
  #line: RemoteLine | undefined;
  #open = false;
  #tries = 0;
  #againAt: Ms | undefined;
  #stopBy: Ms | undefined;
  #second = 0;
  readonly #told = { interim: 0, final: 0 };
  over = false;

  constructor(
    track: Track,
    wish: TranscribeWish,
    leg: Leg,
    world: TranscriptionWorld,
    failed: (reason: string) => void,
  ) {
    this.#track = track;
    this.#wish = wish;
    this.#leg = leg;
    this.#world = world;
    this.#failed = failed;
    this.#tap = new Tap({ codec: 'L16', rate: RATE, bigEndian: false }, world, (pcm) => this.#sound(pcm));
    if (track === 'inbound') leg.tap(this.#tap, true);
    else leg.tapOut(this.#tap, true);
    this.#connect();
  }

  #connect(): void {
    const { engine, language = null, interim = false } = this.#wish;
    this.#againAt = undefined;
    const isCurrent = (): boolean => this.#line === line && !this.over;
    const line = this.#world.remote.connect(
      { ...engine, trusted: true },
      {
        opened: () => {
          if (!isCurrent()) return;
          this.#open = true;
          const format = { encoding: 'L16', sample_rate: RATE, channels: 1 };
          line.send(JSON.stringify({ event: 'start', track: this.#track, language, interim, ...format }));
        },
        text: (text) => {
          if (isCurrent()) this.#heard(text);
        },
        binary: () => {},
        ended: (_, reason) => {
          if (isCurrent()) this.#ended(reason);
        },
      },
    );
    this.#line = line;
  }

  #sound(pcm: Uint8Array): void {
    const line = this.#line;
    if (!this.#open || line === undefined || this.#stopBy !== undefined) return;
    if (line.waiting <= MOST_UNSENT) line.sendBytes(pcm);
  }

  #heard(json: string): void {
    const result = resultOf(json);
    if (result === undefined) return;
    this.#tries = 0;
    const { text, final, confidence } = result;
    if (!final && this.#wish.interim !== true) return;
    const second = Math.floor(this.#world.now() / 1000);
    if (second !== this.#second) Object.assign(this.#told, { interim: 0, final: 0 });
    this.#second = second;
    if (final ? ++this.#told.final > MOST_FINAL : ++this.#told.interim > MOST_INTERIM) return;
    const { id: leg } = this.#leg;
    const { id } = this.#wish;
    const told = { event: 'transcript', leg, id, track: this.#track, text, final, confidence } as const;
    if (final) this.#world.report(told);
    else this.#world.emit(told);
  }

  #ended(reason: string): void {
    this.#line = undefined;
    this.#open = false;
    if (this.#stopBy !== undefined) this.close();
    else if (this.#tries++ >= MOST_TRIES) this.#failed(reason);
    else this.#againAt = this.#world.now() + PAUSE_MS;
  }

  stop(): void {
    if (this.#stopBy !== undefined || this.over) return;
    if (!this.#open) return this.close();
    this.#stopBy = this.#world.now() + LAST_MS;
    this.#line?.send('{"event":"stop"}');
  }

  tick(now: Ms): void {
    if (this.#againAt !== undefined && now >= this.#againAt) this.#connect();
    if (this.#stopBy !== undefined && now >= this.#stopBy) this.close();
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.#leg.tap(this.#tap, false);
    this.#leg.tapOut(this.#tap, false);
    this.#tap.free();
    this.#line?.close();
  }
}

/** What is said on a leg, by its tracks. */
export class Transcription {
  readonly id: string;
  readonly #leg: Leg;
  readonly #world: TranscriptionWorld;
  readonly #channels: readonly Channel[];
  isOver = false;

  constructor(wish: TranscribeWish, leg: Leg, world: TranscriptionWorld) {
    this.id = wish.id;
    this.#leg = leg;
    this.#world = world;
    const tracks: readonly Track[] = wish.tracks === 'both' ? ['inbound', 'outbound'] : [wish.tracks];
    this.#channels = tracks.map(
      (track) => new Channel(track, wish, leg, world, (reason) => this.#end(reason)),
    );
  }

  stop(): void {
    for (const channel of this.#channels) channel.stop();
    this.#settle();
  }

  /** The leg is about to be closed: nothing is waited for. */
  close(): void {
    this.#end();
  }

  tick(now: Ms): void {
    for (const channel of this.#channels) channel.tick(now);
    this.#settle();
  }

  #settle(): void {
    if (this.#channels.every(({ over }) => over)) this.#end();
  }

  #end(reason?: string): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const channel of this.#channels) channel.close();
    const why = reason === undefined ? {} : { reason };
    this.#world.report({ event: 'transcribed', leg: this.#leg.id, id: this.id, ...why });
  }
}

interface Result {
  readonly text: string;
  readonly final: boolean;
  readonly confidence: number | null;
}

/** What an engine says; `undefined`: nothing of use. */
function resultOf(json: string): Result | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isFields(value)) return undefined;
  const { text, final, confidence } = value;
  if (typeof text !== 'string' || text === '' || text.length > MOST_TEXT || !text.isWellFormed())
    return undefined;
  const isShare = typeof confidence === 'number' && confidence >= 0 && confidence <= 1;
  return { text, final: final === true, confidence: isShare ? confidence : null };
}
