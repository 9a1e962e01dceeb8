import type { MediaEvent } from '@sidetone/wire';
import type { CallInput } from './call-events.ts';

/** What an event of a media leg means for its call. */
export function mediaInput(event: Exclude<MediaEvent, { event: 'engine' }>): CallInput {
  const { leg } = event;
  if (event.event === 'failed') return { type: 'mediaFailed', leg, why: event.why };
  if (event.event === 'dtmf') return { type: 'mediaDigit', leg, digit: event.digit };
  return { type: 'mediaFlag', leg, flag: event.event };
}
