import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Command } from '@sidetone/wire';
import { ApiBench } from './drive/api.ts';

const CONTROL = 'v3:AAAA_a-b=';
const GATHER = {
  type: 'gather',
  minDigits: 1,
  maxDigits: 128,
  timeoutMs: 60_000,
  initialMs: 5000,
  interDigitMs: 5000,
  terminating: '#',
  valid: '0123456789#*',
  tries: 3,
};
const PROMPTED = { ...GATHER, initialMs: 60_000 };
const SPEECH = { kind: 'speech', text: 'hello', voice: 'female' };
const URL_SOUND = { kind: 'url', url: 'https://a.example/a.wav' };

const BACK = { mode: 'mp3', codec: 'PCMU', rate: 8000, target: 'self' };
const STREAM = { url: 'wss://a.example/s', track: 'inbound', rate: 8000, back: BACK };

/** A command, a body, and what of the command it makes (beside account and leg). */
type Row = readonly [action: string, body: object | undefined, command: object];

const ROWS: readonly Row[] = [
  ['answer', undefined, { type: 'answer' }],
  ['answer', { record: '', stream_url: null, streams: 1 }, { type: 'answer' }],
  [
    'answer',
    {
      preferred_codecs: 'g722, VP8,OPUS,G711A,OPUS',
      custom_headers: [
        { name: 'X-A', value: 'b ' },
        { header_name: 'X-Call', header_value: 7 },
      ],
      sip_headers: [{ name: 'user-to-user', value: '3132;encoding=hex' }],
      transcription: false,
    },
    {
      type: 'answer',
      codecs: ['G722', 'OPUS', 'PCMA'],
      headers: [
        ['X-A', 'b'],
        ['X-Call', '7'],
        ['User-to-User', '3132;encoding=hex'],
      ],
    },
  ],
  ['answer', { preferred_codecs: 'G729,VP8', custom_headers: [] }, { type: 'answer' }],
  ['answer', { stream_url: STREAM.url }, { type: 'answer', stream: STREAM }],
  [
    'streaming_start',
    { stream_url: STREAM.url, stream_codec: 'default' },
    { type: 'startStream', stream: STREAM },
  ],
  [
    'streaming_start',
    {
      stream_url: STREAM.url,
      stream_track: 'both_tracks',
      stream_codec: 'L16',
      stream_bidirectional_mode: 'rtp',
      stream_bidirectional_codec: 'L16',
      stream_bidirectional_sampling_rate: 16_000,
      stream_bidirectional_target_legs: 'both',
      stream_auth_token: 'token',
      custom_parameters: [{ name: 'a', value: '' }],
      enable_reconnect: true,
    },
    {
      type: 'startStream',
      stream: {
        url: STREAM.url,
        track: 'both',
        codec: 'L16',
        rate: 16_000,
        back: { mode: 'rtp', codec: 'L16', rate: 16_000, target: 'both' },
        token: 'token',
        parameters: [['a', '']],
        reconnects: true,
      },
    },
  ],
  [
    'streaming_start',
    { stream_url: STREAM.url, stream_bidirectional_sampling_rate: 22_050 },
    { type: 'startStream', stream: { ...STREAM, back: { ...BACK, rate: 22_050 } } },
  ],
  [
    'answer',
    {
      transcription: true,
      transcription_config: { transcription_engine: 'B', transcription_tracks: 'both' },
    },
    { type: 'answer', transcribe: { tracks: 'both' } },
  ],
  ['transcription_start', undefined, { type: 'transcribe', ask: { tracks: 'inbound' } }],
  [
    'transcription_start',
    {
      transcription_engine: 'Google',
      transcription_engine_config: { language: 'de', interim_results: true, model: 'any' },
      transcription_tracks: 'outbound',
    },
    { type: 'transcribe', ask: { tracks: 'outbound', language: 'de', interim: true } },
  ],
  [
    'fork_start',
    { rx: 'udp:192.0.2.1:5000', tx: 'udp:[2001:db8::1]:5001' },
    {
      type: 'fork',
      ask: { rx: { address: '192.0.2.1', port: 5000 }, tx: { address: '2001:db8::1', port: 5001 } },
    },
  ],
  [
    'fork_start',
    { target: 'udp:192.0.2.1:5000', rx: '' },
    {
      type: 'fork',
      ask: { rx: { address: '192.0.2.1', port: 5000 }, tx: { address: '192.0.2.1', port: 5000 } },
    },
  ],
  ['fork_stop', { stream_type: 'decrypted' }, { type: 'stopFork' }],
  ['transcription_stop', undefined, { type: 'stopTranscribe' }],
  ['streaming_stop', undefined, { type: 'stopStream' }],
  ['streaming_stop', { stream_id: 's' }, { type: 'stopStream', stream: 's' }],
  ['record_start', {}, { type: 'record', format: 'mp3', channels: 2, track: 'both' }],
  [
    'record_start',
    {
      format: 'wav',
      channels: 'single',
      recording_track: 'inbound',
      play_beep: true,
      max_length: 60,
      timeout_secs: 0,
      trim: 'trim-silence',
      custom_file_name: 'Prüfung 1.b',
      transcription: false,
      transcription_engine: 'A',
    },
    {
      type: 'record',
      format: 'wav',
      channels: 1,
      track: 'inbound',
      beep: true,
      trim: true,
      maxMs: 60_000,
      fileName: 'Prüfung 1.b',
    },
  ],
  ['record_stop', undefined, { type: 'stopRecord' }],
  ['record_pause', { recording_id: 'r1' }, { type: 'pauseRecord', recording: 'r1' }],
  ['record_resume', { client_state: 'aGk=' }, { type: 'resumeRecord', clientState: 'aGk=' }],
  [
    'answer',
    { record: 'record-from-answer', record_format: 'wav', record_timeout_secs: 5, record_track: 'outbound' },
    { type: 'answer', record: { format: 'wav', channels: 2, track: 'outbound', silenceMs: 5000 } },
  ],
  ['reject', { cause: 'USER_BUSY' }, { type: 'reject', cause: 'USER_BUSY' }],
  ['hangup', {}, { type: 'hangup' }],
  [
    'hangup',
    { custom_headers: [{ name: 'X-Why', value: 'done' }], client_state: 'aGk=', command_id: 'c-1' },
    { type: 'hangup', headers: [['X-Why', 'done']], clientState: 'aGk=', commandId: 'c-1' },
  ],
  ['bridge', { call_control_id: 'v3:other' }, { type: 'bridge', with: 'v3:other' }],
  [
    'bridge',
    {
      call_control_id: 'v3:other',
      queue: '',
      video_room_id: null,
      park_after_unbridge: 'self',
      hold_after_unbridge: false,
      prevent_double_bridge: true,
      play_ringtone: true,
      ringtone: 'uk',
      mute_dtmf: 'opposite',
    },
    {
      type: 'bridge',
      with: 'v3:other',
      after: 'park',
      preventDouble: true,
      ringtone: true,
      muteDigits: 'opposite',
    },
  ],
  ['bridge', { call_control_id: null, queue: 'support' }, { type: 'bridge', with: { queue: 'support' } }],
  ['enqueue', { queue_name: 'support' }, { type: 'enqueue', queue: 'support' }],
  [
    'enqueue',
    { queue_name: 'Über uns/1', max_size: 1000, max_wait_time_secs: 90, keep_after_hangup: true },
    { type: 'enqueue', queue: 'Über uns/1', maxSize: 1000, maxWaitMs: 90_000, keepAfterHangup: true },
  ],
  ['leave_queue', undefined, { type: 'leaveQueue' }],
  [
    'transfer',
    { to: ' sip:bob@example.com;secure=srtp ' },
    {
      type: 'transfer',
      to: 'sip:bob@example.com;secure=srtp',
      earlyMedia: true,
      ringMs: 30_000,
      limitMs: 14_400_000,
    },
  ],
  [
    'transfer',
    {
      to: '+13125550100',
      from: '+1 (312) 555-0101',
      from_display_name: 'Shop',
      early_media: false,
      timeout_secs: 5,
      time_limit_secs: 30,
      target_leg_client_state: 'bGVn',
      park_after_unbridge: 'self',
      custom_headers: [{ name: 'X-A', value: 'b' }],
      send_digits_on_answer: '1w2Wa',
      media_name: 'welcome',
      answering_machine_detection: 'disabled',
      mute_dtmf: 'none',
      privacy: 'none',
      media_encryption: 'disabled',
    },
    {
      type: 'transfer',
      to: '+13125550100',
      from: '+1 (312) 555-0101',
      fromName: 'Shop',
      earlyMedia: false,
      ringMs: 5000,
      limitMs: 30_000,
      targetClientState: 'bGVn',
      after: 'park',
      headers: [['X-A', 'b']],
      digits: '1w2WA',
      play: { kind: 'media', name: 'welcome' },
    },
  ],
  [
    'transfer',
    {
      to: '1',
      answering_machine_detection: 'greeting_end',
      answering_machine_detection_config: {
        total_analysis_time_millis: 5000,
        maximum_number_of_words: null,
        beep_detection_profile: 'both',
      },
    },
    {
      type: 'transfer',
      to: '1',
      earlyMedia: true,
      ringMs: 30_000,
      limitMs: 14_400_000,
      detect: {
        mode: 'greeting_end',
        totalMs: 5000,
        initialSilenceMs: 3500,
        greetingMs: 3500,
        afterGreetingSilenceMs: 800,
        maxWords: 5,
        greetingTotalMs: 5000,
        greetingSilenceMs: 1500,
      },
    },
  ],
  [
    'refer',
    { sip_address: 'sip:bob@example.com', sip_headers: [{ name: 'User-to-User', value: '00' }] },
    { type: 'refer', address: 'sip:bob@example.com', headers: [['User-to-User', '00']] },
  ],
  ['client_state_update', { client_state: 'aGk=' }, { type: 'setClientState', clientState: 'aGk=' }],
  [
    'send_sip_info',
    { content_type: 'application/json; charset=utf-8', body: '{\r\n"ä": 1}' },
    { type: 'sendInfo', contentType: 'application/json; charset=utf-8', body: '{\r\n"ä": 1}' },
  ],
  ['send_dtmf', { digits: '12ab*#wW' }, { type: 'sendDigits', digits: '12AB*#wW', durationMs: 250 }],
  ['send_dtmf', { digits: '1', duration_millis: 500 }, { type: 'sendDigits', digits: '1', durationMs: 500 }],
  ['playback_start', { audio_url: 'https://a.example/a.wav' }, { type: 'play', sound: URL_SOUND }],
  [
    'playback_start',
    { media_name: 'welcome', loop: 'infinity', overlay: true, stop: 'current', target_legs: 'both' },
    {
      type: 'play',
      sound: { kind: 'media', name: 'welcome' },
      loop: null,
      overlay: true,
      stop: 'current',
      target: 'both',
    },
  ],
  [
    'playback_start',
    { playback_content: 'UklGRg==', loop: 100, audio_url: '', cache_audio: true, audio_type: 'wav' },
    { type: 'play', sound: { kind: 'content', content: 'UklGRg==' }, loop: 100 },
  ],
  ['playback_stop', undefined, { type: 'stopPlay', stop: 'all' }],
  ['playback_stop', { stop: 'current', overlay: true }, { type: 'stopPlay', stop: 'current', overlay: true }],
  ['speak', { payload: 'hello' }, { type: 'play', sound: SPEECH }],
  ['speak', { payload: 'hello', voice: { id: 1 }, language: 7 }, { type: 'play', sound: SPEECH }],
  [
    'speak',
    {
      payload: '<speak>a\nb</speak>',
      payload_type: 'ssml',
      voice: 'AWS.Polly.Joanna-Neural',
      language: 'xx-YY',
      loop: 2,
      stop: 'all',
      target_legs: 'opposite',
      service_level: 'premium',
      voice_settings: { api_key_ref: 'x' },
    },
    {
      type: 'play',
      sound: {
        kind: 'speech',
        text: '<speak>a\nb</speak>',
        ssml: true,
        voice: 'AWS.Polly.Joanna-Neural',
        language: 'xx-YY',
      },
      loop: 2,
      stop: 'all',
      target: 'opposite',
    },
  ],
  ['gather', undefined, GATHER],
  ['gather', { min_digits: 3 }, GATHER],
  ['gather', { terminating_digit: '' }, { ...GATHER, terminating: null }],
  ['gather', { terminating_digit: null, valid_digits: '' }, GATHER],
  [
    'gather',
    {
      minimum_digits: 2,
      maximum_digits: 4,
      timeout_millis: 10_000,
      initial_timeout_millis: 2000,
      inter_digit_timeout_millis: 1000,
      terminating_digit: '*',
      valid_digits: '12a',
      maximum_tries: 1,
      gather_id: 'pin',
    },
    {
      ...GATHER,
      minDigits: 2,
      maxDigits: 4,
      timeoutMs: 10_000,
      initialMs: 2000,
      interDigitMs: 1000,
      terminating: '*',
      valid: '12A',
      tries: 1,
      gatherId: 'pin',
    },
  ],
  ['gather_using_audio', { audio_url: 'https://a.example/a.wav' }, { ...PROMPTED, prompt: URL_SOUND }],
  [
    'gather_using_audio',
    { media_name: 'menu', invalid_media_name: 'wrong', timeout_millis: 7000 },
    {
      ...PROMPTED,
      timeoutMs: 7000,
      initialMs: 7000,
      prompt: { kind: 'media', name: 'menu' },
      invalidPrompt: { kind: 'media', name: 'wrong' },
    },
  ],
  ['gather_using_speak', { payload: 'hello', voice: 'female' }, { ...PROMPTED, prompt: SPEECH }],
  [
    'gather_using_speak',
    { payload: 'hello', invalid_payload: 'again', voice: 'male', language: 'de-DE', valid_digits: '1' },
    {
      ...PROMPTED,
      valid: '1',
      prompt: { ...SPEECH, voice: 'male', language: 'de-DE' },
      invalidPrompt: { ...SPEECH, text: 'again', voice: 'male', language: 'de-DE' },
    },
  ],
  ['gather_stop', undefined, { type: 'stopGather' }],
  [
    'gather_stop',
    {
      webhook_url: 'https://a.example/v3:id=',
      webhook_url_method: 'GET',
      webhook_urls_method: 'POST',
      webhook_urls: {
        'call.hangup': 'https://a.example/end',
        'call.recording.saved': ['https://a.example/saved'],
        'call.answered': '',
        'call.bridged': null,
      },
      webhook_retries_policies: {
        'call.hangup': { retries_ms: [0, 1000, 59_000] },
        'call.answered': {},
      },
    },
    {
      type: 'stopGather',
      hook: {
        url: 'https://a.example/v3:id=',
        method: 'GET',
        byEvent: {
          'call.hangup': 'https://a.example/end',
          'call.recording.saved': 'https://a.example/saved',
        },
        retriesMs: { 'call.hangup': [0, 1000, 59_000] },
      },
    },
  ],
];

describe('commands to a call', () => {
  let bench: ApiBench;
  let key: string;
  let account: string;
  before(async () => {
    bench = await ApiBench.open();
    ({ key, id: account } = await bench.account('default'));
  });
  after(() => bench.close());
  const ask = (method: string, path: string, body?: unknown) => bench.ask(key, method, path, body);
  const taken = (): Command[] => bench.calls.commands.splice(0);

  for (const [action, body, command] of ROWS) {
    it(`${action} ${JSON.stringify(body) ?? 'without a body'}`, async () => {
      const path = `/calls/${CONTROL}/actions/${action}`;
      const answer = await ask(action === 'client_state_update' ? 'PUT' : 'POST', path, body);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body, { data: { result: 'ok' } });
      assert.deepEqual(taken(), [{ account, control: CONTROL, ...command }]);
    });
  }

  it('client_state_update comes by POST as well', async () => {
    const path = `/calls/${CONTROL}/actions/client_state_update`;
    assert.equal((await ask('POST', path, { client_state: 'aGk=' })).status, 200);
    assert.deepEqual(taken(), [{ account, control: CONTROL, type: 'setClientState', clientState: 'aGk=' }]);
  });

  it('the id in the path is decoded once, however a client wrote it', async () => {
    for (const [written, control] of [
      ['v3:a-b_c=', 'v3:a-b_c='],
      ['v3%3Aa-b_c%3D', 'v3:a-b_c='],
      ['v3%3aa+b%2Bc', 'v3:a+b+c'],
      ['v2:a%2Fb', 'v2:a/b'],
      ['a%253Ab', 'a%3Ab'],
      ['a%20b', 'a b'],
      ['428c31b6-7af4-4bcb-b7f5-5013ef9657c1', '428c31b6-7af4-4bcb-b7f5-5013ef9657c1'],
    ] as const) {
      assert.equal((await ask('POST', `/calls/${written}/actions/hangup`)).status, 200);
      assert.deepEqual(taken(), [{ account, control, type: 'hangup' }]);
    }
    assert.equal((await ask('POST', '/calls/%E0%A4%A/actions/hangup')).status, 404);
    assert.deepEqual(taken(), []);
  });

  it('a body that is absent, empty or null says nothing', async () => {
    for (const body of [undefined, '', ' \r\n', '{}', 'null']) {
      assert.equal((await ask('POST', `/calls/${CONTROL}/actions/answer`, body)).status, 200);
      assert.deepEqual(taken(), [{ account, control: CONTROL, type: 'answer' }]);
    }
    const bare = await bench.app.request(`/v2/calls/${CONTROL}/actions/answer`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${key}` },
    });
    assert.deepEqual([bare.status, taken().length], [200, 1]);
  });

  it('a sound may come along in a body of the usual size', async () => {
    const path = `/calls/${CONTROL}/actions/playback_start`;
    assert.equal((await ask('POST', path, { playback_content: 'A'.repeat(60_000) })).status, 200);
    assert.equal(taken().length, 1);
    assert.equal((await ask('POST', path, { playback_content: 'A'.repeat(65_536) })).status, 413);
    assert.deepEqual(taken(), []);
  });
});
