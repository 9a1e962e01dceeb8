import type { LogLine, Ms } from '@sidetone/core';
import type { MediaCommand } from '@sidetone/wire';
import { type Call, type CallState, legOf } from './call.ts';
import type { CallOut, MediaTag } from './call-events.ts';
import type { Leg } from './leg.ts';

/** One step in the making: the next call and its outputs. Records are replaced, never changed in place. */
export class Draft {
  call: Call;
  readonly now: Ms;
  readonly out: CallOut[] = [];

  constructor(call: Call, now: Ms) {
    this.call = call;
    this.now = now;
  }

  get caller(): Leg {
    return this.call.legs[0]!;
  }

  get callees(): readonly Leg[] {
    return this.call.legs.slice(1);
  }

  leg(id: string): Leg | undefined {
    return legOf(this.call, id);
  }

  /** Changes a leg that exists, and returns its new record. */
  set(id: string, change: Partial<Leg>): Leg {
    let changed: Leg | undefined;
    const legs = this.call.legs.map((leg) => (leg.id === id ? (changed = { ...leg, ...change }) : leg));
    if (changed === undefined) throw new Error(`no leg ${id}`);
    this.call = { ...this.call, legs };
    return changed;
  }

  /** A description of the leg's peer came from there. */
  heardFrom(leg: Leg, from: string | undefined): Leg {
    return from === undefined || leg.kind !== 'phone' ? leg : this.set(leg.id, { signalledFrom: from });
  }

  add(leg: Leg): void {
    this.call = { ...this.call, legs: [...this.call.legs, leg] };
  }

  to(state: CallState): void {
    this.call = { ...this.call, state };
  }

  emit(out: CallOut): void {
    this.out.push(out);
  }

  media(tag: MediaTag, command: MediaCommand & { readonly leg: string }): void {
    this.out.push({ type: 'media', leg: command.leg, tag, command });
  }

  log(level: LogLine['level'], event: string, fields: LogLine['fields'] = {}): void {
    this.out.push({ type: 'log', level, event, fields: { session: this.call.id, ...fields } });
  }
}
