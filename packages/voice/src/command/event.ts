import type { EpochMs } from '@sidetone/core';
import type { CallEvent, CallNews } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import { hookOf, type Program } from '../leg/program.ts';

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
    leg: {
      control: leg.control,
      leg: leg.id,
      session: leg.session,
      connection: program.connection,
      from: leg.from,
      to: leg.to,
      direction: isIncoming(leg) ? 'incoming' : 'outgoing',
      party: program.party,
      startedAt: Math.round(leg.epochOffset + leg.startedAt),
    },
    clientState: program.clientState,
    hook: hookOf(program, what.type),
    what,
  };
}

/** Of a carrier, or to an application. A client's own call is an outgoing one of its connection. */
const isIncoming = ({ direction, program }: Leg & { readonly program: Program }): boolean =>
  direction === 'theirs' && (program.party === 'pstn' || program.incoming === true);
