import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { REFUSAL, type RefusalName } from '@sidetone/wire';
import { ApiBench } from './drive/api.ts';

/** A command, a body, and each thing wrong with it: code, field, words. */
type Row = readonly [action: string, body: object, ...wrong: (readonly [string, string, RegExp])[]];

const LONG = 'a'.repeat(3001);
const DIAL = { connection_id: 'x', to: '+13125550100', from: '+13125550101' };

const COMMON: readonly Row[] = [
  ...['aGk', 'a', 'aGk==', 'aG k=', 'aG-_', 'äöü=', 5, 'A'.repeat(8196), '===='].map(
    (client_state): Row => ['hangup', { client_state }, ['90017', '/client_state', /client_state/]],
  ),
  ['hangup', { command_id: 5 }, ['10015', '/command_id', /command_id/]],
  ['hangup', { command_id: 'a\r\nb' }, ['10015', '/command_id', /line breaks/]],
  ['hangup', { webhook_url: 'a.example' }, ['10003', '/webhook_url', /http or https URL/]],
  ['hangup', { webhook_url: 'ftp://a.example' }, ['10003', '/webhook_url', /http or https URL/]],
  ['hangup', { webhook_url: 'https://u:p@a.example' }, ['10003', '/webhook_url', /without user name/]],
  ['hangup', { webhook_url: `https://a.example/${LONG}` }, ['10003', '/webhook_url', /2000 characters/]],
  ['hangup', { webhook_url_method: 'PUT' }, ['10015', '/webhook_url_method', /POST or GET/]],
  [
    'hangup',
    { webhook_urls: { 'call.parked': 'https://a.example' } },
    ['90057', '/webhook_urls/call.parked', /call.parked must be the name of an event/],
  ],
  [
    'hangup',
    { webhook_urls: { 'call.hangup': 'x', 'call.answered': ['https://a.example', 'https://b.example'] } },
    ['10003', '/webhook_urls/call.hangup', /http or https URL/],
    ['10003', '/webhook_urls/call.answered', /one URL/],
  ],
  ['hangup', { webhook_urls: 'https://a.example' }, ['10015', '/webhook_urls', /webhook_urls/]],
  [
    'hangup',
    { webhook_retries_policies: { 'call.hangup': { retries_ms: [1, 2, 3, 4, 5, 6] } } },
    ['10015', '/webhook_retries_policies/call.hangup/retries_ms', /retries_ms/],
  ],
  [
    'hangup',
    { webhook_retries_policies: { 'call.hangup': { retries_ms: [30_000, 30_001] } } },
    ['10015', '/webhook_retries_policies/call.hangup/retries_ms', /60000 ms/],
  ],
  [
    'hangup',
    { webhook_retries_policies: { 'call.hangup': { retries_ms: [-1] } } },
    ['10015', '/webhook_retries_policies/call.hangup/retries_ms/0', /retries_ms\[0\]/],
  ],
  [
    'hangup',
    { webhook_retries_policies: { 'call.x': { retries_ms: [1] } } },
    ['10015', '/webhook_retries_policies/call.x', /name of an event/],
  ],
  ...[
    [{ name: 'Via', value: 'x' }, /X-/],
    [{ name: 'X-A:', value: 'x' }, /X-/],
    [{ name: 'X-A\r\nVia', value: 'x' }, /X-/],
    [{ name: 'X-A', value: 'a\r\nVia: x' }, /line break/],
    [{ name: 'X-A', value: 'a\u2028b' }, /line break/],
    [{ name: 'X-A' }, /must be a string/],
    [{ name: 'X-Sidetone-Leg-Id', value: 'x' }, /reserved/],
    [{ value: 'x' }, /X-/],
    [{ name: 'X-A', value: 'a'.repeat(1025) }, /1024 bytes/],
  ].map(([header, words]): Row => {
    const custom_headers = [{ name: 'X-Good', value: '1' }, header];
    return ['hangup', { custom_headers }, ['10015', '/custom_headers/1', words as RegExp]];
  }),
  ['hangup', { custom_headers: { 'X-A': 'b' } }, ['10015', '/custom_headers', /custom_headers/]],
  ['hangup', { custom_headers: ['X-A: b'] }, ['10015', '/custom_headers/0', /custom_headers\[0\]/]],
];

const SINGLE: readonly Row[] = [
  ...['answer', 'streaming_start'].flatMap((name): Row[] => {
    const stream_url = 'wss://a.example';
    return [
      [name, { stream_url: 'https://a.example' }, ['10003', '/stream_url', /only ws and wss/]],
      [name, { stream_url: 'wss://user:word@a.example' }, ['10003', '/stream_url', /a user or a password/]],
      [
        name,
        { stream_url: `wss://a.example/${'x'.repeat(2000)}` },
        ['10003', '/stream_url', /longer than 2000/],
      ],
      [name, { stream_url, stream_track: 'both' }, ['10015', '/stream_track', /both_tracks/]],
      [name, { stream_url, stream_codec: 'AMR-WB' }, ['10015', '/stream_codec', /must be one of PCMU/]],
      [
        name,
        { stream_url, stream_bidirectional_codec: 'pcmu' },
        ['10015', '/stream_bidirectional_codec', /PCMU/],
      ],
      [
        name,
        { stream_url, stream_bidirectional_mode: 'wav' },
        ['10015', '/stream_bidirectional_mode', /mp3, rtp/],
      ],
      [
        name,
        { stream_url, stream_bidirectional_sampling_rate: 44_100 },
        ['10015', '/stream_bidirectional_sampling_rate', /must be one of 8000/],
      ],
      [
        name,
        { stream_url, stream_codec: 'L16', stream_bidirectional_sampling_rate: 22_050 },
        ['10015', '/stream_bidirectional_sampling_rate', /not sent at 22050/],
      ],
      [
        name,
        { stream_url, stream_bidirectional_target_legs: 'all' },
        ['10015', '/stream_bidirectional_target_legs', /self, opposite, both/],
      ],
      [name, { stream_url, stream_auth_token: 'a b' }, ['10015', '/stream_auth_token', /visible ASCII/]],
      [
        name,
        { stream_url, custom_parameters: [{ name: '', value: 'x' }] },
        ['10015', '/custom_parameters/0/name', /./],
      ],
      [name, { stream_url, dialogflow_config: {} }, ['10015', '/dialogflow_config', /AI assistant/]],
    ];
  }),
  ['streaming_start', {}, ['10004', '/stream_url', /stream_url is required/]],
  ['answer', { transcription: 'yes' }, ['10015', '/transcription', /transcription/]],
  ['fork_start', {}, ['10004', '/rx', /rx, tx, target is required/]],
  ...['udp:host:5000', 'tcp:192.0.2.1:5000', 'udp:192.0.2.1', 'udp:192.0.2.1:70000', 'udp:::1:5000'].map(
    (rx): Row => ['fork_start', { rx }, ['10015', '/rx', /udp:, an IP address/]],
  ),
  [
    'transcription_start',
    { transcription_tracks: 'all' },
    ['10015', '/transcription_tracks', /inbound, outbound, both/],
  ],
  ['answer', { record: 'record-from-ringing' }, ['10015', '/record', /record-from-answer/]],
  [
    'answer',
    { record: 'record-from-answer', record_max_length: 43_201 },
    ['10015', '/record_max_length', /43200/],
  ],
  ['record_start', { format: 'ogg' }, ['10015', '/format', /wav or mp3/]],
  [
    'record_start',
    { max_length: 14_401, channels: 'three' },
    ['10015', '/channels', /single or dual/],
    ['10015', '/max_length', /14400/],
  ],
  ['record_start', { custom_file_name: '/etc/passwd' }, ['10015', '/custom_file_name', /letters/]],
  ['record_start', { custom_file_name: 'a..b' }, ['10015', '/custom_file_name', /\.\./]],
  ['record_start', { custom_file_name: 'a/b' }, ['10015', '/custom_file_name', /letters/]],
  ['record_start', { custom_file_name: 'a\u0000' }, ['10015', '/custom_file_name', /letters/]],
  ['record_start', { custom_file_name: 'x'.repeat(41) }, ['10015', '/custom_file_name', /letters/]],
  ['record_start', { transcription: true }, ['10015', '/transcription', /not offered/]],
  [
    'answer',
    { sip_headers: [{ name: 'Diversion', value: 'x' }] },
    ['10015', '/sip_headers/0/name', /User-to-User/],
  ],
  [
    'answer',
    { sip_headers: [{ name: 'User-to-User', value: 'x\ny' }] },
    ['10015', '/sip_headers/0/value', /line breaks/],
  ],
  ['reject', {}, ['10004', '/cause', /cause is required/]],
  ['reject', { cause: 'BUSY' }, ['10015', '/cause', /CALL_REJECTED or USER_BUSY/]],
  ['bridge', {}, ['10004', '/call_control_id', /call_control_id or queue is required/]],
  ['bridge', { queue: '' }, ['10004', '/call_control_id', /call_control_id or queue is required/]],
  ['bridge', { video_room_id: 'x' }, ['10015', '/video_room_id', /not offered here yet/]],
  ['bridge', { call_control_id: 'x', queue: 'y' }, ['10015', '/queue', /not both/]],
  ['bridge', { queue: 'a\r\nb' }, ['10015', '/queue', /line breaks/]],
  ['enqueue', {}, ['10004', '/queue_name', /required/]],
  ['enqueue', { queue_name: '' }, ['10004', '/queue_name', /required/]],
  [
    'enqueue',
    { queue_name: 'a'.repeat(256), max_size: 0, max_wait_time_secs: 86_401, keep_after_hangup: 'yes' },
    ['10015', '/queue_name', /255/],
    ['10015', '/max_size', /less than 1/],
    ['10015', '/max_wait_time_secs', /more than 86400/],
    ['10015', '/keep_after_hangup', /keep_after_hangup/],
  ],
  [
    'enqueue',
    { queue_name: 5, max_size: 1001 },
    ['10015', '/queue_name', /queue_name/],
    ['10015', '/max_size', /1000/],
  ],
  ['leave_queue', { client_state: 'x' }, ['90017', '/client_state', /base64/]],
  [
    'bridge',
    { call_control_id: 'x', hold_after_unbridge: true, park_after_unbridge: 'both', mute_dtmf: 'all' },
    ['10015', '/park_after_unbridge', /"self"/],
    ['10015', '/hold_after_unbridge', /not offered here yet/],
    ['10015', '/mute_dtmf', /mute_dtmf/],
  ],
  ['transfer', {}, ['10004', '/to', /to is required/]],
  ['transfer', { to: 'a b' }, ['10016', '/to', /to must be a number/]],
  ['transfer', { to: 'sip:a@b', from: 'alice' }, ['10016', '/from', /from must be a number/]],
  ['transfer', { to: 'x\r\nVia: y' }, ['10016', '/to', /to must be a number/]],
  [
    'transfer',
    { to: '1', timeout_secs: 4, time_limit_secs: 14_401, target_leg_client_state: '?', early_media: 'yes' },
    ['10015', '/early_media', /early_media/],
    ['10015', '/timeout_secs', /less than 5/],
    ['10015', '/time_limit_secs', /more than 14400/],
    ['90017', '/target_leg_client_state', /base64/],
  ],
  [
    'transfer',
    {
      to: '1',
      answering_machine_detection: 'full',
      answering_machine_detection_config: { initial_silence_millis: 0 },
      privacy: 'id',
      media_encryption: 'SRTP',
      sip_auth_password: 'p',
    },
    ['10015', '/answering_machine_detection', /one of detect/],
    ['10015', '/answering_machine_detection_config/initial_silence_millis', /less than 1/],
    ['10015', '/media_encryption', /not offered here yet/],
    ['10015', '/privacy', /not offered here yet/],
    ['10015', '/sip_auth_password', /not offered here yet/],
  ],
  [
    'transfer',
    { to: '1', audio_url: 'https://a.example', media_name: 'b' },
    ['10015', '/media_name', /together with audio_url/],
  ],
  ['transfer', { to: '1', send_digits_on_answer: '1-2' }, ['90014', '/send_digits_on_answer', /0-9 A-D/]],
  ['refer', {}, ['10004', '/sip_address', /required/]],
  ['refer', { sip_address: '+13125550100' }, ['10015', '/sip_address', /sip: URI/]],
  ['refer', { sip_address: 'sip:a@b>;x' }, ['10015', '/sip_address', /sip: URI/]],
  ['client_state_update', {}, ['10004', '/client_state', /required/]],
  ['client_state_update', { client_state: 'x' }, ['90017', '/client_state', /base64/]],
  ['send_sip_info', {}, ['10004', '/content_type', /required/], ['10004', '/body', /required/]],
  [
    'send_sip_info',
    { content_type: 'text/plain\r\nVia: x', body: 'ä'.repeat(701) },
    ['10015', '/content_type', /line breaks/],
    ['10015', '/content_type', /line breaks/],
    ['10015', '/body', /1400 bytes/],
  ],
  ['send_sip_info', { content_type: 'text', body: 'x' }, ['10015', '/content_type', /media type/]],
  ['send_dtmf', {}, ['10004', '/digits', /required/]],
  ['send_dtmf', { digits: '12E' }, ['90014', '/digits', /0-9 A-D/]],
  ['send_dtmf', { digits: 12 }, ['90014', '/digits', /digits/]],
  ['send_dtmf', { digits: '1'.repeat(129) }, ['90014', '/digits', /128 digits/]],
  ['send_dtmf', { digits: '1', duration_millis: 99 }, ['10015', '/duration_millis', /less than 100/]],
  ['playback_start', {}, ['10004', '/audio_url', /audio_url, media_name, playback_content is required/]],
  ['playback_start', { audio_url: 'file:///etc/passwd' }, ['10003', '/audio_url', /http or https URL/]],
  ['playback_start', { playback_content: 'AAA' }, ['10015', '/playback_content', /base64/]],
  [
    'playback_start',
    { media_name: 'a', loop: 101, stop: 'now', target_legs: 'all', overlay: 1 },
    ['10015', '/loop', /"infinity"/],
    ['90016', '/stop', /current or all/],
    ['10015', '/target_legs', /target_legs/],
    ['10015', '/overlay', /overlay/],
  ],
  ['playback_start', { media_name: 'a', loop: 0 }, ['10015', '/loop', /1 to 100/]],
  [
    'playback_start',
    { media_name: 'a', playback_content: 'AAAA' },
    ['10015', '/playback_content', /together with media_name/],
  ],
  ['playback_stop', { stop: 'both' }, ['90016', '/stop', /current or all/]],
  ['speak', {}, ['10004', '/payload', /required/]],
  ['speak', { payload: LONG, voice: 'female' }, ['10015', '/payload', /3000 characters/]],
  ['speak', { payload: 'a\ud800' }, ['10015', '/payload', /well-formed/]],
  ['speak', { payload: 'a', payload_type: 'html' }, ['10015', '/payload_type', /payload_type/]],
  [
    'gather',
    {
      minimum_digits: 0,
      maximum_digits: 129,
      timeout_millis: '1',
      terminating_digit: '##',
      valid_digits: 'x',
    },
    ['10015', '/minimum_digits', /less than 1/],
    ['10015', '/maximum_digits', /more than 128/],
    ['10015', '/timeout_millis', /whole number/],
    ['10015', '/terminating_digit', /one of/],
    ['10015', '/valid_digits', /nothing but/],
  ],
  [
    'gather',
    { minimum_digits: 5, maximum_digits: 4 },
    ['10015', '/minimum_digits', /more than maximum_digits/],
  ],
  ['gather_using_audio', {}, ['10004', '/audio_url', /audio_url, media_name is required/]],
  [
    'gather_using_audio',
    { media_name: 'a', invalid_audio_url: 'https://a.example', invalid_media_name: 'b' },
    ['10015', '/invalid_media_name', /together with invalid_audio_url/],
  ],
  [
    'gather_using_speak',
    { invalid_payload: LONG },
    ['10004', '/payload', /required/],
    ['10015', '/invalid_payload', /3000/],
  ],
];

const DIALS: readonly Row[] = [
  [
    '',
    {},
    ['10004', '/connection_id', /required/],
    ['10004', '/to', /required/],
    ['10004', '/from', /required/],
  ],
  ['', DIAL, ['10017', '/connection_id', /names no application or connection of this account/]],
  ['', { ...DIAL, to: [] }, ['10016', '/to', /name somebody/]],
  [
    '',
    { ...DIAL, to: ['1', 'a b'], from: '' },
    ['10016', '/to/1', /to\[1\]/],
    ['10004', '/from', /required/],
  ],
  ['', { ...DIAL, to: Array(11).fill('1') }, ['10015', '/to', /to is not valid|at most 10/]],
  ['', { ...DIAL, to: 13125550100 }, ['10015', '/to', /text, or a list/]],
  ['', { ...DIAL, from_display_name: 'a'.repeat(129) }, ['10015', '/from_display_name', /from_display_name/]],
  ...['assistant', 'sound_modifications'].map(
    (field): Row => ['', { ...DIAL, [field]: {} }, ['10015', `/${field}`, /not offered here yet/]],
  ),
  ['', { ...DIAL, privacy: 'id' }, ['10015', '/privacy', /not offered/]],
];

describe('commands that are refused', () => {
  let bench: ApiBench;
  let key: string;
  before(async () => {
    bench = await ApiBench.open();
    ({ key } = await bench.account('default'));
  });
  after(() => bench.close());
  const ask = (method: string, path: string, body?: unknown) => bench.ask(key, method, path, body);
  const application = async (from = key): Promise<string> => {
    const body = { application_name: 'x', webhook_event_url: 'https://a.example/hook' };
    return (await bench.ask(from, 'POST', '/call_control_applications', body)).body.data.id;
  };

  for (const [action, body, ...wrong] of [...COMMON, ...SINGLE, ...DIALS]) {
    it(`${action || 'dial'} ${JSON.stringify(body).slice(0, 100)}`, async () => {
      const path = action === '' ? '/calls' : `/calls/x/actions/${action}`;
      const answer = await ask('POST', path, body);
      assert.equal(answer.status, 422, answer.text);
      const told = answer.body.errors.map((e: { code: string; source: { pointer: string } }) => [
        e.code,
        e.source.pointer,
      ]);
      assert.deepEqual(told.sort(), wrong.map(([code, pointer]) => [code, pointer]).sort());
      for (const [, pointer, words] of wrong) {
        const { detail, title } = answer.body.errors.find(
          (e: { source: { pointer: string } }) => e.source.pointer === pointer,
        );
        assert.match(detail, words);
        assert.equal(title === 'Error' || title === '', false);
        if (/not offered/.test(detail) && !/several/.test(detail)) assert.equal(title, 'Not offered here');
      }
      assert.deepEqual(bench.calls.commands, []);
    });
  }

  it('what needs a linked leg says so', async () => {
    const connection_id = await application();
    for (const [field, value] of [
      ['bridge_intent', true],
      ['bridge_on_answer', true],
      ['park_after_unbridge', 'self'],
    ] as const) {
      const answer = await ask('POST', '/calls', { ...DIAL, connection_id, [field]: value });
      const { source, detail } = answer.body.errors[0];
      assert.deepEqual(
        [answer.status, source.pointer, detail],
        [422, `/${field}`, `${field} needs link_to.`],
      );
    }
    const off = { ...DIAL, connection_id, bridge_intent: false, bridge_on_answer: false };
    assert.equal((await ask('POST', '/calls', off)).status, 200);
    assert.equal(bench.calls.commands.splice(0).length, 1);
  });

  it('a connection of another account is as unknown as one that does not exist', async () => {
    const other = await bench.account('other');
    const foreign = await application(other.key);
    const answers = [foreign, '1'].map((connection_id) => ask('POST', '/calls', { ...DIAL, connection_id }));
    const [one, two] = await Promise.all(answers);
    assert.deepEqual(one!.body, two!.body);
    assert.equal(one!.body.errors[0].code, '10017');
    assert.deepEqual(bench.calls.commands, []);
  });

  it('secrets are not repeated: digits, spoken text, a login', async () => {
    for (const [action, body] of [
      ['send_dtmf', { digits: '4929 1234' }],
      ['speak', { payload: `4929${LONG}` }],
      ['transfer', { to: '1', sip_auth_password: '4929' }],
      ['playback_start', { audio_url: 'https://user:4929@a.example/' }],
      ['gather', { valid_digits: '4929 ' }],
    ] as const) {
      const answer = await ask('POST', `/calls/x/actions/${action}`, body);
      assert.equal(answer.status, 422);
      assert.doesNotMatch(answer.text, /4929/);
    }
  });

  it('commands that are not here are refused by name, unknown ones are nowhere', async () => {
    for (const name of ['gather_using_ai', 'siprec_start']) {
      const answer = await ask('POST', `/calls/x/actions/${name}`, {});
      assert.equal(answer.status, 422);
      assert.deepEqual(answer.body.errors, [
        { code: '10015', title: 'Not offered here', detail: `The command ${name} is not offered here yet.` },
      ]);
    }
    assert.equal((await ask('POST', '/calls/x/actions/nothing', {})).status, 404);
    assert.equal((await ask('GET', '/calls/x/actions/answer')).status, 405);
  });

  it('each refusal of a call has its status, code, title and field; none is 409', async () => {
    const connection_id = await application();
    for (const why of Object.keys(REFUSAL) as RefusalName[]) {
      const { code, status, title } = REFUSAL[why];
      for (const field of [undefined, 'call_control_id']) {
        bench.calls.refusal = { why, detail: 'In words.', ...(field === undefined ? {} : { field }) };
        for (const [path, body] of [
          ['/calls/x/actions/hangup', undefined],
          ['/calls', { ...DIAL, connection_id }],
        ] as const) {
          const answer = await ask('POST', path, body);
          const source = field === undefined ? {} : { source: { pointer: `/${field}` } };
          assert.equal(answer.status, status);
          assert.notEqual(answer.status, 409);
          assert.deepEqual(answer.body, { errors: [{ code, title, detail: 'In words.', ...source }] });
          const wait = answer.headers.get('retry-after');
          assert.equal(wait !== null && Number(wait) > 0, status === 503);
        }
      }
    }
    bench.calls.refusal = undefined;
    bench.calls.commands.length = 0;
  });
});
