import { type CommandHeaders, parseCustomHeaders } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';

const USER_TO_USER = 'User-to-User';

interface Given {
  readonly name?: unknown;
  readonly value?: unknown;
  readonly header_name?: unknown;
  readonly header_value?: unknown;
}

/** One guide of the published API says `header_name`, `header_value`. */
const named = (given: readonly Given[]) =>
  given.map(({ name, value, header_name, header_value }) => ({
    name: name ?? header_name,
    value: value ?? header_value,
  }));

const headerValue = z.union([z.string(), z.number(), z.boolean()], { error: 'must be text' });

const customHeaders = z
  .array(
    z.object({
      name: z.string().optional(),
      value: headerValue.optional(),
      header_name: z.string().optional().describe('As name.'),
      header_value: headerValue.optional().describe('As value.'),
    }),
  )
  .superRefine((given, ctx) => {
    const parsed = parseCustomHeaders(named(given));
    if (!parsed.ok)
      ctx.addIssue({ code: 'custom', message: parsed.error.message, path: [parsed.error.index] });
  })
  .describe(
    'List of {name, value}, at most 20; names begin with X-, X-Sidetone- is ours. Values: one line, 1024 bytes.',
  );

const sipHeaders = z
  .array(
    z.object({
      name: z
        .string()
        .regex(/^user-to-user$/i, { message: `must be ${USER_TO_USER}` })
        .describe(`${USER_TO_USER} (RFC 7433).`),
      value: text(1024),
    }),
  )
  .max(4)
  .describe(`List of {name, value}; the name is ${USER_TO_USER} (RFC 7433).`);

export const CUSTOM_HEADERS = { custom_headers: customHeaders.optional() };
export const HEADERS = { ...CUSTOM_HEADERS, sip_headers: sipHeaders.optional() };

interface HeaderFields {
  readonly custom_headers?: readonly Given[] | undefined;
  readonly sip_headers?: readonly { readonly value: string }[] | undefined;
}

/** As they leave; `undefined`: none. */
export function headersOf({ custom_headers, sip_headers }: HeaderFields): CommandHeaders | undefined {
  const custom = parseCustomHeaders(named(custom_headers ?? []));
  const headers = [
    ...(custom.ok ? custom.value : []).map(({ name, value }) => [name, value] as const),
    ...(sip_headers ?? []).map(({ value }) => [USER_TO_USER, value] as const),
  ];
  return headers.length === 0 ? undefined : headers;
}
