import type { EpochMs, Ms } from '@sidetone/core';
import type { CallEvent, RecordingToSave } from '@sidetone/wire';
import type { Recording } from '../activity/activity.ts';
import { fileOf } from '../activity/recording.ts';
import { branchOf, type Leg } from '../leg/leg.ts';
import { hookOf } from '../leg/program.ts';
import type { RecordEnd, Wish } from '../message.ts';
import type { Conference, ConferenceOut } from '../place/conference-draft.ts';
import { eventLegOf } from './event.ts';

/** What an event behind the end of a lane is made of. */
export type Lane = Pick<CallEvent, 'lane' | 'n' | 'account' | 'leg' | 'clientState'> & {
  readonly saved: CallEvent['hook'];
  readonly failed: CallEvent['hook'];
};

export type RecordingFacts = Omit<RecordingToSave, 'endedAt' | 'why' | 'lostMs'>;

/** A recording that its leg or conference has no part in any more. */
export interface LateRecording {
  readonly id: string;
  readonly owner: string;
  /** Its leg or room in media, and the last report of it that was read. */
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

/** The same, behind the end of a conference. Of a recording that is not saved the published API has no event. */
export const conferenceLane = ({ id, told, account, creator, clientState, hook }: Conference): Lane => ({
  lane: id,
  n: told,
  account,
  leg: creator,
  clientState,
  saved: hookOf({ hook }, 'conferenceRecorded'),
  failed: null,
});

/** What the saving of a recording, and its events, are made of. */
export function lateRecording(
  { program, ...leg }: Leg,
  { recording, branch, end }: Extract<Wish, { type: 'recorded' }>,
  now: Ms,
): LateRecording {
  const startedAt = leg.epochOffset + (recording.startedAt ?? now);
  return {
    id: recording.id,
    owner: leg.id,
    branch,
    seen: branchOf({ ...leg, program }, branch)?.reported ?? 0,
    end,
    facts: {
      ...askedFor(recording, leg.id, startedAt),
      account: program?.account ?? '',
      control: leg.control,
      leg: leg.id,
      session: leg.session,
      conference: null,
      connection: program?.connection ?? null,
      from: leg.from,
      to: leg.to,
    },
  };
}

/** The same, of a conference: it goes by the leg that it was made with. */
export function lateOfConference(
  { id, account, creator, reported, epochOffset }: Conference,
  { recording, end }: Extract<ConferenceOut, { type: 'recorded' }>,
  now: Ms,
): LateRecording {
  const { control, leg, session, connection, from, to } = creator;
  return {
    id: recording.id,
    owner: id,
    branch: id,
    seen: reported,
    end,
    facts: {
      ...askedFor(recording, id, epochOffset + (recording.startedAt ?? now)),
      account,
      control,
      leg,
      session,
      conference: id,
      connection,
      from,
      to,
    },
  };
}

const askedFor = ({ id, ask, by }: Recording, owner: string, startedAt: EpochMs) => ({
  format: ask.format,
  channels: ask.track === 'both' ? ask.channels : (1 as const),
  ...(ask.trim === undefined ? {} : { trim: ask.trim }),
  by,
  file: fileOf(id),
  name: `${ask.fileName ?? owner}-${Math.floor(startedAt / 1000)}`,
  startedAt,
});
