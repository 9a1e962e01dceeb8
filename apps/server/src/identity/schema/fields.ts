import { canonicalNumber } from '@sidetone/wire';
import { z } from 'zod';

/** Fields that several objects share. What a person reads in the reference page is said in the descriptions. */

const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const MAX_URL = 2000;

/** One line of text: no control characters and no line separators, so that it can never become a header of its own. */
export const text = (most: number, least = 1) =>
  z
    .string()
    .min(least)
    .max(most)
    .refine((value) => !UNSAFE.test(value) && value.isWellFormed(), {
      message: 'must not hold line breaks or control characters',
    });

export const tags = z.array(text(128)).max(50);

const webUrl = z
  .string()
  .max(MAX_URL, { message: `must not be longer than ${MAX_URL} characters` })
  .refine(isWebUrl, { message: 'must be an http or https URL without user name and password' });

function isWebUrl(value: string): boolean {
  if (UNSAFE.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return (
    (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  );
}

/** A URL that may be empty or null, which both mean none. */
export const optionalUrl = z.union([z.literal('').transform(() => null), webUrl]).nullable();
export const requiredUrl = webUrl;

export const channelLimit = z.int().min(1).max(100_000).nullable();

/** Ids of objects are opaque text. */
export const objectId = z.string().min(1).max(64);

/** Version 1 is a form of its own that nobody should begin with; what an earlier release has stored is read as 2. */
const noVersion1 = <T extends string>(values: readonly T[]) =>
  z.enum(values, {
    error: ({ input }) =>
      input === '1'
        ? 'must be "2": events of version 1 are not sent here'
        : `must be one of ${values.map((value) => `"${value}"`).join(', ')}`,
  });
export const webhookVersion = noVersion1(['2', 'texml']).describe(
  'Form of the events; texml only together with outbound.call_parking_enabled.',
);
export const applicationWebhookVersion = noVersion1(['2']).describe('Form of the events.');
export const webhookTimeout = z
  .int()
  .min(0)
  .max(30)
  .nullable()
  .describe("Seconds that one attempt to deliver an event may take; null: the platform's default.");
export const dtmfType = z
  .enum(['RFC 2833', 'Inband', 'SIP INFO'])
  .describe(
    'How digits are sent towards this connection. Digits that come from it are understood in all three ways.',
  );
export const anchorsite = text(64).describe('Stored and returned; one deployment is one site.');
/** A number that may be empty or something else; one that was pasted is kept in its one spelling. */
export const writtenNumber = (most: number) => text(most, 0).transform(canonicalNumber).pipe(z.string());
export const e164 = writtenNumber(64).pipe(
  z.string().regex(/^\+[1-9][0-9]{4,14}$/, { message: 'must be a number in +E.164 form' }),
);
