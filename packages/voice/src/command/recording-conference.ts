import { uuid } from '@sidetone/core';
import type { ConferenceCommand, Refusal } from '@sidetone/wire';
import type { Conference } from '../place/conference-draft.ts';
import type { Decision, Desk } from './desk.ts';

/* Commands that record a conference. */

type Of<T extends ConferenceCommand['type']> = Extract<ConferenceCommand, { type: T }>;

const bad = (detail: string, field?: string): Refusal => ({
  why: 'badField',
  detail,
  ...(field === undefined ? {} : { field }),
});

/** It begins as soon as somebody is heard. */
export function record(
  { legs, options, begun }: Desk,
  command: Of<'recordConference'>,
  { id: conference, recording }: Conference,
): Decision {
  if (recording !== null) return bad('This conference is being recorded already.');
  const { account: _a, conference: _n, clientState: _s, commandId: _i, type: _t, ...ask } = command;
  return () => {
    const id = uuid(options.random);
    begun.recording = id;
    legs.toConference(conference, {
      type: 'record',
      recording: {
        id,
        state: 'waiting',
        ask: { ...ask, track: 'both' },
        by: 'StartConferenceRecordingAPI',
        startedAt: null,
      },
    });
  };
}

/** For a command that comes again. */
export const begunBefore = (
  { type }: ConferenceCommand,
  { recording }: Conference,
): { readonly recording?: string } =>
  type !== 'recordConference' || recording === null ? {} : { recording: recording.id };

export function changeRecord(
  { legs }: Desk,
  { to, recording: id }: Of<'changeConferenceRecord'>,
  { id: conference, recording }: Conference,
): Decision {
  if (recording === null) return bad('This conference is not being recorded.');
  if (id !== undefined && id !== recording.id)
    return bad('recording_id names no recording of this conference.', 'recording_id');
  if (recording.state === 'waiting' && to !== 'stopped')
    return bad('The recording of this conference has not begun: nobody is heard in it yet.');
  return () => legs.toConference(conference, { type: 'changeRecord', to });
}
