import { randomInt, randomUUID } from 'node:crypto';
import { canonicalNumber } from '@sidetone/wire';
import type { ObjectKind, StoredObject } from '../store/directory-store.ts';
import { type AccountDoc, docOf, subdomainName } from './entries.ts';
import type { ApplicationDoc } from './schema/call-control-application.ts';
import type { ConnectionDoc } from './schema/credential-connection.ts';
import type { ProfileDoc } from './schema/outbound-voice-profile.ts';
import type { NumberDoc } from './schema/phone-number.ts';
import type { CredentialDoc } from './schema/telephony-credential.ts';

export interface KeyDoc {
  readonly hash: string;
  readonly label: string;
  /** The first characters, to know it by. */
  readonly starts: string;
  /** ISO 8601. */
  readonly revoked_at: string | null;
}

export interface Docs {
  readonly account: AccountDoc & { readonly seeded?: boolean };
  readonly key: KeyDoc;
  readonly connection: ConnectionDoc;
  readonly credential: CredentialDoc;
  readonly number: NumberDoc;
  readonly profile: ProfileDoc;
  readonly application: ApplicationDoc;
}

/** Is it there for those who look? */
export const isVisible = (object: StoredObject | undefined): object is StoredObject =>
  object !== undefined && object.doc['hidden'] !== true;

/** 19 digits that grow with time, as published clients know ids. The store refuses one that exists. */
export const decimalId = (now: number): string => `${now}${String(randomInt(1_000_000)).padStart(6, '0')}`;

/** A new object. */
export function makeObject<K extends ObjectKind>(
  kind: K,
  account: string | null,
  doc: Docs[K],
  now: number,
  id: string = kind === 'account' || kind === 'credential' || kind === 'key' ? randomUUID() : decimalId(now),
): StoredObject {
  return {
    id,
    kind,
    account: account ?? id,
    version: 1,
    doc: doc as unknown as StoredObject['doc'],
    ...claimsOf(kind, doc, account),
    createdAt: now,
    updatedAt: now,
  };
}

/** The next version of an object. */
export function remakeObject<K extends ObjectKind>(
  object: StoredObject & { readonly kind: ObjectKind },
  kind: K,
  doc: Docs[K],
  now: number,
): StoredObject {
  return {
    ...object,
    version: object.version + 1,
    doc: doc as unknown as StoredObject['doc'],
    ...claimsOf(kind, doc, kind === 'account' ? null : object.account),
    updatedAt: Math.max(now, object.updatedAt),
  };
}

export const numberName = (number: string): string => `number:${canonicalNumber(number)}`;
/** The names under which the same number may be held: as it is, and with or without its `+`. Short codes are what they are. */
export function numberNames(text: string): string[] {
  const number = canonicalNumber(text);
  const other = number.startsWith('+') ? number.slice(1) : `+${number}`;
  return (number.length < 7 ? [number] : [number, other]).map(numberName);
}
export const userName = (name: string): string => `sip:${name}`;
export const accountName = (name: string): string => `account:${name}`;

/** The names an object holds and the objects it cannot be without. */
function claimsOf<K extends ObjectKind>(
  kind: K,
  doc: Docs[K],
  account: string | null,
): { names: readonly string[]; refs: readonly string[] } {
  const refs = (...ids: (string | null)[]): string[] =>
    [account, ...ids].filter((id): id is string => id !== null);
  const of = <T>(): T => doc as unknown as T;
  const hidden = (doc as { hidden?: boolean }).hidden === true;
  switch (kind as ObjectKind) {
    case 'account':
      return { names: [accountName(of<Docs['account']>().name)], refs: [] };
    case 'key':
      return { names: [of<KeyDoc>().hash], refs: refs() };
    case 'connection': {
      const { user_name, outbound } = of<ConnectionDoc>();
      return { names: hidden ? [] : [userName(user_name)], refs: refs(outbound.outbound_voice_profile_id) };
    }
    case 'credential': {
      const { sip_username, connection_id } = of<CredentialDoc>();
      return { names: [userName(sip_username)], refs: refs(connection_id) };
    }
    case 'number': {
      const { phone_number, connection_id } = of<NumberDoc>();
      return { names: hidden ? [] : [numberName(phone_number)], refs: refs(connection_id) };
    }
    case 'profile':
      return { names: [], refs: refs() };
    case 'application': {
      const { inbound, outbound } = of<ApplicationDoc>();
      const { sip_subdomain } = inbound;
      return {
        names: sip_subdomain == null ? [] : [subdomainName(sip_subdomain)],
        refs: refs(outbound.outbound_voice_profile_id),
      };
    }
  }
}

export { docOf };
