/**
 * What a service must not lose with its process. The driver keeps the last value of each key on disk. The lines of one input are one
 * unit (`ServiceLoop`): there as a whole or not at all, and there before any other output of that input is carried out, so what a peer
 * has been told is known afterwards. A service that starts hears all entries in one `restore` input, its first.
 *
 *   handle(input) ──▶ journal {key, value} … ──▶ disk, one unit ──▶ the other outputs ──▶ peers
 *                                                 │
 *   the next process: restore {entries} ◀─────────┘
 *
 * Times (`Ms`) stay valid: the monotonic clock is the machine's, not the process's.
 */
export interface JournalLine {
  readonly type: 'journal';
  /** Unique within the service, for example `call 6f1c…`. */
  readonly key: string;
  /** Plain JSON data (no bytes, maps or undefined), or `null`: the key is no more. */
  readonly value: object | null;
}

export interface JournalEntry {
  readonly key: string;
  /** As it was written by this release or an earlier one; readers check what they rely on. */
  readonly value: unknown;
}

/** What was journalled by the process before; sent once, before everything else. */
export interface Restore {
  readonly type: 'restore';
  readonly entries: readonly JournalEntry[];
}
