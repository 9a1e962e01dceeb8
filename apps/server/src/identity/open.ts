import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EpochMs } from '@sidetone/core';
import type { Logger } from 'pino';
import { epoch } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { DirectoryStore } from '../store/directory-store.ts';
import { openPostgresDirectory } from '../store/postgres-store.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { openSqliteDirectory } from '../store/sqlite-store.ts';
import { WatchedStore } from '../store/watched-store.ts';
import { bringUp } from './bring-up.ts';
import { LoginTokens } from './login-token.ts';
import { IdentityProjection } from './projection.ts';
import { Registry } from './registry.ts';
import type { Secrets } from './secrets.ts';
import { loadVault, type Vault } from './vault.ts';

/** What other processes wrote is seen after this long; so is a credential that expires. */
const LOOK_MS = 1000;

/** Who is who in this process: the registry that the API writes, and the projection that signalling reads. */
export interface IdentityService {
  readonly identity: IdentityProjection;
  readonly registry: Registry;
  readonly store: DirectoryStore;
  readonly vault: Vault;
  readonly tokens: LoginTokens;
  /** Why the store cannot be read or written; `undefined` while all is well. */
  readonly trouble: string | undefined;
  /** Brings the users of the configuration in: when this process enters service, not beside another with another file. Rejects with a sentence. */
  enter(): Promise<void>;
  close(): Promise<void>;
}

/** Where the database of SQLite lies. */
export const sqliteFileOf = (config: Pick<Config, 'store'>, dataDir: string): string =>
  config.store.sqlite?.file ?? join(dataDir, 'sidetone.db');

/** The directory store that the configuration names. Rejects with a sentence. */
export async function openDirectoryStore(
  config: Pick<Config, 'store'>,
  dataDir: string,
): Promise<DirectoryStore> {
  return config.store.postgres === undefined
    ? openSqliteDirectory(sqliteFileOf(config, dataDir))
    : await openPostgresDirectory(config.store.postgres.url);
}

/** Opens the store, and keeps looking for changes. Rejects with a sentence. */
export async function openIdentity(
  config: Config,
  dataDir: string,
  secrets: Secrets,
  log: Logger,
  now: () => EpochMs = epoch,
): Promise<IdentityService> {
  const store = new WatchedStore(await openDirectoryStore(config, dataDir), log);
  try {
    const registry = await Registry.open(store);
    const vault = loadVault(dataDir);
    const trunks = config.trunks.map(defined);
    const identity = new IdentityProjection(registry, vault, config.domain, trunks);
    identity.expire(now());
    const timer = setInterval(() => {
      identity.expire(now());
      registry.sync().then(
        () => store.look(),
        () => {},
      );
    }, LOOK_MS);
    timer.unref();
    return {
      identity,
      registry,
      store,
      vault,
      tokens: new LoginTokens(secrets.tokenKeys),
      get trouble() {
        return store.trouble;
      },
      enter: () => bringUp(registry, vault, config.connections, () => earlierUsers(config, dataDir), now()),
      close: async () => {
        clearInterval(timer);
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Users that an earlier release made at its first start. */
function earlierUsers(config: Config, dataDir: string) {
  const file = sqliteFileOf(config, dataDir);
  if (config.store.postgres !== undefined || !existsSync(file)) return [];
  const store = openSqliteStore(file);
  try {
    return store.connections();
  } finally {
    store.close();
  }
}

/** Drops keys whose value is undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}
