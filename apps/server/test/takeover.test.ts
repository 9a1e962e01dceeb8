import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CallRecord } from '@sidetone/wire';
import { bootIdentity } from '../src/journal/boot-identity.ts';
import {
  changeText,
  headLine,
  type JournalRoom,
  readJournal,
  unitLine,
} from '../src/journal/journal-format.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { Client } from './drive/client.ts';
import { freePorts, Product, run, until } from './drive/running.ts';

const RECORD: CallRecord = {
  session_id: '7d7a6c5e-0000-4000-8000-000000000001',
  leg_id: '7d7a6c5e-0000-4000-8000-000000000002',
  direction: 'inbound',
  kind: 'client',
  from: 'line1',
  to: '9196',
  started_at: 1_700_000_000_000,
  answered_at: 1_700_000_001_000,
  ended_at: 1_700_000_005_000,
  cause: 'NORMAL_CLEARING',
  cause_code: 16,
  ended_by: 'caller',
};

const PATIENCE_MS = 60_000;

const entryLine = (room: JournalRoom, key: string, value: object): string =>
  unitLine([changeText({ room, key, value })]);

/** A product that begins where another died: with a record in hand, and with entries that no service can read. */
describe('a service that takes over', { timeout: 300_000 }, () => {
  let product: Product;

  before(async () => {
    const connections = [{ user_name: 'line1', password: 'line1 password' }];
    product = await Product.start({ connections }, await freePorts(51_520), {
      folder: (dataDir) => {
        mkdirSync(dataDir, { recursive: true });
        const lines = [
          headLine(bootIdentity()),
          entryLine('voice', 'call nonsense', { anything: [1, 'x'] }),
          entryLine('vsp', 'session nonsense', { anything: {} }),
          entryLine('proxy', 'binding nonsense', { anything: '…' }),
          entryLine('records', RECORD.leg_id, RECORD),
        ];
        writeFileSync(join(dataDir, 'journal'), lines.join(''));
      },
    });
  });
  after(async () => {
    await product?.stop();
  });

  const journal = () => readJournal(readFileSync(join(product.dataDir, 'journal')), bootIdentity());

  it('writes the record that its predecessor could not, once', async () => {
    await until(
      'the record to be done with',
      () => journal().entries.records.length === 0,
      undefined,
      PATIENCE_MS,
    );
    const store = openSqliteStore(join(product.dataDir, 'sidetone.db'));
    assert.deepEqual(store.callRecords(RECORD.session_id), [RECORD]);
    store.close();
  });

  it('is up again by itself when signalling is killed, with the same media process', async () => {
    const signalling = product.child('signalling-process')!;
    const media = product.child('media-process');
    process.kill(signalling, 'SIGKILL');
    const client = await until(
      'another process that serves',
      () => product.child('signalling-process') !== signalling && product.child('signalling-process'),
      () => product.stderr,
      PATIENCE_MS,
    );
    assert.notEqual(client, undefined);
    let one: Client | undefined;
    for (const end = Date.now() + PATIENCE_MS; one === undefined && Date.now() < end; )
      one = await Client.loggedIn(product.ports.http, 'line1').catch(() => undefined);
    assert.ok(one !== undefined, product.stderr);
    one.close();
    assert.equal(product.child('media-process'), media);
  });

  it('hands over when asked, and says what is wrong with a configuration instead', async () => {
    const good = await run('handover', '--data', product.dataDir);
    assert.equal(good.code, 0, good.stderr);
    assert.match(
      good.stdout,
      /^the new signalling process stands by\n.*\n.*\n0 calls carried over; [0-9.]+ s without signalling\n$/,
    );
    const before = product.child('signalling-process');
    const config = readFileSync(product.configFile, 'utf8');
    writeFileSync(product.configFile, '{"htpp": {}}');
    const bad = await run('handover', '--data', product.dataDir);
    assert.deepEqual([bad.code, bad.stdout], [1, '']);
    assert.match(bad.stderr, /^sidetone: .*unknown key htpp.*; nothing was changed\n$/);
    assert.equal(product.child('signalling-process'), before);
    writeFileSync(product.configFile, config);
  });

  it('has its folder to itself', async () => {
    const second = await run('serve', '--config', product.configFile, '--data', product.dataDir);
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^sidetone: another sidetone serves from this data folder/);
    const other = join(product.dataDir, 'none');
    mkdirSync(other);
    const nobody = await run('handover', '--data', other);
    assert.equal(nobody.code, 1);
    assert.match(nobody.stderr, /^sidetone: no service runs with the data folder/);
  });
});

/** An INVITE that can be read, but not be cancelled: its Call-ID would end a line. */
const POISON = {
  side: 'out',
  flow: { transport: 'udp', host: '127.0.0.1', port: 9 },
  uri: 'sip:100@127.0.0.1:9',
  via: [{ transport: 'UDP', host: '127.0.0.1', params: { branch: 'z9hG4bK1' } }],
  from: { uri: { scheme: 'sip', host: '127.0.0.1', params: {} }, params: { tag: '1' } },
  to: { uri: { scheme: 'sip', host: '127.0.0.1', params: {} }, params: {} },
  callId: 'poison\r\n',
  seq: 1,
  back: [],
};

describe('a service whose journal is the end of every process that takes it over', {
  timeout: 300_000,
}, () => {
  it('begins without it at last, and keeps it for whoever looks into it', async () => {
    const text = headLine(bootIdentity()) + entryLine('proxy', 'early 1', POISON);
    const product = await Product.start({}, await freePorts(51_620), {
      folder: (dataDir) => {
        mkdirSync(dataDir, { recursive: true });
        writeFileSync(join(dataDir, 'journal'), text);
      },
    });
    try {
      assert.match(product.stderr, /cannot be taken over/);
      assert.match(readFileSync(join(product.dataDir, 'journal.failed'), 'utf8'), /poison/);
    } finally {
      await product.stop();
    }
  });
});

describe('a journal that cannot be written', { timeout: 300_000 }, () => {
  let product: Product;
  let obstacle = '';

  before(async () => {
    const connections = [{ user_name: 'line1', password: 'line1 password' }];
    product = await Product.start({ connections }, await freePorts(51_560), {
      folder: (dataDir) => {
        obstacle = join(dataDir, 'journal.new');
        mkdirSync(obstacle, { recursive: true });
      },
    });
  });
  after(async () => {
    await product?.stop();
  });

  it('is told by the health check, and written as soon as it can be', async () => {
    const status = async (): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${product.ports.http}/healthz`);
      return ((await response.json()) as { status: string }).status;
    };
    assert.equal(await status(), 'degraded');
    rmdirSync(obstacle);
    const end = performance.now() + PATIENCE_MS;
    while ((await status()) !== 'ok') assert.ok(performance.now() < end, product.stderr);
    assert.ok(existsSync(join(product.dataDir, 'journal')));
  });
});
