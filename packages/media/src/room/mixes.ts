import type { Ear } from './ear.ts';
import { type Form, Mix, type MixWorld } from './mix.ts';
import type { Voice } from './voice.ts';

/** A voice and who hears it. */
export interface Sounding {
  readonly voice: Voice;
  reaches(ear: Ear): boolean;
}

/** Those who hear the same in the same form, and have heard the same. */
interface Party {
  readonly form: Form;
  readonly voices: readonly Voice[];
  readonly ears: Ear[];
  readonly votes: Map<Mix, number>;
  mix: Mix | undefined;
}

/** So many ticks after a change mixes of the same voices become one. */
export const SETTLED = 5;
/** Mixes that wait for who will need one: a codec does not exist in the tick in which it is made. */
const SPARES = 2;

/** The mixes of a room: one for each set of voices and form that somebody hears. */
export class Mixes {
  readonly #world: MixWorld;
  #all = new Set<Mix>();
  readonly #spares = new Map<string, Mix[]>();

  constructor(world: MixWorld) {
    this.#world = world;
  }

  /**
   * Gives each ear the mix of what it hears from `tick` on. A mix stays with the most of those who had it, so that only a few change; who is
   * told apart hears a mix of its own, which goes on where the other was, and comes together with others again when both have been the
   * same for `SETTLED` ticks, since codecs remember.
   */
  share(ears: Iterable<Ear>, sounding: readonly Sounding[], tick: number): void {
    const parties = partiesOf(ears, sounding, tick);
    const bids = parties.flatMap((party) => [...party.votes].map(([mix, count]) => ({ party, mix, count })));
    bids.sort((a, b) => b.count - a.count);
    const taken = new Set<Mix>();
    for (const { party, mix } of bids) {
      if (party.mix !== undefined || taken.has(mix) || mix.form.key !== party.form.key) continue;
      taken.add(mix);
      party.mix = mix;
    }
    for (const party of parties) {
      const mix = party.mix ?? this.#fresh(party.form);
      if (party.mix === undefined) {
        const models = bids.filter((bid) => bid.party === party);
        const model = models.find((bid) => bid.mix.form.key === party.form.key) ?? models[0];
        if (model !== undefined) mix.follow(model.mix, tick);
        taken.add(mix);
      }
      if (party.mix === undefined || !isSame(mix.voices, party.voices)) mix.since = tick;
      mix.voices = party.voices;
      for (const ear of party.ears) {
        if (ear.mix !== mix) mix.alone = true;
        ear.mix = mix;
      }
    }
    for (const mix of this.#all) if (!taken.has(mix)) mix.free();
    this.#all = taken;
    this.#provide(parties);
  }

  free(): void {
    for (const mix of this.#all) mix.free();
    for (const mix of [...this.#spares.values()].flat()) mix.free();
    this.#all.clear();
    this.#spares.clear();
  }

  #fresh(form: Form): Mix {
    return this.#spares.get(form.key)?.shift() ?? new Mix(form, this.#world);
  }

  #provide(parties: readonly Party[]): void {
    const ears = new Map<string, { form: Form; count: number }>();
    for (const { form, ears: heard } of parties) {
      if (form.codec !== 'OPUS') continue;
      const count = (ears.get(form.key)?.count ?? 0) + heard.length;
      ears.set(form.key, { form, count });
    }
    for (const [key, { form, count }] of ears) {
      const spares = this.#spares.get(key) ?? [];
      while (spares.length < Math.min(SPARES, count - 1)) spares.push(new Mix(form, this.#world));
      this.#spares.set(key, spares);
    }
    for (const [key, spares] of this.#spares) {
      if (ears.has(key)) continue;
      for (const mix of spares) mix.free();
      this.#spares.delete(key);
    }
  }
}

function partiesOf(ears: Iterable<Ear>, sounding: readonly Sounding[], tick: number): Party[] {
  const parties = new Map<string, Party>();
  for (const ear of ears) {
    const { form, mix } = ear;
    if (form === undefined) continue;
    const voices: Voice[] = [];
    let now = '';
    for (const each of sounding) {
      if (!each.reaches(ear)) continue;
      voices.push(each.voice);
      now += `${each.voice.id} `;
    }
    // A mix that is not asked for, or has been as it is for a while, is as good as any.
    const isOwn = mix?.form.key === form.key && mix.isOn(tick) && tick - mix.since < SETTLED;
    const key = `${form.key}|${now}|${isOwn ? mix.id : ''}`;
    let party = parties.get(key);
    if (party === undefined) {
      party = { form, voices, ears: [], votes: new Map(), mix: undefined };
      parties.set(key, party);
    }
    party.ears.push(ear);
    if (mix !== undefined) party.votes.set(mix, (party.votes.get(mix) ?? 0) + 1);
  }
  return [...parties.values()];
}

const isSame = (a: readonly Voice[], b: readonly Voice[]): boolean =>
  a.length === b.length && a.every((voice, i) => voice === b[i]);
