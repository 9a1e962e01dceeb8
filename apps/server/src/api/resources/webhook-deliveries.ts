import { dataOf, isoMicros } from '@sidetone/webhooks';
import { z } from 'zod';
import type { DeliveryState, Span, StoredDelivery } from '../../events/event-queries.ts';
import { badParameter, badState, notFound } from '../errors.ts';
import { type ApiCall, operation } from '../operation.ts';
import { readListQuery } from '../request.ts';
import { metaOf, spanOf, wordOf } from './event-lists.ts';

const headers = z.array(z.array(z.string()));
const attempt = z.object({
  status: z.enum(['delivered', 'failed']),
  started_at: z.string(),
  finished_at: z.string(),
  errors: z.array(z.int()).describe('Empty: the reason is in words, in error.'),
  error: z.string().nullable().describe('Why there was no answer.'),
  http: z.object({
    request: z.object({ url: z.string(), headers }),
    response: z
      .object({ status: z.int(), headers, body: z.string().describe('At most 4 KiB of it.') })
      .nullable(),
  }),
});
const delivery = z.object({
  id: z.string().describe('The id of the event.'),
  record_type: z.literal('webhook_delivery'),
  user_id: z.string().describe('The account.'),
  status: z.enum(['pending', 'delivered', 'failed']).describe('pending: it is still tried.'),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  webhook: z.record(z.string(), z.unknown()).describe('The event as it is told; digits are hidden.'),
  attempts: z.array(attempt).describe('The latest first, at most 50.'),
});

function view(stored: StoredDelivery): z.output<typeof delivery> {
  const { event, state, startedAt, finishedAt } = stored;
  return {
    id: event.id,
    record_type: 'webhook_delivery',
    user_id: event.account,
    status: state === 'untold' ? 'pending' : state,
    started_at: startedAt === null ? null : isoMicros(startedAt),
    finished_at: finishedAt === null ? null : isoMicros(finishedAt),
    webhook: dataOf(event),
    attempts: stored.attempts.map((tried) => ({
      status: tried.delivered ? 'delivered' : 'failed',
      started_at: isoMicros(tried.startedAt),
      finished_at: isoMicros(tried.startedAt + tried.ms),
      errors: [],
      error: tried.why,
      http: {
        request: { url: tried.url, headers: tried.requestHeaders.map((header) => [...header]) },
        response:
          tried.status === null
            ? null
            : {
                status: tried.status,
                headers: tried.responseHeaders.map((header) => [...header]),
                body: tried.responseBody,
              },
      },
    })),
  };
}

async function own(call: ApiCall): Promise<StoredDelivery> {
  const found = await call.world.webhooks.events.delivery(call.account, call.path[0]!);
  if (found === null) throw notFound();
  return found;
}

const STATES: readonly string[] = ['pending', 'delivered', 'failed'] satisfies DeliveryState[];
const MOST_NAMES = 50;

export const webhookDeliveries = [
  operation({
    id: 'listWebhookDeliveries',
    method: 'GET',
    path: '/webhook_deliveries',
    tag: 'Webhooks',
    summary: 'List events with the tries to deliver them, the latest event first',
    filters: ['status', 'event_type', 'webhook.contains', 'attempts.contains', 'started_at', 'finished_at'],
    answer: { status: 200, form: 'list', schema: delivery },
    handle: async (call) => {
      const { page, filter } = readListQuery(call.search);
      const state = wordOf(filter, 'status');
      if (state !== undefined && !STATES.includes(state))
        throw badParameter('filter[status]', `must be one of ${STATES.join(', ')}.`);
      const names = wordOf(filter, 'event_type')?.split(',', MOST_NAMES);
      const span = (name: string): Span | undefined =>
        [...filter.keys()].some((key) => key === name || key.startsWith(`${name}.`))
          ? spanOf(filter, name)
          : undefined;
      const asked = Object.entries({
        state,
        names,
        holds: wordOf(filter, 'webhook.contains'),
        attemptHolds: wordOf(filter, 'attempts.contains'),
        started: span('started_at'),
        finished: span('finished_at'),
        after: page.after,
      }).filter(([, value]) => value !== undefined);
      const none = page.before !== undefined;
      const { rows, total } = await call.world.webhooks.events.deliveries({
        account: call.account,
        ...Object.fromEntries(asked),
        limit: none ? 0 : page.size,
        offset: (page.number - 1) * page.size,
      });
      return { data: rows.map(view), meta: metaOf(page, none ? 0 : total, rows.at(-1)?.event.id) };
    },
  }),
  operation({
    id: 'retrieveWebhookDelivery',
    method: 'GET',
    path: '/webhook_deliveries/{id}',
    tag: 'Webhooks',
    summary: 'Retrieve the tries to deliver one event',
    answer: { status: 200, form: 'data', schema: delivery },
    handle: async (call) => view(await own(call)),
  }),
  operation({
    id: 'redeliverWebhook',
    method: 'POST',
    path: '/webhook_deliveries/{id}/redeliver',
    tag: 'Webhooks',
    summary: 'Deliver an event once more, to the URL it had; what comes of it is a further attempt',
    answer: { status: 200, form: 'data', schema: delivery },
    handle: async (call) => {
      const found = await own(call);
      if (!found.whole)
        throw badState(
          'It holds digits that are not kept, so it cannot be sent again; webhooks.keep_digits of the configuration keeps them.',
        );
      const attempts = Math.max(0, ...found.attempts.map(({ attempt }) => attempt));
      call.world.webhooks.redeliver(found.event, attempts);
      return view({ ...found, state: 'pending' });
    },
  }),
];
