import { dataOf, isoMicros } from '@sidetone/webhooks';
import { z } from 'zod';
import type { StoredEvent } from '../../events/event-queries.ts';
import { operation } from '../operation.ts';
import { readListQuery } from '../request.ts';
import { metaOf, spanOf, wordOf } from './event-lists.ts';

const DAY_MS = 86_400_000;

const callEvent = z.object({
  record_type: z.literal('call_event'),
  type: z.literal('webhook'),
  name: z.string().describe('`call.initiated` and so on.'),
  call_leg_id: z.string(),
  call_session_id: z.string(),
  event_timestamp: z.string(),
  metadata: z.record(z.string(), z.unknown()).describe('The event as webhooks tell it; digits are hidden.'),
});

const view = ({ event }: StoredEvent): z.output<typeof callEvent> => ({
  record_type: 'call_event',
  type: 'webhook',
  name: String(dataOf(event)['event_type']),
  call_leg_id: event.leg.leg,
  call_session_id: event.leg.session,
  event_timestamp: isoMicros(event.at),
  metadata: dataOf(event),
});

export const callEvents = [
  operation({
    id: 'listCallEvents',
    method: 'GET',
    path: '/call_events',
    tag: 'Webhooks',
    summary:
      'List what happened to legs, in the order in which it did. Without filter[leg_id] and filter[application_session_id]: of the last 24 hours',
    filters: [
      'leg_id',
      'application_session_id',
      'connection_id',
      'name',
      'type',
      'from',
      'to',
      'failed',
      'occurred_at',
    ],
    answer: { status: 200, form: 'list', schema: callEvent },
    handle: async (call) => {
      const { page, filter } = readListQuery(call.search);
      const leg = wordOf(filter, 'leg_id');
      const session = wordOf(filter, 'application_session_id');
      const since = leg === undefined && session === undefined ? call.world.now() - DAY_MS : undefined;
      const asked = spanOf(filter, 'occurred_at');
      const failed = wordOf(filter, 'failed');
      const defined = Object.entries({
        leg,
        session,
        connection: wordOf(filter, 'connection_id'),
        name: wordOf(filter, 'name'),
        from: wordOf(filter, 'from'),
        to: wordOf(filter, 'to'),
        after: page.after,
      }).filter(([, value]) => value !== undefined);
      // Commands are no events here; and whoever wants what lies before a page has it already.
      const none = wordOf(filter, 'type') === 'command' || page.before !== undefined;
      const { rows, total } = await call.world.webhooks.events.events({
        account: call.account,
        ...Object.fromEntries(defined),
        ...(failed === undefined ? {} : { failed: failed === 'true' }),
        at: { from: Math.max(since ?? asked.from, asked.from), to: asked.to },
        limit: none ? 0 : page.size,
        offset: (page.number - 1) * page.size,
      });
      return { data: rows.map(view), meta: metaOf(page, none ? 0 : total, rows.at(-1)?.event.id) };
    },
  }),
];
