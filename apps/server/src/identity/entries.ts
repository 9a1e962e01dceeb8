import {
  type AccountEntry,
  type ApplicationEntry,
  type CodecName,
  type ConnectionEntry,
  canonicalNumber,
  type NumberEntry,
  type ProfileEntry,
  type WebhookSettings,
} from '@sidetone/wire';
import type { StoredObject } from '../store/directory-store.ts';
import { DEFAULT_CODECS, DEFAULT_REJECT_CODE } from './defaults.ts';
import type { ApplicationDoc } from './schema/call-control-application.ts';
import { CONNECTION_DEFAULTS, type ConnectionDoc } from './schema/credential-connection.ts';
import type { ProfileDoc } from './schema/outbound-voice-profile.ts';
import type { NumberDoc } from './schema/phone-number.ts';

/** Stored objects as the services read them. What an earlier release did not store has its default. */

export interface AccountDoc {
  readonly name: string;
  readonly active: boolean;
  readonly concurrent_calls?: number | null;
  readonly calls_per_second?: number | null;
  /** Without it: yes, but for the account of the configuration file. */
  readonly profile_required?: boolean;
}

const CODECS: Readonly<Record<string, CodecName>> = {
  OPUS: 'OPUS',
  G711U: 'PCMU',
  G711A: 'PCMA',
  G722: 'G722',
};
const DTMF = { 'RFC 2833': 'rfc4733', Inband: 'inband', 'SIP INFO': 'info' } as const;
/** The account of the configuration file and of the first start. */
export const DEFAULT_ACCOUNT = 'default';

/** The document of an object, by the type that its kind has. */
export const docOf = <T>(object: StoredObject): T => object.doc as unknown as T;

export function accountEntry(object: StoredObject): AccountEntry {
  const doc = docOf<AccountDoc>(object);
  return {
    id: object.id,
    active: doc.active,
    concurrentCalls: doc.concurrent_calls ?? null,
    callsPerSecond: doc.calls_per_second ?? null,
    profileRequired: doc.profile_required ?? doc.name !== DEFAULT_ACCOUNT,
  };
}

export function connectionEntry(object: StoredObject): ConnectionEntry {
  const doc = { ...CONNECTION_DEFAULTS, ...docOf<ConnectionDoc>(object) };
  const inbound = { ...CONNECTION_DEFAULTS.inbound, ...doc.inbound };
  const outbound = { ...CONNECTION_DEFAULTS.outbound, ...doc.outbound };
  const codecs = inbound.codecs.flatMap((name) => CODECS[name] ?? []);
  return {
    id: object.id,
    accountId: object.account,
    name: doc.connection_name,
    userName: doc.user_name,
    active: doc.active && doc.hidden !== true,
    sipUriCalling: doc.sip_uri_calling_preference,
    dnisFormat: inbound.dnis_number_format,
    aniFormat: inbound.ani_number_format,
    simultaneousRinging: inbound.simultaneous_ringing === 'enabled',
    codecs: codecs.length > 0 ? codecs : DEFAULT_CODECS,
    dtmf: DTMF[doc.dtmf_type],
    rejectCode: doc.reject_code ?? DEFAULT_REJECT_CODE,
    timeout1xxSecs: inbound.timeout_1xx_secs,
    timeout2xxSecs: inbound.timeout_2xx_secs,
    inboundChannelLimit: inbound.channel_limit,
    outboundChannelLimit: outbound.channel_limit,
    aniOverride: outbound.ani_override === '' ? null : outbound.ani_override,
    aniOverrideType: outbound.ani_override_type,
    localization: outbound.localization,
    profileId: outbound.outbound_voice_profile_id,
    parking: outbound.call_parking_enabled === true,
    ringback: outbound.generate_ringback_tone ? 'tone' : 'ringing',
    webhook: doc.webhook_event_url === null ? null : webhook(doc, doc.webhook_event_url),
  };
}

export function applicationEntry(object: StoredObject): ApplicationEntry {
  const doc = docOf<ApplicationDoc>(object);
  return {
    id: object.id,
    accountId: object.account,
    name: doc.application_name,
    active: doc.active,
    webhook: webhook(doc, doc.webhook_event_url),
    firstCommandSecs: doc.first_command_timeout ? doc.first_command_timeout_secs : null,
    subdomain: subdomainOf(object, doc),
    profileId: doc.outbound.outbound_voice_profile_id,
    inboundChannelLimit: doc.inbound.channel_limit,
    outboundChannelLimit: doc.outbound.channel_limit,
  };
}

export const subdomainName = (name: string): string => `subdomain:${name}`;

/** Only one that it holds among all accounts: what an earlier release has stored had no effect. */
function subdomainOf(object: StoredObject, { inbound }: ApplicationDoc): ApplicationEntry['subdomain'] {
  const { sip_subdomain: name, sip_subdomain_receive_settings: from } = inbound;
  if (name == null || !object.names.includes(subdomainName(name))) return null;
  return { name, from: from === 'only_my_connections' ? 'account' : 'anyone' };
}

interface WebhookFields {
  readonly webhook_event_failover_url: string | null;
  readonly webhook_api_version: WebhookSettings['apiVersion'];
  readonly webhook_timeout_secs: number | null;
}

function webhook(doc: WebhookFields, url: string): WebhookSettings {
  return {
    url,
    failoverUrl: doc.webhook_event_failover_url,
    apiVersion: doc.webhook_api_version,
    timeoutSecs: doc.webhook_timeout_secs,
  };
}

export function profileEntry(object: StoredObject): ProfileEntry {
  const doc = docOf<ProfileDoc>(object);
  return {
    id: object.id,
    accountId: object.account,
    enabled: doc.enabled,
    destinations: doc.whitelisted_destinations,
    concurrentCalls: doc.concurrent_call_limit,
    dailySpendLimit: doc.daily_spend_limit_enabled ? doc.daily_spend_limit : null,
    maxDestinationRate: doc.max_destination_rate,
  };
}

export function numberEntry(object: StoredObject): NumberEntry {
  const doc = docOf<NumberDoc>(object);
  const { call_forwarding_enabled, forwards_to } = doc.voice.call_forwarding;
  return {
    id: object.id,
    number: canonicalNumber(doc.phone_number),
    accountId: object.account,
    assignee: doc.connection_id,
    forwardTo: call_forwarding_enabled && forwards_to !== '' ? forwards_to : null,
  };
}
