import type { EpochMs, Ms } from '@sidetone/core';
import type { CallEvent, CallNews, EventLeg } from '@sidetone/wire';
import { fileOf } from '../activity/recording.ts';
import { branchOf, type Leg } from '../leg/leg.ts';
import { hookOf, type Program } from '../leg/program.ts';
import type { Wish } from '../message.ts';
import type { Lane, LateRecording } from '../recordings.ts';

function legOf(leg: Leg & { readonly program: Program }): EventLeg {
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

/** How events behind the last one of a leg are told; `null`: to nobody. */
export function laneOf({ program, ...leg }: Leg): Lane | null {
  if (program === null) return null;
  return {
    lane: leg.id,
    n: program.told,
    account: program.account,
    leg: legOf({ ...leg, program }),
    clientState: program.clientState,
    saved: hookOf(program, 'recorded'),
    failed: hookOf(program, 'recordFailed'),
  };
}

/** What the saving of a recording, and its events, are made of. */
export function lateRecording(
  { program, ...leg }: Leg,
  { recording, branch, end }: Extract<Wish, { type: 'recorded' }>,
  now: Ms,
): LateRecording {
  const { id, ask, by } = recording;
  const startedAt = leg.epochOffset + (recording.startedAt ?? now);
  return {
    id,
    owner: leg.id,
    branch,
    seen: branchOf({ ...leg, program }, branch)?.reported ?? 0,
    end,
    facts: {
      format: ask.format,
      channels: ask.track === 'both' ? ask.channels : 1,
      ...(ask.trim === undefined ? {} : { trim: ask.trim }),
      account: program?.account ?? '',
      by,
      control: leg.control,
      leg: leg.id,
      session: leg.session,
      conference: null,
      connection: program?.connection ?? null,
      from: leg.from,
      to: leg.to,
      file: fileOf(id),
      name: `${ask.fileName ?? leg.id}-${Math.floor(startedAt / 1000)}`,
      startedAt,
    },
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
