import assert from 'node:assert/strict';
import { RtpPeer } from '../src/rtp-peer.ts';
import { plainSdp, SipPeer } from '../src/sip-peer.ts';
import { until } from '../src/wait.ts';
import { state, type VoiceRow } from './scene.ts';
import { DESK, HZ } from './stage.ts';

const DIALLED = '+13125559876';

const rejected = (cause: 'CALL_REJECTED' | 'USER_BUSY', status: string, told: string): VoiceRow => ({
  name: `reject ${cause}: ${status}, ${told}`,
  run: async (scene) => {
    const carrier = await scene.carrier('uac');
    const { call_control_id: c } = await scene.begins('parked', 'incoming');
    await scene.api.act('reject', c, { cause });
    await carrier.sipp.gets(status);
    await carrier.sipp.finishes();
    await scene.hangup(c, told, 'unknown', status);
    await scene.lived(c, 'initiated hangup');
    await scene.api.refused('90018', 'answer', c);
  },
});

const giveUp: VoiceRow = {
  name: 'a parked caller gives up; a dial that is hung up before its answer',
  run: async (scene) => {
    const caller = scene.party('ours');
    const parked = await scene.parks('ours', DIALLED);
    await caller.page.act(parked.id, 'hangup');
    await scene.hangup(parked.control, 'originator_cancel', 'caller', '487');
    await scene.lived(parked.control, 'initiated hangup');
    const carrier = await scene.carrier('uas');
    const p = await scene.dials(carrier.number);
    await carrier.sipp.says('180');
    await scene.api.refused('90102', 'answer', p);
    await scene.api.refused('90034', 'send_dtmf', p, { digits: '1' });
    await scene.api.act('hangup', p);
    await carrier.sipp.gets('CANCEL');
    await carrier.sipp.finishes();
    await scene.hangup(p, 'originator_cancel', 'unknown', '487');
    await scene.lived(p, 'initiated hangup');
  },
};

const transfer: VoiceRow = {
  name: 'transfer: to somebody busy, the caller stays; then to a browser, with sound',
  run: async (scene) => {
    const { api, hook } = scene;
    const [caller, agent] = [scene.party('2.27.10'), scene.party('ours')];
    const carrier = await scene.carrier('uas');
    const { control: w, id, initiated } = await scene.answered('2.27.10', DIALLED);
    await api.act('transfer', w, {
      to: carrier.number,
      from: DESK,
      target_leg_client_state: state('target'),
    });
    const busy = (await scene.begins('bridging')).call_control_id;
    await carrier.sipp.says('180');
    await carrier.sipp.steer('busy');
    await carrier.sipp.finishes();
    const ended = await scene.hangup(busy, 'user_busy', 'callee', '486');
    assert.deepEqual(
      [ended.client_state, ended.call_session_id],
      [state('target'), initiated.call_session_id],
    );
    scene.step('the first transfer has failed');
    await scene.hears([caller, null]);
    assert.equal((await caller.page.call(id)).state, 'active');

    await api.act('transfer', w, { to: agent.address });
    const { call_control_id: p, from } = await scene.begins('bridging');
    // Without `from` the target sees what the caller had dialled.
    assert.equal(from, DIALLED);
    const { id: far } = await scene.picksUp('ours');
    await hook.gets(w, 'bridged');
    scene.step('transferred');
    await scene.hears([caller, agent.hz], [agent, caller.hz]);
    await agent.page.act(far, 'hangup');
    await caller.page.ended(id);
    await scene.lived(busy, 'initiated hangup');
    await scene.lived(w, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
  },
};

const fails: VoiceRow = {
  name: 'dials that fail: busy, no answer, too long, nobody registered, no such user; the linked caller stays',
  run: async (scene) => {
    const { api, stage } = scene;
    const caller = scene.party('ours');
    const { control: w, id } = await scene.answered('ours', DIALLED);
    const group = { link_to: w, bridge_on_answer: true };
    for (const [step, cause, status] of [
      ['busy', 'user_busy', '486'],
      ['noAnswer', 'no_answer', '480'],
    ] as const) {
      const carrier = await scene.carrier('uas', step === 'busy' ? 0 : 1);
      const p = await scene.dials(carrier.number, group);
      await carrier.sipp.says('180');
      await carrier.sipp.steer(step);
      await scene.hangup(p, cause, 'callee', status);
      await scene.lived(p, 'initiated hangup');
    }
    const carrier = await scene.carrier('uas', 2);
    const late = await scene.dials(carrier.number, { ...group, timeout_secs: 5 });
    const gone = await scene.dials(stage.address('phone'), group);
    // Here it is the platform that knows.
    await scene.hangup(gone, 'no_answer', 'unknown', '480');
    const unknown = await scene.dials('sip:nobody@sip.localhost', group);
    await scene.hangup(unknown, 'not_found', 'unknown', '404');
    await scene.hangup(late, 'timeout', 'unknown', '487');
    await carrier.sipp.gets('CANCEL');
    for (const leg of [late, gone, unknown]) await scene.lived(leg, 'initiated hangup');
    scene.step('all have failed');
    await scene.hears([caller, null]);
    assert.equal((await caller.page.call(id)).state, 'active');
    await api.act('hangup', w);
    await scene.lived(w, 'initiated answered hangup');
  },
};

const refer: VoiceRow = {
  name: 'refer: a desk phone calls a browser itself',
  run: async (scene) => {
    const { api, hook, stage } = scene;
    const agent = scene.party('ours');
    const phone = await scene.phone();
    await phone.phone.command('dial', `sip:${DIALLED}@sip.localhost`);
    const told = await scene.begins('parked');
    assert.equal(told.connection_id, stage.connections.phone);
    const w = told.call_control_id;
    await api.act('answer', w);
    await phone.phone.sees('CALL_ESTABLISHED');
    await api.act('refer', w, { sip_address: agent.address });
    await hook.gets(w, 'refer.started');
    // What it calls is parked, too; the back end takes it on.
    const { call_control_id: second, to } = await scene.begins('parked');
    assert.match(to, /oursdk/);
    await api.act('transfer', second, { to: agent.address, from: DESK });
    const { call_control_id: a } = await scene.begins('bridging');
    const { id } = await scene.picksUp('ours');
    scene.step('the phone and the browser talk');
    await scene.hears([agent, HZ.phone], [phone, agent.hz]);
    assert.equal((await hook.gets(w, 'refer.completed')).sip_notify_response, 200);
    // The first call stands until somebody ends it.
    await api.act('hangup', w);
    await agent.page.act(id, 'hangup');
    await hook.gets(second, 'hangup');
    await scene.lived(w, 'initiated answered refer.started refer.completed hangup');
    await scene.lived(second, 'initiated answered bridged hangup');
    await scene.lived(a, 'initiated answered bridged hangup');
  },
};

const clientState: VoiceRow = {
  name: 'client_state_update: in every later event of that leg, and of no other',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const carrier = await scene.carrier('uas');
    const { control: w, id } = await scene.answered('ours', DIALLED, { clientState: state('one') });
    const p = await scene.dials(carrier.number, { link_to: w, client_state: state('theirs') });
    await carrier.answers();
    await hook.gets(p, 'answered');
    await api.act('client_state_update', w, { client_state: state('two') });
    await api.refused('90017', 'client_state_update', w, { client_state: 'no base64!' });
    await api.bridge(w, p);
    assert.equal((await hook.gets(w, 'bridged')).client_state, state('two'));
    assert.equal((await api.retrieve(w)).client_state, state('two'));
    await caller.page.act(id, 'hangup');
    assert.equal((await hook.gets(w, 'hangup')).client_state, state('two'));
    assert.equal((await hook.gets(p, 'hangup')).client_state, state('theirs'));
    await scene.isHungUp(carrier);
    await scene.lived(w, 'initiated answered bridged hangup');
    await scene.lived(p, 'initiated answered bridged hangup');
  },
};

const sipInfo: VoiceRow = {
  name: 'send_sip_info: the carrier gets it',
  run: async (scene) => {
    const carrier = await scene.carrier('uas');
    const p = await scene.dials(carrier.number);
    await carrier.answers();
    await scene.hook.gets(p, 'answered');
    await scene.api.act('send_sip_info', p, { content_type: 'application/json', body: '{"a":1}' });
    const info = await carrier.sipp.gets('INFO');
    assert.deepEqual([info.headers.get('content-type')?.[0], info.body], ['application/json', '{"a":1}']);
    await carrier.sipp.steer('bye');
    await scene.hangup(p, 'normal_clearing', 'callee');
    await carrier.sipp.finishes();
    await scene.lived(p, 'initiated answered hangup');
  },
};

const infoReceived: VoiceRow = {
  name: 'a SIP INFO of the carrier: told as call.sip_info.received',
  run: async (scene) => {
    const { api, hook, stage } = scene;
    const rtp = await RtpPeer.open({ codec: 'PCMU', payloadType: 0, eventPayloadType: 101 });
    const carrier = await SipPeer.open({
      server: stage.server.sipPort,
      host: '127.0.0.1',
      port: stage.carrierPorts[2]!,
    });
    try {
      const calling = carrier.calls(DESK, plainSdp('127.0.0.1', rtp.port));
      const { call_control_id: c } = await scene.begins('parked', 'incoming');
      await api.act('answer', c);
      const { leg } = await calling;
      await hook.gets(c, 'answered');
      assert.equal(await carrier.informs(leg, 'application/json', '{"b":2}'), 200);
      const told = await hook.gets(c, 'sip_info.received');
      assert.deepEqual([told.content_type, told.body], ['application/json', '{"b":2}']);
      carrier.bye(leg);
      await scene.hangup(c, 'normal_clearing', 'caller', '200');
      await scene.lived(c, 'initiated answered sip_info.received hangup');
    } finally {
      carrier.close();
      rtp.close();
    }
  },
};

const dtmf: VoiceRow = {
  name: 'send_dtmf: heard by its party alone; digits of both parties are told',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('2.27.10');
    const carrier = await scene.carrier('uas');
    const { control: w, id } = await scene.answered('2.27.10', DIALLED);
    const p = await scene.dials(carrier.number, { link_to: w, send_digits_on_answer: '7' });
    await carrier.answers();
    await hook.gets(p, 'answered');
    const digits = async (all: string): Promise<void> => {
      await until(`the digits ${all} at the carrier`, () => carrier.rtp.events.digits === all, {
        detail: () => JSON.stringify(carrier.rtp.events.heard),
      });
    };
    scene.step('digits on answer');
    await digits('7');
    await api.bridge(p, w);
    await hook.gets(w, 'bridged');
    scene.step('digits sent in the call');
    await api.act('send_dtmf', p, { digits: '12w#A', duration_millis: 100 });
    await digits('712#A');
    await scene.hears([caller, carrier.hz], [carrier, caller.hz]);
    await carrier.rtp.sendDigits('5*');
    assert.equal((await hook.gets(p, 'dtmf.received', 1)).digit, '5');
    assert.equal((await hook.gets(p, 'dtmf.received', 2)).digit, '*');
    await caller.page.act(id, 'dtmf', '9');
    assert.equal((await hook.gets(w, 'dtmf.received')).digit, '9');
    scene.step('the digit of the browser goes on to the carrier');
    await digits('712#A9');
    await api.refused('90014', 'send_dtmf', p, { digits: 'x' });
    await caller.page.act(id, 'hangup');
    await scene.isHungUp(carrier);
    await scene.lived(w, 'initiated answered bridged dtmf.received hangup');
    await scene.lived(p, 'initiated answered bridged dtmf.received dtmf.received hangup');
  },
};

const dialList: VoiceRow = {
  name: 'dial a list: all ring, the first answer wins, the others are cancelled',
  run: async (scene) => {
    const { api, hook } = scene;
    const [first, second] = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const p = await scene.dials([first.number, second.number], { client_state: state('list') });
    await first.sipp.says('180');
    await second.answers();
    await first.sipp.gets('CANCEL');
    await first.sipp.finishes();
    const answered = await hook.gets(p, 'answered');
    assert.deepEqual([answered.to, answered.client_state], [second.number, state('list')]);
    scene.step('answered');
    await scene.hears([second, null], [first, null]);
    await api.act('hangup', p);
    await scene.isHungUp(second);
    await scene.lived(p, 'initiated answered hangup');
  },
};

const reads: VoiceRow = {
  name: 'retrieve and call_events: alive, then over, and what was told',
  run: async (scene) => {
    const { api, hook } = scene;
    const caller = scene.party('ours');
    const { control: w, id, initiated } = await scene.answered('ours', DIALLED, { clientState: state('s') });
    const alive = await api.retrieve(w);
    assert.deepEqual(
      [alive.is_alive, alive.call_leg_id, alive.call_session_id, alive.client_state, alive.record_type],
      [true, initiated.call_leg_id, initiated.call_session_id, state('s'), 'call'],
    );
    await caller.page.act(id, 'hangup');
    await scene.hangup(w, 'normal_clearing', 'caller');
    const over = await api.retrieve(w);
    assert.deepEqual([over.is_alive, typeof over.end_time], [false, 'string']);
    const ids = hook.of(w).map((told) => told.id);
    const listed = async (): Promise<boolean> => {
      const events = await api.callEvents(initiated.call_session_id);
      return ids.every((one) => events.some(({ metadata }) => metadata.id === one));
    };
    await until('the events in call_events', listed, { everyMs: 100 });
    await scene.lived(w, 'initiated answered hangup');
  },
};

const active: VoiceRow = {
  name: 'active_calls: the living legs of a connection, page by page, to an end',
  run: async (scene) => {
    const { api, stage } = scene;
    const { control: w, initiated } = await scene.answered('2.27.10', DIALLED);
    const carriers = [await scene.carrier('uas', 0), await scene.carrier('uas', 1)];
    const legs: string[] = [];
    for (const carrier of carriers) {
      legs.push(await scene.dials(carrier.number));
      await carrier.answers();
    }
    const [one] = await api.activeCalls(stage.connections['2.27.10']);
    assert.deepEqual(
      [one.call_control_id, one.call_leg_id, one.record_type],
      [w, initiated.call_leg_id, 'call'],
    );
    const all = await api.activeCalls(stage.application);
    const found = all.map((leg) => leg.call_control_id);
    // 4.6.0 does not page this list: its first page, and how many there are, is what it shows.
    assert.deepEqual(found, api.version === '4.6.0' ? legs.slice(0, 1) : legs);
    for (const [n, leg] of legs.entries()) {
      await api.act('hangup', leg);
      await scene.isHungUp(carriers[n]!);
      await scene.lived(leg, 'initiated answered hangup');
    }
    assert.deepEqual(await api.activeCalls(stage.application), []);
    await api.act('hangup', w);
    await scene.lived(w, 'initiated answered hangup');
  },
};

const hooks: VoiceRow = {
  name: 'webhook_url and webhook_urls: where the events of a leg go, from a command on',
  run: async (scene) => {
    const { api, hook } = scene;
    const carrier = await scene.carrier('uas');
    const p = await scene.dials(carrier.number, {
      webhook_url: `${hook.origin}/hook/of-the-dial`,
      webhook_urls: { 'call.hangup': `${hook.origin}/hook/of-the-end` },
    });
    await carrier.answers();
    await hook.gets(p, 'answered');
    await api.act('send_dtmf', p, { digits: '1', webhook_url: `${hook.origin}/hook/${p}` });
    await carrier.rtp.sendDigits('2');
    await hook.gets(p, 'dtmf.received');
    await api.act('hangup', p);
    await scene.isHungUp(carrier);
    await scene.lived(p, 'initiated answered dtmf.received hangup');
    assert.deepEqual(
      hook.of(p).map(({ path }) => decodeURIComponent(path)),
      ['/hook/of-the-dial', '/hook/of-the-dial', `/hook/${p}`, '/hook/of-the-end'],
    );
  },
};

const commandId: VoiceRow = {
  name: 'command_id twice: the same answer, one call, one effect',
  run: async (scene) => {
    const { api, stage } = scene;
    const carrier = await scene.carrier('uas');
    const body = { connection_id: stage.application, to: carrier.number, from: DESK, command_id: 'order-7' };
    const made = await api.dial(body);
    const again = await api.dial(body);
    assert.deepEqual(again, made);
    const { call_control_id: p } = await scene.begins('bridging');
    await carrier.answers();
    await api.act('send_dtmf', p, { digits: '1', command_id: 'once' });
    await api.act('send_dtmf', p, { digits: '1', command_id: 'once' });
    await api.act('send_dtmf', p, { digits: '2' });
    await until('the digits', () => carrier.rtp.events.digits.endsWith('2'));
    assert.equal(carrier.rtp.events.digits, '12');
    await api.act('hangup', p, { command_id: 'over' });
    await scene.isHungUp(carrier);
    await api.act('hangup', p, { command_id: 'over' });
    await api.refused('90018', 'hangup', p, { command_id: 'another' });
    assert.equal(carrier.sipp.received('INVITE').length, 1);
    await scene.lived(p, 'initiated answered hangup');
  },
};

export const COMMAND_ROWS: readonly VoiceRow[] = [
  rejected('CALL_REJECTED', '603', 'call_rejected'),
  rejected('USER_BUSY', '486', 'user_busy'),
  giveUp,
  transfer,
  fails,
  refer,
  clientState,
  sipInfo,
  infoReceived,
  dtmf,
  dialList,
  reads,
  active,
  commandId,
  hooks,
];
