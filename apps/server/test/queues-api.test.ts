import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { REFUSAL, type RefusalName } from '@sidetone/wire';
import { ApiBench } from './drive/api.ts';
import { queuedView, queueView } from './drive/queue-views.ts';

const CALL = 'v3:AAAA_a-b=';
const NOT_FOUND = {
  errors: [
    {
      code: '10005',
      title: 'Resource not found',
      detail: 'The requested resource or URL could not be found.',
    },
  ],
};

describe('queues', () => {
  let bench: ApiBench;
  let account: { id: string; key: string };
  before(async () => {
    bench = await ApiBench.open();
    account = await bench.account('default');
  });
  after(() => bench.close());
  afterEach(() => {
    bench.calls.queueViews.length = 0;
    bench.calls.queuedViews.clear();
    bench.calls.refusal = undefined;
    bench.calls.commands.length = 0;
  });
  const ask = (method: string, path: string, body?: unknown, key = account.key) =>
    bench.ask(key, method, path, body);
  const asked = () => bench.calls.commands.splice(0);
  const has = (...names: string[]): void => {
    for (const name of names) bench.calls.queueViews.push(queueView({ account: account.id, name }));
  };

  it('are shown with what is known of them', async () => {
    bench.calls.queueViews.push(
      queueView({ account: account.id, name: 'a b/ü', size: 2, maxSize: 7, averageWaitSecs: 9 }),
    );
    const { status, body } = await ask('GET', '/queues/a%20b%2F%C3%BC');
    assert.equal(status, 200);
    assert.deepEqual(body.data, {
      record_type: 'queue',
      id: 'a-queue',
      name: 'a b/ü',
      current_size: 2,
      max_size: 7,
      average_wait_time_secs: 9,
      created_at: '2023-11-14T22:13:20.000Z',
      updated_at: '2023-11-14T22:13:20.000Z',
    });
  });

  it('show their calls, those that are over among them', async () => {
    has('support');
    const over = { control: 'v3:b', leg: 'b', position: 2, waitSecs: 41, connection: null };
    bench.calls.queuedViews.set('support', [
      queuedView({}),
      queuedView({ ...over, alive: false, keepAfterHangup: true }),
    ]);
    const { body } = await ask('GET', '/queues/support/calls');
    assert.deepEqual(body.data[1], {
      record_type: 'queue_call',
      call_control_id: 'v3:b',
      call_leg_id: 'b',
      call_session_id: 'a-session',
      connection_id: null,
      from: '+13125550100',
      to: '+13125550101',
      queue_id: 'a-queue',
      queue_position: 2,
      wait_time_secs: 41,
      enqueued_at: '2023-11-14T22:13:20.000Z',
      is_alive: false,
      keep_after_hangup: true,
    });
    assert.deepEqual((await ask('GET', '/queues/support/calls/v3%3Ab')).body.data, body.data[1]);
    const nobody = await ask('GET', '/queues/support/calls/v3:c');
    assert.deepEqual([nobody.status, nobody.body.errors[0].code], [422, '90035']);
  });

  it('come in pages that end, by numbers and by cursors', async () => {
    const names = Array.from({ length: 45 }, (_, i) => `q${i}`);
    bench.calls.queueViews.push(
      ...names.map((name) => queueView({ account: account.id, id: `id of ${name}`, name })),
    );
    const found: string[] = [];
    for (let page = 1; page < 10; page++) {
      const { data, meta } = (await ask('GET', `/queues?page[number]=${page}`)).body;
      if (data.length === 0) break;
      assert.deepEqual([meta.page_number, meta.total_pages, meta.total_results], [page, 3, 45]);
      found.push(...data.map(({ name }: { name: string }) => name));
    }
    assert.deepEqual(found, names);
    has('support');
    const calls = Array.from({ length: 5 }, (_, i) => queuedView({ control: `v3:${i}`, leg: `leg-${i}` }));
    bench.calls.queuedViews.set('support', calls);
    const { data, meta } = (await ask('GET', '/queues/support/calls?page[size]=2&page[number]=3')).body;
    assert.deepEqual([data.length, data[0].call_leg_id, meta.total_pages], [1, 'leg-4', 3]);
    const next = (await ask('GET', '/queues/support/calls?page[size]=2&page[after]=leg-1')).body;
    assert.deepEqual([next.data[0].call_leg_id, next.meta.cursors.after], ['leg-2', 'leg-3']);
  });

  it('are made with room for 300, changed, and deleted, by commands', async () => {
    has('support');
    for (const [method, path, body, status, todo] of [
      ['POST', '/queues', { queue_name: 'support', unknown: 1 }, 200, { do: 'create', maxSize: 300 }],
      ['POST', '/queues', { queue_name: 'support', max_size: 5 }, 200, { do: 'create', maxSize: 5 }],
      ['POST', '/queues/support', { max_size: 6 }, 200, { do: 'resize', maxSize: 6 }],
      ['PATCH', '/queues/support', { max_size: 6 }, 200, { do: 'resize', maxSize: 6 }],
      ['DELETE', '/queues/support', undefined, 204, { do: 'delete' }],
      ['DELETE', `/queues/support/calls/${CALL}`, undefined, 204, { do: 'remove', control: CALL }],
      [
        'PATCH',
        `/queues/support/calls/${encodeURIComponent(CALL)}`,
        { keep_after_hangup: false },
        204,
        { do: 'keep', control: CALL, keepAfterHangup: false },
      ],
    ] as const) {
      const answer = await ask(method, path, body);
      assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
      assert.deepEqual(asked(), [{ type: 'queue', account: account.id, queue: 'support', ask: todo }]);
      if (status === 200) assert.equal(answer.body.data.name, 'support');
      else assert.equal(answer.text, '');
    }
  });

  it('refuse what makes no sense, with the field and without a command', async () => {
    has('support');
    for (const [method, path, body, code, pointer] of [
      ['POST', '/queues', {}, '10004', '/queue_name'],
      ['POST', '/queues', { queue_name: '' }, '10004', '/queue_name'],
      ['POST', '/queues', { queue_name: 'a'.repeat(256) }, '10015', '/queue_name'],
      ['POST', '/queues', { queue_name: 'a\nb' }, '10015', '/queue_name'],
      ['POST', '/queues', { queue_name: 'a', max_size: 0 }, '10015', '/max_size'],
      ['POST', '/queues', { queue_name: 'a', max_size: '5' }, '10015', '/max_size'],
      ['POST', '/queues/support', {}, '10004', '/max_size'],
      ['PATCH', '/queues/support', { max_size: 1001 }, '10015', '/max_size'],
      ['PATCH', `/queues/support/calls/${CALL}`, { keep_after_hangup: 1 }, '10015', '/keep_after_hangup'],
    ] as const) {
      const answer = await ask(method, path, body);
      const [{ code: told, source }] = answer.body.errors;
      assert.deepEqual([answer.status, told, source], [422, code, { pointer }], `${method} ${path}`);
      assert.deepEqual(asked(), []);
    }
  });

  it('say what voice refuses: codes, statuses, never 409', async () => {
    has('support');
    for (const [why, code, status] of [
      ['notInQueue', '90035', 422],
      ['queueFull', '90036', 422],
      ['sizeStands', '90037', 422],
      ['alreadyQueued', '90038', 422],
      ['queueNotEmpty', '90050', 400],
      ['notFound', '10005', 404],
      ['ended', '90018', 422],
      ['busy', '10007', 503],
    ] as const satisfies readonly (readonly [RefusalName, string, number])[]) {
      bench.calls.refusal = { why, detail: 'In words.' };
      for (const [method, path, body] of [
        ['DELETE', '/queues/support', undefined],
        ['POST', '/queues', { queue_name: 'support' }],
        ['POST', `/calls/${CALL}/actions/enqueue`, { queue_name: 'support' }],
        ['POST', `/calls/${CALL}/actions/bridge`, { queue: 'support' }],
        ['POST', `/calls/${CALL}/actions/leave_queue`, undefined],
      ] as const) {
        const answer = await ask(method, path, body);
        assert.equal(answer.status, status, `${why}: ${method} ${path}`);
        assert.deepEqual(answer.body.errors, [{ code, title: REFUSAL[why].title, detail: 'In words.' }]);
      }
    }
  });

  it('that do not exist are unknown, and those of another account in the same words', async () => {
    has('support');
    bench.calls.queuedViews.set('support', [queuedView({})]);
    const other = await bench.account('other');
    for (const path of ['/queues/support', '/queues/support/calls', `/queues/support/calls/${CALL}`]) {
      const answers = [
        await ask('GET', path, undefined, other.key),
        await ask('GET', path.replace('support', 'none')),
      ];
      for (const { status, body } of answers) assert.deepEqual([status, body], [404, NOT_FOUND]);
    }
    const { data, meta } = (await ask('GET', '/queues', undefined, other.key)).body;
    assert.deepEqual([data, meta.total_results], [[], 0]);
    // Whose queue a command is for is decided by whose key it came with.
    await ask('DELETE', '/queues/support', undefined, other.key);
    assert.deepEqual(asked(), [
      { type: 'queue', account: other.id, queue: 'support', ask: { do: 'delete' } },
    ]);
  });
});
