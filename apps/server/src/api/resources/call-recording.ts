import { z } from 'zod';
import { COMMON } from '../calls/common.ts';
import { present } from '../calls/fields.ts';
import { RECORD_START, RECORD_START_DEFAULTS, recordAskOf, recordingId } from '../calls/recording.ts';
import { action } from './call-action.ts';

/** Commands that record a leg. */
export const recordingActions = [
  action({
    id: 'startRecording',
    name: 'record_start',
    summary: 'Record a leg, wherever it goes, until it is stopped, a limit is reached or the leg ends',
    body: z.object({ ...COMMON, ...RECORD_START }),
    defaults: RECORD_START_DEFAULTS,
    command: (body) => ({ type: 'record', ...recordAskOf(body) }),
  }),
  ...(
    [
      ['stopRecording', 'record_stop', 'Stop recording a leg', 'stopRecord'],
      ['pauseRecording', 'record_pause', 'Leave out what is said from now on', 'pauseRecord'],
      ['resumeRecording', 'record_resume', 'Go on with a recording that pauses', 'resumeRecord'],
    ] as const
  ).map(([id, name, summary, type]) =>
    action({
      id,
      name,
      summary,
      body: z.object({ ...COMMON, recording_id: recordingId.optional() }),
      command: (body) => ({ type, ...present({ recording: body.recording_id }) }),
    }),
  ),
];
