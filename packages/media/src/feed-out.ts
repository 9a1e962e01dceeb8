import type { Ms } from '@sidetone/core';
import type { Feed } from './feed.ts';
import type { LegWorld } from './leg-world.ts';
import type { Outlet } from './outlet.ts';
import { silence } from './track.ts';

/** A source that is asked for its frames, as a leg's peer hears it: a file, a room. */
export class FeedOut {
  /** What is heard; `undefined`: the source is of another kind. */
  feed: Feed | undefined;
  readonly #outlet: Outlet;
  readonly #world: LegWorld;
  #feeder = 0;

  constructor(outlet: Outlet, world: LegWorld) {
    this.#outlet = outlet;
    this.#world = world;
  }

  /** The next 20 ms. */
  play(now: Ms): void {
    const { codec, limits } = this.#outlet;
    const frame = this.feed?.encoded(codec!, limits) ?? 'late';
    if (this.#feeder === 0) this.#feeder = this.#world.newFeeder();
    this.#outlet.frame(typeof frame === 'string' ? silence(codec!) : frame, this.#feeder, now);
  }

  /** What is heard begins anew. */
  reset(): void {
    this.#feeder = 0;
  }
}
