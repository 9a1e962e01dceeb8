import type { EpochMs, Ms } from '@sidetone/core';
import type { RecordedBy } from '@sidetone/wire';

/** What is known of a recording that is kept. Times are epoch milliseconds. */
export interface KeptRecording {
  readonly id: string;
  readonly account: string;
  readonly by: RecordedBy;
  readonly control: string | null;
  readonly leg: string | null;
  readonly session: string | null;
  readonly conference: string | null;
  readonly connection: string | null;
  readonly from: string;
  readonly to: string;
  readonly format: 'wav' | 'mp3';
  readonly channels: 1 | 2;
  readonly durationMs: Ms;
  readonly startedAt: EpochMs;
  readonly endedAt: EpochMs;
  readonly createdAt: EpochMs;
  /** Where its file is kept, and by what name there. */
  readonly place: 'disk' | 's3';
  readonly key: string;
  /** Of the file. */
  readonly bytes: number;
}

/** Both ends included. */
export interface Span {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

export interface RecordingQuery {
  readonly account: string;
  readonly control?: string;
  readonly leg?: string;
  readonly session?: string;
  readonly conference?: string;
  readonly connection?: string;
  readonly from?: string;
  readonly to?: string;
  readonly created?: Span;
  readonly started?: Span;
  readonly ended?: Span;
  /** Begins behind this recording. */
  readonly after?: string;
  readonly limit: number;
  readonly offset: number;
}

export interface FoundRecordings {
  /** The latest first. */
  readonly rows: readonly KeptRecording[];
  readonly total: number;
}

/** Recordings that are kept, over SQLite or PostgreSQL. Rejects with `StoreFailure` when the store cannot be reached. */
export interface RecordingStore {
  /** One that is there already stays as it is. */
  save(recording: KeptRecording): Promise<void>;
  find(id: string): Promise<KeptRecording | null>;
  list(query: RecordingQuery): Promise<FoundRecordings>;
  remove(id: string): Promise<void>;
  /** The oldest of those that were made before, at most `limit`. */
  before(at: EpochMs, limit: number): Promise<readonly KeptRecording[]>;
  close(): Promise<void>;
}

/** The columns that are asked for; the rest of a recording is in its document. */
export const COLUMNS = {
  control: 'control',
  leg: 'leg',
  session: 'session',
  conference: 'conference',
  connection: 'connection',
  from: 'caller',
  to: 'callee',
} as const satisfies Partial<Record<keyof KeptRecording, string>>;

export const SPANS = {
  created: 'created_at',
  started: 'started_at',
  ended: 'ended_at',
} as const satisfies Partial<Record<keyof RecordingQuery, string>>;
