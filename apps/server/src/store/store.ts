import type { CallRecord } from '@sidetone/wire';

/** A user as earlier releases kept it. */
export interface EarlierConnection {
  readonly user_name: string;
  readonly password: string;
  readonly numbers: readonly string[];
  readonly [setting: string]: unknown;
}

/**
 * What outlives the process. One interface, so that another database can stand behind it. A write is durable when it
 * returns; slow disks are kept off the signalling thread by `record-writer.ts`. Only the signalling process opens a store.
 */
export interface Store {
  /** Users kept in the store (used when the configuration file names none). */
  connections(): readonly EarlierConnection[];
  saveConnection(connection: EarlierConnection): void;
  /** Appends records of finished legs in one transaction; a leg that is there already keeps its first record. */
  saveCallRecords(records: readonly CallRecord[]): void;
  /** Records of one call, in the order they were written. */
  callRecords(sessionId: string): readonly CallRecord[];
  /** The newest records first. */
  latestCallRecords(limit: number): readonly CallRecord[];
  close(): void;
}
