import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CallRecord } from '@sidetone/wire';
import { createLog } from '../src/log.ts';
import { MIGRATIONS } from '../src/store/migrations.ts';
import { openRecordWriter } from '../src/store/record-writer.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';

const record = (leg: string, session: string, startedAt: number): CallRecord => ({
  session_id: session,
  leg_id: leg,
  direction: 'inbound',
  kind: 'client',
  user_name: 'line1',
  from: 'line1',
  to: '9196',
  started_at: startedAt,
  ended_at: startedAt + 1000,
  cause: 'NORMAL_CLEARING',
  cause_code: 16,
  ended_by: 'caller',
});

describe('the SQLite store', () => {
  it('loses no record while the database cannot be opened', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    const folder = join(dir, 'not yet there');
    const file = join(folder, 'test.db');
    try {
      const problems: unknown[] = [];
      const log = createLog('test', 'silent');
      log.error = (fields: unknown) => void problems.push(fields);
      const writer = openRecordWriter(file, log);
      writer.save(record('leg-a', 'call-1', 1));
      while (problems.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      mkdirSync(folder);
      writer.save(record('leg-b', 'call-1', 2));
      await writer.close();
      const store = openSqliteStore(file);
      assert.deepEqual(
        store.callRecords('call-1').map((r) => r.leg_id),
        ['leg-a', 'leg-b'],
      );
      store.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('keeps records and users across a restart, each leg once', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const file = join(dir, 'test.db');
      const first = openSqliteStore(file);
      first.saveCallRecords([record('leg-a', 'call-1', 1), record('leg-b', 'call-1', 2)]);
      first.saveCallRecords([
        { ...record('leg-b', 'call-1', 2), cause: 'again' },
        record('leg-c', 'call-2', 3),
      ]);
      first.close();
      const second = openSqliteStore(file);
      assert.deepEqual(
        second.callRecords('call-1').map((r) => [r.leg_id, r.cause]),
        [
          ['leg-a', 'NORMAL_CLEARING'],
          ['leg-b', 'NORMAL_CLEARING'],
        ],
      );
      assert.deepEqual(
        second.latestCallRecords(2).map((r) => r.leg_id),
        ['leg-c', 'leg-b'],
      );
      second.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('runs each migration once, and refuses a database from a newer release', () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const file = join(dir, 'test.db');
      openSqliteStore(file).close();
      const more = [
        ...MIGRATIONS,
        { id: MIGRATIONS.length + 1, name: 'later', sql: 'CREATE TABLE later (id INTEGER) STRICT' },
      ];
      openSqliteStore(file, more).close();
      openSqliteStore(file, more).close();
      assert.throws(() => openSqliteStore(file), /written by a newer release/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('is written by a worker in the order given, and all of it is there once the writer has closed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-'));
    try {
      const file = join(dir, 'test.db');
      openSqliteStore(file).close();
      const writer = openRecordWriter(file, createLog('test', 'error'));
      for (let i = 0; i < 500; i++) writer.save(record(`leg-${i}`, 'call-1', i));
      await writer.close();
      const store = openSqliteStore(file);
      assert.deepEqual(
        store.callRecords('call-1').map((r) => r.leg_id),
        Array.from({ length: 500 }, (_, i) => `leg-${i}`),
      );
      store.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
