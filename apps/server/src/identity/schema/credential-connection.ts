import { z } from 'zod';
import {
  anchorsite,
  channelLimit,
  dtmfType,
  objectId,
  optionalUrl,
  tags,
  text,
  webhookTimeout,
  webhookVersion,
  writtenNumber,
} from './fields.ts';

const userName = z
  .string()
  .regex(/^[A-Za-z0-9]{4,32}$/, { message: 'must be 4 to 32 letters and digits' })
  .regex(/[A-Za-z]/, { message: 'must hold a letter, since a name of digits only would be a number' })
  .describe(
    'SIP user name: the login of clients and phones, and the part before @ when they are dialled. One owner in the whole deployment.',
  );
const password = text(128, 8).describe('Password of the SIP user.');

const inbound = z.object({
  ani_number_format: z
    .enum(['+E.164', 'E.164', '+E.164-national', 'E.164-national'])
    .describe(
      "How the caller's number is written towards the clients; national: of callers in the own country without its code.",
    ),
  dnis_number_format: z
    .enum(['+e164', 'e164', 'national', 'sip_username'])
    .describe(
      'How the dialled number is written towards the clients ("Destination Number Format"). Only with sip_username does dialling a number of the connection ring its clients.',
    ),
  codecs: z
    .array(z.enum(['G722', 'G711U', 'G711A', 'G729', 'OPUS', 'H.264', 'VP8', 'AMR-WB']))
    .min(1)
    .max(16)
    .describe(
      'Codecs towards the clients, most wanted first. G722, G711U, G711A and OPUS act; the others are kept and not offered.',
    ),
  channel_limit: channelLimit.describe(
    'Most calls at a time towards this connection; null: no limit of its own.',
  ),
  simultaneous_ringing: z
    .enum(['enabled', 'disabled'])
    .describe(
      'enabled: all clients registered under a name ring and the first answer wins. disabled: only the last to register.',
    ),
  timeout_1xx_secs: z
    .int()
    .min(1)
    .max(120)
    .describe('Seconds until the client must have given any sign of life.'),
  timeout_2xx_secs: z.int().min(1).max(600).describe('Seconds that clients may ring.'),
  default_routing_method: z
    .enum(['sequential', 'round-robin'])
    .optional()
    .describe('Stored and returned, without effect here.'),
  generate_ringback_tone: z
    .boolean()
    .describe('Callers hear a ring tone from the platform while the client rings.'),
  isup_headers_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  prack_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  shaken_stir_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  sip_compact_headers_enabled: z.boolean().describe('Stored and returned, without effect here.'),
});

const outbound = z.object({
  outbound_voice_profile_id: objectId
    .nullable()
    .describe('The profile whose limits hold for calls to numbers outside.'),
  call_parking_enabled: z
    .boolean()
    .nullable()
    .describe(
      'Calls that clients of this connection make are parked until the Voice API decides, instead of routed.',
    ),
  channel_limit: channelLimit.describe(
    'Most calls at a time from this connection; null: no limit of its own.',
  ),
  ani_override: writtenNumber(64).describe('The number that calls from this connection show, or empty.'),
  ani_override_type: z
    .enum(['always', 'normal', 'emergency'])
    .describe('When ani_override holds: for all calls, all but emergency calls, only emergency calls.'),
  localization: z
    .string()
    .regex(/^[A-Z]{2}$/, { message: 'must be a country code of two capital letters' })
    .describe('Country whose national numbers are understood.'),
  generate_ringback_tone: z
    .boolean()
    .describe('The caller hears a ring tone from the platform before the far end sends one.'),
  instant_ringback_enabled: z
    .boolean()
    .describe('The caller hears ringing at once, before the far end rings.'),
  t38_reinvite_source: text(32).optional().describe('Stored and returned, without effect here.'),
});

const INBOUND_DEFAULTS = {
  ani_number_format: 'E.164-national',
  dnis_number_format: 'e164',
  codecs: ['OPUS', 'G711U', 'G711A'],
  channel_limit: null,
  simultaneous_ringing: 'disabled',
  timeout_1xx_secs: 3,
  timeout_2xx_secs: 90,
  generate_ringback_tone: false,
  isup_headers_enabled: false,
  prack_enabled: false,
  shaken_stir_enabled: true,
  sip_compact_headers_enabled: false,
} as const;

const OUTBOUND_DEFAULTS = {
  outbound_voice_profile_id: null,
  call_parking_enabled: false,
  channel_limit: null,
  ani_override: '',
  ani_override_type: 'always',
  localization: 'US',
  generate_ringback_tone: false,
  instant_ringback_enabled: true,
} as const;

const settings = z.object({
  connection_name: text(256).describe('What people call it.'),
  user_name: userName,
  password,
  active: z
    .boolean()
    .describe('An inactive connection and all its credentials can neither log in, nor call, nor be called.'),
  anchorsite_override: anchorsite,
  sip_uri_calling_preference: z
    .enum(['disabled', 'internal', 'unrestricted'])
    .describe(
      'Who may dial user_name@domain and the names of its credentials: nobody, users of the same account, anyone.',
    ),
  dtmf_type: dtmfType,
  encode_contact_header_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  encrypted_media: z
    .enum(['SRTP', 'ZRTP', 'DTLS'])
    .nullable()
    .describe('Stored and returned, without effect here; browsers always have DTLS-SRTP.'),
  default_on_hold_comfort_noise_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  onnet_t38_passthrough_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  call_cost_in_webhooks: z.boolean().describe('Adds the cost of a call to its events.'),
  android_push_credential_id: text(64).nullable().describe('Stored and returned, without effect here.'),
  ios_push_credential_id: text(64).nullable().describe('Stored and returned, without effect here.'),
  webhook_event_url: optionalUrl.describe('Where events of calls go.'),
  webhook_event_failover_url: optionalUrl.describe('Where they go when the first one does not take them.'),
  webhook_api_version: webhookVersion,
  webhook_timeout_secs: webhookTimeout,
  rtcp_settings: z
    .object({
      port: text(16).optional(),
      capture_enabled: z.boolean().optional(),
      report_frequency_secs: z.int().min(0).max(3600).optional(),
    })
    .describe('Stored and returned, without effect here.'),
  noise_suppression: text(32).describe('Stored and returned, without effect here.'),
  tags: tags.describe('Words of your own.'),
  inbound,
  outbound,
});

/** What a connection has when nothing is said. */
export const CONNECTION_DEFAULTS = {
  active: true,
  anchorsite_override: 'Latency',
  sip_uri_calling_preference: 'disabled',
  dtmf_type: 'RFC 2833',
  encode_contact_header_enabled: false,
  encrypted_media: null,
  default_on_hold_comfort_noise_enabled: true,
  onnet_t38_passthrough_enabled: false,
  call_cost_in_webhooks: false,
  android_push_credential_id: null,
  ios_push_credential_id: null,
  webhook_event_url: null,
  webhook_event_failover_url: null,
  webhook_api_version: '2',
  webhook_timeout_secs: null,
  rtcp_settings: {},
  noise_suppression: 'disabled',
  tags: [],
  inbound: INBOUND_DEFAULTS,
  outbound: OUTBOUND_DEFAULTS,
} as const;

export const credentialConnectionPatch = settings
  .extend({ inbound: inbound.partial(), outbound: outbound.partial() })
  .partial();
export const credentialConnectionCreate = credentialConnectionPatch.required({
  connection_name: true,
  user_name: true,
  password: true,
});

export const credentialConnection = z.object({
  id: z.string(),
  record_type: z.literal('credential_connection'),
  ...settings.shape,
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export type CredentialConnectionPatch = z.output<typeof credentialConnectionPatch>;

/** As stored: the password sealed; `origin` says who made it. */
export interface ConnectionDoc extends Omit<z.output<typeof settings>, 'password'> {
  readonly password: string;
  readonly origin: 'api' | 'configuration' | 'first start';
  /** Not served and not in force: its maker (the configuration file) names it no more. */
  readonly hidden?: boolean;
  /** Only the configuration file sets it. */
  readonly reject_code?: number;
}
