import type { EpochMs } from '@sidetone/core';
import type { CodecName } from './media-control.ts';
import type { Trunk } from './settings.ts';

/**
 * Who is who on this platform, as the services read it: synchronous, indexed, always current. Users of the configuration
 * file and users made by the REST API are one thing here.
 *
 *   account ─┬─ connection ─┬─ SIP user (kind connection)       log in, are rung by name
 *            │              └─ SIP user (kind credential) …     each name is a ring of its own
 *            ├─ number ──────▶ connection or application
 *            ├─ outbound voice profile                          limits on calls out
 *            └─ call control application
 *
 * Entries are never changed in place: a change replaces the entry, so an entry at hand is what held when it was read.
 */
export interface Identity {
  /** The SIP domain of all users. */
  readonly domain: string;
  readonly trunks: readonly Trunk[];
  /** Grows with every change: a cache made at this revision is good as long as it stays. */
  readonly revision: number;
  /** The SIP user of exactly this name (RFC 3261 §19.1.4: user parts are case-sensitive). */
  userByName(name: string): SipUser | undefined;
  /** By the id of the connection or telephony credential. */
  userById(id: string): SipUser | undefined;
  /** All names, connections before their credentials. */
  users(): Iterable<SipUser>;
  account(id: string): AccountEntry | undefined;
  connection(id: string): ConnectionEntry | undefined;
  application(id: string): ApplicationEntry | undefined;
  /** By the subdomain that it has, in lower case. */
  applicationOfSubdomain(name: string): ApplicationEntry | undefined;
  profile(id: string): ProfileEntry | undefined;
  /** By its canonical form: `+` and digits, or digits. */
  number(canonical: string): NumberEntry | undefined;
  /** The numbers assigned to a connection or application, oldest first. */
  numbersOf(assignee: string): readonly NumberEntry[];
  /** The connection whose number this is; `undefined` also when it is assigned to an application, or to nobody. */
  ownerOfNumber(canonical: string): ConnectionEntry | undefined;
  /** May this user log in, register, call and be called at `now`? `undefined`: yes. Otherwise why not. */
  refusal(user: SipUser, now: EpochMs): IdentityRefusal | undefined;
}

/** Why a user that exists may do nothing. For logs; clients are told as little as by a wrong password. */
export type IdentityRefusal = 'account-inactive' | 'connection-inactive' | 'credential-expired';

/** A name that logs in and is dialled: of a connection, or of a telephony credential under one. */
export interface SipUser {
  /** Of the connection or of the telephony credential. */
  readonly id: string;
  readonly kind: 'connection' | 'credential';
  readonly name: string;
  /** Never logged. */
  readonly password: string;
  readonly connectionId: string;
  readonly accountId: string;
  /** Only credentials expire. */
  readonly expiresAt?: EpochMs;
}

export interface AccountEntry {
  readonly id: string;
  readonly active: boolean;
  /** Calls at a time of the whole account; `null`: only the platform's own limit. */
  readonly concurrentCalls: number | null;
  /** New calls in a second; `null`: no limit. */
  readonly callsPerSecond: number | null;
  /** Its connections call carriers only by an outbound voice profile; otherwise one without a profile calls whom it likes. */
  readonly profileRequired: boolean;
}

export interface WebhookSettings {
  readonly url: string;
  readonly failoverUrl: string | null;
  readonly apiVersion: '1' | '2' | 'texml';
  /** 0 to 30; `null`: the platform's default. */
  readonly timeoutSecs: number | null;
}

/** A credential connection: the settings that all its users share. */
export interface ConnectionEntry {
  readonly id: string;
  readonly accountId: string;
  /** The name people gave it. */
  readonly name: string;
  /** The SIP user of kind `connection`. */
  readonly userName: string;
  readonly active: boolean;
  /** Who may dial `name@domain`: nobody, users of the same account, anyone. */
  readonly sipUriCalling: 'disabled' | 'internal' | 'unrestricted';
  /** How the dialled number is written towards the clients; only with `sip_username` does a number ring them. */
  readonly dnisFormat: '+e164' | 'e164' | 'national' | 'sip_username';
  /** How the caller's number is written towards the clients. */
  readonly aniFormat: '+E.164' | 'E.164' | '+E.164-national' | 'E.164-national';
  readonly simultaneousRinging: boolean;
  /** Codecs towards the clients that this platform carries, most wanted first; never empty. */
  readonly codecs: readonly CodecName[];
  /** How digits are sent towards the connection. */
  readonly dtmf: 'rfc4733' | 'inband' | 'info';
  /** The SIP status a caller sees when the client rejects without stating one. */
  readonly rejectCode: number;
  /** Seconds until the first provisional response, and until an answer. */
  readonly timeout1xxSecs: number;
  readonly timeout2xxSecs: number;
  /** Calls at a time towards the connection and from it; `null`: no limit of its own. */
  readonly inboundChannelLimit: number | null;
  readonly outboundChannelLimit: number | null;
  /** The number that calls from this connection show; `null`: the caller's own choice among the account's numbers. */
  readonly aniOverride: string | null;
  readonly aniOverrideType: 'always' | 'normal' | 'emergency';
  /** Country whose national numbers are understood, ISO 3166-1 alpha-2. */
  readonly localization: string;
  readonly profileId: string | null;
  /** Calls from this connection are parked for the Voice API instead of routed. */
  readonly parking: boolean;
  /** What a parked caller hears until its call is answered: 180, or a ring tone of ours as early media. */
  readonly ringback: 'ringing' | 'tone';
  readonly webhook: WebhookSettings | null;
}

export interface ApplicationEntry {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly active: boolean;
  readonly webhook: WebhookSettings;
  /** A call that comes in and gets no command for so long ends; null: it waits as long as any. */
  readonly firstCommandSecs: number | null;
  /** `name.<domain>` is called for it, by users of its account or by anyone. */
  readonly subdomain: { readonly name: string; readonly from: 'account' | 'anyone' } | null;
  readonly profileId: string | null;
  readonly inboundChannelLimit: number | null;
  readonly outboundChannelLimit: number | null;
}

export interface NumberEntry {
  readonly id: string;
  /** Canonical. */
  readonly number: string;
  readonly accountId: string;
  /** A connection or an application of the same account. */
  readonly assignee: string | null;
  /** The number that a call to this one goes on with, or `null`. */
  readonly forwardTo: string | null;
}

/** What calls out of the account may do. */
export interface ProfileEntry {
  readonly id: string;
  readonly accountId: string;
  readonly enabled: boolean;
  /** ISO 3166-1 alpha-2 codes of the countries that may be called. */
  readonly destinations: readonly string[];
  readonly concurrentCalls: number | null;
  /** Decimal US dollars as text, or `null`. */
  readonly dailySpendLimit: string | null;
  readonly maxDestinationRate: number | null;
}

/** What a change means for those who are connected. Told after the change can be read. */
export type IdentityChange =
  /** Logins, registrations and tokens of this user are no longer good: close its sockets, drop its registrations. */
  | {
      readonly type: 'revoked';
      readonly userId: string;
      readonly userName: string;
      readonly why: IdentityRefusal | 'deleted' | 'renamed' | 'password-changed';
    }
  /** Something else changed. New calls see it; who is connected stays. */
  | { readonly type: 'changed'; readonly object: IdentityObject; readonly id: string };

export type IdentityObject = 'account' | 'connection' | 'credential' | 'number' | 'profile' | 'application';
