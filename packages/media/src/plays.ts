import type { Ms } from '@sidetone/core';
import type { MediaCommand, Source } from '@sidetone/wire';
import { Ended } from './ended.ts';
import type { Feed } from './feed.ts';
import { FilePlay } from './file-play.ts';
import type { LegWorld } from './leg-world.ts';
import { type Outlet, PLAYED } from './outlet.ts';
import { mixRate, Overlay } from './overlay.ts';
import type { Voice } from './remote/voice.ts';
import { DEAF, type Sink } from './sink.ts';
import type { NoFrame } from './sound-feed.ts';
import { silence } from './track.ts';

export type PlayWish = Omit<Extract<MediaCommand, { op: 'play' }>, 'op' | 'leg'>;

/** 0.4 s. */
const BEEP_TICKS = 20;
const BEEP = { kind: 'tone', hz: 1000 } as const;

interface Playing {
  readonly id: string;
  readonly file: FilePlay;
  readonly feeder: number;
}

/**
 * The files that are played to a leg's peer: one in place of the source, one over whatever is heard; and over it, too, the voices of streams.
 *
 *   none ──play──▶ playing ──the end of the last pass──▶ played completed
 *                    ├──stop, another play in its place, close──▶ played stopped
 *                    └──no such file──▶ played failed
 *
 * It begins with the first frame that can be sent. While a digit is sent it waits; while the peer must not be sent audio it goes on.
 */
export class Plays {
  readonly #leg: string;
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  #instead: Playing | undefined;
  #over: Playing | undefined;
  #voices: readonly Voice[] = [];
  #overlay: Overlay | undefined;
  readonly #ended = new Ended();
  /** Ticks of a beep that are still to come. */
  #beep = 0;

  constructor(leg: string, outlet: Outlet, world: LegWorld) {
    this.#leg = leg;
    this.#outlet = outlet;
    this.#world = world;
  }

  get playing(): boolean {
    return this.#instead !== undefined || this.#mixes || this.#beep > 0;
  }

  /** Is something mixed in? */
  get #mixes(): boolean {
    return this.#over !== undefined || this.#voices.some(({ speaks }) => speaks);
  }

  /** What the source's packets come to; `undefined`: to the relay, as without a play. */
  chooseInlet(): Sink | undefined {
    this.#settleOverlay();
    return this.#instead === undefined && this.#beep === 0 ? this.#overlay : DEAF;
  }

  start(wish: PlayWish): void {
    const { id } = wish;
    if (this.#instead?.id === id || this.#over?.id === id || this.#ended.has(id)) return;
    const file = new FilePlay(this.#world.sounds, wish.file, wish.loop, wish.fromMs ?? 0);
    const playing: Playing = { id, file, feeder: this.#world.newFeeder() };
    if (wish.overlay === true) {
      this.#endOver('stopped');
      this.#over = playing;
    } else {
      this.#endInstead('stopped');
      this.#instead = playing;
      this.#overlay?.restart();
    }
  }

  stop(isMeant: (id: string) => boolean): void {
    if (this.#instead !== undefined && isMeant(this.#instead.id)) this.#endInstead('stopped');
    if (this.#over !== undefined && isMeant(this.#over.id)) this.#endOver('stopped');
  }

  /** Voices of streams, which are heard whenever they speak. */
  setVoices(voices: readonly Voice[]): void {
    this.#voices = voices;
  }

  get voices(): readonly Voice[] {
    return this.#voices;
  }

  #settleOverlay(): void {
    if (this.#mixes) this.#overlay ??= new Overlay(this.#outlet, this.#world);
    else {
      this.#overlay?.free();
      this.#overlay = undefined;
    }
  }

  /** A short tone before all else: what plays waits for it. */
  beep(): void {
    this.#beep = BEEP_TICKS;
  }

  stopAll(): void {
    this.#endInstead('stopped');
    this.#endOver('stopped');
    this.#voices = [];
    this.#settleOverlay();
  }

  /** The source is another one. */
  sourceChanged(): void {
    this.#overlay?.restart();
  }

  /** One tick in which audio may be sent. `false`: nothing has been sent, the source is heard. */
  tick(source: Feed | Source, now: Ms): boolean {
    if (this.#beep > 0) {
      const { codec, limits } = this.#outlet;
      const tone = this.#world.tracks.get(BEEP, codec!, limits.maxBitrate).frame(BEEP_TICKS - this.#beep--);
      this.#outlet.frame(tone ?? silence(codec!), PLAYED, now);
      return true;
    }
    const instead = this.#instead;
    if (this.#overlay !== undefined) {
      const play = this.#over;
      const over = play === undefined ? this.#voices : [...this.#voices, play.file];
      const { over: late, below } = this.#overlay.tick(over, instead?.file ?? source, now);
      if (instead !== undefined) this.#wentOn(below, 'instead');
      if (play !== undefined) this.#wentOn(late.at(-1), 'over');
      return true;
    }
    if (instead === undefined) return false;
    const frame = this.#encoded(instead);
    if (typeof frame !== 'string') this.#outlet.frame(frame, instead.feeder, now);
    else if (!this.#wentOn(frame, 'instead')) return false;
    else this.#outlet.frame(silence(this.#outlet.codec!), instead.feeder, now);
    return true;
  }

  /** One tick in which nothing may be sent: time goes on. */
  pass(): void {
    if (this.#beep > 0) {
      this.#beep--;
      return;
    }
    const [over, instead, rate] = [this.#over, this.#instead, mixRate(this.#outlet.codec!)];
    for (const voice of this.#voices) voice.pcm(rate);
    if (instead !== undefined) {
      const frame = this.#overlay === undefined ? this.#encoded(instead) : instead.file.pcm(rate);
      if (typeof frame === 'string') this.#wentOn(frame, 'instead');
    }
    if (over !== undefined) {
      const frame = over.file.pcm(rate);
      if (typeof frame === 'string') this.#wentOn(frame, 'over');
    }
  }

  #encoded({ file }: Playing): Uint8Array | NoFrame {
    return file.encoded(this.#outlet.codec!, this.#outlet.limits);
  }

  /** What a play without a frame means; `false`: it is over. */
  #wentOn(no: NoFrame | undefined, which: 'instead' | 'over'): boolean {
    if (no === undefined || no === 'late') return true;
    const status = no === 'end' ? 'completed' : 'failed';
    if (which === 'instead') this.#endInstead(status);
    else this.#endOver(status);
    return false;
  }

  #endInstead(status: 'completed' | 'stopped' | 'failed'): void {
    const playing = this.#instead;
    this.#instead = undefined;
    if (playing !== undefined) this.#end(playing, status);
  }

  #endOver(status: 'completed' | 'stopped' | 'failed'): void {
    const playing = this.#over;
    this.#over = undefined;
    if (playing !== undefined) this.#end(playing, status);
  }

  #end({ id, file }: Playing, status: 'completed' | 'stopped' | 'failed'): void {
    const atMs = Math.round(file.atMs);
    file.free();
    this.#ended.add(id);
    this.#world.report({ event: 'played', leg: this.#leg, id, status, atMs });
  }
}
