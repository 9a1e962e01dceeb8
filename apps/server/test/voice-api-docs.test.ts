import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Command } from '@sidetone/wire';
import { OPERATIONS } from '../src/api/app.ts';
import { bodySchema } from '../src/api/openapi.ts';
import { callActions } from '../src/api/resources/call-actions.ts';
import { ApiBench } from './drive/api.ts';
import { clientOf } from './drive/official-run.ts';

const run = promisify(execFile);
const page = readFileSync(new URL('../../../docs/voice-api.md', import.meta.url), 'utf8');
const EXAMPLE = /```sh\n([\s\S]*?)```\n```js\n([\s\S]*?)```/g;
const CALL = 'v3:AAAA_a-b=';

// biome-ignore lint/suspicious/noExplicitAny: a function made of text
const AsyncFunction: any = (async () => undefined).constructor;

describe('docs/voice-api.md', () => {
  let bench: ApiBench;
  let address: string;
  let key: string;
  let connection: string;
  before(async () => {
    bench = await ApiBench.open();
    const account = await bench.account('default');
    key = account.key;
    const body = { application_name: 'x', webhook_event_url: 'https://a.example/hook' };
    connection = (await bench.ask(key, 'POST', '/call_control_applications', body)).body.data.id;
    bench.calls.legs.push({
      control: CALL,
      leg: 'leg',
      session: 'session',
      account: account.id,
      connection,
      alive: true,
      clientState: null,
      startedAt: bench.people.now,
      answeredAt: null,
      endedAt: null,
    });
    address = await bench.listen();
  });
  after(() => bench.close());
  const taken = (): Command[] => bench.calls.commands.splice(0);

  it('every example runs, and curl and the package give the same commands', async () => {
    const api = clientOf('7.24.0', address, key);
    const shown = new Set<string>();
    for (const [, shell, script] of page.matchAll(EXAMPLE)) {
      const env = { ...process.env, API: address, KEY: key, CALL, CONNECTION: connection };
      await run('sh', ['-ec', shell!], { env });
      const byCurl = taken();
      const quiet = { log: () => undefined };
      await new AsyncFunction('api', 'CALL', 'CONNECTION', 'console', script)(api, CALL, connection, quiet);
      assert.deepEqual(byCurl, taken(), script);
      for (const [, name] of shell!.matchAll(/\/actions\/(\w+)/g)) shown.add(name!);
      assert.equal(
        byCurl.length,
        /active_calls|"\$API\/calls\/\$CALL"/.test(shell!) ? 0 : shell!.split('curl').length - 1,
      );
    }
    const actions = callActions.map((row) => row.path.split('/').at(-1)!);
    assert.deepEqual([...shown].sort(), [...new Set(actions)].sort());
  });

  it('names every field there is, with its default', () => {
    const rows = OPERATIONS.filter(
      ({ tag, id, body }) =>
        tag === 'Call commands' || id === 'dialCall' || (tag === 'Queues' && body !== undefined),
    );
    assert.ok(rows.length > 15);
    for (const row of rows) {
      const { properties } = bodySchema(row) as { properties: Record<string, { default?: unknown }> };
      for (const [name, { default: value }] of Object.entries(properties)) {
        const line = page.split('\n').find((one) => one.includes(`\`${name}\``));
        assert.ok(line !== undefined, `${row.id}: ${name}`);
        if (value === undefined) continue;
        const told = page
          .split('\n')
          .some((one) => one.includes(`\`${name}\``) && one.includes(String(value)));
        assert.ok(told, `${row.id}: ${name} has the default ${value}`);
      }
    }
  });
});
