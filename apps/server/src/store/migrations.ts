/**
 * Numbered migrations: each runs once, in order, inside a transaction. Expand only: add tables and columns, never change
 * what an older release reads, so that a roll-back finds its data.
 */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sql: string;
}

/** Those that a database still needs whose last one was `done` (0: none). Throws a sentence when a newer release has written it. */
export function pendingMigrations(all: readonly Migration[], done: number): readonly Migration[] {
  const newest = Math.max(0, ...all.map((m) => m.id));
  if (done > newest)
    throw new Error(
      `the database was written by a newer release (migration ${done}, this release knows ${newest})`,
    );
  return all.filter((m) => m.id > done);
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
  {
    id: 2,
    name: 'directory',
    sql: `
      CREATE TABLE directory_revision (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL) STRICT;
      INSERT INTO directory_revision VALUES (1, 0);
      CREATE TABLE directory_objects (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        version INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        doc TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX directory_objects_by_revision ON directory_objects (revision);
      CREATE TABLE directory_names (
        name TEXT PRIMARY KEY,
        object TEXT NOT NULL REFERENCES directory_objects (id)
      ) STRICT;
      CREATE INDEX directory_names_by_object ON directory_names (object);
      CREATE TABLE directory_refs (
        object TEXT NOT NULL REFERENCES directory_objects (id),
        target TEXT NOT NULL REFERENCES directory_objects (id),
        PRIMARY KEY (object, target)
      ) STRICT;
      CREATE INDEX directory_refs_by_target ON directory_refs (target);
      CREATE TABLE directory_removed (id TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT;
      CREATE INDEX directory_removed_by_revision ON directory_removed (revision);
      CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        account TEXT NOT NULL,
        entry TEXT NOT NULL
      ) STRICT;
      CREATE INDEX audit_by_account ON audit (account, seq);
    `,
  },
  {
    id: 3,
    name: 'the audit log by time',
    sql: 'CREATE INDEX audit_by_time ON audit (account, at, seq);',
  },
  {
    id: 4,
    name: 'recordings',
    sql: `
      CREATE TABLE recordings (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        control TEXT,
        leg TEXT,
        session TEXT,
        conference TEXT,
        connection TEXT,
        caller TEXT NOT NULL,
        callee TEXT NOT NULL,
        created_at REAL NOT NULL,
        started_at REAL NOT NULL,
        ended_at REAL NOT NULL,
        recording TEXT NOT NULL
      ) STRICT;
      CREATE INDEX recordings_by_account ON recordings (account, created_at, id);
      CREATE INDEX recordings_by_time ON recordings (created_at);
      CREATE INDEX recordings_by_leg ON recordings (leg);
      CREATE INDEX recordings_by_session ON recordings (session);
    `,
  },
];
