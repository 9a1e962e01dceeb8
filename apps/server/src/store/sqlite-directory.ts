import type { DatabaseSync } from 'node:sqlite';
import {
  AUDIT_LOOK_AHEAD,
  type AuditEntry,
  type AuditPage,
  type AuditQuery,
  type Change,
  type CommitOutcome,
  type Loaded,
  type ObjectKind,
  type StoredObject,
} from './directory-store.ts';
import { openSqlite } from './sqlite.ts';
import { inTransaction } from './transaction.ts';

/** A change that cannot be made; the savepoint around it is rolled back, its neighbours in the transaction are not. */
class Conflict extends Error {
  readonly outcome: Extract<CommitOutcome, { ok: false }>;
  constructor(outcome: Extract<CommitOutcome, { ok: false }>) {
    super(outcome.conflict);
    this.outcome = outcome;
  }
}

/** Between two entries, neither of them included. */
const AUDIT_RANGE = 'account = ? AND at BETWEEN ? AND ? AND (at, seq) > (?, ?) AND (at, seq) < (?, ?)';

const isConstraint = (error: unknown): boolean =>
  ((error as { errcode?: number }).errcode ?? 0) % 256 === 19; /* SQLITE_CONSTRAINT */

/**
 * The directory store on one SQLite connection, synchronous: `sqlite-worker.ts` keeps it off the signalling thread.
 * WAL with synchronous=FULL: each COMMIT syncs the log, so what was answered survives the process and the power. What waits
 * meanwhile goes into the next transaction (group commit), so one sync serves many.
 */
export class SqliteDirectory {
  readonly #db: DatabaseSync;
  readonly #sql;

  constructor(file: string) {
    this.#db = openSqlite(file);
    const db = this.#db;
    this.#sql = {
      bump: db.prepare('UPDATE directory_revision SET revision = revision + 1 RETURNING revision'),
      probe: db.prepare('UPDATE directory_revision SET revision = revision'),
      revision: db.prepare('SELECT revision FROM directory_revision'),
      insert: db.prepare(
        'INSERT INTO directory_objects (id, kind, account, version, revision, doc, created_at, updated_at) VALUES (?, ?, ?, 1, ?, ?, ?, ?)',
      ),
      update: db.prepare(
        'UPDATE directory_objects SET version = version + 1, revision = ?, doc = ?, updated_at = ? WHERE id = ? AND version = ?',
      ),
      remove: db.prepare('DELETE FROM directory_objects WHERE id = ? AND version = ?'),
      removed: db.prepare('INSERT INTO directory_removed (id, revision) VALUES (?, ?)'),
      name: db.prepare('INSERT INTO directory_names (name, object) VALUES (?, ?)'),
      ref: db.prepare('INSERT INTO directory_refs (object, target) VALUES (?, ?)'),
      dropNames: db.prepare('DELETE FROM directory_names WHERE object = ?'),
      dropRefs: db.prepare('DELETE FROM directory_refs WHERE object = ?'),
      audit: db.prepare('INSERT INTO audit (at, account, entry) VALUES (?, ?, ?)'),
      objects: db.prepare('SELECT * FROM directory_objects WHERE revision > ? ORDER BY seq'),
      names: db.prepare(
        'SELECT name, object FROM directory_names WHERE object IN (SELECT id FROM directory_objects WHERE revision > ?) ORDER BY rowid',
      ),
      refs: db.prepare(
        'SELECT object, target FROM directory_refs WHERE object IN (SELECT id FROM directory_objects WHERE revision > ?) ORDER BY rowid',
      ),
      gone: db.prepare('SELECT id FROM directory_removed WHERE revision > ?'),
      auditAt: db.prepare('SELECT at FROM audit WHERE seq = ? AND account = ?'),
      auditNewest: db.prepare(
        `SELECT seq, entry FROM audit WHERE ${AUDIT_RANGE} ORDER BY at DESC, seq DESC LIMIT ? OFFSET ?`,
      ),
      auditOldest: db.prepare(
        `SELECT seq, entry FROM audit WHERE ${AUDIT_RANGE} ORDER BY at, seq LIMIT ? OFFSET ?`,
      ),
      auditTotal: db.prepare(
        `SELECT COUNT(*) AS total FROM (SELECT 1 FROM audit WHERE ${AUDIT_RANGE} LIMIT ?)`,
      ),
    };
  }

  /** One transaction for all of them; each is made whole or not at all. Throws when nothing could be written. */
  commit(changes: readonly Change[]): CommitOutcome[] {
    return inTransaction(this.#db, 'BEGIN IMMEDIATE', () => changes.map((change) => this.#one(change)));
  }

  /** Throws when nothing can be written. */
  probe(): void {
    inTransaction(this.#db, 'BEGIN IMMEDIATE', () => this.#sql.probe.run());
  }

  #one(change: Change): CommitOutcome {
    this.#db.exec('SAVEPOINT change');
    try {
      const revision = this.#apply(change);
      this.#db.exec('RELEASE change');
      return { ok: true, revision };
    } catch (error) {
      if (!(error instanceof Conflict) && !isConstraint(error)) throw error;
      this.#db.exec('ROLLBACK TO change; RELEASE change');
      return error instanceof Conflict ? error.outcome : { ok: false, conflict: 'stale' };
    }
  }

  /** References leave first and come last, so that the order inside the change does not matter. */
  #apply(change: Change): number {
    const sql = this.#sql;
    const revision = Number(sql.bump.get()!['revision']);
    for (const { id } of [...change.puts.filter((p) => p.version > 1), ...change.removes]) {
      sql.dropNames.run(id);
      sql.dropRefs.run(id);
    }
    for (const put of change.puts) {
      const doc = JSON.stringify(put.doc);
      if (put.version === 1)
        sql.insert.run(put.id, put.kind, put.account, revision, doc, put.createdAt, put.updatedAt);
      else if (sql.update.run(revision, doc, put.updatedAt, put.id, put.version - 1).changes !== 1)
        throw new Conflict({ ok: false, conflict: 'stale' });
    }
    for (const put of change.puts) {
      for (const name of put.names) this.#claim(name, put.id);
      for (const target of new Set(put.refs)) sql.ref.run(put.id, target);
    }
    for (const { id, version } of change.removes) {
      if (sql.remove.run(id, version).changes !== 1) throw new Conflict({ ok: false, conflict: 'stale' });
      sql.removed.run(id, revision);
    }
    for (const entry of change.audit) sql.audit.run(entry.at, entry.account, JSON.stringify(entry));
    return revision;
  }

  #claim(name: string, id: string): void {
    try {
      this.#sql.name.run(name, id);
    } catch (error) {
      throw isConstraint(error) ? new Conflict({ ok: false, conflict: 'name', name }) : error;
    }
  }

  load(since: number): Loaded {
    return inTransaction(this.#db, 'BEGIN', () => {
      const revision = Number(this.#sql.revision.get()!['revision']);
      if (revision === since) return { revision, objects: [], removed: [] };
      const names = grouped(this.#sql.names.iterate(since), 'name');
      const refs = grouped(this.#sql.refs.iterate(since), 'target');
      const objects: StoredObject[] = [];
      for (const row of this.#sql.objects.iterate(since))
        objects.push({
          id: String(row['id']),
          kind: String(row['kind']) as ObjectKind,
          account: String(row['account']),
          version: Number(row['version']),
          doc: JSON.parse(String(row['doc'])) as StoredObject['doc'],
          names: names.get(String(row['id'])) ?? [],
          refs: refs.get(String(row['id'])) ?? [],
          createdAt: Number(row['created_at']),
          updatedAt: Number(row['updated_at']),
        });
      const removed = since === 0 ? [] : this.#sql.gone.all(since).map((row) => String(row['id']));
      return { revision, objects, removed };
    });
  }

  audit({ account, order, limit, offset, beyond, from, to }: AuditQuery): AuditPage {
    const at = beyond === undefined ? undefined : this.#sql.auditAt.get(beyond, account)?.['at'];
    if (beyond !== undefined && at === undefined) return { rows: [], total: 0 };
    const newest = order === 'newest first';
    const cursor = at === undefined ? undefined : [Number(at), beyond!];
    const after = (newest ? undefined : cursor) ?? [from, 0];
    const before = (newest ? cursor : undefined) ?? [to, Number.MAX_SAFE_INTEGER];
    const range = [account, from, to, ...after, ...before] as const;
    const rows = (newest ? this.#sql.auditNewest : this.#sql.auditOldest).all(...range, limit, offset);
    const total = Number(this.#sql.auditTotal.get(...range, offset + AUDIT_LOOK_AHEAD)!['total']);
    return {
      rows: rows.map((row) => ({
        ...(JSON.parse(String(row['entry'])) as AuditEntry),
        seq: Number(row['seq']),
      })),
      total,
    };
  }

  close(): void {
    this.#db.close();
  }
}

function grouped(rows: Iterable<Record<string, unknown>>, column: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const row of rows) {
    const of = groups.get(String(row['object']));
    if (of === undefined) groups.set(String(row['object']), [String(row[column])]);
    else of.push(String(row[column]));
  }
  return groups;
}
