import assert from 'node:assert/strict';
import { measureTone, type Tone } from '../src/tone.ts';
import { until } from '../src/wait.ts';
import type { Json } from './back-end.ts';
import { type Scene, state, type VoiceRow } from './scene.ts';

const DIALLED = '+13125559876';

/** The file behind a link: a plain GET, without a key. */
export async function fetched(url: string, type: string): Promise<Buffer> {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, url);
  assert.equal(answer.headers.get('content-type'), type);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const part = await fetch(url, { headers: { Range: 'bytes=4-7' } });
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(4, 8));
  return bytes;
}

interface Channel {
  readonly seconds: number;
  /** What is in its last second but a quarter: a pause before that has broken the tone. */
  readonly tone: Tone;
}

/** The channels of a WAV file. */
export function channelsOf(wav: Buffer): Channel[] {
  assert.equal(wav.toString('latin1', 0, 4), 'RIFF');
  const [count, rate, bytes] = [wav.readUInt16LE(22), wav.readUInt32LE(24), wav.readUInt32LE(40)];
  assert.equal(wav.length, 44 + bytes);
  const frames = bytes / 2 / count;
  return Array.from({ length: count }, (_, channel) => {
    const samples = Int16Array.from({ length: frames }, (_unused, i) =>
      wav.readInt16LE(44 + 2 * (i * count + channel)),
    );
    return {
      seconds: frames / rate,
      tone: measureTone(samples.subarray(Math.max(0, frames - 1.25 * rate), frames - rate / 4), rate),
    };
  });
}

export function says({ tone }: Channel, hz: number): void {
  assert.ok(
    Math.abs(tone.hz - hz) <= hz * 0.02 && tone.purity > 0.9 && tone.level > 0.02,
    `${JSON.stringify(tone)} should be ${hz} Hz`,
  );
}

export const seconds = (payload: Json): number =>
  (Date.parse(payload.recording_ended_at) - Date.parse(payload.recording_started_at)) / 1000;

/** A browser and a carrier, bridged. */
async function bridged(scene: Scene) {
  const caller = scene.party('2.27.10');
  const carrier = await scene.carrier('uas');
  const { control: w, id } = await scene.answered('2.27.10', DIALLED);
  const p = await scene.dials(carrier.number, { link_to: w, bridge_on_answer: true });
  await carrier.answers();
  await scene.hook.gets(w, 'bridged');
  return { caller, carrier, w, id, p };
}

const dual: VoiceRow = {
  name: 'record_start, dual WAV, of a leg in a bridge: its party on one channel, the other side on the second; record_stop',
  run: async (scene) => {
    const { api, hook } = scene;
    const { caller, carrier, w, id, p } = await bridged(scene);
    scene.step('bridged');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await api.act('record_start', w, { format: 'wav', channels: 'dual', client_state: state('recorded') });
    await api.refused('10015', 'record_start', w, { format: 'wav', channels: 'dual' });
    await new Promise((done) => setTimeout(done, 3000));
    await api.act('record_stop', w);
    const saved = await hook.gets(w, 'recording.saved');
    assert.equal(saved.client_state, state('recorded'));
    const channels = channelsOf(await fetched(saved.recording_urls.wav, 'audio/wav'));
    assert.equal(channels.length, 2);
    says(channels[0]!, caller.hz);
    says(channels[1]!, carrier.hz);
    assert.ok(channels[0]!.seconds > 2.5 && Math.abs(channels[0]!.seconds - seconds(saved)) < 0.1);
    // The call has noticed nothing.
    scene.step('recorded');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(carrier);
    await scene.lived(w, 'initiated answered bridged recording.saved hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
  },
};

const fromAnswer: VoiceRow = {
  name: 'dial with record-from-answer: the hang-up ends the recording, which is told behind it; as MP3',
  run: async (scene) => {
    const { api, hook } = scene;
    const carrier = await scene.carrier('uas');
    const p = await scene.dials(carrier.number, {
      record: 'record-from-answer',
      record_format: 'mp3',
      record_channels: 'single',
      record_track: 'inbound',
      record_custom_file_name: 'the call',
    });
    await carrier.answers();
    await hook.gets(p, 'answered');
    await api.refused('10015', 'record_start', p, { format: 'wav', channels: 'dual' });
    await new Promise((done) => setTimeout(done, 2500));
    await api.act('hangup', p);
    await scene.isHungUp(carrier);
    const saved = await hook.gets(p, 'recording.saved');
    const file = await fetched(saved.recording_urls.mp3, 'audio/mpeg');
    assert.equal(file[0], 0xff);
    assert.equal(file[1]! & 0xe0, 0xe0);
    // 24 kbit/s.
    assert.ok(Math.abs(file.length / 3000 - seconds(saved)) < 0.5, `${file.length} of ${seconds(saved)} s`);
    assert.ok(seconds(saved) > 2);
    assert.match(
      (await fetch(saved.recording_urls.mp3)).headers.get('content-disposition')!,
      /the%20call-\d+/,
    );
    await scene.lived(p, 'initiated answered hangup recording.saved');
  },
};

const paused: VoiceRow = {
  name: 'record_pause, record_resume: what is said meanwhile is left out; a tone before the recording',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const { control: w, id } = await scene.parks('ours', DIALLED);
    await api.refused('90020', 'record_start', w, { format: 'wav', channels: 'single' });
    await api.act('answer', w);
    await api.act('record_start', w, {
      format: 'wav',
      channels: 'single',
      recording_track: 'inbound',
      play_beep: true,
      max_length: 60,
    });
    await caller.page.becomes(id, 'active');
    await new Promise((done) => setTimeout(done, 1500));
    await api.act('record_pause', w);
    await new Promise((done) => setTimeout(done, 2500));
    await api.refused('10015', 'record_resume', w, { recording_id: '0ccc7b54-4df3-4bca-a65a-3da1ecc777f0' });
    await api.act('record_resume', w);
    await new Promise((done) => setTimeout(done, 1500));
    await api.act('record_stop', w);
    const saved = await hook.gets(w, 'recording.saved');
    const [channel, ...others] = channelsOf(await fetched(saved.recording_urls.wav, 'audio/wav'));
    assert.equal(others.length, 0);
    says(channel!, caller.hz);
    const left = seconds(saved) - channel!.seconds;
    assert.ok(left > 2.3 && left < 3.5, `${left} s are left out`);
    await api.refused('10015', 'record_stop', w);
    await api.act('hangup', w);
    await scene.lived(w, 'initiated answered recording.saved hangup');
  },
};

const resource: VoiceRow = {
  name: 'recordings: listed by leg, retrieved with a fresh link, deleted',
  run: async (scene) => {
    const { api, hook } = scene;
    const { control: w } = await scene.answered('ours', DIALLED);
    await api.act('record_start', w, { format: 'wav', channels: 'dual' });
    await new Promise((done) => setTimeout(done, 1000));
    await api.act('hangup', w);
    const saved = await hook.gets(w, 'recording.saved');
    const { call_leg_id: leg, recording_id: recording } = saved;
    const listed = await api.call('recordings.list', { filter: { call_leg_id: leg } });
    const [found, ...others] = listed.data;
    assert.equal(others.length, 0);
    assert.deepEqual(
      [found.id, found.call_control_id, found.call_session_id, found.channels, found.status, found.source],
      [recording, w, saved.call_session_id, 'dual', 'completed', 'call'],
    );
    assert.equal(found.initiated_by, 'StartCallRecordingAPI');
    const { data } = await api.call('recordings.retrieve', recording);
    await fetched(data.download_urls.wav, 'audio/wav');
    await api.call(['recordings.delete', 'recordings.del'], recording);
    await assert.rejects(api.call('recordings.retrieve', recording), /404|not found/i);
    await until('the file to be gone', async () => (await fetch(data.download_urls.wav)).status === 404);
    await scene.lived(w, 'initiated answered hangup recording.saved');
  },
};

export const RECORDING_ROWS: readonly VoiceRow[] = [dual, fromAnswer, paused, resource];
