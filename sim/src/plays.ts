import type { MediaCommand, MediaEvent } from '@sidetone/wire';
import type { World } from './world.ts';

type PlayCommand = Extract<MediaCommand, { op: 'play' }>;
type Played = Extract<MediaEvent, { event: 'played' }>;

/** A file of so many milliseconds; one that ends in `torn` cannot be read. */
export const pretendFile = (ms: number, torn: boolean): string => `/sounds/${ms}${torn ? '-torn' : ''}.wav`;

interface Playing {
  readonly id: string;
  readonly overlay: boolean;
}

/** What a real engine plays to its legs: one file each in place of the source, one over it. Each end is told once. */
export class PretendPlays {
  readonly #world: World;
  readonly #tell: (event: Played) => void;
  readonly #playing = new Map<string, Playing[]>();
  /** Of a play that is over, the same wish changes nothing. */
  readonly #known = new Set<string>();

  constructor(world: World, tell: (event: Played) => void) {
    this.#world = world;
    this.#tell = tell;
  }

  /** How many there are, of legs that there may not be any more. */
  get size(): number {
    return [...this.#playing.values()].reduce((sum, plays) => sum + plays.length, 0);
  }

  start({ leg, id, file, loop, ...wish }: PlayCommand): void {
    const overlay = wish.overlay === true;
    if (this.#known.has(id)) return;
    this.#known.add(id);
    const before = (this.#playing.get(leg) ?? []).find((one) => one.overlay === overlay);
    if (before !== undefined) this.#end(leg, before.id, 'stopped');
    this.#playing.set(leg, [...(this.#playing.get(leg) ?? []), { id, overlay }]);
    if (file.includes('torn')) this.#world.after(20, () => this.#end(leg, id, 'failed'));
    else if (loop !== null)
      this.#world.after(loop * Number(/\d+/.exec(file)![0]), () => this.#end(leg, id, 'completed'));
  }

  stop(leg: string, id: string): void {
    this.#end(leg, id, 'stopped');
  }

  closed(leg: string): void {
    for (const { id } of this.#playing.get(leg) ?? []) this.#end(leg, id, 'stopped');
  }

  #end(leg: string, id: string, status: Played['status']): void {
    const plays = this.#playing.get(leg) ?? [];
    const left = plays.filter((one) => one.id !== id);
    if (left.length === plays.length) return;
    if (left.length > 0) this.#playing.set(leg, left);
    else this.#playing.delete(leg);
    this.#tell({ event: 'played', leg, id, status, atMs: 0 });
  }
}
