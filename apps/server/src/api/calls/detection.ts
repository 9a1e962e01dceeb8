import type { MachineDetectionAsk } from '@sidetone/wire';
import { z } from 'zod';
import { within } from './fields.ts';

const MODES = ['detect', 'detect_beep', 'detect_words', 'greeting_end', 'premium', 'disabled'] as const;
const MOST_MS = 120_000;

/** Of the published API. */
export const DETECTION_DEFAULTS = {
  answering_machine_detection: 'disabled',
  answering_machine_detection_config: {
    total_analysis_time_millis: 3500,
    initial_silence_millis: 3500,
    greeting_duration_millis: 3500,
    after_greeting_silence_millis: 800,
    maximum_number_of_words: 5,
    greeting_total_analysis_time_millis: 5000,
    greeting_silence_duration_millis: 1500,
  },
} as const;

const millis = within(1, MOST_MS, 'Milliseconds').nullish();

const config = z.object({
  total_analysis_time_millis: millis.describe('All in all, until it is not sure.'),
  initial_silence_millis: millis.describe('Nothing said for so long: a machine.'),
  greeting_duration_millis: millis.describe('Speech without a pause for so long: a machine.'),
  after_greeting_silence_millis: millis.describe('A pause of so long behind speech: a person.'),
  maximum_number_of_words: within(1, 100, 'Words').nullish().describe('More words: a machine.'),
  greeting_total_analysis_time_millis: millis.describe('How long the end of a greeting is waited for.'),
  greeting_silence_duration_millis: millis.describe('A pause of so long is the end of a greeting.'),
});

/** Who has answered a leg that we call: a person or a machine. */
export const DETECTION = {
  answering_machine_detection: z
    .enum(MODES, { error: `must be one of ${MODES.join(', ')}` })
    .optional()
    .describe(
      'Tells by call.machine.detection.ended who has answered; detect_beep and greeting_end also the end of the greeting; premium by its own events.',
    ),
  answering_machine_detection_config: config
    .optional()
    .describe('Its times. Fields of the published API that are not here are ignored.'),
};

interface DetectionFields {
  readonly answering_machine_detection?: (typeof MODES)[number] | undefined;
  readonly answering_machine_detection_config?: z.output<typeof config> | undefined;
}

/** `undefined`: none is asked for. */
export function detectionOf(body: DetectionFields): MachineDetectionAsk | undefined {
  const mode = body.answering_machine_detection ?? 'disabled';
  if (mode === 'disabled') return undefined;
  const given = body.answering_machine_detection_config ?? {};
  const of = (name: keyof typeof DETECTION_DEFAULTS.answering_machine_detection_config): number =>
    given[name] ?? DETECTION_DEFAULTS.answering_machine_detection_config[name];
  return {
    mode,
    totalMs: of('total_analysis_time_millis'),
    initialSilenceMs: of('initial_silence_millis'),
    greetingMs: of('greeting_duration_millis'),
    afterGreetingSilenceMs: of('after_greeting_silence_millis'),
    maxWords: of('maximum_number_of_words'),
    greetingTotalMs: of('greeting_total_analysis_time_millis'),
    greetingSilenceMs: of('greeting_silence_duration_millis'),
  };
}
