import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { checkConfig, loadConfig } from '../src/config/load.ts';
import { configJsonSchema } from '../src/config/schema.ts';

const sentence = (value: unknown): string => {
  const checked = checkConfig(value, 'sidetone.json');
  assert.equal(checked.ok, false);
  return checked.ok ? '' : checked.error;
};

describe('configuration', () => {
  it('is complete without a file', () => {
    const loaded = loadConfig(undefined);
    assert.ok(loaded.ok);
    assert.equal(loaded.value.http.port, 8080);
    assert.deepEqual(loaded.value.media.ports, [20000, 20999]);
  });

  it('names the key that is wrong, in one sentence', () => {
    const user = { user_name: 'line1', password: 'long enough' };
    const rows: readonly (readonly [unknown, RegExp])[] = [
      [{ htp: {} }, /^sidetone\.json: unknown key htp; docs\/config\.md/],
      [{ http: { prt: 1 } }, /unknown key http\.prt/],
      [{ http: { port: 70000 } }, /http\.port: .*65535/],
      [
        { connections: [{ ...user, user_name: '1line' }] },
        /connections\[0\]\.user_name: must start with a letter/,
      ],
      [{ connections: [{ ...user, password: 'short' }] }, /connections\[0\]\.password/],
      [{ connections: [user, user] }, /user name line1 is used twice/],
      [
        {
          connections: [
            { ...user, numbers: ['+1'] },
            { ...user, user_name: 'line2', numbers: ['+1'] },
          ],
        },
        /number \+1 belongs to two/,
      ],
      [{ trunks: [{ name: 'c' }] }, /trunks\[0\]\.host/],
      [{ trunks: [{ name: 'c', host: 'h', realms: [] }] }, /trunks\[0\]\.realms/],
      [{ media: { ports: [20000, 20001] } }, /media\.ports: the range/],
      [[], /the file: /],
    ];
    for (const [value, expected] of rows) {
      const text = sentence(value);
      assert.match(text, expected);
      assert.doesNotMatch(text, /\n/);
      assert.doesNotMatch(text, /short|long enough/);
    }
  });

  it('says so when the file is missing or no JSON', () => {
    const missing = loadConfig('no/such/file.json');
    assert.match(
      missing.ok ? '' : missing.error,
      /cannot read the configuration file no\/such\/file\.json: it does not exist/,
    );
    const broken = loadConfig(new URL('../README.md', import.meta.url).pathname);
    assert.match(broken.ok ? '' : broken.error, /is not JSON/);
  });

  it('has its JSON Schema in the documentation', () => {
    const documented = JSON.parse(
      readFileSync(new URL('../../../docs/config.schema.json', import.meta.url), 'utf8'),
    ) as unknown;
    assert.deepEqual(documented, JSON.parse(JSON.stringify(configJsonSchema())), 'run: node scripts/docs.ts');
  });
});
