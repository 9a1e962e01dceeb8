import type { MediaEvent, MediaReply, RecordEvent, RoomEvent } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import type { LegInput, RecordEnd } from '../message.ts';
import type { ConferenceInput } from '../place/conference-draft.ts';
import type { RoomQuestion } from './media-desk.ts';

export type LegMediaEvent = Exclude<MediaEvent, { event: 'engine' } | { room: string }>;

/** What an event of a leg in media means for the leg that it is a branch of. */
export function mediaInput(event: LegMediaEvent): LegInput {
  const { leg: branch } = event;
  const number = 'n' in event && event.n !== undefined ? { n: event.n } : {};
  switch (event.event) {
    case 'failed':
      return { type: 'mediaFailed', branch, why: event.why, ...number };
    case 'dtmf':
      return { type: 'mediaDigit', branch, digit: event.digit, ...number };
    case 'played':
      return { type: 'played', branch, id: event.id, status: event.status, ...number };
    case 'heard':
      return { type: 'heard', branch, what: event.what, ...number };
    case 'transcript': {
      const { id, track, text, final, confidence } = event;
      return { type: 'transcript', branch, id, track, text, final, confidence, ...number };
    }
    case 'transcribed': {
      const { id, reason } = event;
      return { type: 'transcribed', branch, id, ...(reason === undefined ? {} : { reason }), ...number };
    }
    case 'streamed': {
      const { id, state, reason } = event;
      return { type: 'streamed', branch, id, state, ...(reason === undefined ? {} : { reason }), ...number };
    }
    case 'recorded':
      return { type: 'recorded', branch, end: endOf(event), ...number };
    default:
      return { type: 'mediaFlag', branch, flag: event.event };
  }
}

const endOf = ({ id, why, durationMs, wallMs, lostMs }: RecordEvent): RecordEnd => ({
  id,
  why,
  durationMs,
  wallMs,
  lostMs,
});

/** What a reply means for a conference, where it counts. */
export function roomReply({ play, record }: RoomQuestion, reply: MediaReply): ConferenceInput | undefined {
  if (play !== undefined) return { type: 'playReply', id: play, reply };
  return record === undefined ? undefined : { type: 'recordReply', id: record, reply };
}

/** What an event of a room means for its conference; `speaker`: the leg that it names. */
export function roomInput(
  event: RoomEvent | (RecordEvent & { readonly room: string }),
  speaker: Leg | undefined,
): ConferenceInput {
  const number = event.n === undefined ? {} : { n: event.n };
  if (event.event === 'floor') return { type: 'floor', leg: speaker?.id ?? null, ...number };
  if (event.event === 'recorded') return { type: 'recorded', end: endOf(event), ...number };
  return { type: 'roomPlayed', id: event.id, status: event.status, ...number };
}
