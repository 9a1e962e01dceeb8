import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
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
  try {
    // Its owner's alone from the first byte on, and never what somebody else has put there meanwhile.
    await (await open(options.file, 'wx', 0o600)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return fail(
      code === 'EEXIST'
        ? `${options.file} is there already; a backup replaces nothing`
        : `the backup failed: ${message}`,
    );
  }
  const db = new DatabaseSync(source, { readOnly: true });
  try {
    await copyDatabase(db, options.file);
  } catch (error) {
    // Half a backup must not be taken for one.
    await rm(options.file, { force: true });
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
