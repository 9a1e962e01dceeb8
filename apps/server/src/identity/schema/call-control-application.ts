import { z } from 'zod';
import {
  anchorsite,
  applicationWebhookVersion,
  channelLimit,
  dtmfType,
  objectId,
  optionalUrl,
  requiredUrl,
  tags,
  text,
  webhookTimeout,
} from './fields.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/** One label of a host name (RFC 1123 §2.1); empty: none. */
const subdomain = z
  .string()
  .refine((name) => name === '' || LABEL.test(name), {
    message: 'must be a label of a host name: at most 63 letters, digits and hyphens',
  })
  .transform((name) => (name === '' ? null : name.toLowerCase()))
  .nullable();

const inbound = z.object({
  channel_limit: channelLimit.describe('Most calls at a time towards this application.'),
  shaken_stir_enabled: z.boolean().describe('Stored and returned, without effect here.'),
  sip_subdomain: subdomain.describe(
    'Calls to sip:anything@<sip_subdomain>.<domain> are calls to this application. A label of a host name, of one application of all.',
  ),
  sip_subdomain_receive_settings: z
    .enum(['only_my_connections', 'from_anyone'])
    .describe('Who may call there: users of the account alone, or anyone, also without a login.'),
});
const outbound = z.object({
  channel_limit: channelLimit.describe('Most calls at a time from this application.'),
  outbound_voice_profile_id: objectId.nullable().describe('The profile whose limits hold for its calls.'),
});

const settings = z.object({
  application_name: text(256).describe('What people call it.'),
  webhook_event_url: requiredUrl.describe('Where events of its calls go.'),
  webhook_event_failover_url: optionalUrl.describe('Where they go when the first one does not take them.'),
  webhook_api_version: applicationWebhookVersion,
  webhook_timeout_secs: webhookTimeout,
  active: z.boolean().describe('An inactive application takes and makes no calls.'),
  anchorsite_override: anchorsite,
  dtmf_type: dtmfType,
  first_command_timeout: z.boolean().describe('Hang up when no command comes for a new call.'),
  first_command_timeout_secs: z.int().min(1).max(3600).describe('How long to wait for the first command.'),
  call_cost_in_webhooks: z.boolean().describe('Adds the cost of a call to its events.'),
  redact_dtmf_debug_logging: z
    .boolean()
    .describe('Stored and returned, without effect here; digits are never logged here.'),
  tags: tags.describe('Words of your own.'),
  inbound,
  outbound,
});

export const APPLICATION_DEFAULTS = {
  webhook_event_failover_url: null,
  webhook_api_version: '2',
  webhook_timeout_secs: null,
  active: true,
  anchorsite_override: 'Latency',
  dtmf_type: 'RFC 2833',
  first_command_timeout: false,
  first_command_timeout_secs: 30,
  call_cost_in_webhooks: false,
  redact_dtmf_debug_logging: false,
  tags: [],
  inbound: {
    channel_limit: null,
    shaken_stir_enabled: false,
    sip_subdomain: null,
    sip_subdomain_receive_settings: 'from_anyone',
  },
  outbound: { channel_limit: null, outbound_voice_profile_id: null },
} as const;

export const callControlApplicationPatch = settings
  .extend({ inbound: inbound.partial(), outbound: outbound.partial() })
  .partial();
export const callControlApplicationCreate = callControlApplicationPatch.required({
  application_name: true,
  webhook_event_url: true,
});
export const callControlApplication = z.object({
  id: z.string(),
  record_type: z.literal('call_control_application'),
  ...settings.shape,
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export type ApplicationDoc = z.output<typeof settings>;
