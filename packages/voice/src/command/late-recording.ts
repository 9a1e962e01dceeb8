import type { Ms } from '@sidetone/core';
import type { CallEvent, RecordingToSave } from '@sidetone/wire';
import { fileOf } from '../activity/recording.ts';
import { branchOf, type Leg } from '../leg/leg.ts';
import { hookOf } from '../leg/program.ts';
import type { RecordEnd, Wish } from '../message.ts';
import { eventLegOf } from './event.ts';

/** What an event behind the end of a lane is made of. */
export type Lane = Pick<CallEvent, 'lane' | 'n' | 'account' | 'leg' | 'clientState'> & {
  readonly saved: CallEvent['hook'];
  readonly failed: CallEvent['hook'];
};

export type RecordingFacts = Omit<RecordingToSave, 'endedAt' | 'why' | 'lostMs'>;

/** A recording that its leg has no part in any more. */
export interface LateRecording {
  readonly id: string;
  readonly owner: string;
  /** Its leg in media, and the last report of it that was read. */
  readonly branch: string;
  readonly seen: number;
  readonly facts: RecordingFacts;
  /** Media has told the end. */
  readonly end: RecordEnd | null;
}

/** How events behind the last one of a leg are told; `null`: to nobody. */
export function laneOf({ program, ...leg }: Leg): Lane | null {
  if (program === null) return null;
  return {
    lane: leg.id,
    n: program.told,
    account: program.account,
    leg: eventLegOf({ ...leg, program }, program),
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
