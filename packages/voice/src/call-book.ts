import type { LegId, UserAgent } from '@sidetone/sip';
import type { Call } from './call.ts';
import { Charges, userCharged } from './charges.ts';
import { CAUSE } from './ending.ts';
import { type Bye, type Dialogs, dialogsOf } from './journal.ts';
import { MediaPorts } from './media-ports.ts';
import { byeHeaders } from './to-sip.ts';

export interface Place {
  readonly call: string;
  readonly leg: string;
}

/** The calls that live, whose they are, and which dialog of the user agent is which leg. */
export class CallBook {
  readonly calls = new Map<string, Call>();
  readonly #agent: UserAgent;
  /** Our leg ids → their call and the user agent's leg; and back. */
  readonly #legs = new Map<string, string>();
  readonly #dialogOf = new Map<string, LegId>();
  readonly #placeOf = new Map<LegId, Place>();
  readonly charges = new Charges();
  readonly ports = new MediaPorts();
  /** What the journal asks. */
  readonly dialogs: Dialogs;

  constructor(agent: UserAgent) {
    this.#agent = agent;
    this.dialogs = dialogsOf(agent, this.#dialogOf);
  }

  callOf(leg: string): string | undefined {
    return this.#legs.get(leg);
  }

  dialogOf(leg: string): LegId | undefined {
    return this.#dialogOf.get(leg);
  }

  placeOf(dialog: LegId): Place | undefined {
    return this.#placeOf.get(dialog);
  }

  /** A call that begins, here or by restoring it. */
  add(call: Call): void {
    this.update(call);
    this.charges.add(call.charges);
  }

  /** What a step made of it. */
  update(call: Call): void {
    this.calls.set(call.id, call);
    this.ports.update(call);
    for (const leg of call.legs) this.#legs.set(leg.id, call.id);
  }

  /** Calls with a leg of such a user, and those on its account that it has handed over to others. */
  callsOf(isWanted: (user: string) => boolean): readonly string[] {
    const isTheirs = (user: string | undefined): boolean => user !== undefined && isWanted(user);
    const wanted = ({ legs, charges }: Call): boolean =>
      legs.some((leg) => leg.phase !== 'over' && isTheirs(leg.userName)) ||
      charges.some((charge) => isTheirs(userCharged(charge)));
    return [...this.calls.values()].filter(wanted).map(({ id }) => id);
  }

  bind(call: string, leg: string, dialog: LegId): void {
    this.#dialogOf.set(leg, dialog);
    this.#placeOf.set(dialog, { call, leg });
  }

  /** A leg went over to another call. */
  move(leg: string, call: string): void {
    this.#legs.set(leg, call);
    const dialog = this.#dialogOf.get(leg);
    if (dialog !== undefined) this.#placeOf.set(dialog, { call, leg });
  }

  /** A call is over. Returns the BYEs of its that are unanswered. */
  remove(call: Call): readonly Bye[] {
    this.calls.delete(call.id);
    this.ports.remove(call.id);
    const byes: Bye[] = [];
    for (const leg of call.legs) {
      this.#legs.delete(leg.id);
      const dialog = this.#dialogOf.get(leg.id);
      this.#dialogOf.delete(leg.id);
      if (dialog === undefined) continue;
      this.#placeOf.delete(dialog);
      const snapshot = this.#agent.snapshot(dialog);
      const ending = leg.ending ?? { ...CAUSE.normal, by: 'platform' };
      if (snapshot !== null) byes.push({ dialog: snapshot, headers: byeHeaders(ending) });
    }
    this.charges.remove(call.charges);
    return byes;
  }
}
