import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import type { DeliveryAttempt, StoreItem } from '@sidetone/webhooks';
import type { CallEvent } from '@sidetone/wire';
import { EventDatabase } from '../src/events/event-database.ts';
import type { EventQuery } from '../src/events/event-queries.ts';
import { openEventStore } from '../src/events/event-store.ts';
import { withoutDigits } from '../src/events/without-digits.ts';
import { createLog } from '../src/log.ts';
import { madeEvent } from './drive/events.ts';
import { folder, until } from './drive/running.ts';

const DAY_MS = 86_400_000;
const ALWAYS = { from: -1e15, to: 1e15 };
const KEEP = { days: 7, rows: 1000, bytes: 1e9, digits: false };

const attemptOf = (event: CallEvent, attempt: number, more: Partial<DeliveryAttempt> = {}): StoreItem => ({
  kind: 'attempt',
  attempt: {
    event: event.id,
    attempt,
    url: 'https://app.example/hook',
    delivered: false,
    status: 500,
    why: null,
    startedAt: event.at + attempt * 1000,
    ms: 20,
    requestHeaders: [['User-Agent', 'telnyx-webhooks']],
    responseHeaders: [],
    responseBody: 'oh no',
    ...more,
  },
});

const stored = (event: CallEvent): StoreItem => ({ kind: 'event', event });

describe('events: the database', () => {
  const dir = folder();
  after(() => rmSync(dir, { recursive: true, force: true }));
  let files = 0;
  const open = (retention = KEEP) => new EventDatabase(join(dir, `e${files++}.db`), retention);
  const ask = (database: EventDatabase, query: Partial<EventQuery> = {}): string[] =>
    database
      .events({ account: 'a1', limit: 250, offset: 0, at: ALWAYS, ...query })
      .rows.map(({ event }) => event.id);

  it('keeps an event once, with its tries, the latest first', () => {
    const database = open();
    const event = madeEvent({});
    database.save([stored(event), attemptOf(event, 1), stored(event), attemptOf(event, 2)]);
    const found = database.delivery('a1', event.id)!;
    assert.deepEqual(found.event, event);
    assert.deepEqual(
      found.attempts.map(({ attempt }) => attempt),
      [2, 1],
    );
    assert.deepEqual([found.state, found.startedAt], ['pending', event.at + 1000]);
    assert.equal(found.finishedAt, event.at + 2020);
    database.save([{ kind: 'settled', id: event.id, delivered: false }]);
    assert.equal(database.delivery('a1', event.id)?.state, 'failed');
    assert.equal(ask(database).length, 1);
    // Tries of an event that is gone, or never was, are no fault.
    database.save([attemptOf(madeEvent({}), 1), { kind: 'settled', id: 'x', delivered: true }]);
    for (let i = 3; i < 150; i++) database.save([attemptOf(event, i)]);
    assert.equal(database.delivery('a1', event.id)?.attempts.length, 50);
    database.close();
    assert.equal(statSync(join(dir, 'e0.db')).mode & 0o777, 0o600);
    const raw = new DatabaseSync(join(dir, 'e0.db'));
    assert.equal(raw.prepare('SELECT COUNT(*) AS n FROM attempts').get()?.['n'], 100);
    raw.close();
  });

  it('finds by leg, session, connection, name, numbers, time and outcome, and pages', () => {
    const database = open();
    const at = 1_796_020_800_000;
    const events = Array.from({ length: 10 }, (_, i) =>
      madeEvent({
        leg: `leg ${i % 2}`,
        session: `session ${i % 5}`,
        at: at + i + 0.5,
        what: i === 3 ? { type: 'held' } : { type: 'bridged' },
      }),
    );
    database.save([...events].reverse().map(stored));
    database.save([stored(madeEvent({ account: 'a2', leg: 'leg 0' }))]);
    const ids = events.map(({ id }) => id);
    assert.deepEqual(ask(database), ids);
    assert.deepEqual(
      ask(database, { leg: 'leg 1' }),
      ids.filter((_, i) => i % 2 === 1),
    );
    assert.deepEqual(ask(database, { session: 'session 2' }), [ids[2], ids[7]]);
    assert.deepEqual(ask(database, { name: 'call.hold' }), [ids[3]]);
    assert.deepEqual(ask(database, { connection: '1234567890123456789' }), ids);
    assert.deepEqual(ask(database, { connection: '7' }), []);
    assert.deepEqual(ask(database, { from: '+13125550100', to: '+13125550101' }), ids);
    assert.deepEqual(ask(database, { from: "' OR 1=1 --" }), []);
    assert.deepEqual(ask(database, { at: { from: at + 2.5, to: at + 4.5 } }), ids.slice(2, 5));
    assert.deepEqual(ask(database, { limit: 3, offset: 6 }), ids.slice(6, 9));
    assert.deepEqual(ask(database, { after: ids[7]! }), ids.slice(8));
    assert.deepEqual(ask(database, { after: 'nowhere' }), []);
    database.save([{ kind: 'settled', id: ids[4]!, delivered: false }]);
    assert.deepEqual(ask(database, { failed: true }), [ids[4]]);
    assert.equal(ask(database, { failed: false }).length, 9);
    const page = database.events({ account: 'a1', limit: 3, offset: 0, at: ALWAYS });
    assert.deepEqual([page.rows.length, page.total], [3, 10]);

    const silent = madeEvent({ hook: null });
    database.save([stored(silent), attemptOf(events[0]!, 1, { responseBody: 'needle' })]);
    const deliveries = (query: object): (string | undefined)[] =>
      database
        .deliveries({ account: 'a1', limit: 250, offset: 0, ...query })
        .rows.map(({ event }) => event.id);
    assert.deepEqual(deliveries({}), [...ids].reverse());
    assert.deepEqual(deliveries({ state: 'failed' }), [ids[4]]);
    assert.deepEqual(deliveries({ names: ['call.hold', 'call.answered'] }), [ids[3]]);
    assert.deepEqual(deliveries({ holds: 'session 3' }), [ids[8], ids[3]]);
    assert.deepEqual(deliveries({ attemptHolds: 'needle' }), [ids[0]]);
    assert.deepEqual(deliveries({ started: ALWAYS }), [ids[0]]);
    assert.deepEqual(deliveries({ finished: { from: 0, to: 1 } }), []);
    assert.deepEqual(deliveries({ after: ids[2] }), [ids[1], ids[0]]);
    assert.equal(database.delivery('a1', silent.id), null);
    assert.equal(database.delivery('a2', ids[0]!), null);
    database.close();
  });

  it('is bounded by days and by rows, some at a time', () => {
    const now = 1_796_020_800_000;
    const old = Array.from({ length: 2500 }, (_, i) => madeEvent({ at: now - 8 * DAY_MS + i }));
    const young = Array.from({ length: 20 }, (_, i) => madeEvent({ at: now - DAY_MS + i }));
    const database = open({ ...KEEP, rows: 10_000 });
    database.save([...old, ...young].map(stored));
    database.save([attemptOf(old[0]!, 1), attemptOf(young[0]!, 1)]);
    assert.deepEqual([database.prune(now), database.prune(now)], [true, false]);
    assert.deepEqual(
      ask(database),
      young.map(({ id }) => id),
    );
    assert.equal(database.delivery('a1', young[0]!.id)?.attempts.length, 1);
    database.close();
    const few = open({ ...KEEP, rows: 5 });
    few.save(young.map(stored));
    assert.equal(few.prune(now), false);
    assert.deepEqual(
      ask(few),
      young.slice(15).map(({ id }) => id),
    );
    few.close();
  });

  it('is bounded in size, the oldest going first', () => {
    const now = Date.now();
    const database = open({ ...KEEP, rows: 1e6, bytes: 3_000_000 });
    const events = Array.from({ length: 6000 }, () => madeEvent({}));
    for (let i = 0; i < events.length; i += 500) database.save(events.slice(i, i + 500).map(stored));
    for (let rounds = 0; database.prune(now); rounds++) assert.ok(rounds < 10);
    const left = database.events({ account: 'a1', limit: 250, offset: 0, at: ALWAYS });
    assert.ok(left.total > 0 && left.total < 6000, `${left.total}`);
    assert.equal(database.delivery('a1', events[0]!.id), null);
    assert.notEqual(database.delivery('a1', events.at(-1)!.id), null);
    // What is written next takes the room that became free.
    assert.equal(database.prune(now), false);
    database.close();
  });

  it('keeps how many digits there were, unless it is told to keep them', () => {
    for (const [what, kept] of [
      [
        { type: 'digit', digit: '7' },
        { type: 'digit', digit: '*' },
      ],
      [
        { type: 'gathered', digits: '4711', status: 'valid', gatherId: null },
        { type: 'gathered', digits: '****', status: 'valid', gatherId: null },
      ],
      [
        { type: 'infoReceived', contentType: 'application/dtmf-relay', body: 'Signal=5' },
        { type: 'infoReceived', contentType: 'application/dtmf-relay', body: '********' },
      ],
      [
        { type: 'infoReceived', contentType: 'text/plain', body: 'hello' },
        { type: 'infoReceived', contentType: 'text/plain', body: 'hello' },
      ],
      [{ type: 'bridged' }, { type: 'bridged' }],
    ] as const)
      assert.deepEqual(withoutDigits(madeEvent({ what })).what, kept);
    const event = madeEvent({
      what: { type: 'gathered', digits: '471147114711', status: 'valid', gatherId: null },
    });
    for (const digits of [false, true]) {
      const database = open({ ...KEEP, digits });
      const file = join(dir, `e${files - 1}.db`);
      database.save([stored(event)]);
      const found = database.delivery('a1', event.id)!;
      assert.equal(found.whole, digits);
      database.close();
      const raw = new DatabaseSync(file);
      const text = JSON.stringify(raw.prepare('SELECT * FROM events').all());
      raw.close();
      assert.equal(text.includes('471147114711'), digits);
    }
  });
});

describe('events: the thread', () => {
  const dir = folder();
  after(() => rmSync(dir, { recursive: true, force: true }));
  const log = createLog('test', 'silent');

  it('writes what it is given, says so, and answers', async () => {
    const told: string[] = [];
    const file = join(dir, 'a.db');
    const options = {
      file,
      retention: KEEP,
      log,
      epoch: () => Date.now(),
      stored: (ids: readonly string[]) => void told.push(...ids),
    };
    const store = openEventStore(options);
    const events = Array.from({ length: 1200 }, () => madeEvent({ leg: 'one' }));
    for (const event of events) store.save(stored(event));
    await until('all stored', () => told.length === 1200);
    assert.deepEqual(
      told,
      events.map(({ id }) => id),
    );
    const { total } = await store.events({ account: 'a1', leg: 'one', limit: 1, offset: 0, at: ALWAYS });
    assert.equal(total, 1200);
    assert.equal((await store.delivery('a1', events[0]!.id))?.event.id, events[0]!.id);
    assert.deepEqual(store.state, { waiting: 0, lost: 0, why: undefined });
    const last = madeEvent({});
    store.save(stored(last));
    await store.close();
    const again = openEventStore(options);
    assert.equal((await again.delivery('a1', last.id))?.event.id, last.id);
    await again.close();
  });

  it('waits for a disk that does not take it, bounded, and goes on by itself', async () => {
    const told: string[] = [];
    const file = join(dir, 'b.db');
    // A folder where the file should be.
    mkdirSync(file);
    const store = openEventStore({
      file,
      retention: KEEP,
      log,
      epoch: () => Date.now(),
      stored: (ids) => void told.push(...ids),
      mostWaiting: 3,
    });
    const events = Array.from({ length: 6 }, () => madeEvent({}));
    store.save(stored(events[0]!));
    await until('trouble', () => store.state.why !== undefined);
    for (const event of events.slice(1)) store.save(stored(event));
    assert.deepEqual([store.state.waiting, store.state.lost], [3, 3]);
    assert.deepEqual(
      told,
      events.slice(3).map(({ id }) => id),
    );
    rmSync(file, { recursive: true });
    await until('all is written', () => told.length === 6);
    assert.equal(store.state.why, undefined);
    await store.close();
  });

  it('holds no more than its bound of what others make long, while the disk takes nothing', async () => {
    const told: string[] = [];
    const file = join(dir, 'd.db');
    mkdirSync(file);
    const store = openEventStore({
      file,
      retention: KEEP,
      log,
      epoch: () => Date.now(),
      stored: (ids) => void told.push(...ids),
      mostCharactersWaiting: 100_000,
    });
    const long = (): CallEvent => ({ ...madeEvent({}), clientState: 'QUFB'.repeat(2048) });
    store.save(stored(long()));
    await until('trouble', () => store.state.why !== undefined);
    for (let i = 0; i < 50; i++) store.save(stored(long()));
    const { waiting, lost } = store.state;
    assert.ok(waiting >= 8 && waiting <= 12, `${waiting} wait`);
    assert.equal(lost, 51 - waiting);
    // The journal hears of those that nobody waits for any more.
    assert.equal(told.length, lost);
    rmSync(file, { recursive: true });
    await until('all is written', () => store.state.waiting === 0);
    for (let i = 0; i < 5; i++) store.save(stored(long()));
    assert.equal(store.state.lost, lost);
    await store.close();
    assert.equal(told.length, 56);
  });

  it('answers accounts in turns, writes between two answers, and refuses who asks too much', async () => {
    const store = openEventStore({
      file: join(dir, 'q.db'),
      retention: KEEP,
      log,
      epoch: () => Date.now(),
      stored: () => told.push('stored'),
    });
    const told: string[] = [];
    const page = { limit: 1, offset: 0, at: ALWAYS };
    const asks = (account: string, times: number): Promise<unknown>[] =>
      Array.from({ length: times }, () =>
        store.events({ account, ...page }).then(
          () => told.push(account),
          ({ reason }: { reason: string }) => told.push(`${account} ${reason}`),
        ),
      );
    const hostile = asks('hostile', 60);
    const others = asks('other', 3);
    // What is gathered is given to the thread by closing, too; here by its own time.
    store.save(stored(madeEvent({})));
    await Promise.all([...hostile, ...others]);
    await until('it is written', () => told.includes('stored'));
    // One is with the thread, fifty wait.
    assert.equal(told.filter((word) => word === 'hostile busy').length, 9);
    assert.equal(told.filter((word) => word === 'hostile').length, 51);
    const answered = told.filter((word) => word === 'hostile' || word === 'other');
    assert.deepEqual(answered.slice(0, 6), ['hostile', 'other', 'hostile', 'other', 'hostile', 'other']);
    const late = asks('late', 3);
    await store.close();
    await Promise.all(late);
    assert.ok(told.filter((word) => word.startsWith('late')).length === 3);
    await assert.rejects(store.events({ account: 'a', ...page }));
  });

  it('keeps fewer tries than events, and takes them again when they are written', async () => {
    const store = openEventStore({
      file: join(dir, 'c.db'),
      retention: KEEP,
      log,
      epoch: () => Date.now(),
      stored: () => {},
      mostAttemptsWaiting: 2,
    });
    const event = madeEvent({});
    store.save(stored(event));
    for (let n = 1; n <= 5; n++) store.save(attemptOf(event, n));
    assert.deepEqual([store.state.waiting, store.state.lost], [3, 3]);
    await until('all is written', () => store.state.waiting === 0);
    store.save(attemptOf(event, 6));
    await until('it is written', () => store.state.waiting === 0);
    assert.deepEqual(
      (await store.delivery('a1', event.id))?.attempts.map(({ attempt }) => attempt),
      [6, 2, 1],
    );
    await store.close();
  });
});
