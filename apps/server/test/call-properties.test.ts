import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { callActions } from '../src/api/resources/call-actions.ts';
import { CommandDesk } from '../src/signalling/command-desk.ts';
import { ApiBench } from './drive/api.ts';

describe('the desk of commands', () => {
  it('gives each the answer of its own turn, and throws where there is none', () => {
    const desk = new CommandDesk();
    const ids = { control: 'c', leg: 'l', session: 's' };
    const asked: string[] = [];
    const answered = desk.ask((request) => {
      asked.push(request);
      desk.done('another', { ok: true });
      desk.done(request, { ok: true, ids });
    });
    assert.deepEqual(answered, { ok: true, ids });
    assert.throws(() => desk.ask((request) => void asked.push(request)), /not answered/);
    desk.done(asked[1]!, { ok: true });
    assert.throws(() => desk.ask((request) => void asked.push(request)), /not answered/);
    assert.equal(new Set(asked).size, 3);
  });
});

/** What fields may hold: good, nearly good, and anything. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      '',
      null,
      true,
      false,
      0,
      1,
      30,
      128,
      5000,
      -1,
      1.5,
      1e300,
      '1',
      '#',
      'self',
      'all',
      'current',
      'both',
    ],
    ...[
      'infinity',
      'USER_BUSY',
      'ssml',
      'sip:a@b.example',
      '+13125550100',
      'https://a.example/a',
      'aGk=',
      'a\r\nb',
    ],
    ...[
      'text/plain',
      'OPUS,PCMU',
      'disabled',
      [],
      {},
      ['1', '2'],
      [{ name: 'X-A', value: 'b' }],
      [null],
      [[]],
    ],
    { 'call.answered': 'https://a.example' },
    { 'call.answered': { retries_ms: [1] } },
    { __proto__: null, constructor: 1 },
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue({ maxDepth: 3 }),
);

describe('properties of the commands', () => {
  it('any body gives a command or a refusal, and never a fault', async () => {
    const bench = await ApiBench.open();
    const { key, id } = await bench.account('default');
    const made = await bench.ask(key, 'POST', '/call_control_applications', {
      application_name: 'x',
      webhook_event_url: 'https://a.example/hook',
    });
    const dial = {
      fields: ['connection_id', 'to', 'from', 'link_to', 'bridge_on_answer', 'timeout_secs'],
      path: '/calls',
    };
    const rows = callActions.map((row) => ({
      fields: Object.keys((row.body as unknown as { shape: object }).shape),
      path: row.path.replace('{call_control_id}', 'v3:x'),
    }));
    const asked = fc.constantFrom(dial, ...rows).chain(({ fields, path }) =>
      fc.record({
        path: fc.constant(path),
        body: fc
          .dictionary(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...fields) }, fc.string()), value, {
            maxKeys: 8,
          })
          .map((body) =>
            path === '/calls' && 'to' in body ? { connection_id: made.body.data.id, ...body } : body,
          ),
      }),
    );
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(asked, async ({ path, body }) => {
        const answer = await bench.ask(key, 'POST', path, body);
        seen.add(answer.status);
        const commands = bench.calls.commands.splice(0);
        if (answer.status === 200) {
          assert.equal(commands.length, 1);
          assert.equal(commands[0]!.account, id);
          // What leaves is plain data: nothing is lost on the way through JSON.
          assert.deepEqual(JSON.parse(JSON.stringify(commands[0])), commands[0]);
          return;
        }
        assert.ok(answer.status === 422 || answer.status === 400, `${answer.status} ${answer.text}`);
        assert.equal(commands.length, 0);
        assert.ok(answer.body.errors.length > 0);
        for (const { code, title, detail } of answer.body.errors)
          assert.ok(/^\d{5}$/.test(code) && title !== '' && title !== 'Error' && detail.length < 300, detail);
      }),
      { numRuns: 3000 },
    );
    await bench.close();
    assert.deepEqual([...seen].filter((status) => status === 200 || status === 422).sort(), [200, 422]);
  });
});
