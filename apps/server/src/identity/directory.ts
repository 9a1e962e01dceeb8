import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Connection, Directory } from '@sidetone/wire';
import type { Config } from '../config/schema.ts';
import type { Store } from '../store/store.ts';

/**
 * The users and carriers of this deployment: from the configuration file, or, when it names no users, from the store, where
 * the first start puts line1 and line2 with passwords of their own.
 */
export function loadDirectory(config: Config, store: Store): Directory {
  return {
    domain: config.domain,
    connections: config.connections ?? storedUsers(store),
    trunks: config.trunks.map(defined),
  };
}

function storedUsers(store: Store): readonly Connection[] {
  if (store.connections().length === 0) {
    for (const [user_name, number] of [
      ['line1', '+15005550001'],
      ['line2', '+15005550002'],
    ] as const) {
      store.saveConnection({
        user_name,
        password: randomBytes(18).toString('base64url'),
        numbers: [number],
        sip_uri_calling_preference: 'internal',
        dnis_number_format: 'sip_username',
        simultaneous_ringing: 'disabled',
        reject_code: 487,
        codecs: ['OPUS', 'PCMU', 'PCMA'],
      });
    }
  }
  return store.connections();
}

/** Is this the password of this user? Takes the same time for an unknown user and for a wrong password. */
export function passwordMatches(connection: Connection | undefined, password: string): boolean {
  const expected = createHash('sha256')
    .update(connection?.password ?? '')
    .digest();
  const given = createHash('sha256').update(password).digest();
  return timingSafeEqual(expected, given) && connection !== undefined;
}

/** Drops keys whose value is undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}
