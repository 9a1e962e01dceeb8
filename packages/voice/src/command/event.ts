import type { EpochMs } from '@sidetone/core';
import type { CallEvent, CallNews, ConferenceNews, EventLeg } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import { hookOf, type Program } from '../leg/program.ts';
import type { Conference } from '../place/conference-draft.ts';

/** The leg of an event, as it is now. */
export const eventLegOf = (leg: Leg, program: Program): EventLeg => ({
  control: leg.control,
  leg: leg.id,
  session: leg.session,
  connection: program.connection,
  from: leg.from,
  to: leg.to,
  direction: isIncoming(leg, program) ? 'incoming' : 'outgoing',
  party: program.party,
  startedAt: Math.round(leg.epochOffset + leg.startedAt),
});

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
    leg: eventLegOf(leg, program),
    clientState: program.clientState,
    hook: hookOf(program, what.type),
    what,
  };
}

/** An event of a conference: about the leg that it was made with, or about `leg`. */
export const conferenceEventOf = (
  { id: lane, account, creator, clientState, hook }: Conference,
  { n, what }: { readonly n: number; readonly what: ConferenceNews },
  leg: Leg | undefined,
  { id, at }: { readonly id: string; readonly at: EpochMs },
): CallEvent => ({
  id,
  lane,
  n,
  at,
  account,
  leg: leg?.program == null ? creator : eventLegOf(leg, leg.program),
  clientState: leg?.program == null ? clientState : leg.program.clientState,
  hook: hookOf({ hook }, what.type),
  what,
});

/** Of a carrier, or to an application. A client's own call is an outgoing one of its connection. */
const isIncoming = ({ direction }: Leg, program: Program): boolean =>
  direction === 'theirs' && (program.party === 'pstn' || program.incoming === true);
