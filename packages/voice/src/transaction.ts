import { Deadlines, type Ms } from '@sidetone/core';
import { CAUSE } from './leg/ending.ts';
import { ALONE, type Audio, isEnding, type Leg, legDeadline } from './leg/leg.ts';
import type { LegSettings } from './leg/leg-draft.ts';
import { stepLeg } from './leg/leg-step.ts';
import { isSame } from './leg/negotiation.ts';
import type { LegInput, Wish } from './message.ts';
import { bridgeAudio, builtInAudio, parkedAudio } from './place/audio.ts';
import { stepBridge } from './place/bridge.ts';
import { type BridgeInput, type BridgeOut, otherOf } from './place/bridge-draft.ts';
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

export interface Carrier {
  /** SIP, media, records, the log. */
  wish(wish: Wish): void;
  /** A bridge wants a leg for a transfer: made with `begin`, or refused with `toBridge`. */
  dial(wish: DialWish): void;
}

type Message =
  | { readonly leg: string; readonly input: LegInput }
  | { readonly bridge: string; readonly input: BridgeInput };

export class Transactions {
  readonly #registry: Registry;
  readonly #settings: LegSettings;
  readonly #carrier: Carrier;
  readonly #times = new Deadlines<string>();
  #queue: Message[] = [];
  /** Legs and bridges that have changed since their place looked. */
  #changed = new Set<string>();
  /** Legs that have changed in this input, and those that are over. */
  readonly touched = new Set<string>();
  readonly over: Leg[] = [];
  #gone: Leg[] = [];

  constructor(registry: Registry, settings: LegSettings, carrier: Carrier) {
    this.#registry = registry;
    this.#settings = settings;
    this.#carrier = carrier;
  }

  deadline(): Ms | null {
    return this.#times.next();
  }

  post(leg: string, input: LegInput): void {
    this.#queue.push({ leg, input });
  }

  toBridge(bridge: string, input: BridgeInput): void {
    this.#queue.push({ bridge, input });
  }

  /** A leg that begins, here or by restoring it. */
  begin(leg: Leg): void {
    this.#put(undefined, leg);
  }

  tick(now: Ms): void {
    for (let id = this.#times.takeDue(now); id !== undefined; id = this.#times.takeDue(now))
      this.post(id, { type: 'tick' });
  }

  run(now: Ms): void {
    let steps = 0;
    for (;;) {
      for (let i = 0; i < this.#queue.length; i++) {
        if (++steps > MOST_STEPS) throw new Error('livelock among legs and places');
        const message = this.#queue[i]!;
        if ('leg' in message) this.#stepLeg(message.leg, message.input, now);
        else this.#stepBridge(message.bridge, message.input);
      }
      this.#queue = [];
      if (this.#changed.size === 0) return;
      // A place looks at a leg that is over once more.
      const gone = this.#gone.splice(0);
      this.#look();
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
    if (before?.place?.in === 'bridge') this.#changed.add(before.place.id);
    this.#changed.add(leg.place?.in === 'bridge' ? leg.place.id : leg.id);
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
  #look(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const id of changed) {
      if (this.#registry.isEmpty(id)) this.#registry.bridges.delete(id);
      this.#stepBridge(id, { type: 'look' });
      const bridge = this.#registry.bridges.get(id);
      const members = bridge === undefined ? {} : this.#registry.members(id);
      const legs = bridge === undefined ? [this.#registry.legs.get(id)] : Object.values(members);
      for (const leg of legs) {
        if (leg === undefined || isEnding(leg)) continue;
        const audio =
          bridge === undefined || leg.place?.in !== 'bridge'
            ? audioOf(leg)
            : leg.place.side === 'next'
              ? ALONE
              : bridgeAudio(bridge, leg, otherOf(members, leg.id));
        if (!isSameAudio(leg.audio, audio)) this.post(leg.id, { type: 'audio', audio });
      }
    }
  }
}

/** Outside of a bridge. */
function audioOf(leg: Leg): Audio {
  if (leg.place?.in === 'built-in') return builtInAudio(leg, leg.place);
  return leg.program === null || (leg.direction === 'ours' && leg.state.name !== 'up')
    ? ALONE
    : parkedAudio(leg);
}

const isSameAudio = (a: Audio, b: Audio): boolean =>
  isSame(a.hears, b.hears) && a.states === b.states && a.maySilent === b.maySilent && a.alone === b.alone;
