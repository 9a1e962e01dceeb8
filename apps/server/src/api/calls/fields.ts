import {
  type AfterBridge,
  isBase64,
  isNumber,
  parseDestination,
  REFUSAL,
  splitDestination,
} from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';

/** Fields that several commands share. What a person reads in the reference page is said in the descriptions. */

/** Characters of `client_state`: it is in every event and in the journal entry of its leg. */
const MAX_STATE = 8192;
/** Digits of one command. */
const MAX_DIGITS = 128;
const MAX_ADDRESS = 256;
const MAX_CALLEES = 10;

export const base64State = z
  .string()
  .max(MAX_STATE, { message: `must not be longer than ${MAX_STATE} characters` })
  .refine(isBase64, { message: 'must be base64 with its padding (RFC 4648 §4)' });

export const flag = z.boolean().optional();

/** A whole number of `unit`s between two bounds. */
export const within = (least: number, most: number, unit: string) =>
  z
    .int({ error: `must be a whole number from ${least} to ${most}` })
    .min(least, { message: `must not be less than ${least}` })
    .max(most, { message: `must not be more than ${most}` })
    .describe(`${unit}, ${least} to ${most}.`);

/** The name of a leg for commands: opaque text. */
export const controlId = z.string().min(1).max(256);

const badNumber = { code: REFUSAL.badNumber.code };

const isCallee = (value: string): boolean => value.length <= MAX_ADDRESS && parseDestination(value).ok;

const isCaller = (value: string): boolean => {
  if (!isCallee(value)) return false;
  const { scheme, user } = splitDestination(value);
  return scheme !== '' || isNumber(user);
};

const NO_CALLEE = 'must be a number in +E.164 form, a sip: URI or a user name';

/** One callee. */
export const callee = z
  .string()
  .refine(isCallee, { message: NO_CALLEE, params: badNumber })
  .transform((value) => value.trim());

/** One callee, or several that ring at once. */
export const callees = z
  .union([z.string(), z.array(z.string()).max(MAX_CALLEES)], {
    error: `must be text, or a list of at most ${MAX_CALLEES} texts`,
  })
  .superRefine((value, ctx) => {
    if (value.length === 0)
      ctx.addIssue({ code: 'custom', message: 'must name somebody', params: badNumber });
    for (const [index, one] of [value].flat().entries())
      if (!isCallee(one))
        ctx.addIssue({
          code: 'custom',
          message: NO_CALLEE,
          params: badNumber,
          path: typeof value === 'string' ? [] : [index],
        });
  })
  .transform((value) => [value].flat().map((one) => one.trim()));

export const caller = z
  .string()
  .refine(isCaller, { message: 'must be a number in +E.164 form or a sip: URI', params: badNumber })
  .transform((value) => value.trim());

/** A SIP URI, for Refer-To. */
export const sipUri = z
  .string()
  .refine((value) => isCallee(value) && /^sips?:/i.test(value.trim()), { message: 'must be a sip: URI' })
  .transform((value) => value.trim());

export const shownName = text(128);

/** Digits as they are sent: `a` to `d` in upper case; `w` and `W` are pauses of two lengths. */
export const digits = z
  .string()
  .max(MAX_DIGITS, { message: `must not hold more than ${MAX_DIGITS} digits` })
  .regex(/^[0-9A-Da-d*#wW]+$/, { message: 'must hold nothing but 0-9 A-D * # w W' })
  .transform((value) => value.replace(/[a-d]/g, (digit) => digit.toUpperCase()));

export const park = z
  .literal('self', { error: 'must be "self"' })
  .describe('self: when the other side leaves the bridge this leg is parked, not hung up.');

export const afterOf = (given: 'self' | undefined): AfterBridge | undefined =>
  given === undefined ? undefined : 'park';

export const target = z
  .enum(['self', 'opposite', 'both'])
  .describe('Who hears it: the leg of the URL, the other one, both.');

/** Title of the refusal of what the published API has and this one has not. */
export const NOT_OFFERED = 'Not offered here';

/**
 * A field that asks for something which is not here: refused, since a program that hears 200 would wait for it. `isOff`: values that ask
 * for nothing.
 */
export const notOffered = (what: string, isOff: (value: unknown) => boolean = () => false) =>
  z
    .unknown()
    .refine((value) => value === undefined || isOff(value), {
      message: `must be left out: ${what} is not offered here yet`,
      params: { code: REFUSAL.badField.code, title: NOT_OFFERED },
    })
    .optional()
    .describe(`Refused: ${what} is not offered here yet.`);

export const isFalse = (value: unknown): boolean => value === false;
export const isOff = (value: unknown): boolean => value === false || value === 'disabled' || value === 'none';

/** Fields of `dial`, `answer`, `transfer` and `bridge` that start what is not here. */
export const LATER = {
  assistant: notOffered('an AI assistant'),
  conversation_relay_config: notOffered('conversation relay'),
  deepfake_detection: notOffered(
    'deepfake detection',
    (value) =>
      typeof value === 'object' && value !== null && (value as { enabled?: unknown }).enabled !== true,
  ),
  sound_modifications: notOffered('sound modification'),
};
/** Fields of a leg that is called: silence about them would show a hidden number, or send in the clear what was to be sealed. */
export const CALLED = {
  media_encryption: notOffered('a choice of media encryption', isOff),
  privacy: notOffered('a hidden caller', isOff),
  sip_auth_username: notOffered('a login at the called side'),
  sip_auth_password: notOffered('a login at the called side'),
};

/** The fields that are not `undefined`: what is absent in a body is absent in a command. */
export function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Present<T>;
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};
