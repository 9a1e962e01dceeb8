import type { EpochMs } from '@sidetone/core';
import type { CallEvent, CallNews, EventLeg } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import { hookOf, type Program } from '../leg/program.ts';

/** The leg of an event. */
export function legOf(leg: Leg & { readonly program: Program }): EventLeg {
  const { program } = leg;
  return {
    control: leg.control,
    leg: leg.id,
    session: leg.session,
    connection: program.connection,
    from: leg.from,
    to: leg.to,
    direction: leg.direction === 'theirs' && program.party === 'pstn' ? 'incoming' : 'outgoing',
    party: program.party,
    startedAt: Math.round(leg.epochOffset + leg.startedAt),
  };
}

/** The event that a back end hears of a leg, complete in itself. */
export function eventOf(
  leg: Leg & { readonly program: Program },
  { n, what }: { readonly n: number; readonly what: CallNews },
  { id, at }: { readonly id: string; readonly at: EpochMs },
): CallEvent {
  const { program } = leg;
  return {
    id,
    lane: leg.id,
    n,
    at,
    account: program.account,
    leg: legOf(leg),
    clientState: program.clientState,
    hook: hookOf(program, what.type),
    what,
  };
}
