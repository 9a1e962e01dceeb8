import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../src/wait.ts';
import { type Carrier, type PageParty, type Scene, state, type VoiceRow } from './scene.ts';
import { type Sdk, SOUND } from './stage.ts';

const DIALLED = '+13125559876';

interface Talk {
  readonly w: string;
  readonly p: string;
  readonly caller: PageParty;
  readonly carrier: Carrier;
  /** The caller hangs up, and so is the carrier. */
  over(): Promise<void>;
}

/** A browser and a carrier, bridged. */
async function talking(scene: Scene, sdk: Sdk): Promise<Talk> {
  const caller = scene.party(sdk);
  const carrier = await scene.carrier('uas');
  const { control: w, id } = await scene.answered(sdk, DIALLED);
  const p = await scene.dials(carrier.number, { link_to: w, bridge_on_answer: true });
  await carrier.answers();
  await scene.hook.gets(w, 'bridged');
  return {
    w,
    p,
    caller,
    carrier,
    over: async () => {
      await caller.page.act(id, 'hangup');
      await scene.isHungUp(carrier);
    },
  };
}

const playBridged: VoiceRow = {
  name: 'playback_start to a leg of a bridge: heard by that party, who is heard all the while; then the other again',
  run: async (scene) => {
    const { api, hook } = scene;
    const talk = await talking(scene, '2.27.10');
    const { w, p, caller, carrier } = talk;
    const media_url = `${hook.origin}/menu.wav`;
    scene.step('bridged');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await api.act('playback_start', w, { audio_url: media_url, client_state: state('played') });
    const started = await hook.gets(w, 'playback.started');
    assert.deepEqual(
      [started.media_url, started.overlay, started.client_state],
      [media_url, false, state('played')],
    );
    scene.step('played to the caller');
    await scene.hears([caller, SOUND.menu], [carrier, caller.hz]);
    assert.equal((await hook.gets(w, 'playback.ended')).status, 'completed');
    scene.step('played out');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await api.act('playback_start', w, { audio_url: media_url, target_legs: 'opposite' });
    scene.step('played to the other side');
    await scene.hears([caller, carrier.hz], [carrier, SOUND.menu]);
    scene.step('played out to the other side');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await api.act('playback_start', w, { audio_url: media_url, overlay: true });
    scene.step('mixed into what the caller hears');
    await scene.hears([caller, 'sound'], [carrier, caller.hz]);
    assert.equal((await hook.gets(w, 'playback.ended', 2)).overlay, true);
    scene.step('mixed no more');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await talk.over();
    const played = 'playback.started playback.ended';
    await scene.lived(w, `initiated answered bridged ${played} ${played} hangup`);
    await scene.lived(p, `initiated answered bridged ${played} hangup`);
  },
};

const playParked: VoiceRow = {
  name: 'playback_start, loop infinity, to a parked caller; playback_stop; a file that is not there',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const { control: w } = await scene.answered('ours', DIALLED);
    await api.act('playback_start', w, { audio_url: `${hook.origin}/menu.wav`, loop: 'infinity' });
    await api.act('playback_start', w, { audio_url: `${hook.origin}/wrong.wav` });
    scene.step('played to the parked caller');
    await scene.hears([caller, SOUND.menu]);
    await api.act('playback_stop', w, { stop: 'current' });
    assert.equal((await hook.gets(w, 'playback.ended')).status, 'cancelled');
    scene.step('what waited is played');
    await scene.hears([caller, SOUND.wrong]);
    assert.equal((await hook.gets(w, 'playback.ended', 2)).status, 'completed');
    scene.step('nothing is left to play');
    await scene.hears([caller, null]);
    await api.act('playback_start', w, { audio_url: `${hook.origin}/menu.wav`, loop: 'infinity' });
    await hook.gets(w, 'playback.started', 3);
    await api.act('playback_start', w, { audio_url: `${hook.origin}/menu.wav` });
    await api.act('playback_stop', w);
    assert.equal((await hook.gets(w, 'playback.ended', 3)).status, 'cancelled');
    scene.step('all is stopped');
    await scene.hears([caller, null]);
    await api.act('playback_start', w, { audio_url: `${hook.origin}/nothing.wav` });
    const failed = await until('a playback that failed', () =>
      hook
        .of(w)
        .find(({ type, payload }) => type === 'playback.ended' && payload.status === 'file_not_found'),
    );
    assert.notEqual(failed.payload.status_detail, '');
    await api.act('playback_start', w, { audio_url: `${hook.origin}/menu.wav`, loop: 5 });
    scene.step('played until the caller is hung up');
    await scene.hears([caller, SOUND.menu]);
    await api.act('hangup', w);
    await hook.gets(w, 'hangup');
    assert.equal(hook.of(w).at(-2)?.payload.status, 'call_hangup');
    await scene.alternates(w);
  },
};

const speak: VoiceRow = {
  name: 'speak right behind answer: heard by the caller alone',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const { control: w } = await scene.parks('2.27.10', DIALLED);
    await api.act('answer', w);
    await api.act('speak', w, {
      payload: 'One moment please, somebody will talk to you as soon as there is somebody who can.',
      voice: 'female',
      language: 'en-US',
    });
    await hook.gets(w, 'speak.started');
    scene.step('spoken');
    await scene.hears([caller, 'sound']);
    assert.equal((await hook.gets(w, 'speak.ended')).status, 'completed');
    scene.step('said');
    await scene.hears([caller, null]);
    await api.act('hangup', w);
    await scene.lived(w, 'initiated answered speak.started speak.ended hangup');
  },
};

const gather: VoiceRow = {
  name: 'gather: digits of a browser, a terminating digit; a time-out; gather_stop',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const { control: w, id } = await scene.answered('ours', DIALLED);
    await api.act('gather', w, { gather_id: 'pin', maximum_digits: 8, minimum_digits: 2 });
    for (const digit of '42#') await caller.page.act(id, 'dtmf', digit);
    const ended = await hook.gets(w, 'gather.ended');
    assert.deepEqual([ended.digits, ended.status, ended.gather_id], ['42', 'valid', 'pin']);
    await api.act('gather', w, { initial_timeout_millis: 300, timeout_millis: 600 });
    const late = await hook.gets(w, 'gather.ended', 2);
    assert.deepEqual([late.digits, late.status], ['', 'timeout']);
    await api.act('gather', w, { maximum_digits: 2 });
    await api.act('gather_stop', w);
    assert.equal((await hook.gets(w, 'gather.ended', 3)).status, 'cancelled');
    await api.act('gather', w, { maximum_digits: 2 });
    await api.act('hangup', w);
    assert.equal((await hook.gets(w, 'gather.ended', 4)).status, 'call_hangup');
    const digits = 'dtmf.received dtmf.received dtmf.received';
    const ends = 'gather.ended gather.ended gather.ended gather.ended';
    await scene.lived(w, `initiated answered ${digits} ${ends} hangup`);
  },
};

const gatherAudio: VoiceRow = {
  name: 'gather_using_audio: a wrong digit is told so, a right one cuts the prompt off',
  run: async (scene) => {
    const { api, hook } = scene;
    const carrier = await scene.carrier('uac');
    const { call_control_id: c } = await scene.begins('parked', 'incoming');
    await api.act('answer', c);
    await carrier.sipp.gets('200');
    await carrier.speaks();
    await api.act('gather_using_audio', c, {
      audio_url: `${hook.origin}/menu.wav`,
      invalid_audio_url: `${hook.origin}/wrong.wav`,
      valid_digits: '12',
      maximum_digits: 1,
    });
    scene.step('the prompt');
    await scene.hears([carrier, SOUND.menu]);
    await carrier.rtp.sendDigits('9');
    scene.step('the prompt behind a wrong digit');
    await scene.hears([carrier, SOUND.wrong]);
    await carrier.rtp.sendDigits('2');
    const ended = await hook.gets(c, 'gather.ended');
    assert.deepEqual([ended.digits, ended.status], ['2', 'valid']);
    scene.step('gathered');
    await scene.hears([carrier, null]);
    await carrier.sipp.steer('bye');
    await carrier.sipp.finishes();
    await scene.hangup(c, 'normal_clearing', 'caller');
    await scene.alternates(c);
    const digits = hook.of(c).filter(({ type }) => type === 'dtmf.received');
    assert.deepEqual(
      digits.map(({ payload }) => payload.digit),
      ['9', '2'],
    );
  },
};

const gatherSpeak: VoiceRow = {
  name: 'gather_using_speak: the prompt is spoken, the digits of a carrier count',
  run: async (scene) => {
    const { api, hook } = scene;
    const carrier = await scene.carrier('uas');
    const p = await scene.dials(carrier.number);
    await carrier.answers();
    await hook.gets(p, 'answered');
    await api.act('gather_using_speak', p, {
      payload: 'Please type your four digit number now, and the star key at the end of it.',
      voice: 'Polly.Joanna',
      terminating_digit: '*',
    });
    scene.step('the spoken prompt');
    await scene.hears([carrier, 'sound']);
    await carrier.rtp.sendDigits('1234*');
    const ended = await hook.gets(p, 'gather.ended');
    assert.deepEqual([ended.digits, ended.status], ['1234', 'valid']);
    scene.step('gathered');
    await scene.hears([carrier, null]);
    await api.act('hangup', p);
    await scene.isHungUp(carrier);
    await scene.hangup(p, 'normal_clearing', 'unknown');
    await scene.alternates(p);
  },
};

const storage: VoiceRow = {
  name: 'media storage: uploaded by URL and as a file, played by name, listed, deleted',
  run: async (scene) => {
    const { api, hook, stage } = scene;
    const caller = scene.party('2.27.10');
    const file = join(stage.server.folder, 'upload.wav');
    const sound = await (await fetch(`${hook.origin}/stored.wav`)).arrayBuffer();
    writeFileSync(file, Buffer.from(sound));
    await api.call('media.upload', { media_url: `${hook.origin}/menu.wav`, media_name: 'by-url' });
    await api.call('media.upload', { media: createReadStream(file), media_name: 'by-file' });
    const { data } = await api.call('media.list', {});
    const names = data.map((item: { media_name: string }) => item.media_name);
    assert.deepEqual(names.toSorted(), ['by-file', 'by-url']);
    const { control: w } = await scene.answered('2.27.10', DIALLED);
    await api.act('playback_start', w, { media_name: 'by-url' });
    assert.equal((await hook.gets(w, 'playback.started')).media_name, 'by-url');
    scene.step('played by name');
    await scene.hears([caller, SOUND.menu]);
    await api.act('playback_start', w, { media_name: 'by-file', stop: 'all' });
    scene.step('the file is played by name');
    await scene.hears([caller, SOUND.stored]);
    await api.act('hangup', w);
    await hook.gets(w, 'hangup');
    await scene.alternates(w);
    for (const name of names) await api.call('media.delete', name);
    await assert.rejects(api.call('media.retrieve', 'by-url'), /404/);
  },
};

const dialWithSound: VoiceRow = {
  name: 'dial with media on answer: heard by the called side',
  run: async (scene) => {
    const { api, hook } = scene;
    const carrier = await scene.carrier('uas');
    const p = await scene.dials(carrier.number, { audio_url: `${hook.origin}/menu.wav` });
    await carrier.answers();
    scene.step('played on answer');
    await scene.hears([carrier, SOUND.menu]);
    assert.equal((await hook.gets(p, 'playback.ended')).status, 'completed');
    await api.act('hangup', p);
    await scene.isHungUp(carrier);
    await scene.lived(p, 'initiated answered playback.started playback.ended hangup');
  },
};

export const SOUND_ROWS: readonly VoiceRow[] = [
  playBridged,
  playParked,
  dialWithSound,
  speak,
  gather,
  gatherAudio,
  gatherSpeak,
  storage,
];
