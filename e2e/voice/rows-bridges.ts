import assert from 'node:assert/strict';
import { until } from '../src/wait.ts';
import type { VoiceRow } from './scene.ts';

const DIALLED = '+13125559876';

const parkAfter: VoiceRow = {
  name: 'park_after_unbridge: the caller is parked when the carrier leaves, and bridged again',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const [first, second] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const p = await scene.dials(first.number, { link_to: w });
    await first.answers();
    await hook.gets(p, 'answered');
    await api.bridge(w, p, { park_after_unbridge: 'self' });
    scene.step('bridged with the first carrier');
    await scene.hears([caller, first.hz], [first, caller.hz]);
    await first.sipp.steer('bye');
    await scene.hangup(p, 'normal_clearing', 'callee');
    scene.step('parked behind the first bridge');
    await scene.hears([caller, null]);
    assert.equal((await caller.page.call(id)).state, 'active');

    const q = await scene.dials(second.number, { link_to: w, bridge_on_answer: true });
    await second.answers();
    await hook.gets(w, 'bridged', 2);
    scene.step('bridged with the second carrier');
    await scene.hears([caller, second.hz], [second, caller.hz]);
    // The rule of the first bridge is over: behind this one the caller is hung up.
    await second.sipp.steer('bye');
    await caller.page.ended(id);
    await scene.lived(p, 'initiated answered bridged hangup');
    await scene.lived(q, 'initiated answered bridged hangup');
    await scene.lived(w, 'initiated answered bridged bridged hangup');
  },
};

const doubleBridge: VoiceRow = {
  name: 'prevent_double_bridge: refused; without it the caller is taken, and the peer that is left is hung up',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const [first, second] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('ours', DIALLED);
    const p = await scene.dials(first.number, { link_to: w, bridge_on_answer: true });
    await first.answers();
    await hook.gets(p, 'bridged');
    const q = await scene.dials(second.number, { link_to: w });
    await second.answers();
    await hook.gets(q, 'answered');
    await api.refused('10015', 'bridge', q, { with: w, prevent_double_bridge: true });
    scene.step('the second bridge was refused');
    await scene.hears([caller, first.hz], [first, caller.hz], [second, null]);
    await api.bridge(q, w);
    await hook.gets(w, 'bridged', 2);
    await scene.isHungUp(first);
    scene.step('taken by the second');
    await scene.hears([caller, second.hz], [second, caller.hz]);
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(second);
    await scene.lived(w, 'initiated answered bridged bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
    await scene.lived(q, 'initiated answered bridged hangup');
  },
};

const ringGroup: VoiceRow = {
  name: 'a ring group: two dials with bridge_on_answer, the first answer talks, a later one is hung up',
  run: async (scene) => {
    const { hook } = scene;
    const caller = scene.party('2.27.10');
    const [first, second] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const group = { link_to: w, bridge_on_answer: true };
    const p = await scene.dials(first.number, group);
    const q = await scene.dials(second.number, group);
    await first.sipp.says('180');
    scene.step('both ring');
    await scene.hears([caller, null]);
    await second.answers();
    await hook.gets(q, 'bridged');
    scene.step('the second has answered first');
    await scene.hears([caller, second.hz], [second, caller.hz]);
    await first.answers();
    await scene.isHungUp(first);
    await scene.hangup(p, 'normal_clearing', 'unknown');
    scene.step('the first has answered later');
    await scene.hears([caller, second.hz], [second, caller.hz], [first, null]);
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(second);
    await scene.lived(p, 'initiated answered hangup');
    await scene.lived(q, 'initiated answered bridged hangup');
    await scene.lived(w, 'initiated answered bridged hangup');
  },
};

const beforeTheAnswer: VoiceRow = {
  name: 'before the answer: silence, a ring tone when asked for, early media of a transfer',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const [first, second] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const { control: w, id } = await scene.answered('ours', DIALLED);
    const p = await scene.dials(first.number, { link_to: w });
    await first.sipp.says('180');
    scene.step('the carrier rings, and nobody has asked for a sound');
    await scene.hears([caller, null]);
    await api.bridge(w, p, { play_ringtone: true, park_after_unbridge: 'self' });
    scene.step('play_ringtone');
    await scene.hears([caller, 'sound']);
    await first.sipp.steer('busy');
    await first.sipp.finishes();
    await scene.hangup(p, 'user_busy', 'callee', '486');
    scene.step('busy; the caller is parked');
    await scene.hears([caller, null]);

    await api.act('transfer', w, { to: second.number });
    const q = (await scene.begins('bridging')).call_control_id;
    await second.sipp.says('180');
    await second.sipp.steer('earlyMedia');
    await second.speaks();
    scene.step('early media of the transfer');
    // Early media is for both: a menu before the answer takes what the caller says.
    await scene.hears([caller, second.hz], [second, caller.hz]);
    await second.sipp.steer('answer');
    await hook.gets(q, 'bridged');
    scene.step('transferred');
    await scene.hears([caller, second.hz], [second, caller.hz]);
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(second);
    await scene.lived(w, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated hangup');
    await scene.lived(q, 'initiated answered bridged hangup');
  },
};

const muteDtmf: VoiceRow = {
  name: 'mute_dtmf both: digits are told, and the other side does not hear them',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const carrier = await scene.carrier('uas');
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const p = await scene.dials(carrier.number, { link_to: w });
    await carrier.answers();
    await hook.gets(p, 'answered');
    await api.bridge(w, p, { mute_dtmf: 'both' });
    scene.step('bridged');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await caller.page.act(id, 'dtmf', '4');
    assert.equal((await hook.gets(w, 'dtmf.received')).digit, '4');
    await carrier.rtp.sendDigits('7');
    assert.equal((await hook.gets(p, 'dtmf.received')).digit, '7');
    // What is sent by command is not muted; it comes behind whatever would have been passed on.
    await api.act('send_dtmf', p, { digits: '8' });
    await until('the digit sent by command', () => carrier.rtp.events.digits.endsWith('8'));
    assert.equal(carrier.rtp.events.digits, '8');
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(carrier);
    await scene.lived(w, 'initiated answered bridged dtmf.received hangup');
    await scene.lived(p, 'initiated answered bridged dtmf.received hangup');
  },
};

const twoBrowsers: VoiceRow = {
  name: 'two parked browsers, neither answered: the bridge answers both',
  run: async (scene) => {
    const { api, hook } = scene;
    const [one, other] = [scene.party('2.27.10'), scene.party('ours')];
    const first = await scene.parks('2.27.10', DIALLED);
    const second = await scene.parks('ours', DIALLED);
    assert.notEqual(first.initiated.call_session_id, second.initiated.call_session_id);
    await api.bridge(first.control, second.control);
    await one.page.becomes(first.id, 'active');
    await other.page.becomes(second.id, 'active');
    await hook.gets(first.control, 'bridged');
    scene.step('bridged');
    await scene.hears([one, other.hz], [other, one.hz]);
    await other.page.act(second.id, 'hangup');
    await one.page.ended(first.id);
    await scene.lived(first.control, 'initiated answered bridged hangup');
    await scene.lived(second.control, 'initiated answered bridged hangup');
  },
};

export const BRIDGE_ROWS: readonly VoiceRow[] = [
  parkAfter,
  doubleBridge,
  ringGroup,
  beforeTheAnswer,
  muteDtmf,
  twoBrowsers,
];
