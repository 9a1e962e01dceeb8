import postgres from 'postgres';
import { reasonOf, StoreFailure } from '../store/failure.ts';
import {
  COLUMNS,
  type FoundRecordings,
  type KeptRecording,
  type RecordingQuery,
  type RecordingStore,
  SPANS,
} from './recording-store.ts';

/** The recordings in a PostgreSQL database, which the directory has brought up to date. */
export function openPostgresRecordings(url: string): RecordingStore {
  const sql = postgres(url, {
    max: 2,
    onnotice: () => {},
    connect_timeout: 10,
    connection: { application_name: 'sidetone', synchronous_commit: 'on' },
  });
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new StoreFailure((error as Error).message, reasonOf(error));
    }
  };

  async function find(id: string): Promise<KeptRecording | null> {
    if (holdsNul(id)) return null;
    const [row] = await sql`SELECT recording FROM recordings WHERE id = ${id}`;
    return row === undefined ? null : recordingOf(row);
  }

  async function list(query: RecordingQuery): Promise<FoundRecordings> {
    if (Object.values(query).some(holdsNul)) return { rows: [], total: 0 };
    let where = sql`account = ${query.account}`;
    for (const [field, column] of Object.entries(COLUMNS)) {
      const wanted = query[field as keyof typeof COLUMNS];
      if (wanted !== undefined) where = sql`${where} AND ${sql(column)} = ${wanted}`;
    }
    for (const [field, column] of Object.entries(SPANS)) {
      const span = query[field as keyof typeof SPANS];
      if (span !== undefined) where = sql`${where} AND ${sql(column)} BETWEEN ${span.from} AND ${span.to}`;
    }
    const [counted] = await sql`SELECT COUNT(*) AS n FROM recordings WHERE ${where}`;
    const total = Number(counted?.['n']);
    if (query.after !== undefined) {
      const last = await find(query.after);
      if (last?.account !== query.account) return { rows: [], total };
      where = sql`${where} AND (created_at, id) < (${last.createdAt}, ${last.id})`;
    }
    const rows = await sql`
      SELECT recording FROM recordings WHERE ${where} ORDER BY created_at DESC, id DESC
      LIMIT ${query.limit} OFFSET ${query.offset}`;
    return { rows: rows.map(recordingOf), total };
  }

  return {
    save: (recording) =>
      guarded(async () => {
        const row = {
          id: recording.id,
          account: recording.account,
          ...Object.fromEntries(
            Object.entries(COLUMNS).map(([field, column]) => [
              column,
              recording[field as keyof typeof COLUMNS],
            ]),
          ),
          created_at: recording.createdAt,
          started_at: recording.startedAt,
          ended_at: recording.endedAt,
          recording: JSON.stringify(recording),
        };
        await sql`INSERT INTO recordings ${sql(row)} ON CONFLICT (id) DO NOTHING`;
      }),
    find: (id) => guarded(() => find(id)),
    list: (query) => guarded(() => list(query)),
    remove: (id) =>
      guarded(async () => {
        await sql`DELETE FROM recordings WHERE id = ${id}`;
      }),
    before: (at, limit) =>
      guarded(async () => {
        const rows = await sql`
          SELECT recording FROM recordings WHERE created_at < ${at} ORDER BY created_at LIMIT ${limit}`;
        return rows.map(recordingOf);
      }),
    close: () => sql.end({ timeout: 5 }),
  };
}

/** PostgreSQL keeps no such text, and fails when it is asked for it. */
const holdsNul = (value: unknown): boolean => typeof value === 'string' && value.includes('\0');

const recordingOf = (row: Record<string, unknown>): KeptRecording =>
  JSON.parse(row['recording'] as string) as KeptRecording;
