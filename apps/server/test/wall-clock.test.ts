import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from './drive/client.ts';
import { folder, freePorts, Product, run } from './drive/running.ts';

const HOUR = 3_600_000;

describe('windows-on-the-wall-clock: the product while its clock is set', { timeout: 60_000 }, () => {
  const dir = folder();
  const file = join(dir, 'clock.json');
  const preload = new URL('drive/stepped-clock.ts', import.meta.url).href;
  let passed = 0;
  /** Sets the time of day off by `day`, after `more` has passed. */
  /** Renamed into place: the product reads it at any moment. */
  const clock = (day: number, more = 0): void => {
    writeFileSync(`${file}.new`, JSON.stringify({ day, passed: (passed += more) }));
    renameSync(`${file}.new`, file);
  };
  let product: Product;
  let key: string;

  before(async () => {
    clock(0);
    const env = { STEPPED_CLOCK: file, NODE_OPTIONS: `--import=${preload}` };
    const connections = [{ user_name: 'bob', password: 'bob password' }];
    product = await Product.start({ connections }, await freePorts(51_420), { env });
    const made = await run('key', 'create', '--config', product.configFile, '--data', product.dataDir);
    key = made.stdout.trim();
    assert.match(key, /^KEY/, made.stderr);
  });
  after(async () => {
    await product?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function login(passwd: string): Promise<string> {
    const one = await Client.open(product.ports.http);
    const { result, error } = await one.request('login', { login: 'bob', passwd });
    one.close();
    return result === undefined ? String(error?.message) : 'in';
  }

  for (const day of [-HOUR, HOUR])
    it(`set by ${day} ms, a guesser waits a minute, no more and no less`, async () => {
      for (let i = 0; i < 10; i++) assert.equal(await login(`guess ${i}`), 'Login Incorrect');
      assert.equal(await login('bob password'), 'too many tries');
      clock(day);
      assert.equal(await login('bob password'), 'too many tries');
      clock(day, 61_000);
      assert.equal(await login('bob password'), 'in');
      clock(0);
    });

  it('the allowance of an API key is told for at most a minute', async () => {
    const ask = async (): Promise<number> => {
      const url = `http://127.0.0.1:${product.ports.http}/v2/connections`;
      const { headers } = await fetch(url, { headers: { Authorization: `Bearer ${key}` } });
      return Number(headers.get('x-ratelimit-reset'));
    };
    assert.ok((await ask()) <= 60);
    for (const day of [-HOUR, HOUR]) {
      clock(day);
      const reset = await ask();
      assert.ok(reset > 0 && reset <= 60, `${reset} s`);
    }
    clock(0);
  });
});
