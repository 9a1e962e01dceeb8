import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CallNews, type ConferenceNews, EVENT_NAME } from '@sidetone/wire';
import { envelopeOf, isoMicros } from '../src/index.ts';
import { DAY, eventOf } from './bench.ts';

const BASE = {
  call_control_id: 'v3:l',
  call_leg_id: 'l',
  call_session_id: 's1',
  connection_id: '1234567890123456789',
  client_state: null,
  from: '+13125550100',
  to: '+13125550101',
  calling_party_type: 'pstn',
};
const START = '2026-11-30T06:39:59.123456Z';
const HEADERS = [
  ['X-One', '1'],
  ['User-to-User', 'abc;encoding=hex'],
] as const;
const TOLD = {
  custom_headers: [{ name: 'X-One', value: '1' }],
  sip_headers: [{ name: 'User-to-User', value: 'abc;encoding=hex' }],
};
const STATS = {
  packetsReceived: 1500,
  packetsSent: 1490,
  bytesReceived: 240_000,
  bytesSent: 238_400,
  packetsLost: 15,
  jitterMs: 3.456,
  rttMs: 40,
  dtmfReceived: 0,
  dropped: 0,
};

const STREAM = { id: 's', url: 'wss://bot.example/x', track: 'both' } as const;

/** Every kind of news, and what it is on the wire. A kind without a row does not compile. */
const ROWS: {
  readonly [T in Exclude<CallNews, ConferenceNews>['type']]: readonly [
    Extract<CallNews, { type: T }>,
    object,
  ][];
} = {
  initiated: [
    [
      {
        type: 'initiated',
        state: 'parked',
        callerName: 'Ann',
        fromUri: '+13125550100@192.0.2.1:5060',
        toUri: '+13125550101@sip.example',
        headers: HEADERS,
        offeredCodecs: ['PCMU', 'PCMA'],
        connectionCodecs: ['OPUS', 'PCMU'],
      },
      {
        direction: 'incoming',
        state: 'parked',
        start_time: START,
        caller_id_name: 'Ann',
        from_sip_uri: '+13125550100@192.0.2.1:5060',
        to_sip_uri: '+13125550101@sip.example',
        ...TOLD,
        offered_codecs: 'PCMU,PCMA',
        connection_codecs: 'OPUS,PCMU',
        shaken_stir_attestation: null,
        shaken_stir_validated: false,
        call_screening_result: null,
        tags: [],
      },
    ],
    [
      {
        type: 'initiated',
        state: 'bridging',
        callerName: null,
        fromUri: null,
        toUri: null,
        headers: [],
        offeredCodecs: [],
        connectionCodecs: [],
      },
      {
        direction: 'incoming',
        state: 'bridging',
        start_time: START,
        caller_id_name: null,
        from_sip_uri: null,
        to_sip_uri: null,
        custom_headers: [],
        sip_headers: [],
        offered_codecs: '',
        connection_codecs: '',
        shaken_stir_attestation: null,
        shaken_stir_validated: false,
        call_screening_result: null,
        tags: [],
      },
    ],
  ],
  answered: [
    [
      { type: 'answered', codec: 'OPUS', headers: HEADERS },
      { state: 'answered', start_time: START, ...TOLD, codec: 'OPUS', sampling_rate: 48_000, tags: [] },
    ],
    [
      { type: 'answered', codec: 'PCMU', headers: [], stream: STREAM },
      {
        state: 'answered',
        start_time: START,
        custom_headers: [],
        sip_headers: [],
        codec: 'PCMU',
        sampling_rate: 8000,
        stream_url: 'wss://bot.example/x',
        stream_track: 'both_tracks',
        tags: [],
      },
    ],
    [
      { type: 'answered', codec: null, headers: [] },
      {
        state: 'answered',
        start_time: START,
        custom_headers: [],
        sip_headers: [],
        codec: null,
        sampling_rate: null,
        tags: [],
      },
    ],
  ],
  bridged: [[{ type: 'bridged' }, { state: 'bridged' }]],
  held: [[{ type: 'held' }, {}]],
  unheld: [[{ type: 'unheld' }, {}]],
  hangup: [
    [
      {
        type: 'hangup',
        cause: 'normal_clearing',
        sip: '200',
        source: 'caller',
        headers: HEADERS,
        quality: STATS,
      },
      {
        state: 'hangup',
        start_time: START,
        hangup_cause: 'normal_clearing',
        hangup_source: 'caller',
        sip_hangup_cause: '200',
        call_quality_stats: {
          inbound: {
            mos: '4.30',
            jitter_max_variance: '3.46',
            jitter_packet_count: '1500',
            packet_count: '1500',
            skip_packet_count: '15',
          },
          outbound: { packet_count: '1490', skip_packet_count: '0' },
        },
        ...TOLD,
        tags: [],
      },
    ],
    [
      {
        type: 'hangup',
        cause: 'unspecified',
        sip: 'unspecified',
        source: 'unknown',
        headers: [],
        quality: null,
      },
      {
        state: 'hangup',
        start_time: START,
        hangup_cause: 'unspecified',
        hangup_source: 'unknown',
        sip_hangup_cause: 'unspecified',
        call_quality_stats: null,
        custom_headers: [],
        sip_headers: [],
        tags: [],
      },
    ],
  ],
  digit: [[{ type: 'digit', digit: '#' }, { digit: '#' }]],
  playStarted: [
    [
      { type: 'playStarted', media: { url: 'https://x.example/a.mp3', overlay: false } },
      { media_url: 'https://x.example/a.mp3', overlay: false },
    ],
    [{ type: 'playStarted', media: { overlay: true } }, { overlay: true }],
  ],
  playEnded: [
    [
      {
        type: 'playEnded',
        media: { name: 'hold', overlay: false },
        status: 'file_not_found',
        detail: 'no such name',
      },
      { media_name: 'hold', overlay: false, status: 'file_not_found', status_detail: 'no such name' },
    ],
  ],
  speakStarted: [[{ type: 'speakStarted' }, {}]],
  speakEnded: [[{ type: 'speakEnded', status: 'call_hangup' }, { status: 'call_hangup' }]],
  gathered: [
    [
      { type: 'gathered', digits: '', status: 'timeout', gatherId: null },
      { digits: '', status: 'timeout' },
    ],
    [
      { type: 'gathered', digits: '12', status: 'valid', gatherId: 'g' },
      { digits: '12', status: 'valid', gather_id: 'g' },
    ],
  ],
  machineDetected: [[{ type: 'machineDetected', result: 'human' }, { result: 'human' }]],
  greetingEnded: [[{ type: 'greetingEnded', result: 'beep_detected' }, { result: 'beep_detected' }]],
  premiumMachineDetected: [
    [{ type: 'premiumMachineDetected', result: 'human_residence' }, { result: 'human_residence' }],
  ],
  premiumGreetingEnded: [
    [{ type: 'premiumGreetingEnded', result: 'no_beep_detected' }, { result: 'no_beep_detected' }],
  ],
  forkStarted: [[{ type: 'forkStarted' }, { stream_type: 'decrypted' }]],
  forkStopped: [[{ type: 'forkStopped' }, { stream_type: 'decrypted' }]],
  transcript: [
    [
      { type: 'transcript', track: 'inbound', text: 'hello', final: true, confidence: 0.9 },
      {
        transcription_data: {
          transcript: 'hello',
          confidence: 0.9,
          is_final: true,
          transcription_track: 'inbound',
        },
      },
    ],
  ],
  streamStarted: [
    [
      { type: 'streamStarted', stream: STREAM },
      { stream_url: 'wss://bot.example/x', stream_id: 's' },
    ],
  ],
  streamStopped: [
    [
      { type: 'streamStopped', stream: STREAM },
      { stream_url: 'wss://bot.example/x', stream_id: 's' },
    ],
  ],
  streamFailed: [
    [
      { type: 'streamFailed', stream: STREAM, reason: 'the connection was refused' },
      {
        failure_reason: 'the connection was refused',
        stream_id: 's',
        stream_type: 'websocket',
        stream_params: { stream_url: 'wss://bot.example/x', track: 'both_tracks' },
      },
    ],
  ],
  recorded: [
    [
      {
        type: 'recorded',
        recording: {
          id: 'r1',
          format: 'mp3',
          channels: 2,
          startedAt: 1_700_000_000_000,
          endedAt: 1_700_000_004_500,
          url: 'https://voice.example/r1',
        },
      },
      {
        recording_id: 'r1',
        channels: 'dual',
        format: 'mp3',
        recording_started_at: '2023-11-14T22:13:20.000000Z',
        recording_ended_at: '2023-11-14T22:13:24.500000Z',
        recording_urls: { mp3: 'https://voice.example/r1' },
        public_recording_urls: {},
      },
    ],
  ],
  recordFailed: [
    [
      { type: 'recordFailed', id: 'r1', problem: 'Internal server error' },
      { recording_id: 'r1', reason: 'Internal server error' },
    ],
  ],
  enqueued: [
    [
      { type: 'enqueued', queue: 'support', position: 2, averageWaitSecs: 13 },
      { queue: 'support', current_position: 2, queue_avg_wait_time_secs: 13 },
    ],
  ],
  dequeued: [
    [
      { type: 'dequeued', queue: 'support', position: 1, waitSecs: 20, reason: 'bridged' },
      { queue: 'support', queue_position: 1, wait_time_secs: 20, reason: 'bridged' },
    ],
  ],
  referStarted: [[{ type: 'referStarted' }, {}]],
  referCompleted: [[{ type: 'referCompleted', status: 200 }, { sip_notify_response: 200 }]],
  referFailed: [[{ type: 'referFailed', status: 486 }, { sip_notify_response: 486 }]],
  infoReceived: [
    [
      { type: 'infoReceived', contentType: 'text/plain', body: 'hello' },
      { content_type: 'text/plain', body: 'hello' },
    ],
  ],
};

describe('webhooks: payload version 2 (pitfall 14: numbers as text, null where nothing was said)', () => {
  for (const [type, rows] of Object.entries(ROWS) as [CallNews['type'], [CallNews, object][]][])
    it(`tells ${EVENT_NAME[type]}`, () => {
      for (const [news, payload] of rows) {
        const body = JSON.parse(
          JSON.stringify(envelopeOf(eventOf('l', 0, news), 2, 'https://app.example/x')),
        );
        assert.deepEqual(body, {
          data: {
            record_type: 'event',
            event_type: EVENT_NAME[type],
            id: 'l-0',
            occurred_at: '2026-11-30T06:40:00.123456Z',
            payload: { ...BASE, ...payload },
          },
          meta: { attempt: 2, delivered_to: 'https://app.example/x' },
        });
      }
    });

  it('tells who calls whom from where, and the state of the client', () => {
    const event = eventOf('l', 0, { type: 'bridged' }, { clientState: 'aGk=' });
    const outgoing = { ...event, leg: { ...event.leg, party: 'sip', connection: null } } as const;
    const { data } = envelopeOf(outgoing, 1, '') as { data: { payload: Record<string, unknown> } };
    assert.deepEqual(
      [data.payload['client_state'], data.payload['calling_party_type'], data.payload['connection_id']],
      ['aGk=', 'sip', null],
    );
  });

  it('writes times with microseconds', () => {
    for (const [at, text] of [
      [DAY, '2026-11-30T06:40:00.123456Z'],
      [1_796_020_800_000, '2026-11-30T06:40:00.000000Z'],
      [1_796_020_800_000.001, '2026-11-30T06:40:00.000001Z'],
      [1_796_020_800_999.75, '2026-11-30T06:40:00.999750Z'],
      [0, '1970-01-01T00:00:00.000000Z'],
      [-0.001, '1969-12-31T23:59:59.999999Z'],
    ] as const)
      assert.equal(isoMicros(at), text, String(at));
  });
});
