import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { parseUri, type Uri } from '@sidetone/sip';
import { browserOffer, Client } from './drive/client.ts';
import { Phone } from './drive/phone.ts';
import { freePorts, Product, run } from './drive/running.ts';

const uri = (text: string): Uri => {
  const parsed = parseUri(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};
const SHOP = 'sip:orders@shop.sip.localhost';

/** Callers without a login call the subdomain of an application, and wait there for an agent. */
describe('queues of the running product', { timeout: 120_000 }, () => {
  let product: Product;
  let phone: Phone;
  let key = '';
  let application = '';

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
  type Answer = { status: number; body: any };
  const send = async (method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`http://127.0.0.1:${product.ports.http}/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  const ok = async (method: string, path: string, body?: object): Promise<Answer['body']> => {
    const answer = await send(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body?.data;
  };
  const legs = async (): Promise<string[]> =>
    (await ok('GET', `/connections/${application}/active_calls`)).map(
      (leg: { call_control_id: string }) => leg.call_control_id,
    );
  type Queued = { call_control_id: string; queue_position: number; wait_time_secs: number };
  const queued = (): Promise<Queued[]> => ok('GET', '/queues/support/calls');

  /** Calls without a login: told to come again once, then let in. The phone's dialog. */
  const strangerCalls = async (): Promise<string> => {
    const more = (to: Uri) => ({ requestUri: to, to: { uri: to, params: {} } });
    phone.invite('x', product.ports.sip, more(uri(SHOP)));
    const { response } = await phone.gets('failed');
    assert.equal(response?.status, 302);
    const { contact } = response!.headers;
    assert.ok(contact !== '*' && contact[0] !== undefined);
    const dialog = phone.invite('x', product.ports.sip, more(contact[0].uri));
    assert.equal((await phone.gets('progress', ({ leg }) => leg === dialog)).response.status, 180);
    return dialog;
  };

  before(async () => {
    const connections = [{ user_name: 'line1', password: 'line1 password' }];
    const ports = await freePorts(46_400);
    phone = await Phone.open(ports.sip);
    product = await Product.start({ connections }, ports);
    key = (
      await run('key', 'create', '--data', product.dataDir, '--config', product.configFile)
    ).stdout.trim();
    const made = await ok('POST', '/call_control_applications', {
      application_name: 'shop',
      webhook_event_url: 'http://127.0.0.1:9/hook',
      inbound: { sip_subdomain: 'shop' },
    });
    application = made.id;
  });
  after(async () => {
    assert.equal(await product.stop(), 0);
    await phone.close();
  });

  it('keep their order and their waits over kill -9 of signalling, and a bridge takes the first', async () => {
    const dialogs = new Map<string, string>();
    for (let i = 0; i < 3; i++) {
      const known = await legs();
      const dialog = await strangerCalls();
      const control = (await legs()).find((leg) => !known.includes(leg))!;
      dialogs.set(control, dialog);
      await ok('POST', `/calls/${control}/actions/answer`);
      await phone.gets('accepted');
      await ok('POST', `/calls/${control}/actions/enqueue`, { queue_name: 'support' });
    }
    const before = await queued();
    assert.deepEqual(
      before.map((one) => one.call_control_id),
      [...dialogs.keys()],
    );

    const signalling = product.child('signalling-process')!;
    process.kill(signalling, 'SIGKILL');
    let agent: Client | undefined;
    while (agent === undefined) {
      agent = await Client.loggedIn(product.ports.http, 'line1').catch(() => undefined);
      await rest(50);
    }
    assert.notEqual(product.child('signalling-process'), signalling);
    const since = await queued();
    assert.deepEqual(
      since.map((one) => [one.call_control_id, one.queue_position]),
      before.map((one) => [one.call_control_id, one.queue_position]),
    );
    for (const [i, one] of since.entries()) assert.ok(one.wait_time_secs >= before[i]!.wait_time_secs);

    const { call_control_id: control } = await ok('POST', '/calls', {
      connection_id: application,
      to: 'sip:line1@sip.localhost',
      from: 'sip:orders@sip.localhost',
    });
    const invite = await agent.says('telnyx_rtc.invite');
    await agent.inCall('answer', invite['callID'], { sdp: browserOffer({ setup: 'active' }) });
    await ok('POST', `/calls/${control}/actions/bridge`, { queue: 'support' });
    const [first, ...others] = [...dialogs.keys()];
    assert.deepEqual(
      (await queued()).map((one) => one.call_control_id),
      others,
    );
    // Dialogs of the process that died are ended from either end.
    await ok('POST', `/calls/${first}/actions/hangup`);
    assert.equal((await phone.gets('bye')).leg, dialogs.get(first!));
    await agent.says('telnyx_rtc.bye', invite['callID']);
    assert.deepEqual((await send('DELETE', '/queues/support')).body.errors[0].code, '90050');
    for (const other of others) phone.do(phone.agent.bye(dialogs.get(other)!, [], phone.now()));
    while ((await queued()).length > 0) await rest(20);
    while ((await legs()).length > 0) await rest(20);
    await ok('DELETE', '/queues/support');
    assert.equal((await send('GET', '/queues/support')).status, 404);
    agent.close();
  });

  it('an application that takes calls of its own connections alone refuses a stranger', async () => {
    await ok('PATCH', `/call_control_applications/${application}`, {
      inbound: { sip_subdomain_receive_settings: 'only_my_connections' },
    });
    const to = uri(SHOP);
    phone.invite('x', product.ports.sip, { requestUri: to, to: { uri: to, params: {} } });
    assert.equal((await phone.gets('failed')).response?.status, 407);
    const client = await Client.loggedIn(product.ports.http, 'line1');
    const call = await client.invite('orders@shop.sip.localhost');
    let [control] = await legs();
    while (control === undefined) {
      await rest(20);
      [control] = await legs();
    }
    await ok('POST', `/calls/${control}/actions/reject`, { cause: 'USER_BUSY' });
    assert.equal((await client.says('telnyx_rtc.bye', call))['sipCode'], 486);
    client.close();
  });

  it('a subdomain is a label, and of one application of all', async () => {
    const make = (sip_subdomain: unknown) =>
      send('POST', '/call_control_applications', {
        application_name: 'other',
        webhook_event_url: 'https://a.example',
        inbound: { sip_subdomain },
      });
    for (const [name, words] of [
      ['SHOP', /already in use/],
      ['a.b', /label/],
      ['-a', /label/],
      ['a'.repeat(64), /label/],
      ['a b', /label/],
      [5, /./],
    ] as const) {
      const { status, body } = await make(name);
      assert.equal(status, 422, `${name}`);
      assert.equal(body.errors[0].source.pointer, '/inbound/sip_subdomain');
      assert.match(body.errors[0].detail, words);
    }
    for (const none of ['', null]) {
      const { body } = await make(none);
      assert.equal(body.data.inbound.sip_subdomain, null);
    }
    assert.equal((await make('Other')).body.data.inbound.sip_subdomain, 'other');
    // Given up, it is free.
    await ok('PATCH', `/call_control_applications/${application}`, { inbound: { sip_subdomain: null } });
    assert.equal((await make('shop')).status, 201);
  });
});
