/**
 * Where accounts, keys, connections, credentials, numbers, profiles and applications outlive the process. One interface over
 * SQLite and PostgreSQL, which knows nothing of what the objects mean: it keeps documents, and guards what must hold between
 * them whoever writes at the same time.
 *
 *   names    no two objects hold the same one (`sip:line1`, `number:+1312…`, `key:<hash>`)
 *   refs     an object that others refer to cannot be removed, and a reference to nothing cannot be written
 *   version  a change is made only to the version it was decided on
 *
 * Every commit gets the next revision, so that other processes read what happened since the one they know.
 */
export interface DirectoryStore {
  /** What changed after revision `since`; everything with 0. */
  load(since: number): Promise<Loaded>;
  /** All of the change, or nothing of it. Resolved with `ok` it is on disk; rejected, the store cannot be reached. */
  commit(change: Change): Promise<CommitOutcome>;
  audit(query: AuditQuery): Promise<AuditPage>;
  /** Writes something that changes nothing. Rejected while changes cannot be made. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

export type ObjectKind =
  | 'account'
  | 'key'
  | 'connection'
  | 'credential'
  | 'number'
  | 'profile'
  | 'application';

export interface StoredObject {
  readonly id: string;
  readonly kind: ObjectKind;
  /** The account it belongs to; of an account its own id. */
  readonly account: string;
  /** 1 for a new object; each change adds 1. */
  readonly version: number;
  /** Plain JSON; secrets in it are encrypted or hashed. */
  readonly doc: Readonly<Record<string, unknown>>;
  readonly names: readonly string[];
  /** Ids that must exist as long as this object does. */
  readonly refs: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Change {
  /** New objects (version 1) and new versions. References among them are allowed in any order. */
  readonly puts: readonly StoredObject[];
  /** With the version that was read. */
  readonly removes: readonly { readonly id: string; readonly version: number }[];
  readonly audit: readonly AuditEntry[];
}

export type CommitOutcome =
  | { readonly ok: true; readonly revision: number }
  /** `stale`: somebody changed, removed or referred to one of the objects meanwhile; read again and decide again. */
  | { readonly ok: false; readonly conflict: 'stale' }
  | { readonly ok: false; readonly conflict: 'name'; readonly name: string };

export interface Loaded {
  readonly revision: number;
  /** In the order of their creation. */
  readonly objects: readonly StoredObject[];
  /** Ids of objects that were removed (never named with `since` 0). */
  readonly removed: readonly string[];
}

/** Who did what, when and from where. Never holds a secret. */
export interface AuditEntry {
  readonly at: number;
  readonly account: string;
  /** Id of the API key, `command line`, or `configuration`. */
  readonly actor: string;
  /** Address of the peer; `local` without one. */
  readonly source: string;
  readonly action: 'create' | 'update' | 'delete' | 'token';
  readonly kind: ObjectKind;
  readonly object: string;
  /** Names of the fields that were set. */
  readonly fields: readonly string[];
  readonly request: string;
}

export interface AuditRow extends AuditEntry {
  readonly seq: number;
}

/** One page of the audit log of an account, in the order of time. */
export interface AuditQuery {
  readonly account: string;
  readonly order: 'newest first' | 'oldest first';
  readonly limit: number;
  /** Entries left out in front of the page. */
  readonly offset: number;
  /** Begins behind this entry (its `seq`), in the order asked for; one that the account does not have has nothing behind it. */
  readonly beyond?: number;
  /** Milliseconds since the Unix epoch, both included. */
  readonly from: number;
  readonly to: number;
}

export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** How many there are, counted no farther than `AUDIT_LOOK_AHEAD` behind the beginning of the page. */
  readonly total: number;
}

/** A log has no end worth counting with every page. */
export const AUDIT_LOOK_AHEAD = 10_000;
