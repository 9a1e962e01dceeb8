import type { RecordAsk } from '@sidetone/wire';
import { z } from 'zod';
import { flag, isFalse, notOffered, present, within } from './fields.ts';

/** Fields that say how a leg is recorded: those of record_start, and with `record_` in front those of dial, answer, bridge and transfer. */

const LONGEST_SECS = 14_400;
/** What begins with another command may last for longer. */
const LONGEST_WITH_SECS = 43_200;

const channels = z
  .enum(['single', 'dual'], { error: 'must be single or dual' })
  .describe('dual: what the party says on the first channel, what it hears on the second.');
const format = z.enum(['wav', 'mp3'], { error: 'must be wav or mp3' });
const track = z
  .enum(['both', 'inbound', 'outbound'], { error: 'must be both, inbound or outbound' })
  .describe('What the party says, what it hears, or both; one alone makes one channel.');
const trim = z
  .literal('trim-silence', { error: 'must be trim-silence' })
  .describe('Without the silence at the beginning and at the end.');
/** A name, no path: the time and the ending are added. */
const fileName = z
  .string()
  .regex(/^[\p{L}\p{N}_][\p{L}\p{N} ._-]{0,39}$/u, {
    message: 'must have 1 to 40 letters, digits, blanks and . _ -, and begin with a letter, a digit or _',
  })
  .refine((name) => !name.includes('..'), { message: 'must not hold ..' })
  .describe('Instead of the call_leg_id; the time is added. At most 40 characters.');
const silence = within(0, LONGEST_WITH_SECS, 'Seconds');

/** Of record_start. */
export const RECORD_START = {
  format: format.optional(),
  channels: channels.optional(),
  recording_track: track.optional(),
  play_beep: flag.describe('A tone at the beginning, to the party of the leg.'),
  max_length: within(0, LONGEST_SECS, 'Seconds').optional().describe('0: no limit.'),
  timeout_secs: silence
    .optional()
    .describe('It ends when nobody speaks for so long; the first word is waited for. 0: it does not.'),
  trim: trim.optional(),
  custom_file_name: fileName.optional(),
  transcription: notOffered('transcription of recordings', isFalse),
};

/** Of the published API, where nothing is said. */
export const RECORD_START_DEFAULTS = {
  format: 'mp3',
  channels: 'dual',
  recording_track: 'both',
  play_beep: false,
  max_length: 0,
  timeout_secs: 0,
} as const;

/** Of record_start of a conference. */
export const CONFERENCE_RECORD = {
  format,
  channels: z
    .enum(['single', 'dual'], { error: 'must be single or dual' })
    .optional()
    .describe('dual: who made the conference on the first channel, everybody else on the second.'),
  play_beep: flag.describe('A tone at the beginning, to all in the conference.'),
  max_length: RECORD_START.max_length,
  trim: trim.optional(),
  custom_file_name: fileName.optional().describe('Instead of the id of the conference; the time is added.'),
};

export const CONFERENCE_RECORD_DEFAULTS = { channels: 'single', play_beep: false, max_length: 0 } as const;

/** Of dial, answer, bridge and transfer. */
export const RECORD = {
  record: z
    .literal('record-from-answer', { error: 'must be record-from-answer' })
    .optional()
    .describe('Records from the answer on; the answer of the command has the recording_id.'),
  record_format: format.optional(),
  record_channels: channels.optional(),
  record_track: track.optional(),
  record_max_length: within(0, LONGEST_WITH_SECS, 'Seconds').optional().describe('0: no limit.'),
  record_timeout_secs: silence.optional().describe('As timeout_secs of record_start.'),
  record_trim: trim.optional(),
  record_custom_file_name: fileName.optional(),
};

type StartFields = { readonly [K in keyof typeof RECORD_START]?: z.output<(typeof RECORD_START)[K]> };
type WithFields = { readonly [K in keyof typeof RECORD]?: z.output<(typeof RECORD)[K]> };

const limitOf = (secs: number | undefined): number | undefined =>
  secs === undefined || secs === 0 ? undefined : secs * 1000;

export function recordAskOf(body: StartFields): RecordAsk {
  return {
    format: body.format ?? RECORD_START_DEFAULTS.format,
    channels: (body.channels ?? RECORD_START_DEFAULTS.channels) === 'dual' ? 2 : 1,
    track: body.recording_track ?? RECORD_START_DEFAULTS.recording_track,
    ...(body.play_beep === true ? { beep: true } : {}),
    ...(body.trim === undefined ? {} : { trim: true }),
    ...present({
      maxMs: limitOf(body.max_length),
      silenceMs: limitOf(body.timeout_secs),
      fileName: body.custom_file_name,
    }),
  };
}

/** `undefined`: nothing is to be recorded. */
export const recordOf = (body: WithFields): RecordAsk | undefined =>
  body.record === undefined
    ? undefined
    : recordAskOf({
        format: body.record_format,
        channels: body.record_channels,
        recording_track: body.record_track,
        max_length: body.record_max_length,
        timeout_secs: body.record_timeout_secs,
        trim: body.record_trim,
        custom_file_name: body.record_custom_file_name,
      });

export const recordingId = z.string().min(1).max(64).describe('Default: the one that there is.');
