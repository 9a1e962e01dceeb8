import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { codecs, codecsOf } from '../calls/codecs.ts';
import { COMMON } from '../calls/common.ts';
import { SUPERVISOR } from '../calls/conferencing.ts';
import { DETECTION, DETECTION_DEFAULTS, detectionOf } from '../calls/detection.ts';
import {
  afterOf,
  base64State,
  CALLED,
  callee,
  caller,
  controlId,
  digits,
  flag,
  isFalse,
  isOff,
  LATER as NOT_HERE,
  NOT_OFFERED,
  notOffered,
  park,
  present,
  shownName,
  sipUri,
  within,
} from '../calls/fields.ts';
import { GATHER, GATHER_DEFAULTS, gatherOf, PROMPTED_DEFAULTS } from '../calls/gathering.ts';
import { CUSTOM_HEADERS, HEADERS, headersOf } from '../calls/headers.ts';
import { RECORD, recordOf } from '../calls/recording.ts';
import {
  AUDIO,
  AUDIO_OR_CONTENT,
  digitMillis,
  INVALID_AUDIO,
  INVALID_SPEECH,
  OVERLAY,
  PLAYING,
  playOf,
  SPEAK,
  soundIn,
  soundOf,
  speechOf,
} from '../calls/sounds.ts';
import { STREAM, STREAM_DEFAULTS, streamOf } from '../calls/streams.ts';
import { TRANSCRIBE, transcribeIn } from '../calls/transcription.ts';
import { ApiError, badField, CODE, errorItem, notFound } from '../errors.ts';
import { operation } from '../operation.ts';
import { action, answer, tag } from './call-action.ts';
import { recordingActions } from './call-recording.ts';
import { streamActions } from './call-streaming.ts';
import { maxSize, queueName } from './queues.ts';

const muteDigits = z.enum(['none', 'both', 'self', 'opposite']);

const bridge = z.object({
  ...COMMON,
  call_control_id: controlId.optional().describe('The other leg. Either this or queue is required.'),
  queue: queueName.optional().describe('The queue whose first call is the other leg.'),
  video_room_id: notOffered('a video room'),
  park_after_unbridge: park.optional(),
  hold_after_unbridge: notOffered('holding after a bridge', isFalse),
  prevent_double_bridge: flag.describe('Refused when the other leg is in a bridge already.'),
  play_ringtone: flag.describe('This leg hears ringing while the other has not answered.'),
  ringtone: z.string().optional().describe('Without effect: there is one ring tone.'),
  mute_dtmf: muteDigits.optional().describe('Whose digits the other side does not hear.'),
  ...RECORD,
});

const transfer = z.object({
  ...COMMON,
  to: callee.describe('A number, a sip: URI or a user name.'),
  from: caller.optional().describe('Default: what the leg had dialled.'),
  from_display_name: shownName.optional(),
  early_media: flag.describe('The leg hears what the called side sends before it answers.'),
  timeout_secs: within(5, 600, 'Seconds it may ring').optional(),
  time_limit_secs: within(30, 14_400, 'Seconds the new leg may last').optional(),
  target_leg_client_state: base64State.optional().describe('client_state of the new leg.'),
  park_after_unbridge: park.optional(),
  send_digits_on_answer: digits.optional().describe('Sent to the called side when it has answered.'),
  ...AUDIO,
  ...HEADERS,
  mute_dtmf: notOffered('muting digits in a transfer', isOff),
  ...CALLED,
  ...DETECTION,
  ...RECORD,
  sound_modifications: NOT_HERE.sound_modifications,
});

const TRANSFER_DEFAULTS = {
  early_media: true,
  timeout_secs: 30,
  time_limit_secs: 14_400,
  ...DETECTION_DEFAULTS,
} as const;

const updateState = {
  name: 'client_state_update',
  body: z.object({ client_state: base64State.describe('Base64, at most 8192 characters.') }),
  command: () => ({ type: 'setClientState' }) as const,
};

export const callActions = [
  action({
    id: 'answerCall',
    name: 'answer',
    summary: 'Answer a call: one that came in, or that a client with parking made',
    body: z.object({
      ...COMMON,
      preferred_codecs: codecs.optional(),
      ...HEADERS,
      ...RECORD,
      ...STREAM,
      ...TRANSCRIBE,
      ...NOT_HERE,
    }),
    defaults: STREAM_DEFAULTS,
    command: (body) => ({
      type: 'answer',
      ...present({
        headers: headersOf(body),
        codecs: codecsOf(body.preferred_codecs),
        stream: streamOf(body),
        transcribe: transcribeIn(body),
        record: recordOf(body),
      }),
    }),
  }),
  action({
    id: 'rejectCall',
    name: 'reject',
    summary: 'Refuse a call that nobody has answered',
    body: z.object({
      ...COMMON,
      cause: z
        .enum(['CALL_REJECTED', 'USER_BUSY'], { error: 'must be CALL_REJECTED or USER_BUSY' })
        .describe('CALL_REJECTED: SIP 603; USER_BUSY: 486.'),
    }),
    command: ({ cause }) => ({ type: 'reject', cause }),
  }),
  action({
    id: 'hangupCall',
    name: 'hangup',
    summary: 'Hang up a leg',
    body: z.object({ ...COMMON, ...CUSTOM_HEADERS }),
    command: (body) => ({ type: 'hangup', ...present({ headers: headersOf(body) }) }),
  }),
  action({
    id: 'bridgeCall',
    name: 'bridge',
    summary: 'Bridge two legs: from now on they hear each other. One that nobody has answered is answered',
    body: bridge,
    defaults: { play_ringtone: false, prevent_double_bridge: false, mute_dtmf: 'none' },
    command: (body) => {
      const { call_control_id: control, queue } = body;
      if (control !== undefined && queue !== undefined)
        throw badField('/queue', 'Either call_control_id or queue says who the other leg is, not both.');
      const other = queue === undefined ? control : { queue };
      if (other === undefined)
        throw badField('/call_control_id', 'Either call_control_id or queue is required.', CODE.missing);
      return {
        type: 'bridge',
        with: other,
        ...present({
          after: afterOf(body.park_after_unbridge),
          preventDouble: body.prevent_double_bridge,
          ringtone: body.play_ringtone,
          muteDigits: body.mute_dtmf,
          record: recordOf(body),
        }),
      };
    },
  }),
  action({
    id: 'transferCall',
    name: 'transfer',
    summary: 'Call somebody and bridge: a new leg in the same session; when it fails the first one stays',
    body: transfer,
    defaults: TRANSFER_DEFAULTS,
    command: (body) => ({
      type: 'transfer',
      to: body.to,
      earlyMedia: body.early_media ?? TRANSFER_DEFAULTS.early_media,
      ringMs: (body.timeout_secs ?? TRANSFER_DEFAULTS.timeout_secs) * 1000,
      limitMs: (body.time_limit_secs ?? TRANSFER_DEFAULTS.time_limit_secs) * 1000,
      ...present({
        from: body.from,
        fromName: body.from_display_name,
        targetClientState: body.target_leg_client_state,
        after: afterOf(body.park_after_unbridge),
        headers: headersOf(body),
        digits: body.send_digits_on_answer,
        play: soundIn(body),
        detect: detectionOf(body),
        record: recordOf(body),
      }),
    }),
  }),
  action({
    id: 'referCall',
    name: 'refer',
    summary: 'Ask the party of a leg to call somebody itself (SIP REFER)',
    body: z.object({
      ...COMMON,
      sip_address: sipUri.describe('A sip: URI, for Refer-To.'),
      ...HEADERS,
      sip_auth_username: CALLED.sip_auth_username,
      sip_auth_password: CALLED.sip_auth_password,
    }),
    command: (body) => ({
      type: 'refer',
      address: body.sip_address,
      ...present({ headers: headersOf(body) }),
    }),
  }),
  action({
    ...updateState,
    id: 'updateClientState',
    method: 'PUT',
    summary: 'Set the client_state of a leg',
  }),
  action({
    ...updateState,
    id: 'updateClientStateByPost',
    summary: 'As PUT, for clients that cannot send it',
  }),
  action({
    id: 'sendSipInfo',
    name: 'send_sip_info',
    summary: 'Send a SIP INFO to the party of a leg',
    body: z.object({
      ...COMMON,
      content_type: text(128)
        .regex(/^[\w.+-]+\/[\w.+-]+(?: *;.*)?$/, { message: 'must be a media type' })
        .describe('As application/json.'),
      body: z
        .string()
        .refine((value) => value.isWellFormed() && Buffer.byteLength(value) <= 1400, {
          message: 'must be well-formed text of at most 1400 bytes',
        })
        .describe('At most 1400 bytes.'),
    }),
    command: (body) => ({ type: 'sendInfo', contentType: body.content_type, body: body.body }),
  }),
  action({
    id: 'sendDTMF',
    name: 'send_dtmf',
    summary: 'Send digits to the party of a leg',
    body: z.object({
      ...COMMON,
      digits: digits.describe('0-9 A-D * #; w waits half a second, W one. At most 128.'),
      duration_millis: digitMillis.optional(),
    }),
    defaults: { duration_millis: 250 },
    command: (body) => ({
      type: 'sendDigits',
      digits: body.digits,
      durationMs: body.duration_millis ?? 250,
    }),
  }),
  action({
    id: 'startPlayback',
    name: 'playback_start',
    summary: 'Play a sound: by URL, by name, or sent along. Several wait for each other',
    body: z.object({ ...COMMON, ...AUDIO_OR_CONTENT, ...PLAYING, overlay: OVERLAY }),
    command: (body) => ({
      type: 'play',
      ...playOf(soundOf(body, 'audio_url, media_name, playback_content'), body),
    }),
  }),
  action({
    id: 'stopPlayback',
    name: 'playback_stop',
    summary: 'Stop what plays or is spoken',
    body: z.object({
      ...COMMON,
      stop: z.enum(['current', 'all'], { error: 'must be current or all' }).optional(),
      overlay: OVERLAY,
    }),
    defaults: { stop: 'all' },
    command: (body) => ({
      type: 'stopPlay',
      stop: body.stop ?? 'all',
      ...present({ overlay: body.overlay }),
    }),
  }),
  action({
    id: 'speakText',
    name: 'speak',
    summary: 'Say a text',
    body: z.object({ ...COMMON, ...SPEAK, ...PLAYING }),
    command: (body) => ({ type: 'play', ...playOf(speechOf(body.payload, body), body) }),
  }),
  action({
    id: 'gather',
    name: 'gather',
    summary: 'Collect digits',
    keeps: ['terminating_digit'],
    body: z.object({ ...COMMON, ...GATHER }),
    defaults: GATHER_DEFAULTS,
    command: (body) => ({ type: 'gather', ...gatherOf(body) }),
  }),
  action({
    id: 'gatherUsingAudio',
    name: 'gather_using_audio',
    summary: 'Play a sound and collect digits',
    keeps: ['terminating_digit'],
    body: z.object({ ...COMMON, ...GATHER, ...AUDIO, ...INVALID_AUDIO }),
    defaults: PROMPTED_DEFAULTS,
    command: (body) => {
      const prompt = soundOf(body, 'audio_url, media_name');
      const invalid = soundIn(
        { audio_url: body.invalid_audio_url, media_name: body.invalid_media_name },
        'invalid_',
      );
      return { type: 'gather', ...gatherOf(body, prompt, invalid) };
    },
  }),
  action({
    id: 'gatherUsingSpeak',
    name: 'gather_using_speak',
    summary: 'Say a text and collect digits',
    keeps: ['terminating_digit'],
    body: z.object({ ...COMMON, ...GATHER, ...SPEAK, ...INVALID_SPEECH }),
    defaults: PROMPTED_DEFAULTS,
    command: (body) => {
      const invalid = body.invalid_payload && speechOf(body.invalid_payload, body);
      return { type: 'gather', ...gatherOf(body, speechOf(body.payload, body), invalid || undefined) };
    },
  }),
  action({
    id: 'switchSupervisorRole',
    name: 'switch_supervisor_role',
    summary: 'Change who hears a supervisor',
    body: z.object({ ...COMMON, role: SUPERVISOR }),
    command: ({ role }) => ({ type: 'switchRole', role }),
  }),
  action({
    id: 'enqueueCall',
    name: 'enqueue',
    summary: 'Put a call into a queue, where it waits for a bridge. One that is bridged leaves its bridge',
    body: z.object({
      ...COMMON,
      queue_name: queueName.describe('It is made if there is none of this name.'),
      max_size: maxSize.optional().describe('Calls that a queue which is made has room for, 1 to 1000.'),
      max_wait_time_secs: within(1, 86_400, 'Seconds; then the call is parked').optional(),
      keep_after_hangup: flag.describe('It stays listed in the queue when it has hung up.'),
    }),
    defaults: { max_size: 100, keep_after_hangup: false },
    command: (body) => ({
      type: 'enqueue',
      queue: body.queue_name,
      ...present({
        maxSize: body.max_size,
        maxWaitMs: body.max_wait_time_secs === undefined ? undefined : body.max_wait_time_secs * 1000,
        keepAfterHangup: body.keep_after_hangup,
      }),
    }),
  }),
  action({
    id: 'leaveQueue',
    name: 'leave_queue',
    summary: 'Take a call out of its queue: it is parked',
    body: z.object(COMMON),
    command: () => ({ type: 'leaveQueue' }),
  }),
  action({
    id: 'stopGather',
    name: 'gather_stop',
    summary: 'Stop collecting digits',
    body: z.object(COMMON),
    command: () => ({ type: 'stopGather' }),
  }),
  ...streamActions,
  ...recordingActions,
];

/** Commands of the published API that are not here. */
const LATER: ReadonlySet<string> = new Set([
  'ai_assistant_add_messages',
  'ai_assistant_join',
  'ai_assistant_start',
  'ai_assistant_stop',
  'conversation_relay_start',
  'conversation_relay_stop',
  'gather_using_ai',
  'pay',
  'siprec_start',
  'siprec_stop',
  'suppression_start',
  'suppression_stop',
]);

/** Answers for them, in words; stands behind the rows of the commands that there are, and in no document. */
export const commandNotOffered = operation({
  id: 'commandNotOffered',
  method: 'POST',
  path: '/calls/{call_control_id}/actions/{action}',
  tag,
  summary: 'Any other command',
  answer,
  handle: (call) => {
    const name = call.path[1]!;
    if (!LATER.has(name)) throw notFound();
    const item = errorItem(CODE.badRequest, `The command ${name} is not offered here yet.`);
    throw new ApiError(422, [{ ...item, title: NOT_OFFERED }]);
  },
});
