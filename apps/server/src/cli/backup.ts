import { existsSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { resolve } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { loadConfig } from '../config/load.ts';
import { sqliteFileOf } from '../identity/open.ts';
import { fail } from './fail.ts';

/** `sidetone backup FILE`: copies the SQLite database while the server runs, as it is at one moment. */
export async function backup(options: {
  readonly file: string;
  readonly config: string | undefined;
  readonly data: string;
}): Promise<void> {
  const loaded = loadConfig(options.config);
  if (!loaded.ok) return fail(loaded.error);
  const source = sqliteFileOf(loaded.value, resolve(options.data));
  if (!existsSync(source)) return fail(`there is no database ${source}; name the right folder with --data`);
  if (existsSync(options.file)) return fail(`${options.file} is there already; a backup replaces nothing`);
  const db = new DatabaseSync(source, { readOnly: true });
  try {
    await copyDatabase(db, options.file);
    await chmod(options.file, 0o600);
  } catch (error) {
    return fail(`the backup failed: ${(error as Error).message}`);
  } finally {
    db.close();
  }
  const elsewhere =
    loaded.value.store.postgres === undefined
      ? ''
      : ' Accounts, users and numbers are in PostgreSQL: use pg_dump.';
  process.stdout.write(
    `${options.file} is written.${elsewhere} Keep store.key and secrets.json of the data folder with it.\n`,
  );
}
