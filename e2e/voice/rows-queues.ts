import assert from 'node:assert/strict';
import type { Carrier, Scene, VoiceRow } from './scene.ts';
import { type Sdk, SOUND } from './stage.ts';

const DIALLED = '+13125559876';

/** A carrier calls the application's number, and is answered; its `call_control_id`. */
async function called(scene: Scene): Promise<{ readonly carrier: Carrier; readonly c: string }> {
  const carrier = await scene.carrier('uac');
  const c = (await scene.begins('parked', 'incoming')).call_control_id;
  await scene.api.act('answer', c);
  await carrier.speaks();
  await scene.hook.gets(c, 'answered');
  return { carrier, c };
}

/** Pattern 2: the caller waits with music, an agent's browser is dialled and takes the first call of the queue. */
const pattern2 = (sdk: Sdk): VoiceRow => ({
  name: `Pattern 2: a queue with music, an agent with ${sdk} takes the caller`,
  run: async (scene) => {
    const { api, hook } = scene;
    const agent = scene.party(sdk);
    const { carrier, c } = await called(scene);
    await api.act('enqueue', c, { queue_name: 'support' });
    const enqueued = await hook.gets(c, 'enqueued');
    assert.deepEqual([enqueued.queue, enqueued.current_position], ['support', 1]);
    scene.step('in the queue');
    await scene.hears([carrier, null]);
    await api.act('playback_start', c, { audio_url: `${hook.origin}/menu.wav`, loop: 'infinity' });
    scene.step('in the queue, with music');
    await scene.hears([carrier, SOUND.menu]);
    assert.deepEqual(
      (await api.queued('support')).map((one) => [one.call_control_id, one.queue_position, one.is_alive]),
      [[c, 1, true]],
    );

    const a = await scene.dials(agent.address, { link_to: c, from: '+13125550123' });
    const { id } = await scene.picksUp(sdk);
    await hook.gets(a, 'answered');
    scene.step('the agent has answered, the caller waits');
    await scene.hears([agent, null], [carrier, SOUND.menu]);

    await api.act('bridge', a, { queue: 'support' });
    const dequeued = await hook.gets(c, 'dequeued');
    assert.deepEqual([dequeued.queue, dequeued.queue_position, dequeued.reason], ['support', 1, 'bridged']);
    assert.ok(dequeued.wait_time_secs >= 1);
    assert.equal((await hook.gets(c, 'playback.ended')).status, 'cancelled');
    await hook.gets(a, 'bridged');
    scene.step('bridged');
    await scene.hears([agent, carrier.hz], [carrier, agent.hz]);
    assert.deepEqual(await api.queued('support'), []);
    await api.refused('10015', 'bridge', a, { queue: 'support' });
    await api.refused('10005', 'bridge', a, { queue: 'none of this name' });

    await agent.page.act(id, 'hangup');
    await scene.hangup(a, 'normal_clearing', 'callee');
    await scene.isHungUp(carrier);
    const played = 'playback.started playback.ended';
    await scene.lived(c, `initiated answered enqueued ${played} dequeued bridged hangup`);
    await scene.lived(a, 'initiated answered bridged hangup');
  },
});

/** Three callers, of whom two have room. */
const threeCallers: VoiceRow = {
  name: 'three callers: their positions, a queue that is full, leave_queue, a caller who hangs up, who is first then',
  run: async (scene) => {
    const { api, hook } = scene;
    const [one, two] = [scene.party('ours'), scene.party('2.27.10')];
    const { control: first, id } = await scene.answered('ours', DIALLED);
    const { control: second, id: secondId } = await scene.answered('2.27.10', DIALLED);
    const { carrier, c } = await called(scene);
    const to = { queue_name: 'two of us' };
    const positions = async (): Promise<unknown[]> =>
      (await api.queued(to.queue_name)).map((call) => [call.call_control_id, call.queue_position]);

    await api.refused('90035', 'leave_queue', c);
    await api.act('enqueue', first, { ...to, max_size: 2 });
    await api.act('enqueue', second, to);
    assert.equal((await hook.gets(first, 'enqueued')).current_position, 1);
    assert.equal((await hook.gets(second, 'enqueued')).current_position, 2);
    await api.refused('90036', 'enqueue', c, to);
    await api.refused('90037', 'enqueue', c, { ...to, max_size: 3 });
    await api.refused('90038', 'enqueue', first, to);
    scene.step('two wait, the third was refused');
    await scene.hears([one, null], [two, null], [carrier, null]);

    await api.act('leave_queue', second);
    const left = await hook.gets(second, 'dequeued');
    assert.deepEqual([left.queue_position, left.reason], [2, 'leave']);
    await api.act('enqueue', c, to);
    assert.equal((await hook.gets(c, 'enqueued')).current_position, 2);
    assert.deepEqual(await positions(), [
      [first, 1],
      [c, 2],
    ]);
    await one.page.act(id, 'hangup');
    const gone = await hook.gets(first, 'dequeued');
    assert.deepEqual([gone.queue_position, gone.reason], [1, 'hangup']);
    await api.act('enqueue', second, to);
    assert.equal((await hook.gets(second, 'enqueued', 2)).current_position, 2);
    assert.deepEqual(await positions(), [
      [c, 1],
      [second, 2],
    ]);

    // The carrier has waited longest.
    await api.act('leave_queue', second);
    await api.act('bridge', second, { queue: to.queue_name });
    await hook.gets(c, 'bridged');
    scene.step('bridged with the first of the queue');
    await scene.hears([two, carrier.hz], [carrier, two.hz]);
    await two.page.act(secondId, 'hangup');
    await scene.isHungUp(carrier);
    await scene.lived(first, 'initiated answered enqueued dequeued hangup');
    await scene.lived(second, 'initiated answered enqueued dequeued enqueued dequeued bridged hangup');
    await scene.lived(c, 'initiated answered enqueued dequeued bridged hangup');
  },
};

const maxWait: VoiceRow = {
  name: 'max_wait_time_secs: parked with its music; keep_after_hangup: listed, and a bridge says that it is over',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const { carrier, c } = await called(scene);
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const to = { queue_name: 'patience' };
    await api.act('playback_start', w, { audio_url: `${hook.origin}/menu.wav`, loop: 'infinity' });
    await api.act('enqueue', w, { ...to, max_wait_time_secs: 2 });
    await api.act('enqueue', c, { ...to, keep_after_hangup: true });
    scene.step('one waits with music');
    await scene.hears([caller, SOUND.menu], [carrier, null]);
    const dequeued = await hook.gets(w, 'dequeued');
    assert.deepEqual([dequeued.reason, dequeued.wait_time_secs, dequeued.queue_position], ['timeout', 2, 1]);
    scene.step('parked, and its music goes on');
    await scene.hears([caller, SOUND.menu]);
    assert.equal((await caller.page.call(id)).state, 'active');

    await carrier.sipp.steer('bye');
    await scene.hangup(c, 'normal_clearing', 'caller');
    await carrier.sipp.finishes();
    assert.deepEqual(
      (await api.queued(to.queue_name)).map((call) => [call.call_control_id, call.is_alive]),
      [[c, false]],
    );
    await api.refused('90018', 'bridge', w, { queue: to.queue_name });
    assert.deepEqual(await api.queued(to.queue_name), []);
    await caller.page.act(id, 'hangup');
    await scene.alternates(w);
    await scene.lived(c, 'initiated answered enqueued hangup');
  },
};

const onAnswer: VoiceRow = {
  name: 'a queued caller is taken by bridge_on_answer; enqueue takes a caller out of a bridge',
  run: async (scene) => {
    const { api, hook } = scene;
    const agent = scene.party('ours');
    const { carrier, c } = await called(scene);
    await api.act('enqueue', c, { queue_name: 'again' });
    const a = await scene.dials(agent.address, {
      link_to: c,
      from: '+13125550123',
      bridge_on_answer: true,
      park_after_unbridge: 'self',
    });
    const { id } = await scene.picksUp('ours');
    assert.equal((await hook.gets(c, 'dequeued')).reason, 'bridged');
    scene.step('bridged on answer');
    await scene.hears([agent, carrier.hz], [carrier, agent.hz]);
    await api.act('enqueue', c, { queue_name: 'again' });
    await hook.gets(c, 'enqueued', 2);
    scene.step('queued again, the agent is parked');
    await scene.hears([agent, null], [carrier, null]);
    await api.act('bridge', a, { queue: 'again' });
    scene.step('bridged again');
    await scene.hears([agent, carrier.hz], [carrier, agent.hz]);
    await agent.page.act(id, 'hangup');
    await scene.isHungUp(carrier);
    await scene.lived(c, 'initiated answered enqueued dequeued bridged enqueued dequeued bridged hangup');
    await scene.lived(a, 'initiated answered bridged bridged hangup');
  },
};

export const QUEUE_ROWS: readonly VoiceRow[] = [
  pattern2('2.27.10'),
  pattern2('ours'),
  threeCallers,
  maxWait,
  onAnswer,
];
