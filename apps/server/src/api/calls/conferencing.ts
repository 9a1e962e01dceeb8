import type { ConferenceAsk, StayAsk, SuperviseAsk } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { badField, CODE } from '../errors.ts';
import { controlId, flag, present } from './fields.ts';
import { AUDIO, soundIn } from './sounds.ts';

/** Fields that conferences, their members and calls into them share. */

const MOST_MEMBERS = 800;

export const conferenceName = text(256);
export const beep = z
  .enum(['always', 'never', 'on_enter', 'on_exit'], {
    error: 'must be always, never, on_enter or on_exit',
  })
  .describe('A tone to the others when somebody comes or goes.');

export const controlIds = z
  .array(controlId)
  .max(MOST_MEMBERS)
  .describe('call_control_ids of participants; none: all of them.');

export const HOLD = {
  hold_audio_url: AUDIO.audio_url.describe('A WAV or MP3 that is heard on hold.'),
  hold_media_name: AUDIO.media_name.describe('The same, stored by the account under this name.'),
};

export const ROLE = z
  .enum(['barge', 'monitor', 'none', 'whisper'], { error: 'must be barge, monitor, none or whisper' })
  .describe('barge, none: heard by all; monitor: by nobody; whisper: by whisper_call_control_ids.');

export const WHISPER = z.array(controlId).max(MOST_MEMBERS).describe('Who hears a whisper; none: nobody.');

export const STAY = {
  mute: flag.describe('Nobody hears it.'),
  hold: flag.describe('It hears hold_audio_url or hold_media_name, and nobody hears it.'),
  ...HOLD,
  beep_enabled: beep.optional(),
  start_conference_on_enter: flag.describe('The conference starts when it comes.'),
  end_conference_on_exit: flag.describe('When it leaves, all others are hung up.'),
  soft_end_conference_on_exit: flag.describe('When it leaves, the conference ends; the others are parked.'),
  supervisor_role: ROLE.optional(),
  whisper_call_control_ids: WHISPER.optional(),
};

export const STAY_DEFAULTS = {
  mute: false,
  hold: false,
  start_conference_on_enter: false,
  end_conference_on_exit: false,
  soft_end_conference_on_exit: false,
  supervisor_role: 'none',
} as const;

type StayFields = { readonly [K in keyof typeof STAY]?: z.output<(typeof STAY)[K]> };

export const holdOf = (body: {
  readonly hold_audio_url?: string | undefined;
  readonly hold_media_name?: string | undefined;
}) => soundIn({ audio_url: body.hold_audio_url, media_name: body.hold_media_name }, 'hold_');

export const stayOf = (body: StayFields): StayAsk =>
  present({
    muted: body.mute,
    held: body.hold,
    hold: holdOf(body),
    beep: body.beep_enabled,
    startOnEnter: body.start_conference_on_enter,
    endOnExit: body.end_conference_on_exit,
    softEndOnExit: body.soft_end_conference_on_exit,
    role: body.supervisor_role,
    whisperTo: body.whisper_call_control_ids,
  });

/** Of `dial`. */
export const conferenceConfig = z
  .object({
    ...STAY,
    id: z.string().min(1).max(64).optional().describe('The conference.'),
    conference_name: conferenceName.optional().describe('Or its name; where there is none, it is made.'),
    early_media: flag.describe('It is there while it rings already, as soon as it has media.'),
    start_conference_on_create: flag.describe('Whether one that is made starts at once.'),
  })
  .describe('The conference that it goes into: by id or conference_name.');

export function conferenceAsk(
  config: z.output<typeof conferenceConfig> | undefined,
): ConferenceAsk | undefined {
  if (config === undefined) return undefined;
  const { id, conference_name: name } = config;
  const about = { ...stayOf(config), ...present({ earlyMedia: config.early_media }) };
  const field = '/conference_config';
  if (id !== undefined && name !== undefined)
    throw badField(`${field}/id`, 'id cannot be given together with conference_name.');
  if (id !== undefined) return { ...about, conference: id };
  if (name !== undefined)
    return { ...about, name, ...present({ startOnCreate: config.start_conference_on_create }) };
  throw badField(field, 'conference_config needs id or conference_name.', CODE.missing);
}

export const SUPERVISOR = z
  .enum(['barge', 'monitor', 'whisper'], { error: 'must be barge, monitor or whisper' })
  .describe('barge: heard by both; monitor: by nobody; whisper: by the supervised leg.');

export function superviseOf(body: {
  readonly supervise_call_control_id?: string | undefined;
  readonly supervisor_role?: z.output<typeof SUPERVISOR> | undefined;
}): SuperviseAsk | undefined {
  const { supervise_call_control_id: control, supervisor_role: role } = body;
  if (control !== undefined) return { control, role: role ?? 'barge' };
  if (role === undefined) return undefined;
  throw badField('/supervisor_role', 'supervisor_role needs supervise_call_control_id.');
}
