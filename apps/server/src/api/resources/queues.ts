import type { QueueCommand, QueuedView, QueueView } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { execute } from '../calls/common.ts';
import { within } from '../calls/fields.ts';
import { notFound, refused } from '../errors.ts';
import { type ApiCall, iso, operation } from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

const tag = 'Queues';

const queue = z.object({
  record_type: z.literal('queue'),
  id: z.string(),
  name: z.string(),
  current_size: z.int(),
  max_size: z.int(),
  average_wait_time_secs: z.int().describe('Of the calls that are in it.'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

const queueCall = z.object({
  record_type: z.literal('queue_call'),
  call_control_id: z.string(),
  call_leg_id: z.string(),
  call_session_id: z.string(),
  connection_id: z.string().nullable(),
  from: z.string(),
  to: z.string(),
  queue_id: z.string(),
  queue_position: z.int().describe('From 1.'),
  wait_time_secs: z.int(),
  enqueued_at: z.iso.datetime(),
  is_alive: z.boolean().describe('False: it has hung up and was to stay listed.'),
  keep_after_hangup: z.boolean(),
});

export const queueName = text(255).describe('One of the account; at most 255 characters.');
export const maxSize = within(1, 1000, 'Calls');

const view = (one: QueueView): z.output<typeof queue> => ({
  record_type: 'queue',
  id: one.id,
  name: one.name,
  current_size: one.size,
  max_size: one.maxSize,
  average_wait_time_secs: one.averageWaitSecs,
  created_at: iso(one.createdAt),
  updated_at: iso(one.updatedAt),
});

const callView = (one: QueuedView): z.output<typeof queueCall> => ({
  record_type: 'queue_call',
  call_control_id: one.control,
  call_leg_id: one.leg,
  call_session_id: one.session,
  connection_id: one.connection,
  from: one.from,
  to: one.to,
  queue_id: one.queueId,
  queue_position: one.position,
  wait_time_secs: one.waitSecs,
  enqueued_at: iso(one.enqueuedAt),
  is_alive: one.alive,
  keep_after_hangup: one.keepAfterHangup,
});

/** The queue of the path, by its name. */
function named(call: ApiCall): z.output<typeof queue> {
  const found = call.world.calls.queues.viewOf(call.account, call.path[0]!);
  if (found === undefined) throw notFound();
  return view(found);
}

function queuedIn(call: ApiCall): readonly QueuedView[] {
  const found = call.world.calls.queues.queued(call.account, call.path[0]!);
  if (found === undefined) throw notFound();
  return found;
}

const ask = (call: ApiCall, queue: string, what: QueueCommand['ask']): unknown =>
  execute(call, { type: 'queue', account: call.account, queue, ask: what });

const create = z.object({ queue_name: queueName, max_size: maxSize.optional() });
const update = z.object({ max_size: maxSize });
const updateCall = z.object({ keep_after_hangup: z.boolean().optional() });

export const queues = [
  operation({
    id: 'createQueue',
    method: 'POST',
    path: '/queues',
    tag,
    summary: 'Create a queue; an enqueue makes one, too, with room for 100 calls',
    body: create,
    lenient: { keeps: [] },
    defaults: { max_size: 300 },
    answer: { status: 200, form: 'data', schema: queue },
    handle: (call, body: z.output<typeof create>) => {
      ask(call, body.queue_name, { do: 'create', maxSize: body.max_size ?? 300 });
      return view(call.world.calls.queues.viewOf(call.account, body.queue_name)!);
    },
  }),
  operation({
    id: 'listQueues',
    method: 'GET',
    path: '/queues',
    tag,
    summary: 'List the queues of the account; one that was empty for an hour is gone',
    filters: [],
    answer: { status: 200, form: 'list', schema: queue },
    handle: (call) => {
      const found = call.world.calls.queues.viewsOf(call.account).map(view);
      const { items, meta } = pageOf(found, readListQuery(call.search).page);
      return { data: items, meta };
    },
  }),
  operation({
    id: 'retrieveQueue',
    method: 'GET',
    path: '/queues/{queue_name}',
    tag,
    summary: 'Retrieve a queue',
    answer: { status: 200, form: 'data', schema: queue },
    handle: named,
  }),
  ...(['POST', 'PATCH'] as const).map((method) =>
    operation({
      id: method === 'POST' ? 'updateQueue' : 'updateQueueByPatch',
      method,
      path: '/queues/{queue_name}',
      tag,
      summary: 'Change how many calls a queue has room for; those in it stay',
      body: update,
      lenient: { keeps: [] },
      answer: { status: 200, form: 'data', schema: queue },
      handle: (call, body: z.output<typeof update>) => {
        ask(call, call.path[0]!, { do: 'resize', maxSize: body.max_size });
        return named(call);
      },
    }),
  ),
  operation({
    id: 'deleteQueue',
    method: 'DELETE',
    path: '/queues/{queue_name}',
    tag,
    summary: 'Delete a queue without calls',
    answer: { status: 204, form: 'none' },
    handle: (call) => void ask(call, call.path[0]!, { do: 'delete' }),
  }),
  operation({
    id: 'listQueueCalls',
    method: 'GET',
    path: '/queues/{queue_name}/calls',
    tag,
    summary: 'List the calls in a queue, the first one first',
    filters: [],
    answer: { status: 200, form: 'list', schema: queueCall },
    handle: (call) => {
      const calls = queuedIn(call).map((one) => ({ id: one.leg, ...callView(one) }));
      const { items, meta } = pageOf(calls, readListQuery(call.search).page);
      return { data: items.map(({ id: _, ...one }) => one), meta };
    },
  }),
  operation({
    id: 'retrieveQueueCall',
    method: 'GET',
    path: '/queues/{queue_name}/calls/{call_control_id}',
    tag,
    summary: 'Retrieve a call in a queue',
    answer: { status: 200, form: 'data', schema: queueCall },
    handle: (call) => {
      const found = queuedIn(call).find(({ control }) => control === call.path[1]);
      if (found === undefined)
        throw refused({ why: 'notInQueue', detail: 'This call is not in this queue.' });
      return callView(found);
    },
  }),
  operation({
    id: 'updateQueueCall',
    method: 'PATCH',
    path: '/queues/{queue_name}/calls/{call_control_id}',
    tag,
    summary: 'Say whether a call stays listed when it has hung up',
    body: updateCall,
    lenient: { keeps: [] },
    answer: { status: 204, form: 'none' },
    handle: (call, body: z.output<typeof updateCall>) => {
      const [name, control] = [call.path[0]!, call.path[1]!];
      if (body.keep_after_hangup !== undefined)
        ask(call, name, { do: 'keep', control, keepAfterHangup: body.keep_after_hangup });
    },
  }),
  operation({
    id: 'removeQueueCall',
    method: 'DELETE',
    path: '/queues/{queue_name}/calls/{call_control_id}',
    tag,
    summary: 'Take a call out of a queue: it is parked, not hung up',
    answer: { status: 204, form: 'none' },
    handle: (call) => void ask(call, call.path[0]!, { do: 'remove', control: call.path[1]! }),
  }),
];
