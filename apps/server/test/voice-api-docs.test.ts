import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Command } from '@sidetone/wire';
import { OPERATIONS } from '../src/api/app.ts';
import { bodySchema } from '../src/api/openapi.ts';
import { callActions } from '../src/api/resources/call-actions.ts';
import { conferenceActions } from '../src/api/resources/conference-actions.ts';
import { ApiBench } from './drive/api.ts';
import { conferenceView } from './drive/conference-views.ts';
import { clientOf } from './drive/official-run.ts';

const run = promisify(execFile);
const pageOf = (name: string): string =>
  readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const PAGES = [
  {
    name: 'voice-api.md',
    actions: callActions,
    rows: OPERATIONS.filter(
      ({ tag, id, body }) =>
        tag === 'Call commands' || id === 'dialCall' || (tag === 'Queues' && body !== undefined),
    ),
  },
  {
    name: 'conferences.md',
    actions: conferenceActions,
    rows: OPERATIONS.filter(({ tag, id }) => tag === 'Conference commands' || id === 'createConference'),
  },
];
const EXAMPLE = /```sh\n([\s\S]*?)```\n```js\n([\s\S]*?)```/g;
const CALL = 'v3:AAAA_a-b=';
const CONFERENCE = 'a-conference';
/** Said on the page of the Voice API for all. */
const ELSEWHERE = pageOf('voice-api.md');

// biome-ignore lint/suspicious/noExplicitAny: a function made of text
const AsyncFunction: any = (async () => undefined).constructor;

describe('the pages of the Voice API', () => {
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
    bench.calls.conferenceViews.push(conferenceView({ account: account.id, id: CONFERENCE }));
    address = await bench.listen();
  });
  after(() => bench.close());
  const taken = (): Command[] => bench.calls.commands.splice(0);

  for (const { name: file, actions, rows } of PAGES) {
    const page = pageOf(file);

    it(`${file}: every example runs, and curl and the package give the same commands`, async () => {
      const api = clientOf('7.24.0', address, key);
      const shown = new Set<string>();
      for (const [, shell, script] of page.matchAll(EXAMPLE)) {
        const env = { ...process.env, API: address, KEY: key, CALL, CONNECTION: connection, CONFERENCE };
        await run('sh', ['-ec', shell!], { env });
        const byCurl = taken();
        const quiet = { log: () => undefined };
        const names = ['api', 'CALL', 'CONNECTION', 'CONFERENCE', 'console'];
        await new AsyncFunction(...names, script)(api, CALL, connection, CONFERENCE, quiet);
        assert.deepEqual(byCurl, taken(), script);
        for (const [, name] of shell!.matchAll(/\/actions\/(\w+)/g)) shown.add(name!);
        assert.equal(
          byCurl.length,
          /active_calls|"\$API\/calls\/\$CALL"/.test(shell!) ? 0 : shell!.split('curl').length - 1,
        );
      }
      const all = actions.map((row) => row.path.split('/').at(-1)!);
      assert.deepEqual([...shown].sort(), [...new Set(all)].sort());
    });

    it(`${file}: names every field there is, with its default`, () => {
      assert.ok(rows.length > 10);
      const lines = `${page}\n${ELSEWHERE}`.split('\n');
      for (const row of rows) {
        const { properties } = bodySchema(row) as { properties: Record<string, { default?: unknown }> };
        for (const [name, { default: value }] of Object.entries(properties)) {
          const told = lines.filter((one) => one.includes(`\`${name}\``));
          assert.ok(told.length > 0, `${row.id}: ${name}`);
          if (value === undefined) continue;
          const isTold = told.some((one) => one.includes(String(value)));
          assert.ok(isTold, `${row.id}: ${name} has the default ${value}`);
        }
      }
    });
  }
});
