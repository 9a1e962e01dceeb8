import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ApiBench } from './drive/api.ts';
import { conferenceView, memberView } from './drive/conference-views.ts';

const ID = 'a-conference';
const LEG = 'v3:AAAA_a-b=';
const CREATE = { call_control_id: LEG, name: 'Business' };

describe('conferences in the API', () => {
  let bench: ApiBench;
  let key: string;
  let account: string;
  before(async () => {
    bench = await ApiBench.open();
    ({ key, id: account } = await bench.account('default'));
  });
  beforeEach(() => {
    const { calls } = bench;
    calls.conferenceViews.length = 0;
    calls.members.length = 0;
    calls.commands.length = 0;
    calls.refusal = undefined;
    const over = { status: 'completed', endReason: 'host_left' } as const;
    const endedBy = { control: LEG, session: 's' };
    calls.conferenceViews.push(
      conferenceView({ account }),
      conferenceView({ account, id: 'over', name: 'Over', ...over, endedBy }),
      conferenceView({ account: 'somebody', id: 'foreign' }),
    );
    calls.members.push(
      memberView(),
      memberView({ id: 'm2', control: 'v3:2', held: true, role: 'whisper', whisperTo: [LEG] }),
      memberView({ id: 'm3', control: 'v3:3', muted: true, status: 'joining' }),
    );
  });
  after(() => bench.close());
  const ask = (method: string, path: string, body?: unknown) => bench.ask(key, method, path, body);
  const errors = (answer: Awaited<ReturnType<typeof ask>>): unknown[] =>
    answer.body.errors.map((one: { code: string; source?: { pointer?: string } }) => [
      one.code,
      one.source?.pointer,
    ]);

  it('shows one as the published API does', async () => {
    const { status, body } = await ask('GET', '/conferences/over');
    assert.equal(status, 200);
    assert.deepEqual(body.data, {
      record_type: 'conference',
      id: 'over',
      name: 'Over',
      status: 'completed',
      connection_id: '1234567890123456789',
      created_at: '2026-11-30T06:40:00.000Z',
      updated_at: '2026-11-30T06:40:01.000Z',
      expires_at: '2026-11-30T10:40:00.000Z',
      end_reason: 'host_left',
      ended_by: { call_control_id: LEG, call_session_id: 's' },
      region: null,
    });
  });

  it('lists those of the account, by name and status', async () => {
    for (const [query, ids] of [
      ['', [ID, 'over']],
      ['?filter[name]=Over', ['over']],
      ['?filter[status]=in_progress', [ID]],
      ['?filter[name]=Over&filter[status]=init', []],
      ['?page[size]=1&page[number]=2', ['over']],
    ] as const) {
      const { body } = await ask('GET', `/conferences${query}`);
      assert.deepEqual(
        body.data.map(({ id }: { id: string }) => id),
        ids,
        query,
      );
    }
  });

  it('lists participants by what they are, and shows one by id or call_control_id', async () => {
    for (const [query, ids] of [
      ['', ['a-member', 'm2', 'm3']],
      ['?filter[muted]=true', ['m3']],
      ['?filter[on_hold]=true', ['m2']],
      ['?filter[on_hold]=false', ['a-member', 'm3']],
      ['?filter[whispering]=true', ['m2']],
    ] as const) {
      const { body } = await ask('GET', `/conferences/${ID}/participants${query}`);
      assert.deepEqual(
        body.data.map(({ id }: { id: string }) => id),
        ids,
        query,
      );
    }
    for (const name of ['m2', 'v3:2']) {
      const { body } = await ask('GET', `/conferences/${ID}/participants/${encodeURIComponent(name)}`);
      assert.deepEqual([body.data.id, body.data.whisper_call_control_ids], ['m2', [LEG]]);
    }
    assert.equal((await ask('GET', `/conferences/${ID}/participants/nobody`)).status, 404);
  });

  it('knows no conference of another account: 404 with 90058, whatever is asked', async () => {
    for (const id of ['foreign', 'nothing'])
      for (const path of ['', '/participants', '/participants/m2']) {
        const answer = await ask('GET', `/conferences/${id}${path}`);
        assert.deepEqual([answer.status, errors(answer)], [404, [['90058', undefined]]]);
      }
  });

  it('tells why a command is refused', async () => {
    for (const [why, status, code] of [
      ['unknownConference', 404, '90058'],
      ['conferenceEnded', 422, '90019'],
      ['conferenceFull', 422, '90032'],
      ['conferenceNameTaken', 422, '90033'],
      ['conferenceTwice', 422, '90044'],
    ] as const) {
      bench.calls.refusal = { why, detail: 'so it is' };
      const answer = await ask('POST', `/conferences/${ID}/actions/join`, { call_control_id: LEG });
      assert.deepEqual([answer.status, errors(answer)], [status, [[code, undefined]]]);
    }
  });

  for (const [path, body, ...wrong] of [
    ['', {}, ['10004', '/call_control_id'], ['10004', '/name']],
    ['', { ...CREATE, max_participants: 1 }, ['90032', '/max_participants']],
    ['', { ...CREATE, max_participants: 801 }, ['90032', '/max_participants']],
    ['', { ...CREATE, duration_minutes: 241 }, ['10015', '/duration_minutes']],
    ['', { ...CREATE, beep_enabled: 'loud' }, ['10015', '/beep_enabled']],
    ['', { ...CREATE, name: 'a\nb' }, ['10015', '/name']],
    ['', { ...CREATE, client_state: '!' }, ['90017', '/client_state']],
    [
      '',
      { ...CREATE, hold_audio_url: 'https://a.example/a.wav', hold_media_name: 'a' },
      ['10015', '/hold_media_name'],
    ],
    ['/x/actions/join', {}, ['10004', '/call_control_id']],
    ['/x/actions/join', { call_control_id: LEG, supervisor_role: 'boss' }, ['10015', '/supervisor_role']],
    ['/x/actions/unhold', {}, ['10004', '/call_control_ids']],
    ['/x/actions/unhold', { call_control_ids: [] }, ['10015', '/call_control_ids']],
    ['/x/actions/play', {}, ['10004', '/audio_url']],
    ['/x/actions/speak', {}, ['10004', '/payload']],
    ['/x/actions/update', { call_control_id: LEG }, ['10004', '/supervisor_role']],
    ['/x/actions/send_dtmf', { digits: 'x' }, ['90014', '/digits']],
    ['/x/actions/mute', { call_control_ids: Array(801).fill('a') }, ['10015', '/call_control_ids']],
    ['/x/actions/record_start', {}, ['10004', '/format']],
    ['/x/actions/record_start', { format: 'ogg' }, ['10015', '/format']],
    ['/x/actions/record_start', { format: 'wav', channels: 'both' }, ['10015', '/channels']],
    ['/x/actions/record_start', { format: 'wav', max_length: 14_401 }, ['10015', '/max_length']],
    ['/x/actions/record_start', { format: 'wav', trim: 'all' }, ['10015', '/trim']],
    ['/x/actions/record_start', { format: 'wav', custom_file_name: '/a' }, ['10015', '/custom_file_name']],
    ['/x/actions/record_stop', { recording_id: 'a'.repeat(65) }, ['10015', '/recording_id']],
  ] as const)
    it(`refuses ${path || 'create'} ${JSON.stringify(body).slice(0, 80)}`, async () => {
      const answer = await ask('POST', `/conferences${path}`, body);
      assert.deepEqual([answer.status, errors(answer)], [422, wrong]);
      assert.deepEqual(bench.calls.commands, []);
    });

  it('takes what is to be recorded, and answers with the name of the recording', async () => {
    const common = { account, conference: ID };
    for (const [name, body, command] of [
      ['record_start', { format: 'wav' }, { type: 'recordConference', format: 'wav', channels: 1 }],
      [
        'record_start',
        {
          format: 'mp3',
          channels: 'single',
          play_beep: false,
          max_length: 0,
          command_id: 'one',
          region: 'eu',
        },
        { type: 'recordConference', format: 'mp3', channels: 1, commandId: 'one' },
      ],
      [
        'record_start',
        { format: 'wav', channels: 'dual', max_length: 14_400 },
        { type: 'recordConference', format: 'wav', channels: 2, maxMs: 14_400_000 },
      ],
      ['record_stop', undefined, { type: 'changeConferenceRecord', to: 'stopped' }],
    ] as const) {
      const { status, body: answer } = await ask('POST', `/conferences/${ID}/actions/${name}`, body);
      const recording = name === 'record_start' ? { recording_id: 'a-recording' } : {};
      assert.deepEqual([status, answer.data], [200, { result: 'ok', ...recording }]);
      assert.deepEqual(bench.calls.commands.splice(0), [{ ...common, ...command }]);
    }
  });

  it('knows no command that the published API has not', async () => {
    assert.equal((await ask('POST', '/conferences/x/actions/explode', {})).status, 404);
  });

  it('takes conference_config and a supervisor in dial', async () => {
    const connection = await ask('POST', '/call_control_applications', {
      application_name: 'x',
      webhook_event_url: 'https://a.example/hook',
    });
    const dial = { connection_id: connection.body.data.id, to: '+13125550100', from: '+13125550101' };
    for (const [fields, command] of [
      [
        { conference_config: { id: ID, mute: true, early_media: false } },
        { conference: { conference: ID, muted: true, earlyMedia: false } },
      ],
      [
        { conference_config: { conference_name: 'Business', start_conference_on_create: false } },
        { conference: { name: 'Business', startOnCreate: false } },
      ],
      [
        { supervise_call_control_id: LEG, supervisor_role: 'whisper' },
        { supervise: { control: LEG, role: 'whisper' } },
      ],
      [{ supervise_call_control_id: LEG }, { supervise: { control: LEG, role: 'barge' } }],
    ] as const) {
      assert.equal((await ask('POST', '/calls', { ...dial, ...fields })).status, 200);
      const [taken] = bench.calls.commands.splice(0);
      for (const [name, value] of Object.entries(command))
        assert.deepEqual((taken as unknown as Record<string, unknown>)[name], value);
    }
    for (const [fields, pointer] of [
      [{ conference_config: {} }, '/conference_config'],
      [{ conference_config: { id: ID, conference_name: 'Business' } }, '/conference_config/id'],
      [{ conference_config: { id: ID, mute: 'yes' } }, '/conference_config/mute'],
      [{ supervisor_role: 'barge' }, '/supervisor_role'],
    ] as const) {
      const answer = await ask('POST', '/calls', { ...dial, ...fields });
      assert.deepEqual([answer.status, (errors(answer)[0] as string[])[1]], [422, pointer]);
    }
  });
});
