import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { browserOffer, Client } from './drive/client.ts';
import { Receiver } from './drive/receiver.ts';
import { freePorts, Product, run, until } from './drive/running.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into by name
type Json = any;

/** A back end that lives on webhooks alone: it knows of calls by what it is told, and commands from inside of its handler. */
describe('webhooks of calls in the running product', { timeout: 120_000 }, () => {
  let product: Product;
  let receiver: Receiver;
  let key = '';

  const send = async (method: string, path: string, body?: object): Promise<Json> => {
    const answer = await fetch(`http://127.0.0.1:${product.ports.http}/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = await answer.json();
    assert.ok(answer.ok, `${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  };

  before(async () => {
    receiver = await Receiver.open();
    product = await Product.start(
      {
        webhooks: { allow: ['127.0.0.1'] },
        connections: [{ user_name: 'line1', password: 'line1 password' }],
      },
      await freePorts(53_600),
    );
    const where = ['--data', product.dataDir, '--config', product.configFile];
    key = (await run('key', 'create', ...where)).stdout.trim();
  });
  after(async () => {
    receiver.close();
    assert.equal(await product.stop(), 0);
  });

  it('a parked caller is answered, joined with an agent and hung up, by a handler of events', async () => {
    const connection = async (user_name: string, more: object): Promise<string> => {
      const body = { connection_name: user_name, user_name, password: `${user_name} password`, ...more };
      return (await send('POST', '/credential_connections', body)).data.id;
    };
    const web = await connection('parked1', {
      outbound: { call_parking_enabled: true },
      webhook_event_url: receiver.url,
    });
    await connection('agent1', { sip_uri_calling_preference: 'internal' });
    const caller = await Client.loggedIn(product.ports.http, 'parked1');
    const agent = await Client.loggedIn(product.ports.http, 'agent1');

    let first = '';
    const handle = async ({ data }: Json): Promise<void> => {
      const { payload } = data;
      const control = payload.call_control_id;
      if (data.event_type === 'call.initiated' && payload.state === 'parked') {
        first = control;
        await send('POST', `/calls/${control}/actions/answer`, { client_state: 'b25l' });
      } else if (data.event_type === 'call.answered' && control === first)
        await send('POST', '/calls', {
          connection_id: web,
          to: 'agent1',
          from: 'sip:parked1@sip.localhost',
          link_to: first,
          client_state: 'dHdv',
        });
      else if (data.event_type === 'call.answered')
        await send('POST', `/calls/${first}/actions/bridge`, { call_control_id: control });
    };
    // Before it answers, as many handlers do.
    receiver.answer = async (body) => {
      await handle(JSON.parse(body));
      return 200;
    };

    const call = await caller.invite('+13125550100');
    await caller.says('telnyx_rtc.answer', call);
    const invite = await agent.says('telnyx_rtc.invite');
    await agent.inCall('answer', invite['callID'], { sdp: browserOffer({ setup: 'active' }) });
    const told = (): Json[] => receiver.requests.map(({ body }) => JSON.parse(body));
    const names = (control: string): string[] =>
      told()
        .filter(({ data }) => data.payload.call_control_id === control)
        .map(({ data }) => data.event_type);
    const count = (name: string): number => told().filter(({ data }) => data.event_type === name).length;
    await until(
      'both bridged',
      () => count('call.bridged') === 2,
      () => JSON.stringify(told()),
    );
    await caller.inCall('bye', call);
    await until(
      'both hung up',
      () => count('call.hangup') === 2,
      () => JSON.stringify(told()),
    );

    const second = told().find(({ data }) => data.payload.state === 'bridging')!.data.payload.call_control_id;
    const life = ['call.initiated', 'call.answered', 'call.bridged', 'call.hangup'];
    assert.deepEqual([names(first), names(second)], [life, life]);
    const { default: Telnyx } = await import('telnyx-7.24.0');
    const { data } = await send('GET', '/public_key');
    const client = new Telnyx({ apiKey: 'KEY', publicKey: data.public });
    for (const { body, headers } of receiver.requests)
      assert.notEqual(await client.webhooks.unwrap(body, { headers: { ...headers } }), undefined);

    const of = (control: string, name: string): Json =>
      told().find((one) => one.data.payload.call_control_id === control && one.data.event_type === name)!.data
        .payload;
    const initiated = of(first, 'call.initiated');
    assert.deepEqual(
      [initiated.direction, initiated.state, initiated.client_state, initiated.connection_id],
      ['outgoing', 'parked', null, web],
    );
    assert.deepEqual(
      [initiated.calling_party_type, initiated.to, of(second, 'call.initiated').direction],
      ['sip', '+13125550100', 'outgoing'],
    );
    assert.equal(of(first, 'call.answered').client_state, 'b25l');
    assert.equal(of(second, 'call.hangup').client_state, 'dHdv');
    assert.equal(of(second, 'call.initiated').call_session_id, initiated.call_session_id);
    const ended = of(first, 'call.hangup');
    assert.deepEqual([ended.hangup_cause, ended.hangup_source], ['normal_clearing', 'caller']);

    const list = `/call_events?filter[application_session_id]=${initiated.call_session_id}`;
    let events: Json[] = [];
    // What was just written may be missing for a moment.
    while (events.length < 8) events = (await send('GET', list)).data;
    assert.deepEqual(
      new Set(events.map((event: Json) => event.metadata.id)),
      new Set(told().map((one) => one.data.id)),
    );
    caller.close();
    agent.close();
  });
});
