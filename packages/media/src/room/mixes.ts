import type { OpusFactory } from '../opus.ts';
import type { Ear } from './ear.ts';
import { type Form, Mix } from './mix.ts';
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

/** Mixes that wait for who will need one: a codec does not exist in the tick in which it is made. */
const SPARES = 2;

/** The mixes of a room: one for each set of voices and form that somebody hears. */
export class Mixes {
  readonly #opus: OpusFactory;
  #all = new Set<Mix>();
  readonly #spares = new Map<string, Mix[]>();

  constructor(opus: OpusFactory) {
    this.#opus = opus;
  }

  /**
   * Gives each ear the mix of what it hears from `tick` on. A mix stays with the most of those who had it, so that only a few change; who
   * changes has heard the same voices, or hears for one tick a mix of its own in which they fade.
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
        const model = bids.find((bid) => bid.party === party)?.mix;
        mix.follow(model?.before ?? [], tick);
        taken.add(mix);
      }
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
    return this.#spares.get(form.key)?.shift() ?? new Mix(form, this.#opus);
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
      while (spares.length < Math.min(SPARES, count - 1)) spares.push(new Mix(form, this.#opus));
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
  const heardBefore = new Map<Mix, string>();
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
    let before = now;
    if (mix?.isOn(tick)) {
      before = heardBefore.get(mix) ?? audible(mix.before);
      heardBefore.set(mix, before);
    }
    const key = `${form.key}|${now}|${before}`;
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

/** What a mix last made was heard of, but for what has faded. */
const audible = (voices: readonly Voice[]): string => {
  let key = '';
  for (const { id, from } of voices) if (from > 0) key += `${id} `;
  return key;
};
