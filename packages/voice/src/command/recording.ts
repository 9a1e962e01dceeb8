import { uuid } from '@sidetone/core';
import type { RecordAsk, RecordedBy, Refusal } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import { type Decision, type Desk, isUp, type Of } from './desk.ts';

/* Commands that record a leg, and what others say about that. */

const UNHEARD: Refusal = {
  why: 'notRecordable',
  detail: 'A call can be recorded once it is answered.',
};
const TWICE: Refusal = { why: 'badField', detail: 'This call is being recorded already.' };

export function start(desk: Desk, command: Of<'record'>, leg: Leg): Decision {
  if (!isUp(leg)) return UNHEARD;
  if (leg.activities.recording !== null) return TWICE;
  const { account: _a, control: _c, clientState: _s, commandId: _i, hook: _h, type: _t, ...ask } = command;
  return () => beginRecording(desk, leg, ask);
}

/** Why what another command says about recording cannot be. */
export const recordRefusal = (leg: Leg, ask: RecordAsk | undefined): Refusal | undefined =>
  ask !== undefined && leg.activities.recording !== null ? { ...TWICE, field: 'record' } : undefined;

/** It begins when the leg is up. */
export function beginRecording(
  { legs, options, begun }: Desk,
  leg: Leg,
  ask: RecordAsk | undefined,
  by: RecordedBy = 'StartCallRecordingAPI',
): void {
  if (ask === undefined) return;
  const id = uuid(options.random);
  begun.recording = id;
  legs.post(leg.id, { type: 'record', recording: { id, state: 'waiting', ask, by, startedAt: null } });
}

/** For a command that comes again. */
export const begunBefore = ({ activities: { recording } }: Leg): { readonly recording?: string } =>
  recording === null ? {} : { recording: recording.id };

const TO = { pauseRecord: 'paused', resumeRecord: 'running', stopRecord: 'stopped' } as const;

export function change(
  { legs }: Desk,
  { type, recording: id }: Of<'pauseRecord' | 'resumeRecord' | 'stopRecord'>,
  leg: Leg,
): Decision {
  const { recording } = leg.activities;
  if (recording === null) return { why: 'badField', detail: 'This call is not being recorded.' };
  if (id !== undefined && id !== recording.id)
    return {
      why: 'badField',
      field: 'recording_id',
      detail: 'recording_id names no recording of this call.',
    };
  return () => legs.post(leg.id, { type: 'changeRecording', to: TO[type] });
}
