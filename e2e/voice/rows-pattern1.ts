import assert from 'node:assert/strict';
import { state, type VoiceRow } from './scene.ts';
import type { Sdk } from './stage.ts';

const DIALLED = '+13125559876';

/** The back end answers the browser, calls the carrier, bridges; the browser hangs up, and the carrier's leg is parked. */
const answeredFirst = (sdk: Sdk): VoiceRow => ({
  name: `Pattern 1, answered first, called by ${sdk}`,
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party(sdk);
    const carrier = await scene.carrier('uas');
    const parked = await scene.parks(sdk, DIALLED, { clientState: state('from newCall') });
    const w = parked.control;
    await scene.isNamed(parked, caller.page);

    scene.step('answered and parked');
    await api.act('answer', w, { client_state: state('answered') });
    await caller.page.becomes(parked.id, 'active');
    const answered = await hook.gets(w, 'answered');
    assert.equal(answered.client_state, state('answered'));
    assert.deepEqual([answered.codec, answered.sampling_rate], ['OPUS', 48_000]);
    await scene.hears([caller, null]);

    scene.step('the carrier is called');
    const p = await scene.dials(carrier.number, { link_to: w, client_state: state('second') });
    const [first, second] = [parked.initiated, await hook.gets(p, 'initiated')];
    assert.equal(second.call_session_id, first.call_session_id, 'link_to shares the session');
    assert.deepEqual([second.calling_party_type, second.client_state], ['pstn', state('second')]);
    await carrier.answers();
    assert.equal((await hook.gets(p, 'answered')).codec, 'PCMU');

    scene.step('both answered, not bridged');
    await scene.hears([caller, null], [carrier, null]);

    scene.step('bridged');
    await api.bridge(p, w, { park_after_unbridge: 'self' });
    await hook.gets(p, 'bridged');
    assert.equal((await hook.gets(w, 'bridged')).client_state, state('answered'));
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);

    scene.step('held by the caller');
    await caller.page.act(parked.id, 'hold');
    await caller.page.becomes(parked.id, 'held');
    await hook.gets(w, 'hold');
    // Who is held hears music, and nothing of who holds.
    await scene.hears([caller, null], [carrier, 'sound']);
    await caller.page.act(parked.id, 'unhold');
    await caller.page.becomes(parked.id, 'active');
    await hook.gets(w, 'unhold');
    scene.step('held no more');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);

    scene.step('the caller has hung up, the carrier is parked');
    await caller.page.act(parked.id, 'hangup');
    await scene.hangup(w, 'normal_clearing', 'caller', '200');
    await scene.hears([carrier, null]);
    assert.equal((await api.retrieve(p)).is_alive, true);
    await api.act('hangup', p);
    await scene.isHungUp(carrier);
    const { call_quality_stats } = await scene.hangup(p, 'normal_clearing', 'unknown', '200');
    assert.ok(Number(call_quality_stats.inbound.packet_count) > 50);
    await api.refused('90018', 'hangup', w);
    await scene.lived(w, 'initiated answered bridged hold unhold hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
  },
});

/** The browser goes on ringing until the bridge answers it. */
const notAnswered = (sdk: Sdk): VoiceRow => ({
  name: `Pattern 1, bridged without an answer, called by ${sdk}`,
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party(sdk);
    const carrier = await scene.carrier('uas');
    const parked = await scene.parks(sdk, DIALLED);
    const w = parked.control;
    await api.refused('90034', 'playback_start', w, { audio_url: `${hook.origin}/menu.wav` });

    const p = await scene.dials(carrier.number, { link_to: w });
    await carrier.answers();
    await hook.gets(p, 'answered');
    scene.step('the carrier has answered, the caller rings');
    await scene.hears([carrier, null]);
    assert.notEqual((await caller.page.call(parked.id)).state, 'active');

    scene.step('bridged');
    await api.bridge(p, w);
    await caller.page.becomes(parked.id, 'active');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);

    scene.step('the carrier has hung up');
    await carrier.sipp.steer('bye');
    await scene.hangup(p, 'normal_clearing', 'callee', '200');
    await caller.page.ended(parked.id);
    await carrier.sipp.finishes();
    // Who has hung up is told on both legs, as each of them sees it.
    await scene.hangup(w, 'normal_clearing', 'callee');
    await scene.lived(w, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
  },
});

const onAnswer = (sdk: Sdk, first: 'answered' | 'ringing'): VoiceRow => ({
  name: `Pattern 1, bridge_on_answer, the caller ${first}, called by ${sdk}`,
  run: async (scene) => {
    const { hook } = scene;
    const caller = scene.party(sdk);
    const carrier = await scene.carrier('uas');
    const parked =
      first === 'answered' ? await scene.answered(sdk, DIALLED) : await scene.parks(sdk, DIALLED);
    const w = parked.control;
    const p = await scene.dials(carrier.number, { link_to: w, bridge_on_answer: true, bridge_intent: true });
    // bridge_intent: who called is shown, in place of `from`.
    assert.equal((await hook.gets(p, 'initiated')).from, parked.initiated.from);
    await carrier.sipp.says('180');
    if (first === 'answered') {
      scene.step('the carrier rings');
      await scene.hears([caller, null]);
    }
    await carrier.answers();
    await hook.gets(p, 'bridged');
    await caller.page.becomes(parked.id, 'active');
    scene.step('bridged');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await caller.page.act(parked.id, 'hangup');
    await scene.isHungUp(carrier);
    await scene.lived(w, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
    await scene.hangup(p, 'normal_clearing', 'caller');
  },
});

/** A carrier calls the account's number: parked, answered, bridged with an agent in a browser. */
const inbound = (sdk: Sdk): VoiceRow => ({
  name: `a call to a number of the application, an agent with ${sdk}`,
  run: async (scene) => {
    const { api, hook } = scene;
    const agent = scene.party(sdk);
    const carrier = await scene.carrier('uac');
    const told = await scene.begins('parked', 'incoming');
    const c = told.call_control_id;
    assert.deepEqual(
      [told.connection_id, told.calling_party_type, told.to, told.from, told.caller_id_name],
      [scene.stage.application, 'pstn', '+13125550123', '+15557770001', 'Carrier Caller'],
    );
    assert.deepEqual(told.custom_headers, [{ name: 'X-From-Carrier', value: 'hello carrier' }]);
    await api.act('answer', c, { custom_headers: [{ name: 'X-Answered', value: 'yes' }] });
    const ok = await carrier.sipp.gets('200');
    assert.equal(ok.headers.get('x-answered')?.[0], 'yes');
    await carrier.speaks();
    await hook.gets(c, 'answered');
    scene.step('answered and parked');
    await scene.hears([carrier, null]);
    const a = await scene.dials(agent.address, { link_to: c, from: '+13125550123' });
    assert.equal((await hook.gets(a, 'initiated')).calling_party_type, 'sip');
    scene.step('the agent picks up');
    const { id } = await scene.picksUp(sdk);
    await hook.gets(a, 'answered');
    await scene.hears([agent, null], [carrier, null]);
    await api.bridge(c, a);
    scene.step('bridged');
    await scene.hears([agent, carrier.hz], [carrier, agent.hz]);
    await carrier.sipp.steer('hold');
    await hook.gets(c, 'hold');
    scene.step('held by the carrier');
    await scene.hears([agent, 'sound'], [carrier, null]);
    await carrier.sipp.steer('unhold');
    await hook.gets(c, 'unhold');
    scene.step('held no more');
    await scene.hears([agent, carrier.hz], [carrier, agent.hz]);
    await agent.page.act(id, 'hangup');
    await scene.hangup(a, 'normal_clearing', 'callee');
    await scene.isHungUp(carrier);
    await scene.lived(c, 'initiated answered bridged hold unhold hangup');
    await scene.lived(a, 'initiated answered bridged hangup');
  },
});

export const PATTERN_ROWS: readonly VoiceRow[] = [
  answeredFirst('2.27.10'),
  answeredFirst('ours'),
  notAnswered('2.27.10'),
  notAnswered('ours'),
  onAnswer('2.27.10', 'answered'),
  onAnswer('ours', 'ringing'),
  inbound('2.27.10'),
  inbound('ours'),
];
