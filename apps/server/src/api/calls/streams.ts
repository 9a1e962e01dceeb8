import type { StreamBack, StreamCodec, StreamWish } from '@sidetone/wire';
import { z } from 'zod';
import { urlOfScheme } from '../../outgoing/guard.ts';
import { badField } from '../errors.ts';
import { notOffered, present } from './fields.ts';

/** Sound of a leg by WebSocket: docs/streams.md. */

const MOST_URL = 2000;
const MOST_TOKEN = 4000;
const MOST_PARAMETERS = 50;
const MOST_NAME = 256;
const MOST_VALUE = 1024;

const TRACK = { inbound_track: 'inbound', outbound_track: 'outbound', both_tracks: 'both' } as const;
const CODECS = ['PCMU', 'PCMA', 'G722', 'OPUS', 'L16'] as const satisfies readonly StreamCodec[];
const OUT_CODECS = [...CODECS, 'default'] as const;
const RATES = [8000, 16_000, 22_050, 24_000, 48_000] as const;
const TARGETS = ['self', 'opposite', 'both'] as const;

const DEFAULTS = { track: 'inbound_track', codec: 'PCMU', rate: 8000, target: 'self' } as const;

export const STREAM_DEFAULTS = {
  stream_track: DEFAULTS.track,
  stream_codec: 'default',
  stream_bidirectional_mode: 'mp3',
  stream_bidirectional_codec: DEFAULTS.codec,
  stream_bidirectional_sampling_rate: DEFAULTS.rate,
  stream_bidirectional_target_legs: DEFAULTS.target,
  enable_reconnect: false,
} as const;

const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

const url = z
  .string()
  .max(MOST_URL, { message: `must not be longer than ${MOST_URL} characters` })
  .superRefine((value, ctx) => {
    const read = urlOfScheme(value, ['ws:', 'wss:']);
    if (!read.ok) ctx.addIssue({ code: 'custom', message: `must be a ws: or wss: URL: ${read.error}` });
  });

const parameter = z.object({
  name: z.string().min(1).max(MOST_NAME),
  value: z.string().max(MOST_VALUE),
});

/** `stream_*` of `dial`, `answer` and `streaming_start`. */
export const STREAM = {
  stream_url: url
    .optional()
    .describe('A ws: or wss: URL, which gets the sound of the leg and may send some.'),
  stream_track: oneOf(['inbound_track', 'outbound_track', 'both_tracks'])
    .optional()
    .describe('inbound_track: what the party says; outbound_track: what it hears.'),
  stream_codec: oneOf(OUT_CODECS)
    .optional()
    .describe('Of the sound that is sent. default: that of the call, and PCMU where that is OPUS.'),
  stream_bidirectional_mode: oneOf(['mp3', 'rtp'])
    .optional()
    .describe('What the other end may send: whole MP3 files, or payloads of stream_bidirectional_codec.'),
  stream_bidirectional_codec: oneOf(CODECS).optional(),
  stream_bidirectional_sampling_rate: z
    .union(
      RATES.map((rate) => z.literal(rate)),
      { error: `must be one of ${RATES.join(', ')}` },
    )
    .optional()
    .describe('Hz, of L16, both ways.'),
  stream_bidirectional_target_legs: oneOf(TARGETS)
    .optional()
    .describe('Who hears what the other end sends: the leg of the stream, the one it talks with, both.'),
  stream_auth_token: z
    .string()
    .max(MOST_TOKEN, { message: `must not be longer than ${MOST_TOKEN} characters` })
    .regex(/^[\x21-\x7e]*$/, { message: 'must hold nothing but visible ASCII characters' })
    .optional()
    .describe('Sent to the other end as Authorization: Bearer.'),
  custom_parameters: z
    .array(parameter)
    .max(MOST_PARAMETERS)
    .optional()
    .describe('What the other end is told as custom_parameters of start.'),
  enable_reconnect: z
    .boolean()
    .optional()
    .describe('A connection that is lost, or cannot be had, is tried again while the leg lives.'),
  dialogflow_config: notOffered('an AI assistant'),
};

type StreamFields = { readonly [K in keyof typeof STREAM]?: z.output<(typeof STREAM)[K]> };

/** `undefined`: none is asked for. */
export function streamOf(body: StreamFields): StreamWish | undefined {
  const { stream_url, stream_bidirectional_sampling_rate: rate = DEFAULTS.rate } = body;
  if (stream_url === undefined) return undefined;
  const codec = body.stream_codec === 'default' ? undefined : body.stream_codec;
  if (codec === 'L16' && rate === 22_050)
    throw badField(
      '/stream_bidirectional_sampling_rate',
      'L16 is not sent at 22050 Hz: take 8000, 16000, 24000 or 48000.',
    );
  return {
    url: stream_url,
    track: TRACK[body.stream_track ?? DEFAULTS.track],
    rate: rate === 22_050 ? DEFAULTS.rate : rate,
    back: backOf(body, rate),
    ...(body.enable_reconnect === true ? { reconnects: true } : {}),
    ...present({
      codec,
      token: body.stream_auth_token,
      parameters: body.custom_parameters?.map(({ name, value }) => [name, value] as const),
    }),
  };
}

/** Files where nothing is said: an end that sends nothing is not troubled by it. */
const backOf = (body: StreamFields, rate: StreamBack['rate']): StreamBack => ({
  mode: body.stream_bidirectional_mode ?? 'mp3',
  codec: body.stream_bidirectional_codec ?? DEFAULTS.codec,
  rate,
  target: body.stream_bidirectional_target_legs ?? DEFAULTS.target,
});
