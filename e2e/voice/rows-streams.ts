import assert from 'node:assert/strict';
import { RtpPeer } from '../src/rtp-peer.ts';
import { until } from '../src/wait.ts';
import { rtpEar } from './ears.ts';
import { state, type VoiceRow } from './scene.ts';

const DIALLED = '+13125559876';
const FORMAT = { codec: 'PCMU', payloadType: 0 } as const;
/** What the bot says. */
const BOT_HZ = 2_000;
const RTP = { stream_bidirectional_mode: 'rtp', stream_bidirectional_codec: 'PCMU' } as const;
let paths = 0;
const fresh = (): string => `/stream-${++paths}`;

const both: VoiceRow = {
  name: 'streaming_start, both ways: connected and start first, the caller is heard and hears the bot; marks, clear, digits',
  run: async (scene) => {
    const { api, hook } = scene;
    const { bot } = scene.stage.house;
    const caller = scene.party('ours');
    const { control: w, id, initiated } = await scene.answered('ours', DIALLED);
    const path = fresh();
    await api.act('streaming_start', w, {
      stream_url: bot.url + path,
      ...RTP,
      stream_auth_token: 'token-of-the-bot',
      custom_parameters: [{ name: 'plan', value: 'gold' }],
      client_state: state('streamed'),
    });
    const stream = await bot.stream(path);
    assert.equal(stream.authorization, 'Bearer token-of-the-bot');
    const { stream_id, start } = await stream.gets('start');
    assert.deepEqual(stream.events.slice(0, 2), ['connected', 'start']);
    assert.deepEqual(
      [start.call_control_id, start.call_session_id, start.from, start.to, start.client_state],
      [w, initiated.call_session_id, initiated.from, DIALLED, state('streamed')],
    );
    assert.deepEqual(start.custom_parameters, { plan: 'gold' });
    assert.deepEqual(start.media_format, { encoding: 'PCMU', sample_rate: 8000, channels: 1 });
    const started = await hook.gets(w, 'streaming.started');
    assert.deepEqual([started.stream_url, started.stream_id], [bot.url + path, stream_id]);
    await api.refused('90045', 'streaming_start', w, { stream_url: bot.url + path });
    const ear = stream.ear('inbound');
    scene.step('the bot hears the caller');
    await scene.hears([{ ear }, caller.hz], [caller, null]);
    stream.speaks(BOT_HZ, 6);
    stream.mark('said');
    scene.step('the caller hears the bot, who hears the caller');
    await scene.hears([{ ear }, caller.hz], [caller, BOT_HZ]);
    assert.equal((await stream.gets('mark')).mark.name, 'said');
    scene.step('the bot has said it all');
    await scene.hears([caller, null]);
    stream.speaks(BOT_HZ, 60);
    stream.mark('cut off');
    scene.step('the bot speaks for a minute');
    await scene.hears([caller, BOT_HZ]);
    stream.says({ event: 'clear' });
    assert.equal((await stream.gets('mark', 2)).mark.name, 'cut off');
    scene.step('and is cut off');
    await scene.hears([caller, null]);
    stream.says({ event: 'dance' });
    assert.deepEqual((await stream.gets('error')).payload.code, 100003);
    await caller.page.act(id, 'dtmf', '7');
    assert.equal((await stream.gets('dtmf')).dtmf.digit, '7');
    await api.act('streaming_stop', w);
    const { stop } = await stream.gets('stop');
    assert.equal(stop.call_control_id, w);
    await stream.isClosed();
    await api.refused('90048', 'streaming_stop', w);
    await api.act('hangup', w);
    const streamed = 'streaming.started dtmf.received streaming.stopped';
    await scene.lived(w, `initiated answered ${streamed} hangup`);
  },
};

const dialled: VoiceRow = {
  name: 'dial with stream_url: connected while it rings, start with the answer; both tracks over a bridge; without an answer no start',
  run: async (scene) => {
    const { api, hook } = scene;
    const { bot } = scene.stage.house;
    const caller = scene.party('2.27.10');
    const { control: w } = await scene.answered('2.27.10', DIALLED);
    const carrier = await scene.carrier('uas');
    const path = fresh();
    const p = await scene.dials(carrier.number, {
      link_to: w,
      bridge_on_answer: true,
      stream_url: bot.url + path,
      stream_track: 'both_tracks',
    });
    const stream = await bot.stream(path);
    await stream.gets('connected');
    await carrier.sipp.says('180');
    assert.deepEqual(stream.events, ['connected']);
    await carrier.answers();
    const { start } = await stream.gets('start');
    assert.deepEqual([start.call_control_id, start.to], [p, carrier.number]);
    const answered = await hook.gets(p, 'answered');
    assert.deepEqual([answered.stream_url, answered.stream_track], [bot.url + path, 'both_tracks']);
    scene.step('both tracks of a bridge');
    const [inbound, outbound] = [stream.ear('inbound'), stream.ear('outbound')];
    await scene.hears([{ ear: inbound }, carrier.hz], [{ ear: outbound }, caller.hz], [caller, carrier.hz]);
    await carrier.sipp.steer('bye');
    await carrier.sipp.finishes();
    await stream.gets('stop');
    await stream.isClosed();
    await scene.hangup(p, 'normal_clearing', 'callee');
    await hook.gets(w, 'hangup');
    await scene.alternates(w);
    const types = hook.of(p).map(({ type }) => type);
    assert.deepEqual(types.slice(-2), ['streaming.stopped', 'hangup']);
    assert.deepEqual(types.filter((type) => type === 'streaming.started').length, 1);
    await scene.lived(p, types.join(' '));

    const other = await scene.carrier('uas', 1);
    const unheard = fresh();
    const q = await scene.dials(other.number, { stream_url: bot.url + unheard });
    const early = await bot.stream(unheard);
    await early.gets('connected');
    await api.act('hangup', q);
    await early.isClosed();
    assert.deepEqual(early.events, ['connected']);
    await hook.gets(q, 'hangup');
    await scene.lived(q, 'initiated hangup');
  },
};

const ends: VoiceRow = {
  name: 'answer with stream_url: a bot that closes ends the stream, not the call; one that cannot be reached failed',
  run: async (scene) => {
    const { api, hook } = scene;
    const { bot } = scene.stage.house;
    const caller = scene.party('ours');
    const { control: w, id } = await scene.parks('ours', DIALLED);
    const path = fresh();
    await api.act('answer', w, { stream_url: bot.url + path, ...RTP });
    await caller.page.becomes(id, 'active');
    const stream = await bot.stream(path);
    await stream.gets('start');
    await hook.gets(w, 'streaming.started');
    stream.close();
    await hook.gets(w, 'streaming.stopped');
    await api.act('streaming_start', w, {
      stream_url: 'ws://127.0.0.1:1/nobody',
      stream_track: 'outbound_track',
    });
    const failed = await hook.gets(w, 'streaming.failed');
    assert.match(failed.failure_reason, /refused/);
    assert.deepEqual(failed.stream_params, {
      stream_url: 'ws://127.0.0.1:1/nobody',
      track: 'outbound_track',
    });
    await api.act('streaming_start', w, { stream_url: 'wss://10.1.2.3/private' });
    assert.match((await hook.gets(w, 'streaming.failed', 2)).failure_reason, /private/);
    const again = fresh();
    await api.act('streaming_start', w, { stream_url: bot.url + again, ...RTP });
    const second = await bot.stream(again);
    await second.gets('start');
    second.speaks(BOT_HZ, 20);
    scene.step('the second bot');
    await scene.hears([{ ear: second.ear('inbound') }, caller.hz], [caller, BOT_HZ]);
    await api.act('hangup', w);
    await second.gets('stop');
    await second.isClosed();
    const failures = 'streaming.failed streaming.failed';
    const rest = `${failures} streaming.started streaming.stopped`;
    await scene.lived(w, `initiated answered streaming.started streaming.stopped ${rest} hangup`);
  },
};

const transcribed: VoiceRow = {
  name: 'transcription_start on a stream of words: both sides of a bridge are told as text, by their tracks; and with answer',
  run: async (scene) => {
    const { api, hook } = scene;
    const { recogniser } = scene.stage.house;
    const said = (control: string): string[] =>
      hook
        .of(control)
        .flatMap(({ type, payload: { transcription_data: data } }) =>
          type === 'transcription' && data.is_final ? [`${data.transcription_track} ${data.transcript}`] : [],
        );
    const caller = scene.party('ours');
    const carrier = await scene.carrier('uas');
    const { control: w, id } = await scene.parks('ours', DIALLED);
    await api.act('answer', w, {
      transcription: true,
      transcription_config: {
        transcription_engine: 'Google',
        transcription_engine_config: {
          transcription_engine: 'Google',
          language: 'en',
          interim_results: true,
        },
        transcription_tracks: 'both',
      },
    });
    await caller.page.becomes(id, 'active');
    const p = await scene.dials(carrier.number, { link_to: w, bridge_on_answer: true });
    await carrier.answers();
    const inbound = `inbound ${caller.hz} hertz`;
    const outbound = `outbound ${carrier.hz} hertz`;
    await until('the words of both', () => said(w).includes(inbound) && said(w).includes(outbound), {
      detail: () => said(w).join('\n'),
    });
    const interim = hook
      .of(w)
      .find(({ type, payload }) => type === 'transcription' && !payload.transcription_data.is_final);
    assert.equal(interim?.payload.transcription_data.confidence, 0.4);
    assert.ok(recogniser.starts.every(({ authorization }) => authorization === 'Bearer token-of-the-engine'));
    await api.refused('90054', 'transcription_start', w);
    await api.act('transcription_stop', w);
    await api.refused('90055', 'transcription_stop', w);
    await api.act('transcription_start', p);
    await until('the words of the carrier', () => said(p).includes(`inbound ${carrier.hz} hertz`));
    await api.act('hangup', p);
    await scene.isHungUp(carrier);
    await hook.gets(w, 'hangup');
    for (const control of [w, p]) {
      const types = hook.of(control).map(({ type }) => type);
      assert.equal(types.at(-1), 'hangup');
      await scene.lived(control, types.join(' '));
    }
  },
};

const forked: VoiceRow = {
  name: 'fork_start: a listener by UDP hears what a stream of packets would tell, each side by itself; fork_stop',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const [rx, tx] = [await RtpPeer.open(FORMAT), await RtpPeer.open(FORMAT)];
    try {
      const carrier = await scene.carrier('uas');
      const { control: w } = await scene.answered('ours', DIALLED);
      const p = await scene.dials(carrier.number, { link_to: w, bridge_on_answer: true });
      await carrier.answers();
      await hook.gets(p, 'bridged');
      await api.act('fork_start', p, { rx: `udp:127.0.0.1:${rx.port}`, tx: `udp:127.0.0.1:${tx.port}` });
      await hook.gets(p, 'fork.started');
      scene.step('both sides, each by itself');
      await scene.hears(
        [{ ear: rtpEar('the listener of rx', rx) }, carrier.hz],
        [{ ear: rtpEar('the listener of tx', tx) }, caller.hz],
        [caller, carrier.hz],
      );
      await api.act('fork_stop', p);
      await hook.gets(p, 'fork.stopped');
      await api.refused('90031', 'fork_stop', p);
      await api.act('fork_start', p, { rx: 'udp:10.1.2.3:5000' });
      await hook.gets(p, 'fork.stopped', 2);
      await api.act('hangup', p);
      await scene.isHungUp(carrier);
      await hook.gets(w, 'hangup');
      await scene.lived(w, 'initiated answered bridged hangup');
      await scene.lived(p, 'initiated answered bridged fork.started fork.stopped fork.stopped hangup');
    } finally {
      rx.close();
      tx.close();
    }
  },
};

export const STREAM_ROWS: readonly VoiceRow[] = [both, dialled, ends, transcribed, forked];
