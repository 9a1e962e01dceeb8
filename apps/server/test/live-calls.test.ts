import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { browserOffer, Client } from './drive/client.ts';
import { freePorts, Product, run } from './drive/running.ts';

/** Reads of calls that live, and commands to them, in the real product. */
describe('calls of the running product', { timeout: 120_000 }, () => {
  let product: Product;
  let key = '';

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
  type Answer = { status: number; body: any };
  const send = async (method: string, path: string, by: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`http://127.0.0.1:${product.ports.http}/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${by}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const ask = (path: string, by = key): Promise<Answer> => send('GET', path, by);
  const post = (path: string, body?: object, by = key): Promise<Answer> => send('POST', path, by, body);

  before(async () => {
    const connections = [{ user_name: 'line1', password: 'line1 password' }];
    product = await Product.start({ connections }, await freePorts(46_200));
    const where = ['--data', product.dataDir, '--config', product.configFile];
    key = (await run('key', 'create', ...where)).stdout.trim();
  });
  after(async () => assert.equal(await product.stop(), 0));

  it('a leg is found by its call_control_id and by its connection, by its own account only', async () => {
    const { data } = (await ask('/credential_connections')).body;
    const list = `/connections/${data[0].id}/active_calls`;
    assert.deepEqual((await ask(list)).body.data, []);
    const client = await Client.loggedIn(product.ports.http, 'line1');
    const call = await client.invite('9196');
    const answered = await client.says('telnyx_rtc.answer', call);
    const control: string = answered['telnyx_call_control_id'];
    for (const id of [control, encodeURIComponent(control)]) {
      const { status, body } = await ask(`/calls/${id}`);
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.data.call_control_id, control);
      assert.equal(body.data.call_leg_id, answered['telnyx_leg_id']);
      assert.equal(body.data.call_session_id, answered['telnyx_session_id']);
      assert.deepEqual([body.data.is_alive, body.data.client_state], [true, null]);
      assert.ok(Math.abs(Date.parse(body.data.start_time) - Date.now()) < 60_000);
    }
    const active = (await ask(list)).body;
    assert.deepEqual(
      active.data.map((leg: { call_control_id: string }) => leg.call_control_id),
      [control],
    );
    const where = ['--data', product.dataDir, '--config', product.configFile];
    assert.equal((await run('account', 'add', 'stranger', ...where)).code, 0);
    const stranger = (await run('key', 'create', '--account', 'stranger', ...where)).stdout.trim();
    const foreign = await ask(`/calls/${control}`, stranger);
    const unknown = await ask('/calls/v3:nothing', stranger);
    assert.deepEqual([foreign.status, foreign.body.errors[0].code], [422, '90015']);
    assert.deepEqual(foreign, unknown);
    assert.equal((await ask(list, stranger)).status, 404);
    await client.inCall('bye', call);
    while ((await ask(list)).body.data.length > 0) await rest(20);
    client.close();
  });

  it('Pattern 1: a parked caller is answered, somebody is dialled and bridged with it, and hung up', async () => {
    const connection = async (user_name: string, more: object): Promise<string> => {
      const body = { connection_name: user_name, user_name, password: `${user_name} password`, ...more };
      return (await post('/credential_connections', body)).body.data.id;
    };
    const web = await connection('parked1', { outbound: { call_parking_enabled: true } });
    await connection('agent1', { sip_uri_calling_preference: 'internal' });
    const caller = await Client.loggedIn(product.ports.http, 'parked1');
    const agent = await Client.loggedIn(product.ports.http, 'agent1');

    const call = await caller.invite('+13125550100');
    const legs = async (): Promise<string[]> =>
      (await ask(`/connections/${web}/active_calls`)).body.data.map(
        (leg: { call_control_id: string }) => leg.call_control_id,
      );
    let [first] = await legs();
    while (first === undefined) {
      await rest(20);
      [first] = await legs();
    }
    const stranger = (
      await run(
        'key',
        'create',
        '--account',
        'stranger',
        '--data',
        product.dataDir,
        '--config',
        product.configFile,
      )
    ).stdout.trim();
    const foreign = await post(`/calls/${first}/actions/answer`, {}, stranger);
    assert.deepEqual([foreign.status, foreign.body.errors[0].code], [422, '90015']);
    const early = await post(`/calls/${first}/actions/send_dtmf`, { digits: '1' });
    assert.deepEqual([early.status, early.body.errors[0].code], [422, '90034']);

    const answered = await post(`/calls/${first}/actions/answer`, { client_state: 'b25l' });
    assert.deepEqual([answered.status, answered.body], [200, { data: { result: 'ok' } }]);
    await caller.says('telnyx_rtc.answer', call);
    assert.equal((await ask(`/calls/${first}`)).body.data.client_state, 'b25l');
    const state = { client_state: 'dHdv' };
    assert.equal((await send('PUT', `/calls/${first}/actions/client_state_update`, key, state)).status, 200);
    assert.equal((await ask(`/calls/${first}`)).body.data.client_state, 'dHdv');

    // All of these are taken as soon as answer has said 200; what plays or is gathered ends with its stop, or with the next.
    for (const [action, body] of [
      ['send_dtmf', { digits: '1w2' }],
      ['gather', { maximum_digits: 4 }],
      ['gather_using_audio', { audio_url: 'https://a.example/a.wav' }],
      ['gather_using_speak', { payload: 'hello', voice: 'female' }],
      ['gather_stop', {}],
      ['playback_start', { media_name: 'welcome', loop: 'infinity' }],
      ['speak', { payload: 'hello', voice: 'female' }],
      ['playback_stop', {}],
      ['send_sip_info', { content_type: 'text/plain', body: 'hi' }],
    ] as const) {
      const taken = await post(`/calls/${first}/actions/${action}`, body);
      assert.deepEqual([action, taken.status, taken.body], [action, 200, { data: { result: 'ok' } }]);
    }
    const rejected = await post(`/calls/${first}/actions/reject`, { cause: 'USER_BUSY' });
    assert.equal(rejected.status, 422);

    const order = {
      connection_id: web,
      to: 'agent1',
      from: 'sip:parked1@sidetone.local',
      link_to: first,
      command_id: 'order-7',
    };
    const dialled = await post('/calls', order);
    assert.equal(dialled.status, 200, JSON.stringify(dialled.body));
    const { data } = dialled.body;
    assert.equal(data.is_alive, false);
    assert.equal(data.call_session_id, (await ask(`/calls/${first}`)).body.data.call_session_id);
    assert.deepEqual((await post('/calls', order)).body, dialled.body);
    const second: string = data.call_control_id;
    const ours = await post(`/calls/${second}/actions/answer`);
    assert.deepEqual([ours.status, ours.body.errors[0].code], [422, '90102']);
    const invite = await agent.says('telnyx_rtc.invite');
    await agent.inCall('answer', invite['callID'], { sdp: browserOffer({ setup: 'active' }) });
    const bridged = await post(`/calls/${first}/actions/bridge`, { call_control_id: second });
    assert.deepEqual([bridged.status, bridged.body], [200, { data: { result: 'ok' } }]);

    assert.equal((await post(`/calls/${first}/actions/hangup`)).status, 200);
    await caller.says('telnyx_rtc.bye', call);
    await agent.says('telnyx_rtc.bye', invite['callID']);
    while ((await legs()).length > 0) await rest(20);
    const over = (await ask(`/calls/${first}`)).body.data;
    assert.equal(over.is_alive, false);
    assert.ok(Date.parse(over.end_time) >= Date.parse(over.start_time));
    const again = await post(`/calls/${first}/actions/hangup`);
    assert.deepEqual([again.status, again.body.errors[0].code], [422, '90018']);
    caller.close();
    agent.close();
  });
});
