import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { mintLoginToken } from '../identity/login-token.ts';
import { loadSecrets } from '../identity/secrets.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { fail } from './fail.ts';

/** `sidetone token USER`: prints a login token for a user, valid for 24 hours. */
export async function token(options: {
  readonly user: string;
  readonly config: string | undefined;
  readonly data: string;
}): Promise<void> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) return fail(loaded.error);
  const dataDir = resolve(options.data);
  if (!existsSync(join(dataDir, 'secrets.json'))) {
    return fail(
      `${dataDir} has no secrets yet; start "sidetone serve --data ${options.data}" once, or name the right folder with --data`,
    );
  }
  const names = (loaded.value.connections ?? storedUsers(dataDir)).map((c) => c.user_name);
  if (!names.includes(options.user)) {
    return fail(`there is no user ${options.user}; the users are ${names.join(', ') || '(none)'}`);
  }
  process.stdout.write(`${await mintLoginToken(loadSecrets(dataDir).tokenKey, options.user, Date.now())}\n`);
}

function storedUsers(dataDir: string): readonly { readonly user_name: string }[] {
  const store = openSqliteStore(join(dataDir, 'sidetone.db'));
  try {
    return store.connections();
  } finally {
    store.close();
  }
}
