import type { MediaEvent } from '@sidetone/wire';
import type { LegInput } from '../message.ts';

/** What an event of a leg in media means for the leg that it is a branch of. */
export function mediaInput(event: Exclude<MediaEvent, { event: 'engine' }>): LegInput | null {
  const { leg: branch } = event;
  if (event.event === 'failed') return { type: 'mediaFailed', branch, why: event.why };
  if (event.event === 'dtmf') return { type: 'mediaDigit', branch, digit: event.digit };
  if (event.event === 'played') return { type: 'played', branch, id: event.id, status: event.status };
  if (event.event === 'heard') return null;
  return { type: 'mediaFlag', branch, flag: event.event };
}
