import { type Call, legOf, sessionOf } from './call.ts';
import type { Leg, LegOrigin } from './leg.ts';

/*
 * Moves a side of one answered call into another one:
 *
 *   into:  keeps ══ gone        from:  leg ══ rest          (gone, rest: who transfers, or the stand-in of a dialled call)
 *                    ╲_________________╱
 *   into:  keeps ══ leg         from:  rest                 `into` hears `joined`, `from` hears `left`
 *
 * Everything that belongs to the leg goes with it: its dialog, its media, exchanges that are open, digits that wait, the
 * session it is recorded in. Nothing is sent here; what each side hears follows from the new state.
 */
export interface Joined {
  readonly into: Call;
  readonly from: Call;
}

/** `null`: one of the two is not what a transfer can use (any more). */
export function joinCalls(into: Call, keeps: string, from: Call, id: string): Joined | null {
  const kept = sideOf(into, keeps);
  const moved = sideOf(from, id);
  if (into.id === from.id || kept === null || moved === null || from.transfer !== null) return null;
  if (into.state.name !== 'up' || kept.kind === 'service') return null;
  const session = sessionOf(into, kept);
  const from_: LegOrigin = { ...originOf(from, moved), ...(from.origin === null ? { joined: session } : {}) };
  const stays: Leg =
    from.origin === null && kept.from === null
      ? { ...kept, from: { ...originOf(into, kept), joined: from_.session } }
      : kept;
  const others = into.legs.filter((leg) => leg.id !== keeps);
  return {
    into: {
      ...into,
      legs: [stays, ...others, { ...moved, from: from_ }],
      state: { ...into.state, peer: moved.id },
      // It counts as the calls it was made of, until it ends.
      charges: [...into.charges, ...from.charges],
      early: null,
    },
    from: { ...from, charges: [], legs: from.legs.filter((leg) => leg.id !== id) },
  };
}

/** An answered leg that is one of the two sides of an answered call, with its media settled. */
function sideOf(call: Call, id: string): Leg | null {
  const leg = legOf(call, id);
  if (leg === undefined || call.state.name !== 'up' || leg.phase !== 'up' || !leg.connected) return null;
  return id === call.legs[0]?.id || id === call.state.peer ? leg : null;
}

/** Where a leg began and whom it shows, as a record of its own. */
export function originOf(call: Call, leg: Leg): LegOrigin {
  if (leg.from !== null) return leg.from;
  const { caller } = call;
  const facts = { session: sessionOf(call, leg), caller: caller.number, dialled: caller.dialled };
  if (leg.role === 'caller')
    return { ...facts, number: caller.number, ...(caller.name === undefined ? {} : { name: caller.name }) };
  return { ...facts, number: leg.userName ?? (call.plan.to === 'trunk' ? call.plan.number : caller.dialled) };
}
