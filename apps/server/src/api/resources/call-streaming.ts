import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { COMMON } from '../calls/common.ts';
import { present } from '../calls/fields.ts';
import { STREAM, STREAM_DEFAULTS, streamOf } from '../calls/streams.ts';
import { TRANSCRIPTION, TRANSCRIPTION_DEFAULTS, transcribeOf } from '../calls/transcription.ts';
import { badField, CODE } from '../errors.ts';
import { action } from './call-action.ts';

/** Commands about the sound of a leg that leaves it by other ways than its peer's. */
export const streamActions = [
  action({
    id: 'startStreaming',
    name: 'streaming_start',
    summary: 'Send the sound of a leg by WebSocket, and play what comes back',
    body: z.object({ ...COMMON, ...STREAM }),
    defaults: STREAM_DEFAULTS,
    command: (body) => {
      const stream = streamOf(body);
      if (stream === undefined)
        throw badField('/stream_url', 'The parameter stream_url is required.', CODE.missing);
      return { type: 'startStream', stream };
    },
  }),
  action({
    id: 'stopStreaming',
    name: 'streaming_stop',
    summary: 'Stop the stream of a leg',
    body: z.object({
      ...COMMON,
      stream_id: text(128).optional().describe('Default: whichever there is.'),
    }),
    command: (body) => ({ type: 'stopStream', ...present({ stream: body.stream_id }) }),
  }),
  action({
    id: 'startTranscription',
    name: 'transcription_start',
    summary: 'Tell what is said on a leg as text',
    body: z.object({ ...COMMON, ...TRANSCRIPTION }),
    defaults: TRANSCRIPTION_DEFAULTS,
    command: (body) => ({ type: 'transcribe', ask: transcribeOf(body) }),
  }),
  action({
    id: 'stopTranscription',
    name: 'transcription_stop',
    summary: 'Stop telling it',
    body: z.object(COMMON),
    command: () => ({ type: 'stopTranscribe' }),
  }),
];
