import { uuid } from '@sidetone/core';
import type { Refusal, StreamWish, TranscribeAsk } from '@sidetone/wire';
import type { Leg } from '../leg/leg.ts';
import type { LegInput } from '../message.ts';
import { type Decision, type Desk, isUp, type Of, UNANSWERED } from './desk.ts';

/* Commands about the sound of a leg that leaves it by other ways than its peer's. */

/** What was asked for, as an input of the leg. */
export function streamInput({ options }: Desk, { parameters = [], ...ask }: StreamWish): LegInput {
  const order = options.l16BigEndian === true ? { bigEndian: true as const } : {};
  return { type: 'stream', id: uuid(options.random), ask: { ...ask, ...order }, parameters };
}

export function startStream(desk: Desk, { stream }: Of<'startStream'>, leg: Leg): Decision {
  if (!isUp(leg)) return UNANSWERED;
  if (leg.activities.stream !== null)
    return { why: 'streamUsed', detail: 'This call has a media stream already; it can have one.' };
  return () => desk.legs.post(leg.id, streamInput(desk, stream));
}

export function stopStream({ legs }: Desk, { stream }: Of<'stopStream'>, { id, activities }: Leg): Decision {
  if (activities.stream === null || (stream !== undefined && stream !== activities.stream.id))
    return {
      why: 'streamNotUsed',
      detail:
        stream === undefined
          ? 'This call has no media stream.'
          : 'This call has no media stream of this stream_id.',
    };
  return () => legs.post(id, { type: 'stopStream' });
}

export const transcribeInput = ({ options }: Desk, ask: TranscribeAsk): LegInput => ({
  type: 'transcribe',
  id: uuid(options.random),
  ask,
});

/** Why nothing can be transcribed here. */
export const noEngine = ({ options }: Desk, field?: string): Refusal | null =>
  options.speechToText !== undefined
    ? null
    : {
        why: 'notOffered',
        detail:
          'There is no engine that turns speech into text: the operator adds one as transcription.url of the configuration (docs/transcription.md).',
        ...(field === undefined ? {} : { field }),
      };

export function transcribe(desk: Desk, { ask }: Of<'transcribe'>, leg: Leg): Decision {
  const missing = noEngine(desk);
  if (missing !== null) return missing;
  if (!isUp(leg)) return UNANSWERED;
  if (leg.activities.transcription !== null)
    return { why: 'transcribed', detail: 'This call is transcribed already.' };
  return () => desk.legs.post(leg.id, transcribeInput(desk, ask));
}

export function stopTranscribe({ legs }: Desk, { id, activities }: Leg): Decision {
  const { transcription } = activities;
  if (transcription === null || transcription.state === 'stopping')
    return { why: 'notTranscribed', detail: 'This call is not transcribed.' };
  return () => legs.post(id, { type: 'stopTranscribe' });
}

export function fork({ legs, options }: Desk, { ask }: Of<'fork'>, leg: Leg): Decision {
  if (!isUp(leg)) return UNANSWERED;
  if (leg.activities.fork !== null) return { why: 'badField', detail: 'This call is forked already.' };
  return () => legs.post(leg.id, { type: 'fork', id: uuid(options.random), ask });
}

export function stopFork({ legs }: Desk, { id, activities }: Leg): Decision {
  if (activities.fork === null) return { why: 'notForked', detail: 'This call is not forked.' };
  return () => legs.post(id, { type: 'stopFork' });
}
