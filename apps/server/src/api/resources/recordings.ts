import { z } from 'zod';
import type { KeptRecording } from '../../recordings/recording-store.ts';
import { notFound } from '../errors.ts';
import { type ApiCall, iso, operation } from '../operation.ts';
import { readListQuery } from '../request.ts';
import { metaOf, spanOf, wordOf } from './event-lists.ts';

const TAG = 'Recordings';
const MOST_REMOVED = 100;

const recording = z.object({
  record_type: z.literal('recording'),
  id: z.string(),
  call_control_id: z.string().nullable(),
  call_leg_id: z.string().nullable(),
  call_session_id: z.string().nullable(),
  conference_id: z.string().nullable(),
  connection_id: z.string().nullable(),
  channels: z.enum(['single', 'dual']),
  download_urls: z
    .object({ mp3: z.string().optional(), wav: z.string().optional() })
    .describe('A link to the file in its format: a plain GET, good for 10 minutes from now.'),
  duration_millis: z.int(),
  from: z.string(),
  to: z.string(),
  initiated_by: z.string().describe('StartCallRecordingAPI, OutboundAPI and so on.'),
  source: z.enum(['call', 'conference']),
  status: z.literal('completed'),
  recording_started_at: z.iso.datetime(),
  recording_ended_at: z.iso.datetime(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

function view(call: ApiCall, kept: KeptRecording): z.output<typeof recording> {
  const { id, format, createdAt } = kept;
  return {
    record_type: 'recording',
    id,
    call_control_id: kept.control,
    call_leg_id: kept.leg,
    call_session_id: kept.session,
    conference_id: kept.conference,
    connection_id: kept.connection,
    channels: kept.channels === 2 ? 'dual' : 'single',
    download_urls: { [format]: call.world.recordings.links.make(id, format, call.world.now()) },
    duration_millis: kept.durationMs,
    from: kept.from,
    to: kept.to,
    initiated_by: kept.by,
    source: kept.conference === null ? 'call' : 'conference',
    status: 'completed',
    recording_started_at: iso(kept.startedAt),
    recording_ended_at: iso(kept.endedAt),
    created_at: iso(createdAt),
    updated_at: iso(createdAt),
  };
}

async function own(call: ApiCall): Promise<KeptRecording> {
  const found = await call.world.recordings.store.find(call.path[0]!);
  if (found?.account !== call.account) throw notFound();
  return found;
}

export const recordings = [
  operation({
    id: 'getRecordings',
    method: 'GET',
    path: '/recordings',
    tag: TAG,
    summary: 'List the recordings that are kept, the latest first',
    filters: [
      'call_control_id',
      'call_leg_id',
      'call_session_id',
      'conference_id',
      'connection_id',
      'from',
      'to',
      'created_at',
      'start_time',
      'end_time',
    ],
    answer: { status: 200, form: 'list', schema: recording },
    handle: async (call) => {
      const { page, filter } = readListQuery(call.search);
      const named = {
        control: wordOf(filter, 'call_control_id'),
        leg: wordOf(filter, 'call_leg_id'),
        session: wordOf(filter, 'call_session_id'),
        conference: wordOf(filter, 'conference_id'),
        connection: wordOf(filter, 'connection_id'),
        from: wordOf(filter, 'from'),
        to: wordOf(filter, 'to'),
        after: page.after,
      };
      const { rows, total } = await call.world.recordings.store.list({
        account: call.account,
        ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
        created: spanOf(filter, 'created_at'),
        started: spanOf(filter, 'start_time'),
        ended: spanOf(filter, 'end_time'),
        // Whoever wants what lies before a page has it already.
        limit: page.before === undefined ? page.size : 0,
        offset: (page.number - 1) * page.size,
      });
      return { data: rows.map((row) => view(call, row)), meta: metaOf(page, total, rows.at(-1)?.id) };
    },
  }),
  operation({
    id: 'getRecording',
    method: 'GET',
    path: '/recordings/{recording_id}',
    tag: TAG,
    summary: 'Retrieve a recording, with a fresh link to its file',
    answer: { status: 200, form: 'data', schema: recording },
    handle: async (call) => view(call, await own(call)),
  }),
  operation({
    id: 'deleteRecording',
    method: 'DELETE',
    path: '/recordings/{recording_id}',
    tag: TAG,
    summary: 'Delete a recording and its file',
    answer: { status: 200, form: 'data', schema: recording },
    handle: async (call) => {
      const found = await own(call);
      const shown = view(call, found);
      await call.world.recordings.remove(found);
      return shown;
    },
  }),
  operation<{ readonly ids: readonly string[] }>({
    id: 'deleteRecordings',
    method: 'POST',
    path: '/recordings/actions/delete',
    tag: TAG,
    summary: 'Delete several recordings; those that are not there are passed over',
    body: z.object({
      ids: z
        .array(z.string().min(1).max(64))
        .min(1, { message: 'must name one at least' })
        .max(MOST_REMOVED, { message: `must not name more than ${MOST_REMOVED}` }),
    }),
    answer: { status: 200, form: 'bare', schema: z.object({ status: z.literal('ok') }) },
    handle: async (call, { ids }) => {
      for (const id of ids) {
        const found = await call.world.recordings.store.find(id);
        if (found?.account === call.account) await call.world.recordings.remove(found);
      }
      return { status: 'ok' };
    },
  }),
];
