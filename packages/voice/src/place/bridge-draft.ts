import type { LogLine } from '@sidetone/core';
import type { Ending } from '../leg/ending.ts';
import type { Leg } from '../leg/leg.ts';
import type { LegInput, PlaceInput } from '../message.ts';
import type { Side } from './place.ts';

/** Two legs that become, or are, a conversation: `bridge.ts`. */
export interface Bridge {
  readonly id: string;
  /** The session that legs made for it belong to. */
  readonly session: string;
  readonly state: 'waiting' | 'up';
  /**
   * What becomes of one side when the other ends before they talk: it ends, too (`refuse`), does what its program says for the
   * end of a bridge (`after`), or is parked. Once they have talked it is always `after`; without a program a leg ends.
   */
  readonly onFail: 'refuse' | 'after' | 'park';
  /** What a side that is up hears while the other rings without a sound of its own. */
  readonly ring: 'ringback' | 'silence';
  /** A side that is up hears the early media of the other. */
  readonly early: boolean;
  /** A command took a side to another place. */
  readonly left: boolean;
  /** What a party hears while the other holds it. */
  readonly heldHears: 'music' | 'silence';
  readonly swap: Swap | null;
  /** Transfers so far: nobody is handed round for ever. */
  readonly swaps: number;
}

/** A transfer under way: `swap.ts`. */
export interface Swap {
  /** The leg that asked; it may have hung up since. */
  readonly by: string;
  readonly side: Side;
  /** `id` of Event in its NOTIFYs. */
  readonly event: number | null;
  /** The other side, which stays. */
  readonly keeps: string;
  readonly attended: boolean;
}

export type Members = Partial<Readonly<Record<Side, Leg>>> & {
  /** Who listens, whispers or barges in. */
  readonly supervisors?: readonly Leg[];
};

export const legsOf = ({ a, b, next, supervisors = [] }: Members): readonly Leg[] =>
  [a, b, next, ...supervisors].filter((leg) => leg !== undefined);

/** What a bridge asks for. */
export type BridgeOut =
  | { readonly type: 'tell'; readonly leg: string; readonly message: LegInput }
  /** A leg for `keeps`, on the account of the user of `by`; answered by `found` or a leg with side `next`. */
  | {
      readonly type: 'dial';
      readonly by: string;
      readonly keeps: string;
      readonly dialled: string;
      readonly headers: Ending['headers'];
    }
  /** Takes a leg of another bridge in as `next`, or the built-in service that a leg is connected to. */
  | { readonly type: 'take'; readonly leg: string }
  | { readonly type: 'takeBuiltIn'; readonly leg: string }
  | LogLine;

export type BridgeInput =
  | { readonly type: 'look' }
  | PlaceInput
  /** A command takes one side to another place. */
  | { readonly type: 'leaves' }
  /** The process before had the other side: who is left parts from nobody. */
  | { readonly type: 'alone'; readonly ending: Ending }
  /** Ends everything here. */
  | { readonly type: 'end'; readonly ending: Ending };

/** A bridge of two legs that become a conversation by themselves; commands say what differs. */
export const newBridge = (facts: Pick<Bridge, 'id' | 'session' | 'heldHears'> & Partial<Bridge>): Bridge => ({
  state: 'waiting',
  onFail: 'refuse',
  ring: 'silence',
  early: true,
  left: false,
  swap: null,
  swaps: 0,
  ...facts,
});

/** One step of a bridge in the making. */
export class BridgeDraft {
  bridge: Bridge;
  readonly members: Members;
  readonly out: BridgeOut[] = [];

  constructor(bridge: Bridge, members: Members) {
    this.bridge = bridge;
    this.members = members;
  }

  set(change: Partial<Bridge>): void {
    this.bridge = { ...this.bridge, ...change };
  }

  tell(leg: string, message: LegInput): void {
    this.out.push({ type: 'tell', leg, message });
  }

  emit(out: BridgeOut): void {
    this.out.push(out);
  }

  log(event: string, fields: LogLine['fields'] = {}): void {
    this.out.push({ type: 'log', level: 'info', event, fields: { session: this.bridge.session, ...fields } });
  }

  get legs(): readonly Leg[] {
    return legsOf(this.members);
  }
}

/** The other side of a leg. */
export function otherOf({ a, b }: Members, leg: string): Leg | undefined {
  if (a?.id === leg) return b;
  return b?.id === leg ? a : undefined;
}
