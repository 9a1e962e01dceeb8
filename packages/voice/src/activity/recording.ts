import type { MediaCommand, MediaReply } from '@sidetone/wire';
import type { LegDraft } from '../leg/leg-draft.ts';
import type { LegInput } from '../message.ts';
import type { Recording } from './activity.ts';

/*
 * Recording a leg, wherever it is.
 *
 *   waiting ──leg up──▶ starting ──media──▶ running ⇄ paused ──stopped, a limit, the end of the leg──▶ gone: `recordings.ts` has it
 *
 * Its end is media's to tell; another may begin before that. What then becomes of the file is told by an event, which may come behind the leg's `hangup`.
 */

type Of<T extends LegInput['type']> = Extract<LegInput, { type: T }>;

/** Where media writes it, in the data folder. */
export const fileOf = (id: string): string => `recordings/open/${id}.wav`;

/** One at a time: `execute.ts` has seen that there is none. */
export function onRecord(draft: LegDraft, { recording }: Of<'record'>): void {
  if (draft.leg.activities.recording === null) set(draft, recording);
}

/** A leg that is up, with its media there, is recorded. */
export function settleRecording(draft: LegDraft): void {
  const { main, leg } = draft;
  const { recording } = leg.activities;
  if (recording?.state !== 'waiting' || leg.state.name !== 'up' || main?.media.phase !== 'open') return;
  set(draft, { ...recording, state: 'starting' });
  draft.media('record', wish(recording, main.id));
}

function wish({ id, ask }: Recording, leg: string): MediaCommand & { readonly leg: string } {
  const { channels, track, beep, maxMs, silenceMs } = ask;
  return {
    op: 'record',
    leg,
    id,
    file: fileOf(id),
    channels,
    track,
    ...(beep === undefined ? {} : { beep }),
    ...(maxMs === undefined ? {} : { maxMs }),
    ...(silenceMs === undefined ? {} : { silenceMs }),
  };
}

/** Media's answer to the wish. */
export function onRecordReply(draft: LegDraft, reply: MediaReply): void {
  const { recording } = draft.leg.activities;
  if (recording === null) return;
  const { startedAt } = recording;
  if (reply.ok) {
    const state = recording.state === 'starting' ? 'running' : recording.state;
    if (startedAt === null) set(draft, { ...recording, state, startedAt: draft.now });
    return;
  }
  draft.log('warn', 'media does not record', { error: reply.error });
  // One that had begun: media tells its end.
  if (startedAt !== null) return;
  set(draft, null);
  draft.news({ type: 'recordFailed', id: recording.id, problem: 'Internal server error' });
}

export function onChangeRecording(draft: LegDraft, { to }: Of<'changeRecording'>): void {
  const { main } = draft;
  const { recording } = draft.leg.activities;
  if (recording === null || main === undefined) return;
  // Of one that waits nothing is there.
  if (recording.state === 'waiting') {
    if (to === 'stopped') set(draft, null);
    return;
  }
  if (to !== 'stopped') {
    tell(draft, main.id, recording.id, to);
    return set(draft, { ...recording, state: to });
  }
  draft.media('aside', { op: 'recordStop', leg: main.id, id: recording.id });
  abandonRecording(draft);
}

function tell(draft: LegDraft, leg: string, id: string, state: 'running' | 'paused'): void {
  draft.media('aside', { op: state === 'paused' ? 'recordPause' : 'recordResume', leg, id });
}

/** Media has closed the file. */
export function onRecorded(draft: LegDraft, { branch, end }: Of<'recorded'>): void {
  const { recording } = draft.leg.activities;
  if (recording?.id !== end.id) return;
  set(draft, null);
  draft.emit({ type: 'recorded', leg: draft.leg.id, branch, recording, end });
}

/** It is stopped, or its leg is over: media closes the file. */
export function abandonRecording(draft: LegDraft): void {
  const { main, leg } = draft;
  const { recording } = leg.activities;
  if (recording === null) return;
  set(draft, null);
  if (recording.state === 'waiting' || main === undefined) return;
  draft.emit({ type: 'recorded', leg: leg.id, branch: main.id, recording, end: null });
}

/** The process before had media record: the wish is said again, and changes nothing. */
export function resumeRecording(draft: LegDraft): void {
  const { main } = draft;
  const { recording } = draft.leg.activities;
  if (recording === null || recording.state === 'waiting' || main === undefined) return;
  draft.media('record', wish(recording, main.id));
  if (recording.state !== 'starting') tell(draft, main.id, recording.id, recording.state);
}

const set = (draft: LegDraft, recording: Recording | null): void => draft.act({ recording });
