import { Deadlines, earliest, type Ms } from '@sidetone/core';
import { CAUSE } from './leg/ending.ts';
import { ALONE, type Audio, isEnding, type Leg, legDeadline } from './leg/leg.ts';
import type { LegSettings } from './leg/leg-draft.ts';
import { stepLeg } from './leg/leg-step.ts';
import { isSame } from './leg/negotiation.ts';
import type { LegInput, Wish } from './message.ts';
import { bridgeAudio, builtInAudio, conferenceAudio, parkedAudio, supervisedAudio } from './place/audio.ts';
import { stepBridge } from './place/bridge.ts';
import {
  type Bridge,
  type BridgeInput,
  type BridgeOut,
  legsOf,
  type Members,
  otherOf,
} from './place/bridge-draft.ts';
import { stepConference } from './place/conference.ts';
import { type ConferenceInput, type ConferenceOut, stayOf } from './place/conference-draft.ts';
import type { Conferences } from './place/conferences.ts';
import { isConnected } from './place/swap.ts';
import type { Registry } from './registry.ts';

/*
 * One input is one transaction:
 *
 *   repeat   step the machine that is named, carry out what it asks for
 *            then, with no message left: places with a changed leg look at their legs,
 *            and what legs hear is derived and told where it differs
 *   until nothing is left
 *
 * Only a machine's step changes its record. A place reads its legs, and changes them by messages. So records that must agree
 * (a leg's place, the other leg of a bridge) are changed in one input, and `voice.ts` writes them as one unit.
 */

/** More steps than any input needs: a livelock, which throws. */
const MOST_STEPS = 100_000;

export type DialWish = Extract<BridgeOut, { type: 'dial' }> & { readonly bridge: string };

/** What a conference asks for, beyond its legs. */
export type ConferenceWish = Exclude<ConferenceOut, { type: 'tell' | 'forget' }>;

export interface Carrier {
  /** SIP, media, records, the log. */
  wish(wish: Wish): void;
  /** A bridge wants a leg for a transfer: made with `begin`, or refused with `toBridge`. */
  dial(wish: DialWish): void;
  conference(id: string, wish: ConferenceWish): void;
}

export interface Settings extends LegSettings {
  /** What a member hears while it is held or waits, where no sound is named. */
  readonly heldHears: 'music' | 'silence';
}

type Message =
  | { readonly leg: string; readonly input: LegInput }
  | { readonly bridge: string; readonly input: BridgeInput }
  | { readonly conference: string; readonly input: ConferenceInput };

export class Transactions {
  readonly #registry: Registry;
  readonly #conferences: Conferences;
  readonly #settings: Settings;
  readonly #carrier: Carrier;
  readonly #times = new Deadlines<string>();
  #queue: Message[] = [];
  /** Legs and places that have changed since the place looked. */
  #changed = new Set<string>();
  /** Legs that have changed in this input, and those that are over. */
  readonly touched = new Set<string>();
  readonly over: Leg[] = [];
  #gone: Leg[] = [];

  constructor(registry: Registry, conferences: Conferences, settings: Settings, carrier: Carrier) {
    this.#registry = registry;
    this.#conferences = conferences;
    this.#settings = settings;
    this.#carrier = carrier;
  }

  deadline(): Ms | null {
    return earliest(this.#times.next(), this.#conferences.deadline());
  }

  post(leg: string, input: LegInput): void {
    this.#queue.push({ leg, input });
  }

  toBridge(bridge: string, input: BridgeInput): void {
    this.#queue.push({ bridge, input });
  }

  toConference(conference: string, input: ConferenceInput): void {
    this.#queue.push({ conference, input });
  }

  /** A leg that begins, here or by restoring it. */
  begin(leg: Leg): void {
    this.#put(undefined, leg);
  }

  tick(now: Ms): void {
    for (let id = this.#times.takeDue(now); id !== undefined; id = this.#times.takeDue(now))
      this.post(id, { type: 'tick' });
    const conferences = this.#conferences;
    for (let id = conferences.takeDue(now); id !== undefined; id = conferences.takeDue(now))
      this.toConference(id, { type: 'tick' });
  }

  run(now: Ms): void {
    let steps = 0;
    for (;;) {
      for (let i = 0; i < this.#queue.length; i++) {
        if (++steps > MOST_STEPS) throw new Error('livelock among legs and places');
        const message = this.#queue[i]!;
        if ('leg' in message) this.#stepLeg(message.leg, message.input, now);
        else if ('bridge' in message) this.#stepBridge(message.bridge, message.input);
        else this.#stepConference(message.conference, message.input, now);
      }
      this.#queue = [];
      if (this.#changed.size === 0) return;
      // A place looks at a leg that is over once more.
      const gone = this.#gone.splice(0);
      this.#look(now);
      for (const leg of gone) this.#forget(leg);
    }
  }

  #stepLeg(id: string, input: LegInput, now: Ms): void {
    const before = this.#registry.legs.get(id);
    if (before === undefined) return;
    const { state, out } = stepLeg(before, input, this.#settings, now);
    if (state !== before) this.#put(before, state);
    for (const wish of out) {
      if (wish.type !== 'place') this.#carrier.wish(wish);
      else if (state.place?.in === 'bridge') this.toBridge(state.place.id, wish.message);
      else if (wish.message.type === 'refer')
        this.post(id, { type: 'refered', tx: wish.message.tx, status: 403 });
    }
    if (state.state.name === 'over') this.#gone.push(state);
  }

  #put(before: Leg | undefined, leg: Leg): void {
    this.#registry.put(leg);
    this.touched.add(leg.id);
    const from = placeThatLooks(before?.place);
    if (from !== undefined) this.#changed.add(from);
    this.#changed.add(placeThatLooks(leg.place) ?? leg.id);
    const stay = before && stayOf(before);
    if (before !== undefined && stay?.joined === true && stayOf(leg)?.member !== stay.member)
      this.toConference(stay.id, { type: 'left', leg: before });
    this.#times.set(leg.id, legDeadline(leg));
  }

  #forget(leg: Leg): void {
    this.#registry.remove(leg);
    if (leg.place?.in === 'bridge' && this.#registry.isEmpty(leg.place.id))
      this.#registry.bridges.delete(leg.place.id);
    this.#times.delete(leg.id);
    this.touched.delete(leg.id);
    this.over.push(leg);
  }

  #stepBridge(id: string, input: BridgeInput): void {
    const bridge = this.#registry.bridges.get(id);
    if (bridge === undefined) return;
    const { state, out } = stepBridge(bridge, input, this.#registry.members(id));
    this.#registry.bridges.set(id, state);
    if (state !== bridge) this.#changed.add(id);
    for (const wish of out) {
      if (wish.type === 'tell') this.post(wish.leg, wish.message);
      else if (wish.type === 'dial') this.#carrier.dial({ ...wish, bridge: id });
      else if (wish.type === 'take') this.#take(id, wish.leg);
      else if (wish.type === 'takeBuiltIn') this.#takeBuiltIn(id, wish.leg);
      else this.#carrier.wish(wish);
    }
  }

  #stepConference(id: string, input: ConferenceInput, now: Ms): void {
    const conference = this.#conferences.get(id);
    if (conference === undefined) return;
    const { state, out } = stepConference(conference, input, this.#registry.inPlace(id), now);
    if (state !== conference) {
      this.#conferences.put(state);
      this.#changed.add(id);
    }
    for (const wish of out) {
      if (wish.type === 'tell') this.post(wish.leg, wish.message);
      else if (wish.type === 'forget') this.#conferences.forget(id);
      else this.#carrier.conference(id, wish);
    }
  }

  /** An answered leg of another bridge, with its media settled, comes in as `next`. */
  #take(bridge: string, id: string): void {
    const leg = this.#registry.legs.get(id);
    const from = leg?.place?.in === 'bridge' ? this.#registry.bridges.get(leg.place.id) : undefined;
    const isFree = from !== undefined && from.id !== bridge && from.state === 'up' && from.swap === null;
    if (leg?.state.name === 'up' && isFree && isConnected(leg))
      this.post(id, { type: 'placed', place: { in: 'bridge', id: bridge, side: 'next' } });
    else this.toBridge(bridge, { type: 'notFound', ending: { ...CAUSE.noDialog, by: 'platform' } });
  }

  /** The built-in service of another call of who asks; that call ends. */
  #takeBuiltIn(bridge: string, id: string): void {
    const leg = this.#registry.legs.get(id);
    if (leg?.state.name !== 'up' || leg.place?.in !== 'built-in') {
      this.toBridge(bridge, { type: 'notFound', ending: { ...CAUSE.noDialog, by: 'platform' } });
      return;
    }
    this.toBridge(bridge, { type: 'found', place: leg.place });
    this.post(id, { type: 'transferred', part: 'transferor' });
    this.post(id, { type: 'placed', place: null });
    this.post(id, { type: 'end', ending: { ...CAUSE.normal, by: 'platform' } });
  }

  /** Places look at what has changed; what is heard follows. */
  #look(now: Ms): void {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const id of changed) {
      if (this.#registry.isEmpty(id)) this.#registry.bridges.delete(id);
      this.#stepBridge(id, { type: 'look' });
      this.#stepConference(id, { type: 'look' }, now);
      for (const [leg, audio] of this.#heard(id))
        if (!isEnding(leg) && !isSameAudio(leg.audio, audio)) this.post(leg.id, { type: 'audio', audio });
    }
  }

  /** What is heard by whoever is at this place; or by the leg of this id, which is alone. */
  #heard(id: string): readonly (readonly [Leg, Audio])[] {
    const registry = this.#registry;
    const bridge = registry.bridges.get(id);
    if (bridge !== undefined) {
      const members = registry.members(id);
      return legsOf(members).map((leg) => [leg, inBridge(bridge, leg, members)]);
    }
    const conference = this.#conferences.get(id);
    if (conference !== undefined) {
      const legOf = (leg: string): Leg | undefined => registry.legs.get(leg);
      const { heldHears } = this.#settings;
      return registry.inPlace(id).map((leg) => [leg, conferenceAudio(conference, leg, legOf, heldHears)]);
    }
    const leg = registry.legs.get(id);
    return leg === undefined ? [] : [[leg, audioOf(leg)]];
  }
}

/** Of a place that looks at its legs whenever one of them has changed. */
const placeThatLooks = (place: Leg['place'] | undefined): string | undefined =>
  place?.in === 'bridge' || place?.in === 'conference' ? place.id : undefined;

function inBridge(bridge: Bridge, leg: Leg, members: Members): Audio {
  if (leg.place?.in !== 'bridge') return audioOf(leg);
  if (leg.place.side === 'next') return ALONE;
  const other = otherOf(members, leg.id);
  return supervisedAudio(bridge, leg, other, members) ?? bridgeAudio(bridge, leg, other);
}

/** Alone, or at a place of its own. */
function audioOf(leg: Leg): Audio {
  if (leg.place?.in === 'built-in') return builtInAudio(leg, leg.place);
  return leg.program === null || (leg.direction === 'ours' && leg.state.name !== 'up')
    ? ALONE
    : parkedAudio(leg);
}

const isSameAudio = (a: Audio, b: Audio): boolean =>
  isSame(a.hears, b.hears) && a.states === b.states && a.maySilent === b.maySilent && a.alone === b.alone;
