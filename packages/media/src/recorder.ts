import type { Ms } from '@sidetone/core';
import type { RecordCommand, RecordEvent } from '@sidetone/wire';
import type { PcmRate } from './codec.ts';
import type { RecordingFile, RecordingPort } from './ports.ts';
import type { RecordClock } from './recorded-track.ts';
import { SoundWatch } from './sound-watch.ts';
import { Timeline } from './timeline.ts';

export type RecordWish = Pick<
  Extract<RecordCommand, { op: 'record' }>,
  'id' | 'file' | 'channels' | 'maxMs' | 'silenceMs'
>;

/** The end of a recording, but for whose it was. */
export type Recorded = Pick<RecordEvent, 'id' | 'why' | 'durationMs' | 'wallMs' | 'lostMs'>;

/** So old is sound when it is written: what the network has held back so long is in its place yet. */
const HELD_MS: Ms = 1000;
/** So much is written at a time. */
const BLOCK_MS: Ms = 500;
/** Beyond the two: frames that come a little early. */
const MARGIN_MS: Ms = 500;
const WATCH_RATE = 8000;

/**
 * A file being recorded. It is given sound by channel and the time by ticks, and knows neither legs nor rooms.
 *
 *   running ⇄ paused ──stop, a limit, the end of whose it is, the disk──▶ closing ──file closed──▶ told once
 */
export class Recorder implements RecordClock {
  readonly id: string;
  readonly rate: PcmRate;
  readonly channels: readonly Timeline[];
  readonly #file: RecordingFile;
  readonly #wish: RecordWish;
  readonly #ended: (end: Recorded) => void;
  readonly #began: Ms;
  readonly #watch: SoundWatch | undefined;
  /** Time that is not in it; while paused, since when. */
  #apart: Ms = 0;
  #pausedAt: Ms | undefined;
  #lost = 0;
  #spoke = false;
  #quietSince: Ms | undefined;
  #closing = false;

  /** `ended` is called when the file is closed, once. */
  constructor(
    wish: RecordWish,
    rate: PcmRate,
    port: RecordingPort,
    now: Ms,
    ended: (end: Recorded) => void,
    failed: () => void,
  ) {
    this.id = wish.id;
    this.rate = rate;
    this.#wish = wish;
    this.#ended = ended;
    this.#began = now;
    const size = ((HELD_MS + BLOCK_MS + MARGIN_MS) * rate) / 1000;
    this.channels = Array.from({ length: wish.channels }, () => new Timeline(size));
    if (wish.silenceMs !== undefined) this.#watch = new SoundWatch((what, at) => this.#sounds(what, at));
    this.#file = port.open(wish.file, { rate, channels: wish.channels }, failed);
  }

  get paused(): boolean {
    return this.#pausedAt !== undefined;
  }

  get closing(): boolean {
    return this.#closing;
  }

  place(now: Ms): number {
    return Math.floor((this.#timeAt(now) * this.rate) / 1000);
  }

  pause(now: Ms): void {
    if (this.#pausedAt !== undefined || this.#closing) return;
    this.#write(this.place(now));
    this.#pausedAt = now;
  }

  resume(now: Ms): void {
    if (this.#pausedAt === undefined || this.#closing) return;
    this.#apart += now - this.#pausedAt;
    this.#pausedAt = undefined;
  }

  /** Every 20 ms. What makes it end, if something does. */
  tick(now: Ms): 'max' | 'silence' | undefined {
    if (this.#pausedAt !== undefined || this.#closing) return undefined;
    const time = this.#timeAt(now);
    const { maxMs, silenceMs } = this.#wish;
    const until = Math.floor(((time - HELD_MS) * this.rate) / 1000);
    if (until - this.channels[0]!.from >= (BLOCK_MS * this.rate) / 1000) this.#write(until);
    if (maxMs !== undefined && time >= maxMs) return 'max';
    const quiet = this.#quietSince;
    // Who has said nothing yet is waited for.
    const isOver = silenceMs !== undefined && this.#spoke && quiet !== undefined && time - quiet >= silenceMs;
    return isOver ? 'silence' : undefined;
  }

  end(why: Recorded['why'], now: Ms): void {
    if (this.#closing) return;
    if (this.#pausedAt === undefined) {
      const { maxMs } = this.#wish;
      const most = maxMs === undefined ? Number.POSITIVE_INFINITY : Math.floor((maxMs * this.rate) / 1000);
      this.#write(Math.min(this.place(now), most));
    }
    this.#closing = true;
    const wallMs = Math.round(now - this.#began);
    void this.#file.close().then(({ failed, frames }) => {
      const durationMs = Math.round((frames * 1000) / this.rate);
      // What was written and is not in the file is lost, too.
      const written = (this.channels[0]!.from * 1000) / this.rate;
      const lostMs = Math.max(Math.round(this.#lost), Math.round(written) - durationMs);
      this.#ended({ id: this.id, why: failed ? 'failed' : why, durationMs, wallMs, lostMs });
    });
  }

  #timeAt(now: Ms): Ms {
    return Math.max(0, (this.#pausedAt ?? now) - this.#began - this.#apart);
  }

  /** Writes what lies before `until`. */
  #write(until: number): void {
    const [first] = this.channels;
    const most = (BLOCK_MS * this.rate) / 1000;
    while (until > first!.from) {
      const samples = Math.min(most, until - first!.from);
      const block = new Int16Array(samples * this.channels.length);
      for (const [i, channel] of this.channels.entries())
        channel.take(samples, block, i, this.channels.length);
      this.#listen(block);
      if (!this.#file.write(block)) this.#lost += (samples * 1000) / this.rate;
    }
  }

  #listen(block: Int16Array): void {
    if (this.#watch === undefined) return;
    const step = (this.rate / WATCH_RATE) * this.channels.length;
    const pcm = new Int16Array(block.length / step);
    for (let i = 0; i < pcm.length; i++) {
      let sum = 0;
      for (let k = 0; k < step; k++) sum += block[i * step + k]!;
      pcm[i] = sum / step;
    }
    this.#watch.push(pcm, (this.channels[0]!.from * 1000) / this.rate);
  }

  #sounds(what: 'speech' | 'silence' | 'beep', at: Ms): void {
    this.#quietSince = what === 'speech' ? undefined : (this.#quietSince ?? at);
    if (what === 'speech') this.#spoke = true;
  }
}
