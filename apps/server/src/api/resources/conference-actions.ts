import type { ConferenceCommand } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { execute } from '../calls/common.ts';
import { beep, controlIds, ROLE, STAY, STAY_DEFAULTS, stayOf, WHISPER } from '../calls/conferencing.ts';
import { base64State, controlId, digits, present } from '../calls/fields.ts';
import { GATHER, gatherOf, PROMPTED_DEFAULTS } from '../calls/gathering.ts';
import {
  CONFERENCE_RECORD,
  CONFERENCE_RECORD_DEFAULTS,
  recordAskOf,
  recordingId,
} from '../calls/recording.ts';
import {
  AUDIO,
  digitMillis,
  INVALID_AUDIO,
  LOOP,
  SPEAK,
  soundIn,
  soundOf,
  speechOf,
} from '../calls/sounds.ts';
import { type Operation, operation } from '../operation.ts';

const tag = 'Conference commands';
const answer = {
  status: 200,
  form: 'data',
  schema: z.object({
    result: z.literal('ok'),
    recording_id: z.string().optional().describe('Of what the command records.'),
  }),
} as const;

type Named = Exclude<ConferenceCommand, { type: 'createConference' }>;
/** A command without who gives it, to which conference. */
type Wish = Named extends infer C
  ? C extends Named
    ? Omit<C, 'account' | 'conference' | 'clientState' | 'commandId'>
    : never
  : never;

/** What every command to a conference may carry. */
const COMMON = {
  command_id: text(256)
    .optional()
    .describe('The same id again within 60 s has the same answer and no second effect.'),
  client_state: base64State.optional().describe('Base64; of the leg that is named, else of the conference.'),
  region: z.string().optional().describe('Without effect: there is one region.'),
};

interface CommonFields {
  readonly command_id?: string | undefined;
  readonly client_state?: string | undefined;
}

interface Action<B> {
  readonly id: string;
  readonly name: string;
  readonly summary: string;
  readonly body: z.ZodType<B>;
  readonly defaults?: object;
  readonly keeps?: readonly string[];
  readonly command: (body: B) => Wish;
}

/** A row for a command to a conference. */
const action = <B extends CommonFields>(row: Action<B>): Operation =>
  operation<B>({
    id: row.id,
    method: 'POST',
    path: `/conferences/{id}/actions/${row.name}`,
    tag,
    summary: row.summary,
    body: row.body,
    lenient: { keeps: row.keeps ?? [] },
    ...present({ defaults: row.defaults }),
    answer,
    handle: (call, body) => {
      const { recording } = execute(call, {
        account: call.account,
        conference: call.path[0]!,
        ...present({ commandId: body.command_id, clientState: body.client_state }),
        ...row.command(body),
      } as Named);
      return { result: 'ok', ...present({ recording_id: recording }) };
    },
  });

const who = controlId.describe('The participant, by its call_control_id.');
const SOME = { call_control_ids: controlIds.optional() };

const mute = (name: 'mute' | 'unmute', muted: boolean): Operation =>
  action({
    id: `${name}ConferenceParticipants`,
    name,
    summary: muted ? 'Mute participants, or all' : 'Unmute participants, or all',
    body: z.object({ ...COMMON, ...SOME }),
    command: ({ call_control_ids: controls = [] }) => ({ type: 'muteMembers', controls, muted }),
  });

export const conferenceActions = [
  action({
    id: 'joinConference',
    name: 'join',
    summary: 'Take an answered leg in, wherever it is',
    body: z.object({ ...COMMON, call_control_id: controlId, ...STAY }),
    defaults: STAY_DEFAULTS,
    command: (body) => ({ type: 'joinConference', control: body.call_control_id, ...stayOf(body) }),
  }),
  action({
    id: 'leaveConference',
    name: 'leave',
    summary: 'Take a leg out: it is parked',
    body: z.object({ ...COMMON, call_control_id: who, beep_enabled: beep.optional() }),
    command: (body) => ({
      type: 'leaveConference',
      control: body.call_control_id,
      ...present({ beep: body.beep_enabled }),
    }),
  }),
  mute('mute', true),
  mute('unmute', false),
  action({
    id: 'holdConferenceParticipants',
    name: 'hold',
    summary: 'Put participants, or all, on hold: they hear a sound, and nobody hears them',
    body: z.object({ ...COMMON, ...SOME, ...AUDIO }),
    command: (body) => ({
      type: 'holdMembers',
      controls: body.call_control_ids ?? [],
      held: true,
      ...present({ hold: soundIn(body) }),
    }),
  }),
  action({
    id: 'unholdConferenceParticipants',
    name: 'unhold',
    summary: 'Take participants off hold',
    body: z.object({
      ...COMMON,
      call_control_ids: controlIds.min(1, { message: 'must name somebody' }),
    }),
    command: (body) => ({ type: 'holdMembers', controls: body.call_control_ids, held: false }),
  }),
  action({
    id: 'playConferenceAudio',
    name: 'play',
    summary: 'Play a sound to all, or to some',
    body: z.object({ ...COMMON, ...SOME, ...AUDIO, loop: LOOP }),
    command: (body) => ({
      type: 'playInto',
      controls: body.call_control_ids ?? [],
      sound: soundOf(body, 'audio_url, media_name'),
      ...present({ loop: body.loop === 'infinity' ? null : body.loop }),
    }),
  }),
  action({
    id: 'stopConferenceAudio',
    name: 'stop',
    summary: 'Stop what is played or spoken to all, or to some',
    body: z.object({ ...COMMON, ...SOME }),
    command: (body) => ({ type: 'stopInto', controls: body.call_control_ids ?? [] }),
  }),
  action({
    id: 'speakTextToConference',
    name: 'speak',
    summary: 'Say a text to all, or to some',
    body: z.object({ ...COMMON, ...SOME, ...SPEAK }),
    command: (body) => ({
      type: 'playInto',
      controls: body.call_control_ids ?? [],
      sound: speechOf(body.payload, body),
    }),
  }),
  action({
    id: 'updateConference',
    name: 'update',
    summary: 'Change the supervisor role of a participant',
    body: z.object({
      ...COMMON,
      call_control_id: who,
      supervisor_role: ROLE,
      whisper_call_control_ids: WHISPER.optional(),
    }),
    command: (body) => ({
      type: 'setRole',
      control: body.call_control_id,
      role: body.supervisor_role,
      whisperTo: body.whisper_call_control_ids ?? [],
    }),
  }),
  action({
    id: 'sendConferenceDTMF',
    name: 'send_dtmf',
    summary: 'Send digits to the party of each participant, or of some',
    body: z.object({
      ...COMMON,
      ...SOME,
      digits: digits.describe('0-9 A-D * #; w waits half a second, W one. At most 128.'),
      duration_millis: digitMillis.optional(),
    }),
    defaults: { duration_millis: 250 },
    command: (body) => ({
      type: 'sendDigitsTo',
      controls: body.call_control_ids ?? [],
      digits: body.digits,
      durationMs: body.duration_millis ?? 250,
    }),
  }),
  action({
    id: 'gatherConferenceDTMFAudio',
    name: 'gather_using_audio',
    summary: 'Play a sound to one participant and collect its digits',
    keeps: ['terminating_digit'],
    body: z.object({
      ...COMMON,
      call_control_id: who,
      ...GATHER,
      ...AUDIO,
      ...INVALID_AUDIO,
      stop_playback_on_dtmf: z.boolean().optional().describe('Without effect: a digit always stops it.'),
    }),
    defaults: PROMPTED_DEFAULTS,
    command: (body) => {
      const prompt = soundIn(body);
      const invalid = soundIn(
        { audio_url: body.invalid_audio_url, media_name: body.invalid_media_name },
        'invalid_',
      );
      return { type: 'gatherFrom', control: body.call_control_id, ask: gatherOf(body, prompt, invalid) };
    },
  }),
  action({
    id: 'startConferenceRecording',
    name: 'record_start',
    summary: 'Record what is heard in a conference, until it is stopped, a limit is reached or it ends',
    body: z.object({ ...COMMON, ...CONFERENCE_RECORD }),
    defaults: CONFERENCE_RECORD_DEFAULTS,
    command: (body) => {
      const { track: _, ...ask } = recordAskOf({ ...CONFERENCE_RECORD_DEFAULTS, ...present(body) });
      return { type: 'recordConference', ...ask };
    },
  }),
  ...(
    [
      ['stopConferenceRecording', 'record_stop', 'Stop recording a conference', 'stopped'],
      ['pauseConferenceRecording', 'record_pause', 'Leave out what is said from now on', 'paused'],
      ['resumeConferenceRecording', 'record_resume', 'Go on with a recording that pauses', 'running'],
    ] as const
  ).map(([id, name, summary, to]) =>
    action({
      id,
      name,
      summary,
      body: z.object({ ...COMMON, recording_id: recordingId.optional() }),
      command: (body) => ({
        type: 'changeConferenceRecord',
        to,
        ...present({ recording: body.recording_id }),
      }),
    }),
  ),
  action({
    id: 'endConference',
    name: 'end',
    summary: 'End a conference: all are hung up',
    body: z.object(COMMON),
    command: () => ({ type: 'endConference' }),
  }),
];
