import { type Ms, uuid } from '@sidetone/core';
import type { SoundAsk, SoundResult } from '@sidetone/wire';
import type { Wish } from '../message.ts';
import type { Conferences } from '../place/conferences.ts';
import type { Queues } from '../place/queues.ts';
import type { Registry } from '../registry.ts';
import type { ConferenceWish, Transactions } from '../transaction.ts';
import type { VoiceOutput } from '../voice-events.ts';
import type { VoiceOptions } from '../voice-options.ts';
import { conferenceEventOf, eventOf } from './event.ts';
import { accountOf } from './view.ts';

interface World {
  readonly options: VoiceOptions;
  readonly registry: Registry;
  readonly queues: Queues;
  readonly conferences: Conferences;
  readonly legs: Transactions;
  readonly out: (out: VoiceOutput) => void;
}

/** What leaves towards back ends: events of legs and conferences; and the sounds that are fetched or made on their behalf. */
export class Telling {
  readonly #world: World;
  /** Sounds that are asked for, and who is to play each. */
  readonly #sounds = new Map<string, { readonly by: 'leg' | 'conference'; readonly id: string }>();

  constructor(world: World) {
    this.#world = world;
  }

  news({ leg: id, n, what }: Extract<Wish, { type: 'news' }>, now: Ms): void {
    const { registry, queues, out } = this.#world;
    const leg = registry.legs.get(id);
    if (leg === undefined || leg.program === null) return;
    const about = this.#stamp();
    const told = 'place' in what ? queues.told(what, now) : what;
    out({ type: 'event', event: eventOf({ ...leg, program: leg.program }, { n, what: told }, about) });
  }

  conference(id: string, wish: Exclude<ConferenceWish, { type: 'room' | 'recorded' | 'over' }>): void {
    const { registry, conferences, out } = this.#world;
    const conference = conferences.get(id);
    if (conference === undefined) return;
    if (wish.type === 'log') return out(wish);
    if (wish.type === 'sound')
      return this.#ask({ by: 'conference', id }, wish.id, conference.account, wish.ask);
    const leg = wish.leg === null ? undefined : registry.legs.get(wish.leg);
    out({ type: 'event', event: conferenceEventOf(conference, wish, leg, this.#stamp()) });
  }

  sound({ leg, id, ask }: Extract<Wish, { type: 'sound' }>): void {
    const { registry, options } = this.#world;
    const of = registry.legs.get(leg);
    const account = of === undefined ? null : accountOf(of, options.identity());
    this.#ask({ by: 'leg', id: leg }, id, account ?? '', ask);
  }

  /** The answer to what was asked for. */
  heard(id: string, result: SoundResult): void {
    const wanted = this.#sounds.get(id);
    this.#sounds.delete(id);
    const { legs } = this.#world;
    if (wanted?.by === 'leg') legs.post(wanted.id, { type: 'sound', id, result });
    else if (wanted !== undefined) legs.toConference(wanted.id, { type: 'sound', id, result });
  }

  #ask(
    who: { readonly by: 'leg' | 'conference'; readonly id: string },
    id: string,
    account: string,
    ask: SoundAsk,
  ): void {
    this.#sounds.set(id, who);
    this.#world.out({ type: 'sound', id, account, ask });
  }

  #stamp(): { readonly id: string; readonly at: number } {
    const { random, epoch } = this.#world.options;
    return { id: uuid(random), at: epoch() };
  }
}
