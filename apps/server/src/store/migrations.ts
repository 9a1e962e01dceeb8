/**
 * Numbered migrations: each runs once, in order, inside a transaction. Expand only: add tables and columns, never change
 * what an older release reads, so that a roll-back finds its data.
 */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'connections and call records',
    sql: `
      CREATE TABLE connections (
        user_name TEXT PRIMARY KEY,
        settings TEXT NOT NULL
      ) STRICT;
      CREATE TABLE call_records (
        leg_id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        record TEXT NOT NULL
      ) STRICT;
      CREATE INDEX call_records_by_session ON call_records (session_id);
      CREATE INDEX call_records_by_start ON call_records (started_at);
    `,
  },
];
