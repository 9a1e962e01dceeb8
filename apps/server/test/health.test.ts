import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { CallRecord, Trunk } from '@sidetone/wire';
import { createLog } from '../src/log.ts';
import { Health } from '../src/signalling/health.ts';
import { KeptTrunks } from '../src/signalling/kept-trunks.ts';
import { openRecordWriter } from '../src/store/record-writer.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { openSqliteDirectory } from '../src/store/sqlite-store.ts';
import { inTransaction } from '../src/store/transaction.ts';
import { WatchedStore } from '../src/store/watched-store.ts';
import { Client } from './drive/client.ts';
import { freePorts, Product, run, until } from './drive/running.ts';
import { SmallDisk, skipWithoutMount } from './drive/small-disk.ts';

interface Told {
  readonly status: string;
  readonly why?: string;
  readonly degraded?: Readonly<Record<string, { readonly why: string; readonly for_seconds: number }>>;
  readonly waiting: Readonly<Record<string, number>>;
  readonly lost: Readonly<Record<string, number>>;
}

const connections = [{ user_name: 'line1', password: 'line1 password' }];

async function ask(product: Product): Promise<Told> {
  return (await (await fetch(`http://127.0.0.1:${product.ports.http}/healthz`)).json()) as Told;
}

/** Asks until the answer is as wanted. */
async function told(product: Product, what: string, wanted: (told: Told) => boolean): Promise<Told> {
  const end = performance.now() + 30_000;
  for (;;) {
    const answer = await ask(product);
    if (wanted(answer)) return answer;
    assert.ok(performance.now() < end, `${what}\n${JSON.stringify(answer)}\n${product.stderr.slice(-3000)}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A call that ends; its leg is recorded. */
async function call(product: Product): Promise<void> {
  const client = await Client.loggedIn(product.ports.http, 'line1');
  const callId = await client.invite('9196');
  await client.says('telnyx_rtc.answer', callId);
  await client.inCall('bye', callId);
  client.close();
}

const record = (leg: string): CallRecord => ({
  session_id: 'call',
  leg_id: leg,
  direction: 'inbound',
  kind: 'client',
  from: 'line1',
  to: '9196',
  started_at: 1,
  ended_at: 2,
  cause: 'NORMAL_CLEARING',
  cause_code: 16,
  ended_by: 'caller',
});

describe('health-is-blind-to-call-records: the product', { timeout: 120_000 }, () => {
  let product: Product;
  before(async () => {
    product = await Product.start({ connections }, await freePorts(51_720));
  });
  after(async () => {
    assert.equal(await product?.stop(), 0);
  });

  it('tells that another program holds the database, what waits, and that all is written', async () => {
    const well = await ask(product);
    assert.deepEqual(
      [well.status, well.waiting, well.lost],
      [
        'ok',
        { call_records: 0, call_events: 0, recordings: 0, webhooks: 0, journal: 0 },
        { call_records: 0, call_events: 0, recordings: 0 },
      ],
    );
    const file = join(product.dataDir, 'sidetone.db');
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await call(product);
    const { why, degraded, waiting } = await told(product, 'degraded', ({ status }) => status === 'degraded');
    assert.match(why!, /^call_records: .*database is locked/);
    assert.match(degraded!['call_records']!.why, /database is locked/);
    assert.ok(waiting['call_records']! > 0);
    const held = waiting['call_records']!;
    await call(product);
    await told(product, 'more wait', (now) => now.waiting['call_records']! > held);
    other.exec('ROLLBACK');
    await told(product, 'ok again', (now) => now.status === 'ok' && now.waiting['call_records'] === 0);
    const { n } = other.prepare('SELECT COUNT(*) AS n FROM call_records').get() as { n: number };
    assert.ok(n >= 2, `${n} records`);
    other.close();
    assert.equal(product.stderr.split('call records could not be written').length, 2, 'told once');
  });

  it('tells that the media process is away', async () => {
    process.kill(product.child('media-process')!, 'SIGKILL');
    const { degraded } = await told(product, 'media', (now) => now.degraded?.['media'] !== undefined);
    assert.match(degraded!['media']!.why, /away/);
    await told(product, 'ok again', ({ status }) => status === 'ok');
  });
});

describe('health-is-blind-to-call-records: a full disk under the product', {
  skip: skipWithoutMount,
  timeout: 120_000,
}, () => {
  const disk = skipWithoutMount === false ? SmallDisk.make()! : undefined!;
  let product: Product;
  before(async () => {
    const store = { sqlite: { file: join(disk.folder, 'records.db') } };
    product = await Product.start({ connections, store }, await freePorts(51_820));
  });
  after(async () => {
    await product?.stop();
    disk?.remove();
  });

  it('is told with its reason, for records and users, until there is room again', async () => {
    const key = (
      await run('key', 'create', '--config', product.configFile, '--data', product.dataDir)
    ).stdout.trim();
    disk.fill();
    await call(product);
    const { degraded } = await told(
      product,
      'degraded',
      (now) => now.degraded?.['call_records'] !== undefined,
    );
    assert.match(degraded!['call_records']!.why, /database or disk is full/);
    const made = await fetch(`http://127.0.0.1:${product.ports.http}/v2/outbound_voice_profiles`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}` },
      body: '{"name":"one"}',
    });
    assert.equal(made.status, 503);
    const users = await told(product, 'users', (now) => now.degraded?.['users'] !== undefined);
    assert.match(users.degraded!['users']!.why, /cannot be written \(database or disk is full\)/);
    assert.doesNotMatch(product.stderr, /cannot rollback/);
    assert.match(product.stderr, /database or disk is full/);
    disk.empty();
    await told(product, 'ok again', (now) => now.status === 'ok' && now.waiting['call_records'] === 0);
  });
});

describe('health-is-blind-to-call-records: a trunk that has no address', { timeout: 60_000 }, () => {
  it('is named by the product', async () => {
    // RFC 6761 §6.4: no such name is ever resolved.
    const trunks = [{ name: 'carrier', host: 'sip.carrier.invalid' }];
    const product = await Product.start({ connections, trunks }, await freePorts(51_920));
    try {
      const { status, why } = await ask(product);
      assert.deepEqual([status, why], ['degraded', 'trunks: not resolved: carrier (no address yet)']);
    } finally {
      await product.stop();
    }
  });
});

describe('health-is-blind-to-call-records: the writer of records', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidetone-records-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const quiet = createLog('test', 'silent');

  it('keeps no more than may wait; the rest is in the log, and counted', async () => {
    const lines: unknown[] = [];
    const log = createLog('test', 'silent');
    log.error = (fields: unknown) => void lines.push(fields);
    const forgotten: string[] = [];
    const file = join(dir, 'gone', 'test.db');
    const writer = openRecordWriter(file, log, (legs) => forgotten.push(...legs), { mostWaiting: 3 });
    writer.save(record('leg-0'));
    await until('the problem', () => writer.state.why !== undefined);
    for (let i = 1; i < 6; i++) writer.save(record(`leg-${i}`));
    const { waiting, lost, why } = writer.state;
    assert.deepEqual([waiting, lost, why], [3, 3, 'unable to open database file']);
    assert.deepEqual(forgotten, ['leg-3', 'leg-4', 'leg-5']);
    assert.deepEqual(
      lines.slice(1),
      ['leg-3', 'leg-4', 'leg-5'].map((leg) => ({ record: record(leg) })),
    );
    rmSync(dir, { recursive: true });
    await writer.close();
  });

  it('says that the file is read-only', { skip: skipWithoutMount }, async () => {
    const disk = SmallDisk.make()!;
    try {
      const file = join(disk.folder, 'test.db');
      openSqliteStore(file).close();
      disk.readOnly = true;
      const writer = openRecordWriter(file, quiet);
      writer.save(record('leg-0'));
      const why = await until('the problem', () => writer.state.why);
      assert.match(why, /readonly|unable to open/);
      disk.readOnly = false;
      await until('all of it', () => writer.state.waiting === 0);
      assert.equal(writer.state.why, undefined);
      await writer.close();
      const store = openSqliteStore(file);
      assert.equal(store.latestCallRecords(9).length, 1);
      store.close();
    } finally {
      disk.remove();
    }
  });

  it('a transaction that SQLite has ended itself leaves its reason', () => {
    const db = new DatabaseSync(':memory:');
    db.exec('CREATE TABLE t (n INTEGER)');
    db.exec("CREATE TRIGGER full BEFORE INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'disk is full'); END");
    for (const begin of ['BEGIN', 'BEGIN IMMEDIATE'] as const)
      assert.throws(
        () => inTransaction(db, begin, () => db.exec('INSERT INTO t VALUES (1)')),
        /disk is full/,
      );
    assert.equal(db.isTransaction, false);
    db.close();
  });
});

describe('health-is-blind-to-call-records: the parts', () => {
  it('the store of users is watched for reading and writing', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-users-'));
    const file = join(dir, 'test.db');
    const store = new WatchedStore(openSqliteDirectory(file), createLog('test', 'silent'));
    const other = new DatabaseSync(file);
    try {
      const none = { puts: [], removes: [], audit: [] };
      await store.commit(none);
      assert.equal(store.trouble, undefined);
      other.exec('BEGIN IMMEDIATE');
      await assert.rejects(store.commit(none), /database is locked/);
      assert.equal(store.trouble, 'cannot be written (database is locked)');
      assert.deepEqual((await store.load(0)).objects, []);
      await store.look();
      assert.equal(store.trouble, 'cannot be written (database is locked)');
      other.exec('ROLLBACK');
      await store.look();
      assert.equal(store.trouble, undefined);
      await store.close();
      await assert.rejects(store.load(0));
      assert.match(store.trouble ?? '', /cannot be read/);
    } finally {
      other.close();
      rmSync(dir, { recursive: true });
    }
  });

  it('a trunk whose name is not resolved keeps its address, also in the next process, and is named', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-trunks-'));
    const file = join(dir, 'trunk-addresses.json');
    const quiet = { warn: () => undefined };
    const named = (name: string) => ({ name, host: `${name}.example` }) as Trunk;
    const found = (name: string, ...addresses: string[]) =>
      ({ name, host: addresses[0], hostName: `${name}.example`, addresses }) as unknown as Trunk;
    const hosts = (of: readonly Trunk[]) => of.map(({ host }) => host);
    const trunks = new KeptTrunks(file, quiet);
    assert.deepEqual(hosts(trunks.kept([found('a', '192.0.2.1'), found('b', '192.0.2.2')])), [
      '192.0.2.1',
      '192.0.2.2',
    ]);
    assert.equal(trunks.trouble, undefined);
    assert.deepEqual(hosts(trunks.kept([found('a', '192.0.2.9'), named('b'), named('c')])), [
      '192.0.2.9',
      '192.0.2.2',
      'c.example',
    ]);
    assert.equal(trunks.trouble, 'not resolved: b, c (no address yet)');

    const next = new KeptTrunks(file, quiet);
    assert.deepEqual(hosts(next.kept([named('a'), named('b')])), ['192.0.2.9', '192.0.2.2']);
    // Another name in the configuration is another carrier.
    assert.deepEqual(hosts(next.kept([{ ...named('a'), host: 'other.example' } as Trunk])), [
      'other.example',
    ]);
    writeFileSync(file, '{"a":{"hostName":"a.example","host":"evil","addresses":[]},"b":3');
    assert.deepEqual(hosts(new KeptTrunks(file, quiet).kept([named('a')])), ['a.example']);
    rmSync(dir, { recursive: true });
  });

  it('a trunk whose name has several addresses keeps the one that is called, while it is there', () => {
    const trunks = new KeptTrunks(null, { warn: () => undefined });
    const found = (...addresses: string[]) =>
      [{ name: 'a', host: addresses[0], hostName: 'a.example', addresses }] as unknown as Trunk[];
    const called = (...addresses: string[]) => trunks.kept(found(...addresses))[0]!.host;
    assert.equal(called('192.0.2.50', '192.0.2.51'), '192.0.2.50');
    assert.equal(called('192.0.2.51', '192.0.2.50'), '192.0.2.50');
    assert.equal(called('192.0.2.51'), '192.0.2.51');
  });

  it('all that is wrong is told at once, and for how long', () => {
    let media: string | undefined;
    let users: string | undefined;
    const health = new Health([
      { name: 'media', why: () => media },
      { name: 'users', why: () => users },
    ]);
    assert.deepEqual(health.answer(2, 0), { status: 'ok', calls: 2, waiting: {}, lost: {} });
    media = 'away';
    health.look(1_000);
    users = 'cannot be read';
    assert.deepEqual(health.answer(0, 5_500), {
      status: 'degraded',
      calls: 0,
      why: 'media: away; users: cannot be read',
      degraded: {
        media: { why: 'away', for_seconds: 4 },
        users: { why: 'cannot be read', for_seconds: 0 },
      },
      waiting: {},
      lost: {},
    });
    media = users = undefined;
    assert.equal(health.answer(0, 6_000).status, 'ok');
  });
});
