import { isBase64, type PlayAsk, type SoundAsk } from '@sidetone/wire';
import { z } from 'zod';
import { requiredUrl, text } from '../../identity/schema/fields.ts';
import { badField, CODE } from '../errors.ts';
import { present, target, within } from './fields.ts';

/** Characters of a text that is spoken. */
const MAX_SPEECH = 3000;
const MAX_VOICE = 256;
const VOICE = 'female';

const audioUrl = requiredUrl.describe('A WAV or MP3, http or https.');
const mediaName = text(256).describe('Stored by the account under this name.');
const spoken = z
  .string()
  .max(MAX_SPEECH, { message: `must not be longer than ${MAX_SPEECH} characters` })
  .refine((value) => value.isWellFormed(), { message: 'must be well-formed text' });

/** `audio_url` or `media_name`, as `dial`, `transfer` and `gather_using_audio` have them. */
export const AUDIO = { audio_url: audioUrl.optional(), media_name: mediaName.optional() };
export const INVALID_AUDIO = {
  invalid_audio_url: audioUrl.optional().describe('Heard when the digits are not valid.'),
  invalid_media_name: mediaName.optional().describe('As invalid_audio_url, by name.'),
};
export const AUDIO_OR_CONTENT = {
  ...AUDIO,
  playback_content: z
    .string()
    .refine(isBase64, { message: 'must be base64 with its padding (RFC 4648 §4)' })
    .optional()
    .describe('Base64 of a WAV or MP3.'),
};

/** Free text is never an error, whatever is given: some voice speaks. */
const freely = z
  .string()
  .optional()
  .catch(undefined)
  .transform((value) => value?.slice(0, MAX_VOICE));

const SPEECH = {
  payload_type: z.enum(['text', 'ssml']).optional().describe('Default: text.'),
  voice: freely.describe('Any text; a voice that is not known is the nearest there is.'),
  language: freely.describe('As en-US; one that is not known is that of the voice.'),
};

export const SPEAK = { payload: spoken.min(1).describe('What is said.'), ...SPEECH };
export const INVALID_SPEECH = {
  invalid_payload: spoken.optional().describe('Said when the digits are not valid.'),
};

const WRONG_LOOP = 'must be 1 to 100, or "infinity"';

export const LOOP = z
  .union([z.int().min(1, { message: WRONG_LOOP }).max(100, { message: WRONG_LOOP }), z.literal('infinity')], {
    error: WRONG_LOOP,
  })
  .optional()
  .describe('How often. Default: 1.');

export const PLAYING = {
  loop: LOOP,
  stop: z
    .enum(['current', 'all'], { error: 'must be current or all' })
    .optional()
    .describe('What is ended before: what plays, or also what waits.'),
  target_legs: target.optional(),
};

export const OVERLAY = z
  .boolean()
  .optional()
  .describe('Mixed into what the leg hears, instead of in its place.');

interface AudioFields {
  readonly audio_url?: string | undefined;
  readonly media_name?: string | undefined;
  readonly playback_content?: string | undefined;
}

/** The one sound that is named; `undefined`: none. `prefix`: of the fields. */
export function soundIn(body: AudioFields, prefix = ''): SoundAsk | undefined {
  const asks: [field: string, ask: SoundAsk][] = [];
  if (body.audio_url !== undefined) asks.push(['audio_url', { kind: 'url', url: body.audio_url }]);
  if (body.media_name !== undefined) asks.push(['media_name', { kind: 'media', name: body.media_name }]);
  if (body.playback_content !== undefined)
    asks.push(['playback_content', { kind: 'content', content: body.playback_content }]);
  const [first, second] = asks;
  if (second === undefined) return first?.[1];
  throw badField(
    `/${prefix}${second[0]}`,
    `${prefix}${second[0]} cannot be given together with ${prefix}${first![0]}.`,
  );
}

/** As `soundIn`, but there must be one. */
export function soundOf(body: AudioFields, names: string): SoundAsk {
  const ask = soundIn(body);
  if (ask === undefined) throw badField('/audio_url', `One of ${names} is required.`, CODE.missing);
  return ask;
}

interface SpeechFields {
  readonly payload_type?: 'text' | 'ssml' | undefined;
  readonly voice?: string | undefined;
  readonly language?: string | undefined;
}

export const speechOf = (words: string, body: SpeechFields): SoundAsk => ({
  kind: 'speech',
  text: words,
  voice: body.voice ?? VOICE,
  ...(body.payload_type === 'ssml' ? { ssml: true } : {}),
  ...present({ language: body.language }),
});

interface PlayingFields {
  readonly loop?: number | 'infinity' | undefined;
  readonly overlay?: boolean | undefined;
  readonly stop?: 'current' | 'all' | undefined;
  readonly target_legs?: 'self' | 'opposite' | 'both' | undefined;
}

export const playOf = (sound: SoundAsk, body: PlayingFields): PlayAsk => ({
  sound,
  ...present({
    loop: body.loop === 'infinity' ? null : body.loop,
    overlay: body.overlay,
    stop: body.stop,
    target: body.target_legs,
  }),
});

export const digitMillis = within(100, 500, 'How long each digit lasts, in milliseconds');
