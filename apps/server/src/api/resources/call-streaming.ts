import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { COMMON } from '../calls/common.ts';
import { present } from '../calls/fields.ts';
import { FORK, FORK_STOP, forkOf } from '../calls/forking.ts';
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
  action({
    id: 'startForking',
    name: 'fork_start',
    summary: 'Send copies of the RTP of a leg to somebody else',
    body: z.object({ ...COMMON, ...FORK }),
    command: (body) => ({ type: 'fork', ask: forkOf(body) }),
  }),
  action({
    id: 'stopForking',
    name: 'fork_stop',
    summary: 'Stop the copies',
    body: z.object({ ...COMMON, ...FORK_STOP }),
    command: () => ({ type: 'stopFork' }),
  }),
];
