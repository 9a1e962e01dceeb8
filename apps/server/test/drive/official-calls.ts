import assert from 'node:assert/strict';
import { Missing, type Row, type Run } from './official-run.ts';

const CONTROL = 'v3:AAAA_a-b=+c';
const AUDIO = { audio_url: 'https://a.example/a.wav' };
const SOUND = { kind: 'url', url: AUDIO.audio_url };
const SPEECH = { payload: 'hello', voice: 'female' };
const SPOKEN = { kind: 'speech', text: 'hello', voice: 'female' };
const GATHER = {
  type: 'gather',
  minDigits: 1,
  maxDigits: 4,
  timeoutMs: 60_000,
  initialMs: 60_000,
  interDigitMs: 5000,
  terminating: '#',
  valid: '0123456789#*',
  tries: 3,
};

interface CallRow {
  /** As version 7 spells it, under `calls.actions`. */
  readonly method: string;
  /** As version 1 does, on an object with the `call_control_id`. */
  readonly old?: string;
  readonly body?: object;
  /** Beside account and leg. */
  readonly command: object;
}

const ROWS: readonly CallRow[] = [
  {
    method: 'answer',
    old: 'answer',
    body: { custom_headers: [{ name: 'X-A', value: 'b' }], preferred_codecs: 'PCMU,OPUS' },
    command: { type: 'answer', headers: [['X-A', 'b']], codecs: ['PCMU', 'OPUS'] },
  },
  {
    method: 'reject',
    old: 'reject',
    body: { cause: 'USER_BUSY' },
    command: { type: 'reject', cause: 'USER_BUSY' },
  },
  { method: 'hangup', old: 'hangup', command: { type: 'hangup' } },
  {
    method: 'transfer',
    old: 'transfer',
    body: { to: '+13125550100', client_state: 'aGk=' },
    command: {
      type: 'transfer',
      clientState: 'aGk=',
      to: '+13125550100',
      earlyMedia: true,
      ringMs: 30_000,
      limitMs: 14_400_000,
    },
  },
  {
    method: 'refer',
    old: 'refer',
    body: { sip_address: 'sip:a@b.example' },
    command: { type: 'refer', address: 'sip:a@b.example' },
  },
  {
    method: 'updateClientState',
    body: { client_state: 'aGk=' },
    command: { type: 'setClientState', clientState: 'aGk=' },
  },
  {
    method: 'sendSipInfo',
    body: { content_type: 'text/plain', body: 'hi' },
    command: { type: 'sendInfo', contentType: 'text/plain', body: 'hi' },
  },
  {
    method: 'sendDtmf',
    old: 'send_dtmf',
    body: { digits: '1w2' },
    command: { type: 'sendDigits', digits: '1w2', durationMs: 250 },
  },
  {
    method: 'startPlayback',
    old: 'playback_start',
    body: { ...AUDIO, loop: 'infinity' },
    command: { type: 'play', sound: SOUND, loop: null },
  },
  { method: 'stopPlayback', old: 'playback_stop', command: { type: 'stopPlay', stop: 'all' } },
  { method: 'speak', old: 'speak', body: SPEECH, command: { type: 'play', sound: SPOKEN } },
  {
    method: 'gather',
    old: 'gather',
    body: { maximum_digits: 4, terminating_digit: '' },
    command: { ...GATHER, initialMs: 5000, terminating: null },
  },
  {
    method: 'gatherUsingAudio',
    old: 'gather_using_audio',
    body: { ...AUDIO, maximum_digits: 4 },
    command: { ...GATHER, prompt: SOUND },
  },
  {
    method: 'gatherUsingSpeak',
    old: 'gather_using_speak',
    body: { ...SPEECH, maximum_digits: 4 },
    command: { ...GATHER, prompt: SPOKEN },
  },
  { method: 'stopGather', old: 'gather_stop', command: { type: 'stopGather' } },
  {
    method: 'startStreaming',
    old: 'streaming_start',
    body: { stream_url: 'wss://a.example/s', stream_track: 'both_tracks', stream_bidirectional_mode: 'rtp' },
    command: {
      type: 'startStream',
      stream: {
        url: 'wss://a.example/s',
        track: 'both',
        rate: 8000,
        back: { mode: 'rtp', codec: 'PCMU', rate: 8000, target: 'self' },
      },
    },
  },
  { method: 'stopStreaming', old: 'streaming_stop', command: { type: 'stopStream' } },
  {
    method: 'startTranscription',
    old: 'transcription_start',
    body: { transcription_tracks: 'both', transcription_engine: 'B' },
    command: { type: 'transcribe', ask: { tracks: 'both' } },
  },
  {
    method: 'startForking',
    old: 'fork_start',
    body: { rx: 'udp:192.0.2.1:5000' },
    command: { type: 'fork', ask: { rx: { address: '192.0.2.1', port: 5000 } } },
  },
  { method: 'stopForking', old: 'fork_stop', command: { type: 'stopFork' } },
  { method: 'stopTranscription', old: 'transcription_stop', command: { type: 'stopTranscribe' } },
  {
    method: 'enqueue',
    old: 'enqueue',
    body: { queue_name: 'support', max_wait_time_secs: 30 },
    command: { type: 'enqueue', queue: 'support', maxWaitMs: 30_000 },
  },
  { method: 'leaveQueue', old: 'leave_queue', command: { type: 'leaveQueue' } },
  {
    method: 'switchSupervisorRole',
    body: { role: 'whisper' },
    command: { type: 'switchRole', role: 'whisper' },
  },
];

/** Calls the method for a leg, as this version of the package does. */
function command(on: Run, row: Pick<CallRow, 'method' | 'old'>, body: object | undefined): Promise<unknown> {
  if (!on.old)
    return on.call([`calls.actions.${row.method}`], CONTROL, ...(body === undefined ? [] : [body]));
  if (row.old === undefined) throw new Missing();
  const leg = new on.client.Call({ call_control_id: CONTROL });
  return leg[row.old](...(body === undefined ? [] : [body]));
}

/** What has arrived for the account of this run. */
function arrived(on: Run, expected: object): void {
  const found = on.bench.calls.commands.splice(0);
  assert.deepEqual(found, [{ account: on.account, ...expected }]);
}

const ofLegs: readonly Row[] = ROWS.map((row) => ({
  method: `calls.actions.${row.method}`,
  run: async (on) => {
    const { data } = (await command(on, row, row.body)) as { data: { result: string } };
    assert.equal(data.result, 'ok');
    arrived(on, { control: CONTROL, ...row.command });
  },
}));

/** The commands to calls, and the same command from every version. They need an application. */
export const CALL_ROWS: readonly Row[] = [
  {
    method: 'calls.dial',
    run: async (on) => {
      const body = {
        connection_id: on.ids['application'],
        to: ['+13125550100', '+13125550102'],
        from: '+13125550101',
        command_id: 'once',
      };
      const { data } = await on.call(['calls.dial', 'calls.create'], body);
      assert.deepEqual([data.is_alive, data.record_type], [false, 'call']);
      assert.equal(data.call_control_id, on.bench.calls.ids.control);
      arrived(on, {
        type: 'dial',
        commandId: 'once',
        connection: body.connection_id,
        to: body.to,
        from: body.from,
        ringMs: 30_000,
        limitMs: 14_400_000,
      });
      // Version 1 hangs the commands on what it dialled.
      if (!on.old) return;
      await data.hangup();
      arrived(on, { control: data.call_control_id, type: 'hangup' });
    },
  },
  ...ofLegs,
  {
    method: 'calls.actions.bridge',
    run: async (on) => {
      // 4.6.0 and 1.27.0 name the other leg as it is on the wire, later ones rename it.
      const field = on.old || on.version === '4.6.0' ? 'call_control_id' : 'call_control_id_to_bridge_with';
      await command(on, { method: 'bridge', old: 'bridge' }, { [field]: 'v3:b', play_ringtone: true });
      arrived(on, { control: CONTROL, type: 'bridge', with: 'v3:b', ringtone: true });
      await command(on, { method: 'bridge', old: 'bridge' }, { queue: 'support' });
      arrived(on, { control: CONTROL, type: 'bridge', with: { queue: 'support' } });
    },
  },
  {
    method: 'calls.retrieveStatus, connections.listActiveCalls',
    run: async (on) => {
      const connection = on.ids['application']!;
      const legs = [1, 2, 3].map((n) => ({
        control: `v3:=+${n}`,
        leg: `leg-${n}`,
        session: 'session',
        account: on.account,
        connection,
        alive: true,
        clientState: 'aGk=',
        startedAt: on.bench.people.now + n,
        answeredAt: null,
        endedAt: null,
      }));
      on.bench.calls.legs.push(...legs);
      try {
        const { data } = await on.call(['calls.retrieveStatus', 'calls.retrieve'], 'v3:=+2');
        assert.deepEqual([data.call_leg_id, data.is_alive, data.client_state], ['leg-2', true, 'aGk=']);
        // Version 1 asks for them at a path that never was one.
        if (on.old) return;
        const first = await on.call(['connections.listActiveCalls'], connection, { 'page[size]': 1 });
        const found: string[] = [];
        if (typeof first.iterPages !== 'function') {
          found.push(...first.data.map((leg: { call_leg_id: string }) => leg.call_leg_id));
          return assert.deepEqual([found, first.meta.total_items], [['leg-1'], 3]);
        }
        for await (const leg of first) {
          found.push(leg.call_leg_id);
          assert.ok(found.length < 100, 'the list has no end');
        }
        assert.deepEqual(found, ['leg-1', 'leg-2', 'leg-3']);
      } finally {
        on.bench.calls.legs.length = 0;
      }
    },
  },
  {
    method: 'errors: a call that has ended',
    run: async (on) => {
      on.bench.calls.refusal = { why: 'ended', detail: 'The call has ended.' };
      try {
        await command(on, { method: 'hangup', old: 'hangup' }, undefined);
        assert.fail('it was not refused');
      } catch (error) {
        // As published programs look at it, in one generation or the other.
        const told = JSON.stringify([(error as Error).message, error, (error as { raw?: object }).raw]);
        assert.match(told, /90018/);
      } finally {
        on.bench.calls.refusal = undefined;
        assert.equal(on.bench.calls.commands.splice(0).length, 1);
      }
    },
  },
];
