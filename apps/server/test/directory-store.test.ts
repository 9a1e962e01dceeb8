import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { AuditQuery, Change, DirectoryStore, StoredObject } from '../src/store/directory-store.ts';
import { POSTGRES_MIGRATIONS } from '../src/store/postgres-migrations.ts';
import { openPostgresDirectory } from '../src/store/postgres-store.ts';
import { openSqliteDirectory } from '../src/store/sqlite-store.ts';
import { killWriter } from './drive/kill-writer.ts';
import { PostgresCluster, skipWithoutPostgres } from './drive/postgres.ts';

const object = (id: string, more: Partial<StoredObject> = {}): StoredObject => ({
  id,
  kind: 'connection',
  account: 'a',
  version: 1,
  doc: { name: id },
  names: [],
  refs: [],
  createdAt: 1,
  updatedAt: 1,
  ...more,
});
const put = (...puts: StoredObject[]): Change => ({ puts, removes: [], audit: [] });
const remove = (id: string, version: number): Change => ({ puts: [], removes: [{ id, version }], audit: [] });
const stale = { ok: false, conflict: 'stale' };

interface Place {
  readonly kind: 'sqlite' | 'postgres';
  readonly where: string;
  readonly open: () => Promise<DirectoryStore>;
}

/** What every store must do. */
function suite(place: () => Promise<Place>): void {
  let here: Place;
  let store: DirectoryStore;
  before(async () => {
    here = await place();
    store = await here.open();
  });
  after(() => store.close());
  const ids = async (): Promise<string[]> => (await store.load(0)).objects.map((o) => o.id).sort();

  it('keeps objects, their names and references, and tells what changed since a revision', async () => {
    const first = object('c1', { names: ['sip:line1', 'x'], doc: { deep: { text: 'ü "\\ \u0000' } } });
    const made = await store.commit(put(object('k1', { refs: ['c1'], kind: 'credential' }), first));
    assert.ok(made.ok);
    const all = await store.load(0);
    assert.equal(all.revision, made.revision);
    assert.deepEqual(
      all.objects.find((o) => o.id === 'c1'),
      first,
    );
    assert.deepEqual(all.objects.find((o) => o.id === 'k1')?.refs, ['c1']);
    const changed = { ...first, version: 2, doc: { other: true }, names: ['sip:line9'], updatedAt: 2 };
    assert.ok((await store.commit(put(changed))).ok);
    const since = await store.load(made.revision);
    assert.deepEqual(since.objects, [changed]);
    assert.deepEqual(await store.load(since.revision), {
      revision: since.revision,
      objects: [],
      removed: [],
    });
    assert.ok((await store.commit(remove('k1', 1))).ok);
    assert.deepEqual((await store.load(since.revision)).removed, ['k1']);
    assert.ok((await store.commit(remove('c1', 2))).ok);
    assert.deepEqual(await ids(), []);
  });

  it('gives a name to one object only, and frees it with the object', async () => {
    assert.ok((await store.commit(put(object('n1', { names: ['sip:one'] })))).ok);
    const again = await store.commit(put(object('n2', { names: ['sip:one'] })));
    assert.deepEqual(again, { ok: false, conflict: 'name', name: 'sip:one' });
    assert.deepEqual(await ids(), ['n1']);
    assert.ok((await store.commit(remove('n1', 1))).ok);
    assert.ok((await store.commit(put(object('n2', { names: ['sip:one'] })))).ok);
    assert.ok((await store.commit(remove('n2', 1))).ok);
  });

  it('changes only the version that was read, and nothing of a change that does not fit', async () => {
    assert.ok((await store.commit(put(object('v1')))).ok);
    const newer = object('v1', { version: 2, doc: { by: 'me' } });
    assert.ok((await store.commit(put(newer))).ok);
    assert.deepEqual(await store.commit(put(object('other'), { ...newer, doc: { by: 'you' } })), stale);
    assert.deepEqual(await store.commit(put(object('v1'))), stale);
    assert.deepEqual(await store.commit(remove('v1', 1)), stale);
    assert.deepEqual(await store.commit(remove('nobody', 1)), stale);
    assert.deepEqual((await store.load(0)).objects, [newer]);
    assert.ok((await store.commit(remove('v1', 2))).ok);
  });

  it('removes nothing that others refer to, and refers to nothing that is not there', async () => {
    assert.deepEqual(await store.commit(put(object('r1', { refs: ['nobody'] }))), stale);
    assert.ok((await store.commit(put(object('p1'), object('r1', { refs: ['p1'] })))).ok);
    assert.deepEqual(await store.commit(remove('p1', 1)), stale);
    const both = { puts: [], removes: ['p1', 'r1'].map((id) => ({ id, version: 1 })), audit: [] };
    assert.ok((await store.commit(both)).ok);
  });

  it('answers changes made at once, each on its own', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        store.commit(put(object(`m${i}`, { names: [i % 2 === 0 ? 'same' : `own${i}`] }))),
      ),
    );
    assert.equal(outcomes.filter((o) => o.ok).length, 101);
    assert.equal((await ids()).length, 101);
    const removed = await Promise.all((await ids()).map((id) => store.commit(remove(id, 1))));
    assert.ok(removed.every((o) => o.ok));
  });

  it('keeps the audit log of an account, in the order of time from either end', async () => {
    const entry = (account: string, i: number) => ({
      at: i,
      account,
      actor: 'key',
      source: '192.0.2.1',
      action: 'create' as const,
      kind: 'connection' as const,
      object: `o${i}`,
      fields: ['user_name'],
      request: 'r',
    });
    for (let i = 0; i < 5; i++)
      await store.commit({ puts: [], removes: [], audit: [entry('a', i), entry('b', i)] });
    // Two of one moment, and one of a clock that is behind.
    await store.commit({ puts: [], removes: [], audit: [entry('a', 3), entry('a', 1)] });
    const ask = async (more: Partial<AuditQuery>): Promise<readonly [readonly number[], number]> => {
      const all: AuditQuery = { account: 'a', order: 'newest first', limit: 9, offset: 0, from: 0, to: 9 };
      const { rows, total } = await store.audit({ ...all, ...more });
      for (const row of rows) assert.deepEqual([row.account, row.object], ['a', `o${row.at}`]);
      return [rows.map(({ at }) => at), total];
    };
    assert.deepEqual(await ask({}), [[4, 3, 3, 2, 1, 1, 0], 7]);
    assert.deepEqual(await ask({ order: 'oldest first', offset: 2, limit: 3 }), [[1, 2, 3], 7]);
    assert.deepEqual(await ask({ offset: 9 }), [[], 7]);
    assert.deepEqual(await ask({ from: 1, to: 3 }), [[3, 3, 2, 1, 1], 5]);
    const { rows } = await store.audit({
      account: 'a',
      order: 'newest first',
      limit: 2,
      offset: 0,
      from: 0,
      to: 9,
    });
    const { seq } = rows[1]!;
    assert.deepEqual(await ask({ beyond: seq }), [[3, 2, 1, 1, 0], 5]);
    assert.deepEqual(await ask({ beyond: seq, order: 'oldest first' }), [[4], 1]);
    assert.deepEqual(await ask({ beyond: seq, account: 'b' }), [[], 0]);
  });

  it('is shared: a second one sees what the first wrote, and both guard the same names', async () => {
    const other = await here.open();
    try {
      assert.ok((await store.commit(put(object('s1', { names: ['shared'] })))).ok);
      assert.deepEqual(
        (await other.load(0)).objects.map((o) => o.id),
        ['s1'],
      );
      assert.equal((await other.commit(put(object('s2', { names: ['shared'] })))).ok, false);
      assert.ok((await other.commit(remove('s1', 1))).ok);
    } finally {
      await other.close();
    }
  });

  it('loses nothing that was acknowledged when its process is killed', async () => {
    const result = await killWriter(here.kind, here.where, 100_000, 600, here.open);
    assert.equal(result.killed, true);
    assert.ok(result.acknowledged >= 600);
    assert.equal(result.lost, 0);
  });
}

describe('the SQLite directory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
  after(() => rmSync(dir, { recursive: true }));
  suite(async () => {
    const where = join(dir, 'test.db');
    return { kind: 'sqlite', where, open: async () => openSqliteDirectory(where) };
  });
});

describe('the PostgreSQL directory', { skip: skipWithoutPostgres }, () => {
  let cluster: PostgresCluster;
  before(async () => {
    cluster = await PostgresCluster.start();
  });
  after(() => cluster.stop());
  suite(async () => {
    const where = await cluster.database('suite');
    return { kind: 'postgres', where, open: () => openPostgresDirectory(where) };
  });

  it('runs each migration once, and refuses a database from a newer release', async () => {
    const url = await cluster.database('migrations');
    const more = [...POSTGRES_MIGRATIONS, { id: 99, name: 'later', sql: 'CREATE TABLE later (id INTEGER)' }];
    await (await openPostgresDirectory(url, more)).close();
    await (await openPostgresDirectory(url, more)).close();
    await assert.rejects(openPostgresDirectory(url), /written by a newer release/);
  });

  it('says that it cannot be reached, without the password', async () => {
    await assert.rejects(
      openPostgresDirectory(`postgres://x:geheim@127.0.0.1:${cluster.port + 1}/x`),
      (error: Error) => /store\.postgres/.test(error.message) && !error.message.includes('geheim'),
    );
  });
});
