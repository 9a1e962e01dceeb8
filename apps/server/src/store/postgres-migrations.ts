import type { Migration } from './migrations.ts';

/** As `migrations.ts`, in the words of PostgreSQL 15. The numbers are its own. */
export const POSTGRES_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'directory',
    sql: `
      CREATE TABLE directory_revision (one INTEGER PRIMARY KEY CHECK (one = 1), revision BIGINT NOT NULL);
      INSERT INTO directory_revision VALUES (1, 0);
      CREATE TABLE directory_objects (
        seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        account TEXT NOT NULL,
        version INTEGER NOT NULL,
        revision BIGINT NOT NULL,
        doc TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
      );
      CREATE INDEX directory_objects_by_revision ON directory_objects (revision);
      CREATE TABLE directory_names (
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        name TEXT PRIMARY KEY,
        object TEXT NOT NULL REFERENCES directory_objects (id)
      );
      CREATE INDEX directory_names_by_object ON directory_names (object);
      CREATE TABLE directory_refs (
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        object TEXT NOT NULL REFERENCES directory_objects (id),
        target TEXT NOT NULL REFERENCES directory_objects (id),
        PRIMARY KEY (object, target)
      );
      CREATE INDEX directory_refs_by_target ON directory_refs (target);
      CREATE TABLE directory_removed (id TEXT PRIMARY KEY, revision BIGINT NOT NULL);
      CREATE INDEX directory_removed_by_revision ON directory_removed (revision);
      CREATE TABLE audit (
        seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at BIGINT NOT NULL,
        account TEXT NOT NULL,
        entry TEXT NOT NULL
      );
      CREATE INDEX audit_by_account ON audit (account, seq);
    `,
  },
  {
    id: 2,
    name: 'the audit log by time',
    sql: 'CREATE INDEX audit_by_time ON audit (account, at, seq);',
  },
  {
    id: 3,
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
        created_at DOUBLE PRECISION NOT NULL,
        started_at DOUBLE PRECISION NOT NULL,
        ended_at DOUBLE PRECISION NOT NULL,
        recording TEXT NOT NULL
      );
      CREATE INDEX recordings_by_account ON recordings (account, created_at, id);
      CREATE INDEX recordings_by_time ON recordings (created_at);
      CREATE INDEX recordings_by_leg ON recordings (leg);
      CREATE INDEX recordings_by_session ON recordings (session);
    `,
  },
];
