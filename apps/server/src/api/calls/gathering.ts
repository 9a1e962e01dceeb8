import type { GatherAsk, SoundAsk } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { badField } from '../errors.ts';
import { present, within } from './fields.ts';

const MOST_DIGITS = 128;
const MOST_MS = 600_000;
const MOST_TRIES = 100;

export const GATHER_DEFAULTS = {
  minimum_digits: 1,
  maximum_digits: MOST_DIGITS,
  timeout_millis: 60_000,
  initial_timeout_millis: 5000,
  inter_digit_timeout_millis: 5000,
  terminating_digit: '#',
  valid_digits: '0123456789#*',
  maximum_tries: 3,
} as const;
/** Behind a prompt the first digit has as long as all of them. */
export const PROMPTED_DEFAULTS = { ...GATHER_DEFAULTS, initial_timeout_millis: undefined };

const upper = (value: string): string => value.toUpperCase();
const millis = within(1, MOST_MS, 'Milliseconds').optional();

/** What all three gathers have. Empty text as `terminating_digit` switches it off. */
export const GATHER = {
  minimum_digits: within(1, MOST_DIGITS, 'Digits').optional(),
  maximum_digits: within(1, MOST_DIGITS, 'Digits').optional(),
  timeout_millis: millis.describe('Until the end of all, from the end of the prompt.'),
  initial_timeout_millis: millis.describe('Until the first digit; with a prompt: as timeout_millis.'),
  inter_digit_timeout_millis: millis.describe('Between two digits.'),
  terminating_digit: z
    .string()
    .regex(/^[0-9A-Da-d*#]?$/, { message: 'must be one of 0-9 A-D * #, or empty' })
    .transform(upper)
    .optional()
    .describe('Ends the input and is not part of it; empty text: none does.'),
  valid_digits: z
    .string()
    .max(64)
    .regex(/^[0-9A-Da-d*#]+$/, { message: 'must hold nothing but 0-9 A-D * #' })
    .transform(upper)
    .optional()
    .describe('The digits that may be pressed.'),
  maximum_tries: within(1, MOST_TRIES, 'Tries').optional(),
  gather_id: text(128).optional().describe('Comes back in call.gather.ended.'),
};

type GatherFields = {
  readonly [K in keyof typeof GATHER]?: z.output<(typeof GATHER)[K]>;
};

export function gatherOf(body: GatherFields, prompt?: SoundAsk, invalidPrompt?: SoundAsk): GatherAsk {
  const minDigits = body.minimum_digits ?? GATHER_DEFAULTS.minimum_digits;
  const maxDigits = body.maximum_digits ?? GATHER_DEFAULTS.maximum_digits;
  if (minDigits > maxDigits)
    throw badField('/minimum_digits', 'minimum_digits must not be more than maximum_digits.');
  const timeoutMs = body.timeout_millis ?? GATHER_DEFAULTS.timeout_millis;
  const terminating = body.terminating_digit ?? GATHER_DEFAULTS.terminating_digit;
  return {
    minDigits,
    maxDigits,
    timeoutMs,
    initialMs:
      body.initial_timeout_millis ??
      (prompt === undefined ? GATHER_DEFAULTS.initial_timeout_millis : timeoutMs),
    interDigitMs: body.inter_digit_timeout_millis ?? GATHER_DEFAULTS.inter_digit_timeout_millis,
    terminating: terminating === '' ? null : terminating,
    valid: body.valid_digits ?? GATHER_DEFAULTS.valid_digits,
    tries: body.maximum_tries ?? GATHER_DEFAULTS.maximum_tries,
    ...present({ gatherId: body.gather_id, prompt, invalidPrompt }),
  };
}
