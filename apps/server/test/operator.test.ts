import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runOperator } from '../src/cli/operator.ts';
import { apiKeyName } from '../src/identity/api-key.ts';
import { Registry } from '../src/identity/registry.ts';
import { openPostgresDirectory } from '../src/store/postgres-store.ts';
import { openSqliteDirectory } from '../src/store/sqlite-store.ts';
import { Client } from './drive/client.ts';
import { PostgresCluster, skipWithoutPostgres } from './drive/postgres.ts';
import { folder, freePorts, Product, run, until } from './drive/running.ts';
import { SmallDisk, skipWithoutMount } from './drive/small-disk.ts';

const KEY = /^KEY[A-Za-z0-9_-]{43}\n$/;

describe('the operator', () => {
  const dir = folder();
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('makes accounts, keys and numbers, which another process sees', async () => {
    const file = join(dir, 'test.db');
    const store = openSqliteDirectory(file);
    const registry = await Registry.open(store);
    const other = openSqliteDirectory(file);
    const elsewhere = await Registry.open(other);
    const none = { account: undefined, connection: undefined, label: undefined };
    const does = async (line: string, options: object = {}): Promise<string> =>
      (await runOperator(registry, line.split(' '), { ...none, ...options })).join('|');
    const key = await does('key create', { label: 'ci' });
    assert.match(key, /^KEY[A-Za-z0-9_-]{43}$/);
    const listed = await does('key list');
    assert.match(listed, /^\S{36} {2}KEY\S{5}… {2}default {2}\S+ {2}good {2}ci$/);
    assert.ok(!listed.includes(key) && !readFileSync(`${file}-wal`).includes(key));
    assert.match(await does('account add shop'), /^account shop is \S{36}$/);
    assert.equal(await does('key list', { account: 'shop' }), '');
    const added = await does('number add +1(312)555-0100', { account: 'shop' });
    assert.match(added, /^\+13125550100 is \d{19}$/);
    assert.equal(await does('number list'), '+13125550100  shop  -');
    for (const [line, options, why] of [
      ['number add +13125550100', {}, /belongs to an account already/],
      // The same number, as somebody else writes it or pastes it.
      ['number add 13125550100', {}, /belongs to an account already/],
      ['number add \u202d+1312555\u20130100\u202c', {}, /belongs to an account already/],
      ['number add tel:+1-312-555-0100;ext=7', {}, /belongs to an account already/],
      ['number add abc', {}, /is no telephone number/],
      ['number add tel:abc', {}, /is no telephone number/],
      [
        'number add +13125550101',
        { connection: 'nobody' },
        /there is no connection with the user name nobody/,
      ],
      ['key create', { account: 'none' }, /there is no account none; "sidetone account add none"/],
      ['key revoke x', {}, /there is no such key/],
      ['account add shop', {}, /there is an account shop already/],
      ['key frobnicate', {}, /cannot make sense of "key frobnicate"/],
    ] as const)
      await assert.rejects(does(line, options), why);
    await elsewhere.sync();
    assert.equal(elsewhere.named(apiKeyName(key)!)?.doc['revoked_at'], null);
    assert.match(await does(`key revoke ${key}`), /is revoked/);
    for (const [line, why] of [
      ['account set shop calls many', /many is no limit/],
      ['account set shop calls -1', /no limit/],
      ['account set shop colour red', /but no "colour"/],
      ['account set shop profile no', /"required" or "optional"/],
      ['account set none calls 1', /there is no account none/],
    ] as const)
      await assert.rejects(async () => does(line), why);
    assert.equal(await does('account set shop calls 20'), 'account shop: calls 20');
    await does('account set shop calls-per-second 5');
    await does('account set shop profile optional');
    assert.match(await does('account list'), / shop {2}calls 20, calls-per-second 5, profile optional/);
    await does('account set shop calls none');
    const { doc } = registry.named('account:shop')!;
    assert.deepEqual(
      [doc['concurrent_calls'], doc['calls_per_second'], doc['profile_required']],
      [null, 5, false],
    );
    assert.equal(await does('account disable shop'), 'account shop is disabled');
    assert.equal(await does('number remove +1\u2011312\u2011555\u20110100'), '+13125550100 is gone');
    await elsewhere.sync();
    assert.notEqual(elsewhere.named(apiKeyName(key)!)?.doc['revoked_at'], null);
    assert.equal(elsewhere.named('number:+13125550100'), undefined);
    assert.equal(elsewhere.named('account:shop')?.doc['active'], false);
    await store.close();
    await other.close();
  });

  it('takes a backup of a database in use', async () => {
    const data = join(dir, 'data');
    mkdirSync(data);
    const store = openSqliteDirectory(join(data, 'sidetone.db'));
    await runOperator(await Registry.open(store), ['account', 'add', 'kept'], {
      account: undefined,
      connection: undefined,
      label: undefined,
    });
    const copy = join(dir, 'copy.db');
    assert.equal((await run('backup', copy, '--data', data)).code, 0);
    await store.close();
    assert.equal(statSync(copy).mode & 0o777, 0o600);
    const restored = openSqliteDirectory(copy);
    assert.notEqual((await Registry.open(restored)).named('account:kept'), undefined);
    await restored.close();
    const again = await run('backup', copy, '--data', data);
    assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true]);
    // Nor does it write where somebody's link leads.
    symlinkSync(join(dir, 'elsewhere'), join(dir, 'link.db'));
    const through = await run('backup', join(dir, 'link.db'), '--data', data);
    assert.deepEqual([through.code, existsSync(join(dir, 'elsewhere'))], [1, false]);
  });

  it('leaves no half of a backup on a full disk', { skip: skipWithoutMount }, async () => {
    const data = join(dir, 'data');
    const disk = SmallDisk.make()!;
    try {
      disk.fill(8192);
      const file = join(disk.folder, 'copy.db');
      const full = await run('backup', file, '--data', data);
      assert.deepEqual([full.code, /the backup failed/.test(full.stderr)], [1, true]);
      assert.equal(existsSync(file), false);
      disk.empty();
      assert.equal((await run('backup', file, '--data', data)).code, 0);
    } finally {
      disk.remove();
    }
  });
});

describe('what a back end needs to know of a server', { timeout: 300_000 }, () => {
  it('is printed with a new key, as the variables of the published package', async () => {
    // Nor does it hide that it cannot speak.
    const product = await Product.start({}, await freePorts(51_480), { env: { PATH: '/nowhere' } });
    assert.match(product.stdout, /Speech +none: .* install espeak-ng/);
    const where = ['--config', product.configFile, '--data', product.dataDir];
    try {
      const url = `http://127.0.0.1:${product.ports.http}`;
      assert.ok(product.stdout.includes(`${url}/v2, described at ${url}/v2/docs; "npx sidetone key create"`));
      const { code, stdout, stderr } = await run('key', 'create', '--env', ...where);
      assert.deepEqual([code, stderr], [0, '']);
      const said = Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(/=(.*)/)),
      );
      assert.deepEqual(Object.keys(said), ['TELNYX_BASE_URL', 'TELNYX_API_KEY', 'TELNYX_PUBLIC_KEY']);
      assert.equal(said.TELNYX_BASE_URL, `${url}/v2`);
      const answer = await until('the key to be known', async () => {
        const response = await fetch(`${said.TELNYX_BASE_URL}/public_key`, {
          headers: { Authorization: `Bearer ${said.TELNYX_API_KEY}` },
        });
        return response.status === 200 ? await response.json() : undefined;
      });
      assert.equal((answer as { data: { public: string } }).data.public, said.TELNYX_PUBLIC_KEY);
      // A base URL without its end is told what it lacks.
      for (const method of ['GET', 'POST']) {
        const headers = { Authorization: `Bearer ${said.TELNYX_API_KEY}` };
        const lost = await fetch(`${url}/credential_connections`, { method, headers });
        assert.equal(lost.status, 404);
        assert.match(await lost.text(), /"detail":"The API lies under \/v2;/);
      }
      const wrong = await run('key', 'list', '--env', ...where);
      assert.deepEqual([wrong.code, /--env belongs to "key create"/.test(wrong.stderr)], [1, true]);
    } finally {
      assert.equal(await product.stop(), 0);
    }
  });
});

describe('a user made by the API of a running server', { timeout: 300_000 }, () => {
  let product: Product;
  before(async () => {
    product = await Product.start({}, await freePorts(48_400));
  });
  after(() => product.stop());

  it('logs in at once by password, credential and token, and no more when it is deleted', async () => {
    const { http } = product.ports;
    const key = (
      await run('key', 'create', '--data', product.dataDir, '--config', product.configFile)
    ).stdout.trim();
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
    const ask = async (method: string, path: string, body?: object): Promise<any> => {
      const answer = await fetch(`http://127.0.0.1:${http}/v2${path}`, {
        method,
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
      return answer.headers.get('content-type')?.startsWith('text/plain')
        ? await answer.text()
        : await answer.json();
    };
    const connection = { connection_name: 'web', user_name: 'alice42', password: 'alice42 password' };
    const { id } = (await ask('POST', '/credential_connections', connection)).data;
    const credential = (await ask('POST', '/telephony_credentials', { connection_id: id })).data;
    const token = await ask('POST', `/telephony_credentials/${credential.id}/token`);
    const login = async (params: object): Promise<string> => {
      const client = await Client.open(http);
      const reply = await client.request('login', params);
      return reply.result === undefined ? 'refused' : 'in';
    };
    const ways = [
      { login: 'alice42', passwd: 'alice42 password' },
      { login: credential.sip_username, passwd: credential.sip_password },
      { login_token: token },
    ];
    for (const way of ways) assert.equal(await login(way), 'in');
    await ask('DELETE', `/telephony_credentials/${credential.id}`);
    assert.deepEqual(
      [await login(ways[0]!), await login(ways[1]!), await login(ways[2]!)],
      ['in', 'refused', 'refused'],
    );
    assert.match(product.stderr, /"reason":"deleted user"/);
    for (const secret of [key, token, credential.sip_password, connection.password])
      assert.ok(!product.stderr.includes(secret));
    assert.ok(existsSync(join(product.dataDir, 'store.key')));
  });
});

describe('commands on PostgreSQL', { skip: skipWithoutPostgres, timeout: 120_000 }, () => {
  it('write to the database that the configuration names', async () => {
    const cluster = await PostgresCluster.start();
    const dir = folder();
    try {
      const url = await cluster.database('operator');
      const config = join(dir, 'config.json');
      writeFileSync(config, JSON.stringify({ store: { postgres: { url } } }));
      const made = await run('key', 'create', '--config', config, '--data', join(dir, 'data'));
      assert.match(made.stdout, KEY, made.stderr);
      assert.equal(existsSync(join(dir, 'data')), false, 'all of it lies in the database');
      const store = await openPostgresDirectory(url);
      const registry = await Registry.open(store);
      assert.deepEqual(
        [...registry.all()].map((object) => object.kind),
        ['account', 'key'],
      );
      await store.close();
    } finally {
      await cluster.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
