import type { ConferenceView, MemberView } from '@sidetone/wire';
import { z } from 'zod';
import { text } from '../../identity/schema/fields.ts';
import { execute } from '../calls/common.ts';
import { beep, conferenceName, HOLD, holdOf } from '../calls/conferencing.ts';
import { base64State, controlId, flag, present, within } from '../calls/fields.ts';
import { notFound, refused } from '../errors.ts';
import { type ApiCall, iso, operation, selected } from '../operation.ts';
import { pageOf, readListQuery } from '../request.ts';

const tag = 'Conferences';
const CREATE_DEFAULTS = {
  beep_enabled: 'never',
  comfort_noise: true,
  duration_minutes: 240,
  max_participants: 250,
  start_conference_on_create: true,
} as const;

const conference = z.object({
  record_type: z.literal('conference'),
  id: z.string(),
  name: z.string(),
  status: z.enum(['init', 'in_progress', 'completed']),
  connection_id: z.string().nullable().describe('Of the leg that it was made with.'),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  end_reason: z.enum(['all_left', 'ended_via_api', 'host_left', 'time_exceeded']).nullable(),
  ended_by: z.object({
    call_control_id: z.string().nullable(),
    call_session_id: z.string().nullable(),
  }),
  region: z.string().nullable(),
});

const participant = z.object({
  record_type: z.literal('participant'),
  id: z.string(),
  label: z.string().nullable(),
  call_control_id: z.string(),
  call_leg_id: z.string(),
  conference_id: z.string(),
  conference: z.object({ id: z.string(), name: z.string() }),
  status: z.enum(['joining', 'joined']),
  muted: z.boolean(),
  on_hold: z.boolean(),
  end_conference_on_exit: z.boolean(),
  soft_end_conference_on_exit: z.boolean(),
  whisper_call_control_ids: z.array(z.string()),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const viewOf = (one: ConferenceView): z.output<typeof conference> => ({
  record_type: 'conference',
  id: one.id,
  name: one.name,
  status: one.status,
  connection_id: one.connection,
  created_at: iso(one.createdAt),
  updated_at: iso(one.updatedAt),
  expires_at: iso(one.expiresAt),
  end_reason: one.endReason,
  ended_by: {
    call_control_id: one.endedBy?.control ?? null,
    call_session_id: one.endedBy?.session ?? null,
  },
  region: null,
});

const memberOf = (one: MemberView): z.output<typeof participant> => ({
  record_type: 'participant',
  id: one.id,
  label: null,
  call_control_id: one.control,
  call_leg_id: one.leg,
  conference_id: one.conference.id,
  conference: one.conference,
  status: one.status,
  muted: one.muted,
  on_hold: one.held,
  end_conference_on_exit: one.endOnExit,
  soft_end_conference_on_exit: one.softEndOnExit,
  whisper_call_control_ids: [...one.whisperTo],
  created_at: iso(one.since),
  updated_at: iso(one.updatedAt),
});

function found(call: ApiCall): ConferenceView {
  const one = call.world.calls.conferences.viewOf(call.account, call.path[0]!);
  if (one === undefined)
    throw refused({ why: 'unknownConference', detail: 'There is no conference of this id, or no more.' });
  return one;
}

const membersOf = (call: ApiCall): readonly MemberView[] => {
  found(call);
  return call.world.calls.conferences.membersOf(call.account, call.path[0]!) ?? [];
};

/** The participant of the path, by its id or its call_control_id. */
function member(call: ApiCall): MemberView {
  const wanted = call.path[1]!;
  const one = membersOf(call).find(({ id, control }) => id === wanted || control === wanted);
  if (one === undefined) throw notFound();
  return one;
}

const create = z.object({
  call_control_id: controlId.describe('The leg that it is made with: it goes in at once.'),
  name: conferenceName.describe('Unique in the account while the conference is active.'),
  beep_enabled: beep.optional(),
  client_state: base64State.optional().describe("Base64; of the leg, and of the conference's own events."),
  comfort_noise: z.boolean().optional().describe('Without effect: silence is never digital silence here.'),
  command_id: text(256).optional().describe('The same id again within 60 s makes no second conference.'),
  duration_minutes: within(1, 240, 'Minutes').optional(),
  ...HOLD,
  max_participants: within(2, 800, 'Participants').optional(),
  region: z.string().optional().describe('Without effect: there is one region.'),
  start_conference_on_create: flag.describe(
    'False: all hear hold_audio_url or hold_media_name until somebody comes with start_conference_on_enter.',
  ),
});

const patch = z.object({
  beep_enabled: beep.optional(),
  end_conference_on_exit: z.boolean().optional(),
  soft_end_conference_on_exit: z.boolean().optional(),
});

const FILTERS = ['name', 'status', 'connection_id'];
const MEMBER_FILTERS = ['muted', 'on_hold', 'whispering'];

export const conferences = [
  operation({
    id: 'createConference',
    method: 'POST',
    path: '/conferences',
    tag,
    summary: 'Make a conference with an answered leg, which goes in at once',
    body: create,
    lenient: { keeps: [] },
    defaults: CREATE_DEFAULTS,
    answer: { status: 200, form: 'data', schema: conference },
    handle: (call, body: z.output<typeof create>) => {
      const minutes = body.duration_minutes ?? CREATE_DEFAULTS.duration_minutes;
      const { conference: id } = execute(call, {
        type: 'createConference',
        account: call.account,
        control: body.call_control_id,
        name: body.name,
        startOnCreate: body.start_conference_on_create ?? CREATE_DEFAULTS.start_conference_on_create,
        beep: body.beep_enabled ?? CREATE_DEFAULTS.beep_enabled,
        maxMembers: body.max_participants ?? CREATE_DEFAULTS.max_participants,
        durationMs: minutes * 60_000,
        ...present({ clientState: body.client_state, commandId: body.command_id, hold: holdOf(body) }),
      });
      const made = call.world.calls.conferences.viewOf(call.account, id ?? '');
      if (made === undefined) throw new Error('a conference that was made is not there');
      return viewOf(made);
    },
  }),
  operation({
    id: 'listConferences',
    method: 'GET',
    path: '/conferences',
    tag,
    summary: 'List conferences, also those that have ended less than 10 minutes ago',
    filters: FILTERS,
    answer: { status: 200, form: 'list', schema: conference },
    handle: (call) => {
      const query = readListQuery(call.search);
      const all = call.world.calls.conferences.viewsOf(call.account).map(viewOf);
      const wanted = selected(all, query, FILTERS, (one, name) =>
        name === 'name' ? one.name : name === 'status' ? one.status : one.connection_id,
      );
      const { items, meta } = pageOf(wanted, query.page);
      return { data: items, meta };
    },
  }),
  operation({
    id: 'retrieveConference',
    method: 'GET',
    path: '/conferences/{id}',
    tag,
    summary: 'Retrieve a conference, until 10 minutes after its end',
    answer: { status: 200, form: 'data', schema: conference },
    handle: (call) => viewOf(found(call)),
  }),
  operation({
    id: 'listConferenceParticipants',
    method: 'GET',
    path: '/conferences/{id}/participants',
    tag,
    summary: 'List who is in a conference, in the order in which they came',
    filters: MEMBER_FILTERS,
    answer: { status: 200, form: 'list', schema: participant },
    handle: (call) => {
      const query = readListQuery(call.search);
      const wanted = selected(membersOf(call), query, MEMBER_FILTERS, (one, name) =>
        name === 'muted'
          ? one.muted
          : name === 'on_hold'
            ? one.held
            : one.role === 'whisper' && one.whisperTo.length > 0,
      );
      const { items, meta } = pageOf(wanted.map(memberOf), query.page);
      return { data: items, meta };
    },
  }),
  operation({
    id: 'retrieveConferenceParticipant',
    method: 'GET',
    path: '/conferences/{id}/participants/{participant_id}',
    tag,
    summary: 'Retrieve a participant, by its id or its call_control_id',
    answer: { status: 200, form: 'data', schema: participant },
    handle: (call) => memberOf(member(call)),
  }),
  operation({
    id: 'updateConferenceParticipant',
    method: 'PATCH',
    path: '/conferences/{id}/participants/{participant_id}',
    tag,
    summary: 'Change what happens when a participant leaves',
    body: patch,
    lenient: { keeps: [] },
    answer: { status: 200, form: 'data', schema: participant },
    handle: (call, body: z.output<typeof patch>) => {
      member(call);
      execute(call, {
        type: 'setMember',
        account: call.account,
        conference: call.path[0]!,
        member: call.path[1]!,
        ...present({
          beep: body.beep_enabled,
          endOnExit: body.end_conference_on_exit,
          softEndOnExit: body.soft_end_conference_on_exit,
        }),
      });
      return memberOf(member(call));
    },
  }),
];
