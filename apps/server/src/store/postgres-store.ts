import postgres from 'postgres';
import {
  AUDIT_LOOK_AHEAD,
  type AuditEntry,
  type AuditPage,
  type AuditQuery,
  type AuditRow,
  type Change,
  type CommitOutcome,
  type DirectoryStore,
  type Loaded,
  type ObjectKind,
  type StoredObject,
} from './directory-store.ts';
import { reasonOf, StoreFailure } from './failure.ts';
import { type Migration, pendingMigrations } from './migrations.ts';
import { POSTGRES_MIGRATIONS } from './postgres-migrations.ts';

const MOST_IN_A_TRANSACTION = 500;
/** Of the transaction lock that one migration at a time takes. */
const MIGRATION_LOCK = 7_405_068;

type Sql = postgres.TransactionSql;
interface Waiting {
  readonly change: Change;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: Error) => void;
}

class Conflict extends Error {
  readonly outcome: Extract<CommitOutcome, { ok: false }>;
  constructor(outcome: Extract<CommitOutcome, { ok: false }>) {
    super(outcome.conflict);
    this.outcome = outcome;
  }
}

/** Class 23: integrity constraint violation. */
const isConstraint = (error: unknown): error is { detail?: string; table_name?: string } =>
  String((error as { code?: unknown }).code ?? '').startsWith('23');

/**
 * Opens (and brings up to date) the directory in a PostgreSQL database. Rejects with a sentence when it cannot be reached or
 * is newer than we are. Writers of all nodes take turns on the revision row, so revisions are read in the order they are
 * committed; what waits meanwhile goes into the next transaction. `synchronous_commit` is asked for, whatever the database's
 * default.
 */
export async function openPostgresDirectory(
  url: string,
  migrations: readonly Migration[] = POSTGRES_MIGRATIONS,
): Promise<DirectoryStore> {
  const sql = postgres(url, {
    max: 3,
    onnotice: () => {},
    connect_timeout: 10,
    connection: { application_name: 'sidetone', synchronous_commit: 'on' },
  });
  try {
    await migrate(sql, migrations);
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw new Error(`store.postgres: ${sentenceOf(error)}`);
  }
  let queue: Waiting[] = [];
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, MOST_IN_A_TRANSACTION);
      queue = queue.slice(MOST_IN_A_TRANSACTION);
      try {
        const outcomes = await sql.begin(async (tx) => {
          const made: CommitOutcome[] = [];
          for (const { change } of batch) made.push(await one(tx, change));
          return made;
        });
        for (const [i, { resolve }] of batch.entries()) resolve((outcomes as CommitOutcome[])[i]!);
      } catch (error) {
        for (const { reject } of batch) reject(new StoreFailure(sentenceOf(error), reasonOf(error)));
      }
    }
    writing = undefined;
  }

  return {
    load: (since) => load(sql, since),
    commit: (change) =>
      new Promise((resolve, reject) => {
        queue.push({ change, resolve, reject });
        writing ??= write();
      }),
    audit: (query) => audit(sql, query),
    probe: async () => {
      await sql`UPDATE directory_revision SET revision = revision`;
    },
    close: async () => {
      while (writing !== undefined) await writing;
      await sql.end({ timeout: 5 });
    },
  };
}

async function one(tx: Sql, change: Change): Promise<CommitOutcome> {
  try {
    return await tx.savepoint(async (savepoint) => ({
      ok: true,
      revision: await apply(savepoint, change),
    }));
  } catch (error) {
    if (error instanceof Conflict) return error.outcome;
    if (isConstraint(error)) {
      const name =
        error.table_name === 'directory_names'
          ? /^Key \(name\)=\((.*)\) already exists/s.exec(error.detail ?? '')?.[1]
          : undefined;
      return name === undefined ? { ok: false, conflict: 'stale' } : { ok: false, conflict: 'name', name };
    }
    throw error;
  }
}

/** References leave first and come last, so that the order inside the change does not matter. */
async function apply(tx: Sql, change: Change): Promise<number> {
  const [bumped] = await tx`UPDATE directory_revision SET revision = revision + 1 RETURNING revision`;
  const revision = Number(bumped!['revision']);
  const known = [...change.puts.filter((p) => p.version > 1), ...change.removes].map(({ id }) => id);
  if (known.length > 0) {
    await tx`DELETE FROM directory_names WHERE object IN ${tx(known)}`;
    await tx`DELETE FROM directory_refs WHERE object IN ${tx(known)}`;
  }
  for (const put of change.puts) {
    const doc = JSON.stringify(put.doc);
    if (put.version === 1) {
      await tx`INSERT INTO directory_objects (id, kind, account, version, revision, doc, created_at, updated_at)
        VALUES (${put.id}, ${put.kind}, ${put.account}, 1, ${revision}, ${doc}, ${put.createdAt}, ${put.updatedAt})`;
      continue;
    }
    const done = await tx`UPDATE directory_objects
      SET version = version + 1, revision = ${revision}, doc = ${doc}, updated_at = ${put.updatedAt}
      WHERE id = ${put.id} AND version = ${put.version - 1}`;
    if (done.count !== 1) throw new Conflict({ ok: false, conflict: 'stale' });
  }
  const names = change.puts.flatMap((put) => put.names.map((name) => ({ name, object: put.id })));
  const refs = change.puts.flatMap((put) =>
    [...new Set(put.refs)].map((target) => ({ object: put.id, target })),
  );
  if (names.length > 0) await tx`INSERT INTO directory_names ${tx(names)}`;
  if (refs.length > 0) await tx`INSERT INTO directory_refs ${tx(refs)}`;
  for (const { id, version } of change.removes) {
    const done = await tx`DELETE FROM directory_objects WHERE id = ${id} AND version = ${version}`;
    if (done.count !== 1) throw new Conflict({ ok: false, conflict: 'stale' });
    await tx`INSERT INTO directory_removed (id, revision) VALUES (${id}, ${revision})`;
  }
  const audit = change.audit.map((entry) => ({
    at: entry.at,
    account: entry.account,
    entry: JSON.stringify(entry),
  }));
  if (audit.length > 0) await tx`INSERT INTO audit ${tx(audit)}`;
  return revision;
}

function load(sql: postgres.Sql, since: number): Promise<Loaded> {
  return sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', async (tx): Promise<Loaded> => {
    const [now] = await tx`SELECT revision FROM directory_revision`;
    const revision = Number(now!['revision']);
    if (revision === since) return { revision, objects: [], removed: [] };
    const rows = await tx`
      SELECT o.*,
        ARRAY(SELECT name FROM directory_names n WHERE n.object = o.id ORDER BY n.seq) AS names,
        ARRAY(SELECT target FROM directory_refs r WHERE r.object = o.id ORDER BY r.seq) AS refs
      FROM directory_objects o WHERE revision > ${since} ORDER BY seq`;
    const gone = since === 0 ? [] : await tx`SELECT id FROM directory_removed WHERE revision > ${since}`;
    const objects = rows.map(
      (row): StoredObject => ({
        id: row['id'] as string,
        kind: row['kind'] as ObjectKind,
        account: row['account'] as string,
        version: row['version'] as number,
        doc: JSON.parse(row['doc'] as string) as StoredObject['doc'],
        names: row['names'] as string[],
        refs: row['refs'] as string[],
        createdAt: Number(row['created_at']),
        updatedAt: Number(row['updated_at']),
      }),
    );
    return { revision, objects, removed: gone.map((row) => row['id'] as string) };
  }) as Promise<Loaded>;
}

async function audit(sql: postgres.Sql, query: AuditQuery): Promise<AuditPage> {
  const { account, order, limit, offset, beyond, from, to } = query;
  const newest = order === 'newest first';
  const [known] =
    beyond === undefined
      ? []
      : await sql`SELECT at FROM audit WHERE seq = ${beyond} AND account = ${account}`;
  if (beyond !== undefined && known === undefined) return { rows: [], total: 0 };
  const cursor = known === undefined ? undefined : ([Number(known['at']), beyond!] as const);
  const [afterAt, afterSeq] = (newest ? undefined : cursor) ?? [from, 0];
  const [beforeAt, beforeSeq] = (newest ? cursor : undefined) ?? [to, Number.MAX_SAFE_INTEGER];
  const range = sql`account = ${account} AND at BETWEEN ${from} AND ${to}
    AND (at, seq) > (${afterAt}, ${afterSeq}) AND (at, seq) < (${beforeAt}, ${beforeSeq})`;
  const sorted = newest ? sql`ORDER BY at DESC, seq DESC` : sql`ORDER BY at, seq`;
  const rows =
    await sql`SELECT seq, entry FROM audit WHERE ${range} ${sorted} LIMIT ${limit} OFFSET ${offset}`;
  const [counted] = await sql`
    SELECT COUNT(*) AS total FROM (SELECT 1 FROM audit WHERE ${range} LIMIT ${offset + AUDIT_LOOK_AHEAD}) AS looked`;
  return {
    rows: rows.map(
      (row): AuditRow => ({
        ...(JSON.parse(row['entry'] as string) as AuditEntry),
        seq: Number(row['seq']),
      }),
    ),
    total: Number(counted!['total']),
  };
}

async function migrate(sql: postgres.Sql, migrations: readonly Migration[]): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    await tx`CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, name TEXT NOT NULL)`;
    const [row] = await tx`SELECT COALESCE(MAX(id), 0) AS id FROM migrations`;
    const done = Number(row!['id']);
    for (const migration of pendingMigrations(migrations, done)) {
      await tx.unsafe(migration.sql);
      await tx`INSERT INTO migrations (id, name) VALUES (${migration.id}, ${migration.name})`;
    }
  });
}

/** Without the address, which holds a password. */
function sentenceOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return message === undefined || message === '' ? String(code ?? error) : message;
}
