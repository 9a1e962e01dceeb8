import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { EpochMs } from '@sidetone/core';
import { openSqlite } from '../store/sqlite.ts';
import {
  COLUMNS,
  type FoundRecordings,
  type KeptRecording,
  type RecordingQuery,
  SPANS,
} from './recording-store.ts';

/** Recordings in the SQLite database. Synchronous: it lives on a thread of its own (`sqlite-worker.ts`). */
export class SqliteRecordings {
  readonly #db: DatabaseSync;

  /** Throws when the file cannot be opened or is newer than we are. */
  constructor(file: string) {
    this.#db = openSqlite(file);
  }

  save(recording: KeptRecording): void {
    const columns = Object.entries(COLUMNS);
    this.#db
      .prepare(
        `INSERT INTO recordings (id, account, ${columns.map(([, column]) => column)}, created_at, started_at, ended_at, recording)
         VALUES (?, ?, ${columns.map(() => '?')}, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      )
      .run(
        recording.id,
        recording.account,
        ...columns.map(([field]) => recording[field as keyof typeof COLUMNS]),
        recording.createdAt,
        recording.startedAt,
        recording.endedAt,
        JSON.stringify(recording),
      );
  }

  find(id: string): KeptRecording | null {
    const row = this.#db.prepare('SELECT recording FROM recordings WHERE id = ?').get(id);
    return row === undefined ? null : recordingOf(row);
  }

  list(query: RecordingQuery): FoundRecordings {
    const parts = ['account = ?'];
    const values: SQLInputValue[] = [query.account];
    const and = (part: string, ...more: SQLInputValue[]): void => {
      parts.push(part);
      values.push(...more);
    };
    for (const [field, column] of Object.entries(COLUMNS)) {
      const wanted = query[field as keyof typeof COLUMNS];
      if (wanted !== undefined) and(`${column} = ?`, wanted);
    }
    for (const [field, column] of Object.entries(SPANS)) {
      const span = query[field as keyof typeof SPANS];
      if (span !== undefined) and(`${column} BETWEEN ? AND ?`, span.from, span.to);
    }
    const counted = this.#db
      .prepare(`SELECT COUNT(*) AS n FROM recordings WHERE ${parts.join(' AND ')}`)
      .get(...values);
    const total = Number(counted?.['n']);
    if (query.after !== undefined) {
      const last = this.find(query.after);
      if (last?.account !== query.account) return { rows: [], total };
      and('(created_at, id) < (?, ?)', last.createdAt, last.id);
    }
    const rows = this.#db
      .prepare(
        `SELECT recording FROM recordings WHERE ${parts.join(' AND ')} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
      )
      .all(...values, query.limit, query.offset);
    return { rows: rows.map(recordingOf), total };
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM recordings WHERE id = ?').run(id);
  }

  before(at: EpochMs, limit: number): readonly KeptRecording[] {
    return this.#db
      .prepare('SELECT recording FROM recordings WHERE created_at < ? ORDER BY created_at LIMIT ?')
      .all(at, limit)
      .map(recordingOf);
  }

  close(): void {
    this.#db.close();
  }
}

const recordingOf = (row: Record<string, unknown>): KeptRecording =>
  JSON.parse(String(row['recording'])) as KeptRecording;
