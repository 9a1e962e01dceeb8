import { z } from 'zod';

/** Sections of the configuration about sound besides that of calls: what is played, spoken, streamed, recognised. */

export const soundsSection = z.strictObject({
  cache_mb: z
    .int()
    .min(16)
    .max(1_000_000)
    .default(1024)
    .describe('MiB of prepared sounds in the data folder. An hour of sound has 110.'),
  cache_minutes: z
    .int()
    .min(0)
    .max(1440)
    .default(5)
    .describe('So long what a URL gave is played again without asking there.'),
  storage_mb: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(512)
    .describe('MiB that one account may keep in media storage.'),
});

export const speechSection = z
  .strictObject({
    url: z
      .string()
      .max(2048)
      .regex(/^https?:\/\//, 'must begin with http:// or https://')
      .optional()
      .describe(
        'An engine that speaks instead of espeak-ng: POST of {text, ssml, voice, language, gender}, answered with WAV, MP3 or Ogg/Opus.',
      ),
    token: z.string().min(1).max(4096).optional().describe('Sent to speech.url as Authorization: Bearer.'),
  })
  .refine((speech) => speech.token === undefined || speech.url !== undefined, {
    message: 'token needs url',
  });

export const streamsSection = z.strictObject({
  l16_byte_order: z
    .enum(['little', 'big'])
    .default('little')
    .describe('Which octet of a sample of L16 goes first in media streams, both ways.'),
});

export const transcriptionSection = z
  .strictObject({
    url: z
      .string()
      .max(2048)
      .regex(/^wss?:\/\//, 'must begin with ws:// or wss://')
      .optional()
      .describe('An engine that turns speech into text: a WebSocket that gets PCM and answers JSON.'),
    token: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe('Sent to transcription.url as Authorization: Bearer.'),
  })
  .refine((engine) => engine.token === undefined || engine.url !== undefined, {
    message: 'token needs url',
  });
