import assert from 'node:assert/strict';
import { until } from '../src/wait.ts';
import { channelsOf, fetched, says, seconds } from './rows-recording.ts';
import type { Carrier, Scene, VoiceRow } from './scene.ts';
import { SOUND } from './stage.ts';

const DIALLED = '+13125559876';
const JOINED = 'conference.participant.joined';
const LEFT = 'conference.participant.left';

const SAVED = 'conference.recording.saved';
const rest = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Somebody at a carrier, called for the caller's session, and answered. */
async function called(scene: Scene, carrier: Carrier, link: string, more: object = {}): Promise<string> {
  const leg = await scene.dials(carrier.number, { link_to: link, ...more });
  await carrier.answers();
  await scene.hook.gets(leg, 'answered');
  return leg;
}

const meeting: VoiceRow = {
  name: 'a conference of three: each hears the others; mute, hold, a sound for all, leave',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const [first, second] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const room = await api.createConference({ call_control_id: w, name: 'three' });
    await hook.gets(room, 'conference.created');
    await hook.gets(w, JOINED);
    const p = await called(scene, first, w);
    await api.direct('join', room, { call_control_id: p });
    const q = await called(scene, second, w, { conference_config: { id: room } });
    await hook.gets(q, JOINED);
    scene.step('three in a conference');
    await scene.hears(
      [caller, [first.hz, second.hz]],
      [first, [caller.hz, second.hz]],
      [second, [caller.hz, first.hz]],
    );
    assert.deepEqual(
      (await api.participants(room)).map((one) => one.call_control_id).sort(),
      [w, p, q].sort(),
    );

    await api.direct('mute', room, { call_control_ids: [p] });
    scene.step('the first carrier is muted');
    await scene.hears([caller, second.hz], [first, [caller.hz, second.hz]], [second, caller.hz]);
    const [muted] = await api.participants(room, { muted: true });
    assert.equal(muted.call_control_id, p);
    await api.direct('unmute', room, { call_control_ids: [p] });

    const hold = { call_control_ids: [q], audio_url: `${hook.origin}/menu.wav` };
    await api.direct('hold', room, hold);
    scene.step('the second carrier is held with a sound');
    await scene.hears([caller, first.hz], [first, caller.hz], [second, SOUND.menu]);
    await api.direct('unhold', room, { call_control_ids: [q] });

    await api.direct('play', room, { audio_url: `${hook.origin}/wrong.wav`, loop: 'infinity' });
    scene.step('a sound for all');
    await scene.hears(
      [caller, [first.hz, second.hz, SOUND.wrong]],
      [first, [caller.hz, second.hz, SOUND.wrong]],
      [second, [caller.hz, first.hz, SOUND.wrong]],
    );
    await api.direct('stop', room);
    await hook.gets(room, 'conference.playback.ended');
    await api.direct('leave', room, { call_control_id: q });
    scene.step('the second carrier has left');
    await scene.hears([caller, first.hz], [first, caller.hz], [second, null]);

    await caller.page.act(id, 'hangup');
    await scene.hangup(w, 'normal_clearing', 'caller');
    scene.step('the caller has hung up');
    await scene.hears([first, null], [second, null]);
    await api.act('hangup', p);
    await api.act('hangup', q);
    await scene.isHungUp(first);
    await scene.isHungUp(second);
    const played = 'conference.playback.started conference.playback.ended';
    await scene.lived(room, `conference.created ${played} conference.ended`);
    assert.equal((await hook.gets(room, 'conference.ended')).reason, 'all_left');
    await scene.lived(w, `initiated answered ${JOINED} ${LEFT} hangup`);
    for (const leg of [p, q]) await scene.lived(leg, `initiated answered ${JOINED} ${LEFT} hangup`);
    assert.ok(hook.floors.length > 0, 'nobody was told who is heard');
  },
};

const waiting: VoiceRow = {
  name: 'a conference that waits for its host: its sound until then; all are hung up when the host leaves',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const [guest, host] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('ours', DIALLED);
    const room = await api.createConference({
      call_control_id: w,
      name: 'waiting',
      start_conference_on_create: false,
      hold_audio_url: `${hook.origin}/menu.wav`,
    });
    const p = await called(scene, guest, w);
    await api.direct('join', room, { call_control_id: p });
    scene.step('two wait');
    await scene.hears([caller, SOUND.menu], [guest, SOUND.menu]);
    assert.equal((await api.conference(room)).status, 'init');
    const [named] = await api.conferences({ name: 'waiting', status: 'init' });
    assert.equal(named.id, room);
    const q = await called(scene, host, w);
    await api.direct('join', room, {
      call_control_id: q,
      start_conference_on_enter: true,
      end_conference_on_exit: true,
    });
    scene.step('the host is there');
    await scene.hears(
      [caller, [guest.hz, host.hz]],
      [guest, [caller.hz, host.hz]],
      [host, [caller.hz, guest.hz]],
    );
    await api.conferenceRefuses('90044', 'join', room, { call_control_id: q });
    await host.sipp.steer('bye');
    await scene.hangup(q, 'normal_clearing', 'callee');
    await caller.page.ended(id);
    await scene.isHungUp(guest);
    assert.equal((await hook.gets(room, 'conference.ended')).reason, 'host_left');
    const over = await api.conference(room);
    assert.deepEqual(
      [over.status, over.end_reason, over.ended_by.call_control_id],
      ['completed', 'host_left', q],
    );
    await scene.lived(room, 'conference.created conference.ended');
    for (const leg of [w, p, q]) await scene.lived(leg, `initiated answered ${JOINED} ${LEFT} hangup`);
    await api.conferenceRefuses('90019', 'mute', room);
    await api.conferenceRefuses('90058', 'mute', 'no-conference');
  },
};

const directed: VoiceRow = {
  name: 'a conference: digits to one, digits of one, a word to one, and its end by command',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const first = await scene.carrier('uas', 0);
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const room = await api.createConference({ call_control_id: w, name: 'directed' });
    const p = await called(scene, first, w);
    await api.direct('join', room, { call_control_id: p });
    await hook.gets(p, JOINED);
    await api.direct('send_dtmf', room, { digits: '42', call_control_ids: [p] });
    await until('the digits at the carrier', () => first.rtp.events.digits.endsWith('42'));
    const menu = `${hook.origin}/menu.wav`;
    await api.direct('gather_using_audio', room, { call_control_id: p, audio_url: menu, maximum_digits: 1 });
    scene.step('a prompt to the carrier alone');
    await scene.hears([caller, first.hz], [first, SOUND.menu]);
    await first.rtp.sendDigits('7');
    const gathered = await hook.gets(p, 'gather.ended');
    assert.deepEqual([gathered.digits, gathered.status], ['7', 'valid']);
    await api.direct('play', room, {
      audio_url: `${hook.origin}/wrong.wav`,
      loop: 'infinity',
      call_control_ids: [w],
    });
    scene.step('a sound for the caller alone');
    await scene.hears([caller, SOUND.wrong], [first, caller.hz]);
    await api.direct('stop', room, { call_control_ids: [w] });
    scene.step('and none');
    await scene.hears([caller, first.hz], [first, caller.hz]);
    await api.direct('end', room);
    await caller.page.ended(id);
    await scene.isHungUp(first);
    assert.equal((await hook.gets(room, 'conference.ended')).reason, 'ended_via_api');
    const played = 'conference.participant.playback.started conference.participant.playback.ended';
    await scene.lived(w, `initiated answered ${JOINED} ${played} ${LEFT} hangup`);
    const prompt = 'playback.started dtmf.received playback.ended gather.ended';
    await scene.lived(p, `initiated answered ${JOINED} ${prompt} ${LEFT} hangup`);
    await scene.lived(room, 'conference.created conference.ended');
  },
};

const supervised = (role: 'monitor' | 'whisper' | 'barge'): VoiceRow => ({
  name: `a supervisor of a bridge by dial: ${role}`,
  run: async (scene) => {
    const { hook } = scene;
    const caller = scene.party(role === 'whisper' ? 'ours' : '2.27.10');
    const [customer, lead] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered(caller.sdk, DIALLED);
    const p = await scene.dials(customer.number, { link_to: w, bridge_on_answer: true });
    await customer.answers();
    await hook.gets(p, 'bridged');
    scene.step('bridged');
    await scene.hears([caller, customer.hz], [customer, caller.hz]);
    const s = await scene.dials(lead.number, { supervise_call_control_id: w, supervisor_role: role });
    await lead.answers();
    await hook.gets(s, 'bridged');
    scene.step(`supervised: ${role}`);
    await scene.hears(
      [caller, role === 'monitor' ? customer.hz : [customer.hz, lead.hz]],
      [customer, role === 'barge' ? [caller.hz, lead.hz] : caller.hz],
      [lead, [caller.hz, customer.hz]],
    );
    await lead.sipp.steer('bye');
    await scene.hangup(s, 'normal_clearing', 'callee');
    scene.step('the supervisor has gone');
    await scene.hears([caller, customer.hz], [customer, caller.hz]);
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(customer);
    await scene.lived(s, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
    await scene.lived(w, 'initiated answered bridged hangup');
  },
});

const switched: VoiceRow = {
  name: 'a supervisor changes its role; the end of the bridge is its end',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const [customer, lead] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const p = await scene.dials(customer.number, { link_to: w, bridge_on_answer: true });
    await customer.answers();
    await hook.gets(p, 'bridged');
    const s = await scene.dials(lead.number, { supervise_call_control_id: p, supervisor_role: 'monitor' });
    await lead.answers();
    await hook.gets(s, 'bridged');
    scene.step('monitor');
    await scene.hears([caller, customer.hz], [customer, caller.hz], [lead, [caller.hz, customer.hz]]);
    await api.act('switch_supervisor_role', s, { role: 'whisper' });
    scene.step('whisper to the customer');
    await scene.hears(
      [caller, customer.hz],
      [customer, [caller.hz, lead.hz]],
      [lead, [caller.hz, customer.hz]],
    );
    await api.act('switch_supervisor_role', s, { role: 'barge' });
    scene.step('barge');
    await scene.hears(
      [caller, [customer.hz, lead.hz]],
      [customer, [caller.hz, lead.hz]],
      [lead, [caller.hz, customer.hz]],
    );
    await api.refused('10015', 'switch_supervisor_role', w, { role: 'barge' });
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(customer);
    await scene.isHungUp(lead);
    await scene.lived(s, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
    await scene.lived(w, 'initiated answered bridged hangup');
  },
};

const recorded: VoiceRow = {
  name: 'record_start of a conference, dual WAV: its owner on one channel, the other on the second; what is said in a pause is left out; it ends with the conference',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const carrier = await scene.carrier('uas', 0);
    const { control: w } = await scene.answered('2.27.10', DIALLED);
    const room = await api.createConference({ call_control_id: w, name: 'recorded' });
    await hook.gets(w, JOINED);
    const p = await called(scene, carrier, w, { conference_config: { id: room } });
    await hook.gets(p, JOINED);
    scene.step('two in a conference');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await api.direct('record_start', room, { format: 'wav', channels: 'dual' });
    await api.conferenceRefuses('10015', 'record_start', room, { format: 'wav' });
    await rest(1500);
    await api.direct('record_pause', room);
    await rest(1500);
    await api.direct('record_resume', room);
    await rest(2500);
    await api.direct('end', room);
    const saved = await hook.gets(room, SAVED);
    assert.deepEqual([saved.conference_id, saved.channels, saved.format], [room, 'dual', 'wav']);
    const channels = channelsOf(await fetched(saved.recording_urls.wav, 'audio/wav'));
    assert.equal(channels.length, 2);
    says(channels[0]!, caller.hz);
    says(channels[1]!, carrier.hz);
    const left = seconds(saved) - channels[0]!.seconds;
    assert.ok(left > 1.3 && left < 2.5, `${left} s are left out`);
    const listed = await api.call('recordings.list', { filter: { conference_id: room } });
    assert.deepEqual(
      [listed.data.length, listed.data[0].id, listed.data[0].source, listed.data[0].initiated_by],
      [1, saved.recording_id, 'conference', 'StartConferenceRecordingAPI'],
    );
    await scene.isHungUp(carrier);
    await scene.lived(room, `conference.created conference.ended ${SAVED}`);
    for (const leg of [w, p]) await scene.lived(leg, `initiated answered ${JOINED} ${LEFT} hangup`);
  },
};

export const CONFERENCE_ROWS: readonly VoiceRow[] = [
  recorded,
  meeting,
  waiting,
  directed,
  supervised('monitor'),
  supervised('whisper'),
  supervised('barge'),
  switched,
];
