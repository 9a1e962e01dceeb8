import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { Client } from './drive/client.ts';
import { freePorts, Product, run } from './drive/running.ts';

/** Reads of calls that live, in the real product. */
describe('calls of the running product', { timeout: 120_000 }, () => {
  let product: Product;
  let key = '';

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
  const ask = async (path: string, by = key): Promise<{ status: number; body: any }> => {
    const answer = await fetch(`http://127.0.0.1:${product.ports.http}/v2${path}`, {
      headers: { Authorization: `Bearer ${by}` },
    });
    return { status: answer.status, body: await answer.json() };
  };

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
});
