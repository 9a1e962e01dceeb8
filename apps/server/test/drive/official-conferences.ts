import assert from 'node:assert/strict';
import { conferenceView, memberView } from './conference-views.ts';
import { Missing, type Row, type Run } from './official-run.ts';

const ID = 'a-conference';
const CONTROL = 'v3:AAAA_a-b=';
const OTHER = 'v3:BBBB_c-d=';
const AUDIO = { audio_url: 'https://files.example/a.wav' } as const;
const SOUND = { kind: 'url', url: 'https://files.example/a.wav' } as const;

/** A command by its published name; `old`: in version 1. */
interface ActionRow {
  readonly method: string;
  readonly old?: string;
  readonly body: object;
  readonly command: object;
}

const ACTIONS: readonly ActionRow[] = [
  {
    method: 'join',
    old: 'join',
    body: {
      call_control_id: CONTROL,
      mute: true,
      hold: true,
      hold_audio_url: AUDIO.audio_url,
      beep_enabled: 'on_enter',
      start_conference_on_enter: true,
      end_conference_on_exit: true,
      soft_end_conference_on_exit: false,
      supervisor_role: 'whisper',
      whisper_call_control_ids: [OTHER],
      client_state: 'b25l',
      command_id: 'once',
    },
    command: {
      type: 'joinConference',
      control: CONTROL,
      muted: true,
      held: true,
      hold: SOUND,
      beep: 'on_enter',
      startOnEnter: true,
      endOnExit: true,
      softEndOnExit: false,
      role: 'whisper',
      whisperTo: [OTHER],
      clientState: 'b25l',
      commandId: 'once',
    },
  },
  {
    method: 'leave',
    old: 'leave',
    body: { call_control_id: CONTROL, beep_enabled: 'never' },
    command: { type: 'leaveConference', control: CONTROL, beep: 'never' },
  },
  {
    method: 'mute',
    old: 'mute',
    body: { call_control_ids: [CONTROL] },
    command: { type: 'muteMembers', controls: [CONTROL], muted: true },
  },
  {
    method: 'unmute',
    old: 'unmute',
    body: {},
    command: { type: 'muteMembers', controls: [], muted: false },
  },
  {
    method: 'hold',
    old: 'hold',
    body: { call_control_ids: [CONTROL], ...AUDIO },
    command: { type: 'holdMembers', controls: [CONTROL], held: true, hold: SOUND },
  },
  {
    method: 'unhold',
    old: 'unhold',
    body: { call_control_ids: [CONTROL] },
    command: { type: 'holdMembers', controls: [CONTROL], held: false },
  },
  {
    method: 'play',
    old: 'play',
    body: { ...AUDIO, loop: 'infinity' },
    command: { type: 'playInto', controls: [], sound: SOUND, loop: null },
  },
  {
    method: 'stop',
    old: 'stop',
    body: { call_control_ids: [CONTROL] },
    command: { type: 'stopInto', controls: [CONTROL] },
  },
  {
    method: 'speak',
    old: 'speak',
    body: { payload: 'Hello', voice: 'female' },
    command: { type: 'playInto', controls: [], sound: { kind: 'speech', text: 'Hello', voice: 'female' } },
  },
  {
    method: 'update',
    old: 'update',
    body: { call_control_id: CONTROL, supervisor_role: 'whisper', whisper_call_control_ids: [OTHER] },
    command: { type: 'setRole', control: CONTROL, role: 'whisper', whisperTo: [OTHER] },
  },
  {
    method: 'sendDtmf',
    body: { digits: '1w2', call_control_ids: [CONTROL] },
    command: { type: 'sendDigitsTo', controls: [CONTROL], digits: '1w2', durationMs: 250 },
  },
  {
    method: 'gatherDtmfAudio',
    body: { call_control_id: CONTROL, ...AUDIO, maximum_digits: 4, gather_id: 'pin' },
    command: {
      type: 'gatherFrom',
      control: CONTROL,
      ask: {
        gatherId: 'pin',
        minDigits: 1,
        maxDigits: 4,
        timeoutMs: 60_000,
        initialMs: 60_000,
        interDigitMs: 5000,
        terminating: '#',
        valid: '0123456789#*',
        tries: 3,
        prompt: SOUND,
      },
    },
  },
  {
    method: 'recordStart',
    body: {
      format: 'mp3',
      channels: 'dual',
      play_beep: true,
      trim: 'trim-silence',
      custom_file_name: 'the meeting',
    },
    command: {
      type: 'recordConference',
      format: 'mp3',
      channels: 2,
      beep: true,
      trim: true,
      fileName: 'the meeting',
    },
  },
  {
    method: 'recordPause',
    body: { recording_id: 'r1' },
    command: { type: 'changeConferenceRecord', to: 'paused', recording: 'r1' },
  },
  { method: 'recordResume', body: {}, command: { type: 'changeConferenceRecord', to: 'running' } },
  {
    method: 'recordStop',
    body: { client_state: 'b25l' },
    command: { type: 'changeConferenceRecord', to: 'stopped', clientState: 'b25l' },
  },
  { method: 'endConference', body: {}, command: { type: 'endConference' } },
];

function arrived(on: Run, expected: object): void {
  const found = on.bench.calls.commands.splice(0);
  assert.deepEqual(found, [{ account: on.account, ...expected }]);
}

/** Runs over an account that has two conferences, and two legs in the first. */
const inConferences =
  (run: (on: Run) => Promise<void>): Row['run'] =>
  async (on) => {
    const { calls } = on.bench;
    const of = { account: on.account };
    calls.conferenceViews.push(conferenceView(of), conferenceView({ ...of, id: 'other', name: 'Other' }));
    calls.members.push(memberView(), memberView({ id: 'second', control: OTHER, muted: true }));
    try {
      await run(on);
      assert.deepEqual(calls.commands, []);
    } finally {
      calls.conferenceViews.length = 0;
      calls.members.length = 0;
    }
  };

const actions: readonly Row[] = ACTIONS.map(({ method, old, body, command }) => ({
  method: `conferences.actions.${method}`,
  run: inConferences(async (on) => {
    if (on.old && old === undefined) throw new Missing();
    const { data } = on.old
      ? await new on.client.Conference({ id: ID })[old!](body)
      : await on.call([`conferences.actions.${method}`], ID, body);
    assert.equal(data.result, 'ok');
    arrived(on, { conference: ID, ...command });
  }),
}));

export const CONFERENCE_ROWS: readonly Row[] = [
  {
    method: 'conferences.create',
    run: inConferences(async (on) => {
      const { data } = await on.call(['conferences.create'], {
        call_control_id: CONTROL,
        name: 'Business',
        hold_audio_url: AUDIO.audio_url,
        start_conference_on_create: false,
        duration_minutes: 5,
      });
      assert.deepEqual([data.record_type, data.id, data.status], ['conference', ID, 'in_progress']);
      arrived(on, {
        type: 'createConference',
        control: CONTROL,
        name: 'Business',
        startOnCreate: false,
        beep: 'never',
        maxMembers: 250,
        durationMs: 300_000,
        hold: SOUND,
      });
    }),
  },
  ...actions,
  {
    method: 'conferences.list',
    run: inConferences(async (on) => {
      assert.deepEqual(
        (await on.all('conferences')).map(({ id }) => id),
        // 4.6.0 does not page this list.
        on.version === '4.6.0' ? [ID] : [ID, 'other'],
      );
      const named = await on.all('conferences', { filter: { name: 'Other', status: 'in_progress' } });
      assert.deepEqual(
        named.map(({ id }) => id),
        ['other'],
      );
    }),
  },
  {
    method: 'conferences.retrieve',
    run: inConferences(async (on) => {
      const { data } = await on.call(['conferences.retrieve'], ID);
      assert.deepEqual([data.id, data.name, data.ended_by.call_control_id], [ID, 'Business', null]);
    }),
  },
  {
    method: 'conferences.listParticipants',
    run: inConferences(async (on) => {
      const { data } = await on.call(['conferences.listParticipants', 'conferences.participants'], ID, {
        filter: { muted: true },
      });
      const found = data as { id: string; record_type: string }[];
      assert.deepEqual(
        Object.values(found)
          .filter((one) => one?.record_type === 'participant')
          .map(({ id }) => id),
        ['second'],
      );
    }),
  },
  {
    method: 'conferences.retrieveParticipant',
    run: inConferences(async (on) => {
      const { data } = await on.call(['conferences.retrieveParticipant'], 'second', { id: ID });
      assert.deepEqual([data.id, data.call_control_id, data.muted], ['second', OTHER, true]);
      const same = await on.call(['conferences.retrieveParticipant'], OTHER, { id: ID });
      assert.equal(same.data.id, 'second');
    }),
  },
  {
    method: 'conferences.updateParticipant',
    run: inConferences(async (on) => {
      await on.call(['conferences.updateParticipant'], 'second', {
        id: ID,
        beep_enabled: 'always',
        end_conference_on_exit: true,
      });
      const change = { type: 'setMember', member: 'second', beep: 'always', endOnExit: true };
      arrived(on, { conference: ID, ...change });
    }),
  },
];
