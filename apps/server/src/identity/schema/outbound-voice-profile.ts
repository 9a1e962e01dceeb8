import { z } from 'zod';
import { channelLimit, tags, text } from './fields.ts';

const settings = z.object({
  name: text(100, 3).describe('What people call it.'),
  enabled: z.boolean().describe('A profile that is off lets no call out.'),
  whitelisted_destinations: z
    .array(z.string().regex(/^[A-Z]{2}$/, { message: 'must be a country code of two capital letters' }))
    .max(300)
    .describe(
      'Countries that may be called, ISO 3166-1 alpha-2. The canonical form of the dialled number decides.',
    ),
  concurrent_call_limit: channelLimit.describe('Most calls out at a time; null: no limit of its own.'),
  daily_spend_limit: z
    .string()
    .regex(/^[0-9]{1,9}(\.[0-9]{1,4})?$/, { message: 'must be an amount such as "100.00"' })
    .nullable()
    .describe('Most that calls of a day (UTC) may cost, US dollars as text.'),
  daily_spend_limit_enabled: z.boolean().describe('Whether daily_spend_limit holds.'),
  max_destination_rate: z
    .number()
    .min(0)
    .max(1000)
    .nullable()
    .describe('Most that a minute to the destination may cost, US dollars.'),
  call_recording: z
    .object({
      call_recording_type: z.enum(['all', 'none', 'by_caller_phone_number']),
      call_recording_caller_phone_numbers: z.array(text(32)).max(1000),
      call_recording_channels: z.enum(['single', 'dual']),
      call_recording_format: z.enum(['wav', 'mp3']),
    })
    .partial()
    .describe('Stored and returned, without effect here.'),
  calling_window: z
    .object({ start_time: text(32), end_time: text(32), calls_per_cld: z.int().min(0).max(100_000) })
    .partial()
    .nullable()
    .describe('Stored and returned, without effect here.'),
  billing_group_id: text(64).nullable().describe('Stored and returned, without effect here.'),
  service_plan: z.literal('global'),
  traffic_type: z.literal('conversational'),
  usage_payment_method: text(32).describe('Stored and returned, without effect here.'),
  tags: tags.describe('Words of your own.'),
});

export const PROFILE_DEFAULTS = {
  enabled: true,
  whitelisted_destinations: ['US', 'CA'],
  concurrent_call_limit: null,
  daily_spend_limit: null,
  daily_spend_limit_enabled: false,
  max_destination_rate: null,
  call_recording: {},
  calling_window: null,
  billing_group_id: null,
  service_plan: 'global',
  traffic_type: 'conversational',
  usage_payment_method: 'rate-deck',
  tags: [],
} as const;

export const outboundVoiceProfilePatch = settings.partial();
export const outboundVoiceProfileCreate = outboundVoiceProfilePatch.required({ name: true });
export const outboundVoiceProfile = z.object({
  id: z.string(),
  record_type: z.literal('outbound_voice_profile'),
  ...settings.shape,
  connections_count: z.int().describe('Connections and applications that use it.'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export type ProfileDoc = z.output<typeof settings>;
