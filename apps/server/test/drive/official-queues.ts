import assert from 'node:assert/strict';
import type { Client, Row, Run } from './official-run.ts';
import { queuedView, queueView } from './queue-views.ts';

/** A name that has to be encoded in a path. */
const NAME = 'Level 1/Über';
const CALL = 'v3:AAAA_a-b=+2';

/** Runs over an account that has the queue `NAME` with three calls, and another queue. */
const inQueues =
  (run: (on: Run) => Promise<void>): Row['run'] =>
  async (on) => {
    const { calls } = on.bench;
    const of = { account: on.account, createdAt: on.bench.people.now };
    calls.queueViews.push(queueView({ ...of, name: NAME, size: 3 }), queueView({ ...of, name: 'sales' }));
    const queued = [1, 2, 3].map((n) =>
      queuedView({ control: `v3:AAAA_a-b=+${n}`, leg: `leg-${n}`, position: n, queue: NAME }),
    );
    calls.queuedViews.set(NAME, queued);
    try {
      await run(on);
      assert.deepEqual(calls.commands, []);
    } finally {
      calls.queueViews.length = 0;
      calls.queuedViews.clear();
    }
  };

/** Every item that the package finds by its own paging, one on a page. */
async function paged(list: Promise<Client>): Promise<Client[]> {
  const first = await list;
  // Version 1 hangs the items of a list on an object, by their numbers.
  if (typeof first.iterPages !== 'function')
    return Object.keys(first.data)
      .filter((key) => /^[0-9]+$/.test(key))
      .map((key) => first.data[key]);
  const items: Client[] = [];
  for await (const item of first) {
    items.push(item);
    assert.ok(items.length < 100, 'the list has no end');
  }
  return items;
}

function asked(on: Run, queue: string, ask: object): void {
  const command = { type: 'queue', account: on.account, queue, ask };
  assert.deepEqual(on.bench.calls.commands.splice(0), [command]);
}

/** Version 1 has no `calls` under queues, and reads only. */
const OLD = 'queues.list_calls';

export const QUEUE_ROWS: readonly Row[] = [
  {
    method: 'queues.create',
    run: inQueues(async (on) => {
      const { data } = await on.call(['queues.create'], { queue_name: NAME });
      assert.deepEqual([data.record_type, data.name], ['queue', NAME]);
      asked(on, NAME, { do: 'create', maxSize: 300 });
    }),
  },
  {
    method: 'queues.retrieve',
    run: inQueues(async (on) => {
      const { data } = await on.call(['queues.retrieve'], NAME);
      assert.deepEqual([data.name, data.current_size, data.max_size], [NAME, 3, 100]);
    }),
  },
  {
    method: 'queues.list',
    run: inQueues(async (on) => {
      const found = await paged(on.call(['queues.list'], { 'page[size]': 1 }));
      assert.deepEqual(
        found.map(({ name }) => name),
        [NAME, 'sales'],
      );
    }),
  },
  {
    method: 'queues.update',
    run: inQueues(async (on) => {
      const { data } = await on.call(['queues.update'], NAME, { max_size: 200 });
      assert.equal(data.name, NAME);
      asked(on, NAME, { do: 'resize', maxSize: 200 });
    }),
  },
  {
    method: 'queues.delete',
    run: inQueues(async (on) => {
      await on.call(['queues.delete'], NAME);
      asked(on, NAME, { do: 'delete' });
    }),
  },
  {
    method: 'queues.calls.list',
    run: inQueues(async (on) => {
      const calls = on.old ? on.call([OLD], NAME) : on.call(['queues.calls.list'], NAME, { 'page[size]': 1 });
      const found = (await paged(calls)).map((one) => [one.call_leg_id, one.queue_position]);
      const all = [1, 2, 3].map((n) => [`leg-${n}`, n]);
      // 4.6.0 does not page this list.
      assert.deepEqual(found, on.version === '4.6.0' ? all.slice(0, 1) : all);
    }),
  },
  {
    method: 'queues.calls.retrieve',
    run: inQueues(async (on) => {
      const { data } = on.old
        ? await on.call(['queues.retrieve_call'], NAME, CALL)
        : await on.call(['queues.calls.retrieve'], CALL, { queue_name: NAME });
      assert.deepEqual([data.record_type, data.call_leg_id, data.is_alive], ['queue_call', 'leg-2', true]);
    }),
  },
  {
    method: 'queues.calls.update',
    run: inQueues(async (on) => {
      await on.call(['queues.calls.update'], CALL, { queue_name: NAME, keep_after_hangup: true });
      asked(on, NAME, { do: 'keep', control: CALL, keepAfterHangup: true });
    }),
  },
  {
    method: 'queues.calls.remove',
    run: inQueues(async (on) => {
      await on.call(['queues.calls.remove'], CALL, { queue_name: NAME });
      asked(on, NAME, { do: 'remove', control: CALL });
    }),
  },
];
