import { z } from 'zod';
import { e164, objectId, tags, text, writtenNumber } from './fields.ts';

const optionalId = z.union([z.literal('').transform(() => null), objectId]).nullable();

export const phoneNumberPatch = z
  .object({
    connection_id: optionalId.describe(
      'The credential connection or call control application that takes its calls; empty or null: none.',
    ),
    customer_reference: text(256, 0).nullable().describe('A word of your own.'),
    external_pin: text(32, 0).nullable().describe('Stored and returned, without effect here.'),
    hd_voice_enabled: z.boolean().describe('Stored and returned, without effect here.'),
    billing_group_id: text(64, 0).nullable().describe('Stored and returned, without effect here.'),
    address_id: text(64, 0).nullable().describe('Stored and returned, without effect here.'),
    tags: tags.describe('Words of your own.'),
  })
  .partial();

const voiceSettings = z.object({
  call_forwarding: z.object({
    call_forwarding_enabled: z.boolean().describe('Calls to this number go on to forwards_to.'),
    forwards_to: z.union([z.literal(''), e164]),
    forwarding_type: z.enum(['always', 'on-failure']),
  }),
  call_recording: z.object({
    inbound_call_recording_enabled: z.boolean(),
    inbound_call_recording_format: z.enum(['wav', 'mp3']),
    inbound_call_recording_channels: z.enum(['single', 'dual']),
  }),
  cnam_listing: z.object({ cnam_listing_enabled: z.boolean(), cnam_listing_details: text(15, 0) }),
  media_features: z.object({
    rtp_auto_adjust_enabled: z.boolean(),
    accept_any_rtp_packets_enabled: z.boolean(),
    t38_fax_gateway_enabled: z.boolean(),
  }),
  caller_id_name_enabled: z.boolean(),
  inbound_call_screening: z.enum(['disabled', 'reject_calls', 'flag_calls']),
  tech_prefix_enabled: z.boolean(),
  translated_number: writtenNumber(64).describe(
    'The number that the connection sees as the dialled one, or empty.',
  ),
  usage_payment_method: z.enum(['pay-per-minute', 'channel']),
});

export const VOICE_DEFAULTS = {
  call_forwarding: { call_forwarding_enabled: false, forwards_to: '', forwarding_type: 'always' },
  call_recording: {
    inbound_call_recording_enabled: false,
    inbound_call_recording_format: 'wav',
    inbound_call_recording_channels: 'single',
  },
  cnam_listing: { cnam_listing_enabled: false, cnam_listing_details: '' },
  media_features: {
    rtp_auto_adjust_enabled: true,
    accept_any_rtp_packets_enabled: false,
    t38_fax_gateway_enabled: false,
  },
  caller_id_name_enabled: false,
  inbound_call_screening: 'disabled',
  tech_prefix_enabled: false,
  translated_number: '',
  usage_payment_method: 'pay-per-minute',
} as const;

export const numberVoicePatch = voiceSettings
  .extend({
    call_forwarding: voiceSettings.shape.call_forwarding.partial(),
    call_recording: voiceSettings.shape.call_recording.partial(),
    cnam_listing: voiceSettings.shape.cnam_listing.partial(),
    media_features: voiceSettings.shape.media_features.partial(),
  })
  .partial();

export const phoneNumber = z.object({
  id: z.string(),
  record_type: z.literal('phone_number'),
  phone_number: z.string(),
  country_iso_alpha2: z.string(),
  status: z.literal('active'),
  phone_number_type: z.string(),
  connection_id: z.string().nullable(),
  connection_name: z.string().nullable(),
  customer_reference: z.string().nullable(),
  external_pin: z.string().nullable(),
  billing_group_id: z.string().nullable(),
  address_id: z.string().nullable(),
  messaging_profile_id: z.null(),
  emergency_enabled: z.boolean(),
  emergency_address_id: z.null(),
  call_forwarding_enabled: z.boolean(),
  cnam_listing_enabled: z.boolean(),
  caller_id_name_enabled: z.boolean(),
  call_recording_enabled: z.boolean(),
  t38_fax_gateway_enabled: z.boolean(),
  inbound_call_screening: z.string(),
  hd_voice_enabled: z.boolean(),
  deletion_lock_enabled: z.boolean(),
  tags: z.array(z.string()),
  purchased_at: z.iso.datetime(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const numberVoice = z.object({
  id: z.string(),
  record_type: z.literal('voice_settings'),
  phone_number: z.string(),
  connection_id: z.string().nullable(),
  customer_reference: z.string().nullable(),
  ...voiceSettings.shape,
  emergency: z.object({
    emergency_enabled: z.boolean(),
    emergency_address_id: z.null(),
    emergency_status: z.literal('disabled'),
  }),
});

export type PhoneNumberPatch = z.output<typeof phoneNumberPatch>;
export type NumberVoicePatch = z.output<typeof numberVoicePatch>;

type NumberFields = { [K in keyof PhoneNumberPatch]-?: Exclude<PhoneNumberPatch[K], undefined> };

export interface NumberDoc extends NumberFields {
  readonly phone_number: string;
  readonly country: string;
  readonly voice: z.output<typeof voiceSettings>;
  readonly origin: 'operator' | 'configuration' | 'first start';
  readonly hidden?: boolean;
}
