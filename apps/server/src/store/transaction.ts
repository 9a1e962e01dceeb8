import type { DatabaseSync } from 'node:sqlite';

/**
 * Does all of the work or nothing of it. What is thrown is the reason of the work: SQLite rolls back by itself on a full disk or a fault of
 * it, and a second rollback would fail and be told instead.
 */
export function inTransaction<T>(db: DatabaseSync, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  db.exec(begin);
  try {
    const done = work();
    db.exec('COMMIT');
    return done;
  } catch (error) {
    try {
      if (db.isTransaction) db.exec('ROLLBACK');
    } catch {
      // The next one begins with what is there.
    }
    throw error;
  }
}
