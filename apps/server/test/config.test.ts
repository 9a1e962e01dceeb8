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
      [
        {
          connections: [
            { ...user, numbers: ['+1 (312) 555-0100'] },
            { ...user, user_name: 'line2', numbers: ['1 312 555 0100'] },
          ],
        },
        /number 13125550100 belongs to two/,
      ],
      [
        {
          connections: [
            { ...user, numbers: ['+13125550100'] },
            { ...user, user_name: 'line2', numbers: ['001 312 555 0100'] },
          ],
        },
        /number 13125550100 belongs to two/,
      ],
      [{ sip: { host: [] } }, /sip\.host: must be a name or an address, or a list/],
      [{ trunks: [{ name: 'c' }] }, /trunks\[0\]\.host/],
      [{ trunks: [{ name: 'c', host: 'h', country: 'us' }] }, /trunks\[0\]\.country: must be a country code/],
      [{ trunks: [{ name: 'c', host: 'h', country: 'XX' }] }, /trunks\[0\]\.country: .* such as US/],
      [{ trunks: [{ name: 'c', host: 'h', number_format: 'x' }] }, /trunks\[0\]\.number_format/],
      [{ connections: [{ ...user, numbers: ['line\u200b2'] }] }, /numbers\[0\]: must be digits/],
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

  it('pasted-numbers, tel-uri, called-number-without-plus: a number has one spelling, and is listed once', () => {
    const numbers = [
      '\u202d+13125550100\u202c',
      '+1 312 555\u20130101',
      'tel:+1-312-555-0102;ext=7',
      '13125550100',
      '100',
      '*98',
      '+1 (312) 555\u00ad0101',
    ];
    const checked = checkConfig(
      { connections: [{ user_name: 'line1', password: 'long enough', numbers }] },
      'test',
    );
    assert.deepEqual(checked.ok && checked.value.connections?.[0]?.numbers, [
      '+13125550100',
      '+13125550101',
      '+13125550102',
      '100',
      '*98',
    ]);
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

  it('defaults-told-twice: docs/config.md tells the defaults that are', () => {
    const page = readFileSync(new URL('../../../docs/config.md', import.meta.url), 'utf8');
    const tables = page.split(/^\| key \| default \| meaning \|$/m).slice(1);
    const given = { user_name: 'line1', password: '12345678', name: 'a', host: 'b' };
    const { user_name, password, name, host } = given;
    const file = checkConfig({ connections: [{ user_name, password }], trunks: [{ name, host }] }, 'test');
    const empty = checkConfig({}, 'test');
    assert.ok(file.ok && empty.ok);
    const bare = (text: string): string => text.replace(/[`"[\] ]/g, '');
    let told = 0;
    for (const [i, values] of [empty.value, file.value.connections![0]!, file.value.trunks[0]!].entries())
      for (const [, keys, shown] of tables[i]!.matchAll(/^\| ((?:`[a-z_.]+`(?:, )?)+) \| ([^|]*) \|/gm)) {
        const names = bare(keys!).split(',');
        const defaults = names.map((path) =>
          path
            .split('.')
            .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], values),
        );
        if (defaults.includes(undefined) || names.some((one) => one in given)) continue;
        told += 1;
        assert.equal(bare(shown!), bare(defaults.map((one) => JSON.stringify(one)).join()), keys);
      }
    assert.ok(told > 20, `${told} defaults`);
  });
});
