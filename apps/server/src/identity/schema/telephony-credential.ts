import { z } from 'zod';
import { objectId, text } from './fields.ts';

/** ISO 8601; without a zone it is UTC. The stored form is the full one. */
const expiresAt = z
  .string()
  .max(40)
  .transform((value, context) => {
    const match =
      /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(value);
    const zoned = match === null ? '' : match[1] === undefined && value.length > 10 ? `${value}Z` : value;
    const at = Date.parse(zoned.replace(' ', 'T'));
    if (Number.isNaN(at)) {
      context.addIssue({ code: 'custom', message: 'must be a time in ISO 8601 form' });
      return z.NEVER;
    }
    return new Date(at).toISOString();
  })
  .describe(
    'ISO 8601, UTC when no zone is given. From then on the credential, its tokens and who is connected by them are no longer good.',
  );

const settings = z.object({
  connection_id: objectId.describe('The credential connection whose settings hold for this user.'),
  name: text(256, 0).describe('What people call it.'),
  tag: text(256, 0).describe(
    'A word to find a group of credentials by; at most 1000 credentials have the same.',
  ),
  expires_at: expiresAt.nullable(),
});

export const telephonyCredentialPatch = settings.partial();
export const telephonyCredentialCreate = telephonyCredentialPatch.required({ connection_id: true });

export const tokenMaterial = z.object({
  record_type: z.literal('token_material'),
  kid: z.string().describe('For the header of the token.'),
  tel_token: z.string().describe('For the claim of the same name.'),
  signing_secret: z.string().describe('base64 of the HS512 key of this credential; it signs for no other.'),
});

export const telephonyCredential = z.object({
  id: z.string(),
  record_type: z.literal('credential'),
  name: z.string(),
  tag: z.string(),
  resource_id: z.string().describe('connection:<id of the connection>'),
  sip_username: z
    .string()
    .describe('Login of a client or phone, and the part before @ when it is dialled; case matters.'),
  sip_password: z.string(),
  user_id: z.string().describe('The account.'),
  expired: z.boolean(),
  expires_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export type TelephonyCredentialPatch = z.output<typeof telephonyCredentialPatch>;

/** As stored: the password sealed. */
export interface CredentialDoc {
  readonly connection_id: string;
  readonly name: string;
  readonly tag: string;
  readonly sip_username: string;
  readonly sip_password: string;
  readonly expires_at: string | null;
}
