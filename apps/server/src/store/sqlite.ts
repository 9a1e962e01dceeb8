import { chmodSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { CallRecord } from '@sidetone/wire';
import { MIGRATIONS, type Migration, pendingMigrations } from './migrations.ts';
import type { EarlierConnection, Store } from './store.ts';
import { inTransaction } from './transaction.ts';

/** Opens (and brings up to date) the SQLite store in `file`. Throws when the file cannot be opened or is newer than we are. */
export function openSqliteStore(file: string, migrations: readonly Migration[] = MIGRATIONS): Store {
  const db = openSqlite(file, migrations);
  const insertConnection = db.prepare(
    'INSERT INTO connections (user_name, settings) VALUES (?, ?) ON CONFLICT (user_name) DO UPDATE SET settings = excluded.settings',
  );
  const allConnections = db.prepare('SELECT settings FROM connections ORDER BY user_name');
  const insertRecord = db.prepare(
    'INSERT INTO call_records (leg_id, session_id, started_at, record) VALUES (?, ?, ?, ?) ON CONFLICT (leg_id) DO NOTHING',
  );
  const bySession = db.prepare('SELECT record FROM call_records WHERE session_id = ? ORDER BY rowid');
  const latest = db.prepare('SELECT record FROM call_records ORDER BY started_at DESC, rowid DESC LIMIT ?');

  return {
    connections: () =>
      allConnections.all().map((row) => JSON.parse(String(row['settings'])) as EarlierConnection),
    saveConnection: (connection) => {
      insertConnection.run(connection.user_name, JSON.stringify(connection));
    },
    saveCallRecords: (records) => {
      inTransaction(db, 'BEGIN IMMEDIATE', () => {
        for (const record of records)
          insertRecord.run(record.leg_id, record.session_id, record.started_at, JSON.stringify(record));
      });
    },
    callRecords: (sessionId) =>
      bySession.all(sessionId).map((row) => JSON.parse(String(row['record'])) as CallRecord),
    latestCallRecords: (limit) =>
      latest.all(limit).map((row) => JSON.parse(String(row['record'])) as CallRecord),
    close: () => db.close(),
  };
}

/** A connection to the database, brought up to date. Throws, and leaves nothing open. */
export function openSqlite(file: string, migrations: readonly Migration[] = MIGRATIONS): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    // It holds passwords and who called whom. SQLite gives the files beside it the same mode.
    if (file !== ':memory:' && (statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
    db.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(db, migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function migrate(db: DatabaseSync, migrations: readonly Migration[]): void {
  db.exec('CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT');
  const done = Number(db.prepare('SELECT COALESCE(MAX(id), 0) AS id FROM migrations').get()?.['id']);
  for (const migration of pendingMigrations(migrations, done)) {
    inTransaction(db, 'BEGIN IMMEDIATE', () => {
      db.exec(migration.sql);
      db.prepare('INSERT INTO migrations (id, name) VALUES (?, ?)').run(migration.id, migration.name);
    });
  }
}
