import type { CallRecord, Connection } from '@sidetone/wire';

/**
 * What outlives the process. One interface, so that another database can stand behind it. Writes are durable when they
 * return. Only the signalling process opens a store.
 */
export interface Store {
  /** Users kept in the store (used when the configuration file names none). */
  connections(): readonly Connection[];
  saveConnection(connection: Connection): void;
  /** Appends the record of one finished leg; the same leg twice keeps the first. */
  saveCallRecord(record: CallRecord): void;
  /** Records of one call, in the order they were written. */
  callRecords(sessionId: string): readonly CallRecord[];
  /** The newest records first. */
  latestCallRecords(limit: number): readonly CallRecord[];
  close(): void;
}
