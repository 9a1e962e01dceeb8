import type { Ms } from '@sidetone/core';
import type { Reach } from '@sidetone/wire';
import type { PcmRate } from '../codec.ts';
import type { Leg } from '../leg.ts';
import type { LegWorld } from '../leg-world.ts';
import { Beep } from './beep.ts';
import { Ear, type Heard, type Hears } from './ear.ts';
import { Member } from './member.ts';
import { Mixes, SETTLED, type Sounding } from './mixes.ts';
import { RoomPlay, type RoomPlayWish } from './room-play.ts';
import { RoomRecordings } from './room-recordings.ts';
import { chooseSpeakers, Floor } from './speakers.ts';

/** Sharing out mixes takes time for each member. */
const MOST_URGENT = 8;
/** Beeps that may wait for one another. */
const MOST_BEEPS = 4;

/**
 * Where more than two are heard together.
 *
 *   member's packets ─▶ slot ─▶ level ─▶ the loudest four ─┐
 *   tick (20 ms)                        a file, a beep ────┴▶ mixes, one for each set of voices and form ─▶ whoever hears that set
 *
 * What its members ask for in a tick was made by the room's own tick, which comes first.
 */
export class Room implements Heard {
  readonly name: string;
  /** The highest that has been of use so far: it never falls, since a codec begins anew with it. */
  rate: PcmRate = 8000;
  /** The number of the tick. */
  now = 0;
  readonly #world: LegWorld;
  readonly #members = new Map<string, Member>();
  readonly #listeners = new Set<Ear>();
  readonly #mixes: Mixes;
  readonly #play: RoomPlay;
  readonly recordings: RoomRecordings;
  readonly #floor = new Floor<Member>();
  #beeps: Beep[] = [];
  #speakers: readonly Member[] = [];
  #leaving: readonly Member[] = [];
  /** Who hears whom has changed: slots are opened and closed. */
  #stale = false;
  /** Ticks in which mixes are shared out anew. */
  readonly #shares = new Set<number>();

  /** Ears that may be given a mix in this tick; others wait for the next. */
  #urgent = 0;

  constructor(name: string, world: LegWorld) {
    this.name = name;
    this.#world = world;
    this.#mixes = new Mixes(world);
    const listen = (hears: Hears): Ear => this.listen(hears);
    this.recordings = new RoomRecordings(
      {
        room: name,
        listen,
        unlisten: (ear) => this.unlisten(ear),
        beep: () => this.beep('enter', undefined),
      },
      world,
    );
    this.#play = new RoomPlay(world.sounds, (end) =>
      world.report({ event: 'roomPlayed', room: name, ...end }),
    );
  }

  get size(): number {
    return this.#members.size;
  }

  // -- wishes --------------------------------------------------------------------------------------------------------

  join(leg: Leg, to: Reach): Member {
    const member = new Member(this, leg, this.#world);
    member.to = to;
    this.#members.set(leg.id, member);
    this.#changed();
    return member;
  }

  /** Whom a member's voice reaches from now on. */
  reach(leg: string, to: Reach): void {
    const member = this.#members.get(leg);
    if (member === undefined) return;
    member.to = to;
    this.#changed();
  }

  part(leg: string): void {
    const member = this.#members.get(leg);
    if (member === undefined) return;
    this.#members.delete(leg);
    // What it has said is there for one more tick, to fade.
    member.pull(this.#world.now(), this.now + 1);
    member.voice.fade(member.voice.to, member.voice.to);
    member.closeSlot();
    this.#speakers = this.#speakers.filter((speaker) => speaker !== member);
    this.#leaving = this.#leaving.filter((speaker) => speaker !== member);
    this.#changed();
  }

  /** One who hears the room and is none of its members. */
  listen(hears: Hears): Ear {
    const ear = new Ear(this, undefined, hears);
    this.#listeners.add(ear);
    this.#changed();
    return ear;
  }

  unlisten(ear: Ear): void {
    this.#listeners.delete(ear);
    this.#changed();
  }

  play(wish: RoomPlayWish): void {
    this.#play.start(wish, this.rate, this.now);
    this.#reshare(this.now + 1);
  }

  stopPlay(id: string | undefined): void {
    this.#play.stop(id, this.rate, this.now);
    this.#reshare(this.now + 1);
  }

  beep(kind: 'enter' | 'leave', except: string | undefined): void {
    if (this.#beeps.length >= MOST_BEEPS) return;
    this.#beeps.push(new Beep(kind, except));
    this.#reshare(this.now + 1);
  }

  close(): void {
    this.#play.close();
    this.recordings.close();
    for (const member of this.#members.values()) member.closeSlot();
    this.#mixes.free();
  }

  // -- the beat ------------------------------------------------------------------------------------------------------

  tick(at: Ms): void {
    const tick = ++this.now;
    this.#urgent = MOST_URGENT;
    for (const member of this.#members.values()) member.pull(at, tick);
    this.#choose(at);
    if (this.#play.tick(this.rate, tick)) this.#reshare(tick);
    if (this.#beeps.length > 0 && !this.#beeps[0]!.tick(this.rate, tick)) {
      this.#beeps.shift();
      this.#beeps[0]?.tick(this.rate, tick);
      this.#reshare(tick);
    }
    if (this.#stale) this.#settle();
    if (this.#shares.delete(tick)) this.#share();
    this.recordings.tick(at);
  }

  /** An ear wants another form. */
  formed(): void {
    this.#changed();
    if (this.#urgent-- > 0) this.#share();
  }

  #choose(at: Ms): void {
    const before = this.#speakers;
    const speakers = chooseSpeakers(this.#members.values(), before, at);
    for (const { voice } of this.#leaving) voice.fade(0, 0);
    for (const { voice } of speakers) voice.fade(1, 1);
    if (speakers !== before) {
      this.#leaving = before.filter((speaker) => !speakers.includes(speaker));
      for (const { voice } of this.#leaving) voice.fade(1, 0);
      for (const speaker of speakers) if (!before.includes(speaker)) speaker.voice.fade(0, 1);
      this.#speakers = speakers;
      this.#reshare(this.now);
    } else this.#leaving = [];
    if (
      !this.#floor.tick(
        speakers.filter(({ to }) => to === 'all'),
        at,
      )
    )
      return;
    this.#world.report({ event: 'floor', room: this.name, leg: this.#floor.holder?.id ?? null });
  }

  /** In the tick of a change, in the next, when it has faded, and when mixes that became alike may be one. */
  #reshare(tick: number): void {
    this.#shares
      .add(tick)
      .add(tick + 1)
      .add(tick + 1 + SETTLED);
  }

  #share(): void {
    this.#mixes.share(this.#ears(), this.#sounding(), this.now);
  }

  *#ears(): Iterable<Ear> {
    yield* this.#members.values();
    yield* this.#listeners;
  }

  #sounding(): Sounding[] {
    const sounding: Sounding[] = [...this.#speakers, ...this.#leaving];
    const { voice } = this.#play;
    if (voice !== undefined) sounding.push({ voice, reaches: (ear) => ear.hears(undefined) });
    const beep = this.#beeps[0];
    if (beep !== undefined)
      sounding.push({
        voice: beep.voice,
        reaches: ({ id, hears }) => hears(undefined) && (id === undefined || id !== beep.except),
      });
    return sounding;
  }

  #changed(): void {
    this.#stale = true;
    this.#reshare(this.now + 1);
  }

  /** Decodes whom somebody hears, at the rate that is of use. */
  #settle(): void {
    this.#stale = false;
    const rate = rateOf([...this.#members.values()].map(({ most }) => most));
    if (rate > this.rate) {
      this.rate = rate;
      for (const ear of this.#ears()) ear.reform();
      this.#reshare(this.now);
    }
    for (const member of this.#members.values()) {
      if (this.#isHeard(member)) member.openSlot(this.rate);
      else member.closeSlot();
    }
  }

  #isHeard(member: Member): boolean {
    const { to } = member;
    if (to === 'none') return false;
    if (to === 'all') return this.#members.size > 1 || this.#listeners.size > 0;
    return to.some((id) => id !== member.id && this.#members.has(id));
  }
}

/** What all can use, if that is 48 kHz; else the highest up to 24 kHz that two can. 0: not known of a member yet. */
function rateOf(most: readonly (PcmRate | 0)[]): PcmRate {
  if (most.length > 1 && most.every((rate) => rate === 48_000)) return 48_000;
  const [, second = 0] = most.toSorted((a, b) => b - a);
  if (second === 0) return 8000;
  return second > 24_000 ? 24_000 : second;
}
