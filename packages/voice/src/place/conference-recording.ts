import type { RecordCommand } from '@sidetone/wire';
import type { Recording } from '../activity/activity.ts';
import { fileOf } from '../activity/recording.ts';
import { type ConferenceDraft, type ConferenceInput, isInRoom } from './conference-draft.ts';

/*
 * Recording a conference: its room in media, which stays from then on, whoever is held or leaves.
 *
 *   waiting ──a room──▶ starting ──media──▶ running ⇄ paused ──stopped, a limit, no room, the end──▶ gone: `recordings.ts` has it
 *
 * Its end is media's to tell; another may begin before that.
 */

type Of<T extends ConferenceInput['type']> = Extract<ConferenceInput, { type: T }>;

/** One at a time: `on-conference.ts` has seen that there is none. */
export function onRecord(draft: ConferenceDraft, { recording }: Of<'record'>): void {
  if (draft.conference.recording === null) draft.set({ recording });
}

/** It begins once there is a room. */
export function settleRecording(draft: ConferenceDraft): void {
  const { id, recording, state } = draft.conference;
  if (recording?.state !== 'waiting' || state !== 'in-progress') return;
  if (!draft.here.some((leg) => isInRoom(leg, id))) return;
  draft.set({ recording: { ...recording, state: 'starting' } });
  wish(draft, recording);
}

function wish(draft: ConferenceDraft, { id, ask }: Recording): void {
  const { id: room, creator } = draft.conference;
  const { channels, beep, maxMs } = ask;
  // Who made it and is away is named by its first branch.
  const first = draft.members.find((leg) => leg.id === creator.leg)?.main ?? creator.leg;
  draft.emit({
    type: 'room',
    record: id,
    command: {
      op: 'record',
      room,
      id,
      file: fileOf(id),
      channels,
      track: 'both',
      ...(channels === 1 ? {} : { first }),
      ...(beep === undefined ? {} : { beep }),
      ...(maxMs === undefined ? {} : { maxMs }),
    },
  });
}

/** Media's answer to the wish. */
export function onRecordReply(draft: ConferenceDraft, { id, reply }: Of<'recordReply'>): void {
  const { recording } = draft.conference;
  // One that had begun: media tells its end.
  if (recording?.id !== id || recording.startedAt !== null) return;
  const state = recording.state === 'starting' ? 'running' : recording.state;
  if (reply.ok) return draft.set({ recording: { ...recording, state, startedAt: draft.now } });
  draft.log('media does not record', { recording: id, error: reply.error }, 'warn');
  draft.set({ recording: null });
}

export function onChangeRecord(draft: ConferenceDraft, { to }: Of<'changeRecord'>): void {
  const { recording } = draft.conference;
  if (recording === null) return;
  if (to === 'stopped') return abandonRecording(draft);
  // `on-conference.ts` has seen that it does not wait.
  if (recording.state === 'waiting') return;
  tell(draft, recording.id, to);
  draft.set({ recording: { ...recording, state: to } });
}

const OP = {
  running: 'recordResume',
  paused: 'recordPause',
  stopped: 'recordStop',
} as const satisfies Record<string, RecordCommand['op']>;

function tell(draft: ConferenceDraft, id: string, to: keyof typeof OP): void {
  draft.emit({ type: 'room', command: { op: OP[to], room: draft.conference.id, id } });
}

/** Media has closed the file. */
export function onRecorded(draft: ConferenceDraft, { end }: Of<'recorded'>): void {
  const { recording } = draft.conference;
  if (recording?.id !== end.id) return;
  draft.set({ recording: null });
  draft.emit({ type: 'recorded', recording, end });
}

/** It is stopped, or its conference ends: media closes the file. Of one that waits nothing is there. */
export function abandonRecording(draft: ConferenceDraft): void {
  const { recording } = draft.conference;
  if (recording === null) return;
  draft.set({ recording: null });
  if (recording.state === 'waiting') return;
  tell(draft, recording.id, 'stopped');
  draft.emit({ type: 'recorded', recording, end: null });
}

/** The process before had media record: the wish is said again, and changes nothing. */
export function resumeRecording(draft: ConferenceDraft): void {
  const { recording } = draft.conference;
  if (recording === null || recording.state === 'waiting') return;
  wish(draft, recording);
  if (recording.state !== 'starting') tell(draft, recording.id, recording.state);
}
