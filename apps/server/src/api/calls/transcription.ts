import type { TranscribeAsk } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { flag, present } from './fields.ts';

/** What is said on a leg, as text: docs/transcription.md. */

const TRACKS = ['inbound', 'outbound', 'both'] as const;
export const TRANSCRIPTION_DEFAULTS = { transcription_tracks: 'inbound' } as const;

const language = text(64).optional().describe('For the engine, as it knows languages: en, de-DE.');

/** Of the published API: it names engines, and each has settings of its own. Here there is one, the operator's. */
const engineConfig = z.object({
  language,
  interim_results: z.boolean().nullish().describe('Also what may yet change.'),
});

export const TRANSCRIPTION = {
  transcription_engine: z.string().max(64).optional().describe('Any: there is one engine, the operator’s.'),
  transcription_engine_config: engineConfig
    .optional()
    .describe('language, interim_results. Fields of the published API that are not here are ignored.'),
  transcription_tracks: z
    .enum(TRACKS, { error: `must be one of ${TRACKS.join(', ')}` })
    .optional()
    .describe('inbound: what the party says; outbound: what it hears.'),
  language,
};

type TranscriptionFields = {
  readonly [K in keyof typeof TRANSCRIPTION]?: z.output<(typeof TRANSCRIPTION)[K]>;
};

export function transcribeOf(body: TranscriptionFields): TranscribeAsk {
  const { transcription_engine_config: config } = body;
  return {
    tracks: body.transcription_tracks ?? TRANSCRIPTION_DEFAULTS.transcription_tracks,
    ...present({ language: config?.language ?? body.language }),
    ...(config?.interim_results === true ? { interim: true } : {}),
  };
}

/** Of `dial` and `answer`. */
export const TRANSCRIBE = {
  transcription: flag.describe('What is said is told as text, from the answer on.'),
  transcription_config: z.object(TRANSCRIPTION).optional().describe('As transcription_start has it.'),
};

export const transcribeIn = (body: {
  readonly transcription?: boolean | undefined;
  readonly transcription_config?: TranscriptionFields | undefined;
}): TranscribeAsk | undefined =>
  body.transcription === true ? transcribeOf(body.transcription_config ?? {}) : undefined;
