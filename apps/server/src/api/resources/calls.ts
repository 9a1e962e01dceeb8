import type { LegView } from '@sidetone/wire';
import { z } from 'zod';
import { objectId } from '../../identity/schema/fields.ts';
import { codecs, codecsOf } from '../calls/codecs.ts';
import { COMMON, commonOf, execute } from '../calls/common.ts';
import { conferenceAsk, conferenceConfig, SUPERVISOR, superviseOf } from '../calls/conferencing.ts';
import { DETECTION, DETECTION_DEFAULTS, detectionOf } from '../calls/detection.ts';
import {
  afterOf,
  CALLED,
  callees,
  caller,
  controlId,
  digits,
  flag,
  isFalse,
  LATER,
  notOffered,
  park,
  present,
  shownName,
  within,
} from '../calls/fields.ts';
import { HEADERS, headersOf } from '../calls/headers.ts';
import { RECORD, recordOf } from '../calls/recording.ts';
import { AUDIO, soundIn } from '../calls/sounds.ts';
import { STREAM, STREAM_DEFAULTS, streamOf } from '../calls/streams.ts';
import { TRANSCRIBE, transcribeIn } from '../calls/transcription.ts';
import { badField, refused } from '../errors.ts';
import { type ApiCall, iso, operation, ownObject, referred } from '../operation.ts';
import { type Page, pageOf, readListQuery } from '../request.ts';

const tag = 'Calls';
const DEFAULTS = {
  timeout_secs: 30,
  time_limit_secs: 14_400,
  bridge_intent: false,
  bridge_on_answer: false,
  prevent_double_bridge: false,
  ...DETECTION_DEFAULTS,
  ...STREAM_DEFAULTS,
} as const;

const dial = z.object({
  ...COMMON,
  connection_id: objectId.describe('A call control application or credential connection of the account.'),
  to: callees.describe('A number, a sip: URI or a user name; or a list of at most 10 that ring at once.'),
  from: caller.describe('A number of the account, or a sip: URI.'),
  from_display_name: shownName.optional().describe('The name shown beside it.'),
  link_to: controlId.optional().describe('A leg whose session the new one joins.'),
  bridge_intent: flag.describe('With link_to: who called on the linked leg is shown, whatever from says.'),
  bridge_on_answer: flag.describe('With link_to: when it answers it is bridged with the linked leg.'),
  park_after_unbridge: park.optional(),
  prevent_double_bridge: flag.describe(
    'It is not bridged on answer when the linked leg is in a bridge by then.',
  ),
  timeout_secs: within(5, 600, 'Seconds it may ring').optional(),
  time_limit_secs: within(30, 14_400, 'Seconds it may last').optional(),
  preferred_codecs: codecs.optional(),
  send_digits_on_answer: digits.optional().describe('Sent to the called side when it has answered.'),
  ...AUDIO,
  ...HEADERS,
  ...RECORD,
  ...STREAM,
  ...TRANSCRIBE,
  ...LATER,
  ...CALLED,
  ...DETECTION,
  conference_config: conferenceConfig.optional(),
  supervise_call_control_id: controlId
    .optional()
    .describe('A leg in a bridge: the new one supervises it, as supervisor_role says, when it has answered.'),
  supervisor_role: SUPERVISOR.optional(),
  enable_dialogflow: notOffered('an AI assistant', isFalse),
});

/** Fields that say nothing without a linked leg. */
const LINKED = ['bridge_intent', 'bridge_on_answer', 'park_after_unbridge'] as const;

const ids = {
  record_type: z.literal('call'),
  call_control_id: z.string().describe('The name of the leg for commands; opaque.'),
  call_leg_id: z.string().describe('The same leg, for events and records.'),
  call_session_id: z.string().describe('Of all legs of one conversation.'),
  client_state: z.string().nullable(),
};

const duration = z.int().describe('Seconds since it was answered; 0 before.');

const status = z.object({
  ...ids,
  is_alive: z.boolean(),
  call_duration: duration,
  start_time: z.iso.datetime(),
  end_time: z.iso.datetime().optional().describe('Once it is over.'),
});

function view(leg: LegView, now: number): Omit<z.output<typeof status>, 'is_alive' | 'start_time'> {
  const { answeredAt } = leg;
  return {
    record_type: 'call',
    call_control_id: leg.control,
    call_leg_id: leg.leg,
    call_session_id: leg.session,
    client_state: leg.clientState,
    call_duration:
      answeredAt === null ? 0 : Math.max(0, Math.floor(((leg.endedAt ?? now) - answeredAt) / 1000)),
  };
}

export const calls = [
  operation({
    id: 'dialCall',
    method: 'POST',
    path: '/calls',
    tag,
    summary: 'Dial. What comes of it is told by events: is_alive is false in this answer',
    body: dial,
    lenient: { keeps: [] },
    defaults: DEFAULTS,
    answer: {
      status: 200,
      form: 'data',
      schema: z.object({ ...ids, is_alive: z.literal(false), recording_id: z.string().optional() }),
    },
    handle: (call, body: z.output<typeof dial>) => {
      referred(call, ['application', 'connection'], body.connection_id, '/connection_id');
      for (const field of LINKED) {
        const given = body[field] !== undefined && body[field] !== false;
        if (given && body.link_to === undefined) throw badField(`/${field}`, `${field} needs link_to.`);
      }
      const { ids, recording } = execute(call, {
        type: 'dial',
        ...commonOf(call, body),
        connection: body.connection_id,
        to: body.to,
        from: body.from,
        ringMs: (body.timeout_secs ?? DEFAULTS.timeout_secs) * 1000,
        limitMs: (body.time_limit_secs ?? DEFAULTS.time_limit_secs) * 1000,
        ...present({
          fromName: body.from_display_name,
          link: body.link_to,
          bridgeIntent: body.bridge_intent,
          bridgeOnAnswer: body.bridge_on_answer,
          after: afterOf(body.park_after_unbridge),
          preventDouble: body.prevent_double_bridge,
          headers: headersOf(body),
          codecs: codecsOf(body.preferred_codecs),
          digits: body.send_digits_on_answer,
          play: soundIn(body),
          detect: detectionOf(body),
          stream: streamOf(body),
          transcribe: transcribeIn(body),
          record: recordOf(body),
          conference: conferenceAsk(body.conference_config),
          supervise: superviseOf(body),
        }),
      } as const);
      if (ids === undefined) throw new Error('a dial that was taken has no ids');
      return {
        record_type: 'call',
        call_control_id: ids.control,
        call_leg_id: ids.leg,
        call_session_id: ids.session,
        client_state: body.client_state ?? null,
        is_alive: false,
        ...(recording === undefined ? {} : { recording_id: recording }),
      };
    },
  }),
  operation({
    id: 'retrieveCallStatus',
    method: 'GET',
    path: '/calls/{call_control_id}',
    tag,
    summary: 'Retrieve a leg, until 10 minutes after its end',
    answer: { status: 200, form: 'data', schema: status },
    handle: (call) => {
      const leg = call.world.calls.leg(call.account, call.path[0]!);
      if (leg === undefined)
        throw refused({ why: 'unknownLeg', detail: 'There is no call of this call_control_id, or no more.' });
      return {
        ...view(leg, call.world.now()),
        is_alive: leg.alive,
        start_time: iso(leg.startedAt),
        ...(leg.endedAt === null ? {} : { end_time: iso(leg.endedAt) }),
      };
    },
  }),
];

/** A connection or application of the account, or 404. */
function ownConnection(call: ApiCall): string {
  const id = call.path[0]!;
  const application = call.world.people.registry.get(id)?.kind === 'application';
  return ownObject(call, application ? 'application' : 'connection', id).id;
}

/** Grows with time, so that a page goes on behind a leg that has ended meanwhile. */
const cursorOf = (leg: LegView): string => `${String(leg.startedAt).padStart(15, '0')}.${leg.control}`;

/** The page with cursors of legs that are there. */
function nearest(page: Page, legs: readonly { readonly id: string }[]): Page {
  const { after, before } = page;
  return {
    ...page,
    after: after === undefined ? undefined : legs.findLast(({ id }) => id <= after)?.id,
    before: before === undefined ? undefined : legs.find(({ id }) => id >= before)?.id,
  };
}

export const activeCalls = [
  operation({
    id: 'listActiveCalls',
    method: 'GET',
    path: '/connections/{id}/active_calls',
    tag,
    summary: 'List the living legs of a connection or application, oldest first',
    filters: [],
    answer: { status: 200, form: 'list', schema: z.object({ ...ids, call_duration: duration }) },
    handle: (call) => {
      const connection = ownConnection(call);
      const legs = call.world.calls
        .legsOf(call.account, connection)
        .map((leg) => ({ id: cursorOf(leg), ...view(leg, call.world.now()) }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      // The published page documents cursors, and the published clients count pages: both ends are told always.
      const page = { ...nearest(readListQuery(call.search).page, legs), byCursor: true };
      const { items, meta } = pageOf(legs, page);
      const after = meta.cursors?.after ?? null;
      const path = `/v2/connections/${encodeURIComponent(connection)}/active_calls`;
      const next =
        after === null ? null : `${path}?page[limit]=${page.size}&page[after]=${encodeURIComponent(after)}`;
      return {
        data: items.map(({ id: _, ...leg }) => leg),
        meta: { ...meta, total_items: meta.total_results, next },
      };
    },
  }),
];
