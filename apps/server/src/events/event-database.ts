import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { EpochMs } from '@sidetone/core';
import { type DeliveryAttempt, eventOf, type StoreItem } from '@sidetone/webhooks';
import { type CallEvent, EVENT_NAME } from '@sidetone/wire';
import type { Migration } from '../store/migrations.ts';
import { openSqlite } from '../store/sqlite.ts';
import { inTransaction } from '../store/transaction.ts';
import {
  type DeliveryQuery,
  type DeliveryState,
  type EventQuery,
  type Found,
  MOST_ATTEMPTS_SHOWN,
  type Span,
  type StoredDelivery,
  type StoredEvent,
} from './event-queries.ts';
import { withoutDigits } from './without-digits.ts';

export interface Retention {
  readonly days: number;
  /** Events; the oldest beyond go, whatever their age. */
  readonly rows: number;
  /** Of the database; beyond, the oldest events go. */
  readonly bytes: number;
  readonly digits: boolean;
}

const MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'events and deliveries',
    sql: `
      CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        account TEXT NOT NULL,
        leg TEXT NOT NULL,
        session TEXT NOT NULL,
        name TEXT NOT NULL,
        at REAL NOT NULL,
        event TEXT NOT NULL,
        whole INTEGER NOT NULL,
        state TEXT NOT NULL,
        started_at REAL,
        finished_at REAL
      ) STRICT;
      CREATE INDEX events_by_time ON events (at);
      CREATE INDEX events_by_account ON events (account, at, seq);
      CREATE INDEX events_by_leg ON events (leg);
      CREATE INDEX events_by_session ON events (session);
      CREATE TABLE attempts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        event INTEGER NOT NULL,
        attempt TEXT NOT NULL
      ) STRICT;
      CREATE INDEX attempts_by_event ON attempts (event, seq);
    `,
  },
];

const DAY_MS = 86_400_000;
/** So many go at a time, so that what is to be written does not wait. */
const MOST_PRUNED = 2000;
/** Tries of one event that are kept; an event that is told again by hand has many. */
const MOST_ATTEMPTS_KEPT = 100;

/** Call events and their deliveries in a SQLite file of their own. Synchronous: it lives on a thread of its own. */
export class EventDatabase {
  readonly #db: DatabaseSync;
  readonly #retention: Retention;

  /** Throws when the file cannot be opened or is newer than we are. */
  constructor(file: string, retention: Retention) {
    this.#db = openSqlite(file, MIGRATIONS);
    // What is in it has left the journal, which is not synced either: a machine that dies may lose the last moments of both.
    this.#db.exec('PRAGMA synchronous = NORMAL');
    this.#retention = retention;
  }

  /** All of it or nothing. An event that is there already stays as it is. */
  save(items: readonly StoreItem[]): void {
    inTransaction(this.#db, 'BEGIN IMMEDIATE', () => {
      for (const item of items) {
        if (item.kind === 'event') this.#saveEvent(item.event);
        else if (item.kind === 'attempt') this.#saveAttempt(item.attempt);
        else
          this.#run(
            'UPDATE events SET state = ? WHERE id = ?',
            item.delivered ? 'delivered' : 'failed',
            item.id,
          );
      }
    });
  }

  /** Removes some of what is too old or too much; `true`: there is more. */
  prune(day: EpochMs): boolean {
    const { days, rows, bytes } = this.#retention;
    const tooLarge = this.#size() > bytes;
    return inTransaction(this.#db, 'BEGIN IMMEDIATE', () => {
      const old = this.#db
        .prepare(
          `SELECT seq FROM events WHERE at < ?1
           UNION SELECT seq FROM events WHERE seq <= (SELECT COALESCE(MAX(seq), 0) FROM events) - ?2
           UNION SELECT * FROM (SELECT seq FROM events ORDER BY seq LIMIT ?3)
           LIMIT ${MOST_PRUNED}`,
        )
        .all(day - days * DAY_MS, rows, tooLarge ? MOST_PRUNED : 0);
      for (const { seq } of old) {
        this.#run('DELETE FROM attempts WHERE event = ?', seq as number);
        this.#run('DELETE FROM events WHERE seq = ?', seq as number);
      }
      return old.length === MOST_PRUNED;
    });
  }

  /** Bytes in use; what was removed is used again before the file grows. */
  #size(): number {
    const one = (what: string): number => Number(Object.values(this.#db.prepare(`PRAGMA ${what}`).get()!)[0]);
    return (one('page_count') - one('freelist_count')) * one('page_size');
  }

  events(query: EventQuery): Found<StoredEvent> {
    const where = new Where(query.account);
    where.equal('leg', query.leg);
    where.equal('session', query.session);
    where.equal('name', query.name);
    where.equal("json_extract(event, '$.leg.connection')", query.connection);
    where.equal("json_extract(event, '$.leg.from')", query.from);
    where.equal("json_extract(event, '$.leg.to')", query.to);
    if (query.failed !== undefined) where.and(query.failed ? "state = 'failed'" : "state <> 'failed'");
    where.within('at', query.at);
    return this.#page(query, where, 'at, seq', '(at, seq) >', storedOf);
  }

  deliveries(query: DeliveryQuery): Found<StoredDelivery> {
    const where = new Where(query.account);
    where.and("state <> 'untold'");
    where.equal('state', query.state);
    if (query.names !== undefined) where.and(`name IN (${query.names.map(() => '?')})`, ...query.names);
    if (query.holds !== undefined) where.and('instr(event, ?) > 0', query.holds);
    if (query.attemptHolds !== undefined)
      where.and(
        'EXISTS (SELECT 1 FROM attempts WHERE attempts.event = events.seq AND instr(attempt, ?) > 0)',
        query.attemptHolds,
      );
    if (query.started !== undefined) where.within('started_at', query.started);
    if (query.finished !== undefined) where.within('finished_at', query.finished);
    return this.#page(query, where, 'at DESC, seq DESC', '(at, seq) <', (row) => this.#deliveryOf(row));
  }

  delivery(account: string, id: string): StoredDelivery | null {
    const row = this.#db
      .prepare("SELECT * FROM events WHERE id = ? AND account = ? AND state <> 'untold'")
      .get(id, account);
    return row === undefined ? null : this.#deliveryOf(row);
  }

  close(): void {
    this.#db.close();
  }

  #saveEvent(event: CallEvent): void {
    const kept = this.#retention.digits ? event : withoutDigits(event);
    const { leg, session } = event.leg;
    this.#run(
      `INSERT INTO events (id, account, leg, session, name, at, event, whole, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      event.id,
      event.account,
      leg,
      session,
      EVENT_NAME[event.what.type],
      event.at,
      JSON.stringify(kept),
      kept === event ? 1 : 0,
      event.hook === null ? 'untold' : 'pending',
    );
  }

  #saveAttempt(attempt: DeliveryAttempt): void {
    const found = this.#db.prepare('SELECT seq FROM events WHERE id = ?').get(attempt.event);
    if (found === undefined) return;
    const seq = found['seq'] as number;
    this.#run('INSERT INTO attempts (event, attempt) VALUES (?, ?)', seq, JSON.stringify(attempt));
    this.#run(
      `DELETE FROM attempts WHERE event = ?1 AND seq <= (SELECT seq FROM attempts WHERE event = ?1
       ORDER BY seq DESC LIMIT 1 OFFSET ${MOST_ATTEMPTS_KEPT})`,
      seq,
    );
    this.#run(
      'UPDATE events SET started_at = COALESCE(started_at, ?), finished_at = ? WHERE seq = ?',
      attempt.startedAt,
      attempt.startedAt + attempt.ms,
      seq,
    );
  }

  #page<T>(
    { account, after, limit, offset }: EventQuery | DeliveryQuery,
    where: Where,
    order: string,
    beyond: string,
    read: (row: Row) => T | null,
  ): Found<T> {
    const counted = this.#db.prepare(`SELECT COUNT(*) AS n FROM events ${where.sql}`).get(...where.values);
    const total = Number(counted?.['n']);
    if (after !== undefined) {
      const at = this.#db
        .prepare('SELECT at, seq FROM events WHERE id = ? AND account = ?')
        .get(after, account);
      if (at === undefined) return { rows: [], total };
      where.and(`${beyond} (?, ?)`, at['at'] as number, at['seq'] as number);
    }
    const rows = this.#db
      .prepare(`SELECT * FROM events ${where.sql} ORDER BY ${order} LIMIT ? OFFSET ?`)
      .all(...where.values, limit, offset);
    return { rows: rows.map(read).filter((row) => row !== null), total };
  }

  #deliveryOf(row: Row): StoredDelivery | null {
    const stored = storedOf(row);
    if (stored === null) return null;
    const attempts = this.#db
      .prepare(`SELECT attempt FROM attempts WHERE event = ? ORDER BY seq DESC LIMIT ${MOST_ATTEMPTS_SHOWN}`)
      .all(row['seq'] as number)
      .map((found) => JSON.parse(String(found['attempt'])) as DeliveryAttempt);
    return { ...stored, attempts };
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#db.prepare(sql).run(...values);
  }
}

type Row = Readonly<Record<string, unknown>>;

/** `null`: of a release whose events we do not know. */
function storedOf(row: Row): StoredEvent | null {
  const event = eventOf(JSON.parse(String(row['event'])));
  if (event === null) return null;
  return {
    event,
    whole: row['whole'] === 1,
    state: row['state'] as DeliveryState,
    startedAt: row['started_at'] as number | null,
    finishedAt: row['finished_at'] as number | null,
  };
}

/** Conditions that all hold; values are never part of the text. */
class Where {
  readonly #parts: string[] = [];
  readonly values: SQLInputValue[] = [];

  constructor(account: string) {
    this.and('account = ?', account);
  }

  get sql(): string {
    return `WHERE ${this.#parts.join(' AND ')}`;
  }

  and(part: string, ...values: SQLInputValue[]): void {
    this.#parts.push(part);
    this.values.push(...values);
  }

  equal(column: string, value: string | undefined): void {
    if (value !== undefined) this.and(`${column} = ?`, value);
  }

  within(column: string, { from, to }: Span): void {
    this.and(`${column} >= ? AND ${column} <= ?`, from, to);
  }
}
