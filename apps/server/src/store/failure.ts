/** The store could not be read or written. */
export class StoreFailure extends Error {
  /** See `reasonOf`. */
  readonly reason: string;

  constructor(message: string, reason: string) {
    super(`the store: ${message}`);
    this.name = 'StoreFailure';
    this.reason = reason;
  }
}

/** Why something on a disk or a database failed, in words that name no path, address or user: SQLite's phrase, or a code of the system's or the database's. */
export function reasonOf(error: unknown): string {
  const { reason, errstr, code } = error as { reason?: unknown; errstr?: unknown; code?: unknown };
  for (const told of [reason, errstr]) if (typeof told === 'string') return told;
  return typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? code : 'for an unknown reason';
}
