import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { CallEvent } from '@sidetone/wire';
import { remakeObject } from '../src/identity/objects.ts';
import { ApiBench } from './drive/api.ts';
import { madeEvent } from './drive/events.ts';
import { until } from './drive/running.ts';

describe('webhooks in the API', () => {
  let bench: ApiBench;
  let key: string;
  let account: string;
  const ask = (method: string, path: string, body?: unknown) => bench.ask(key, method, path, body);
  const save = (event: CallEvent, more: { delivered?: boolean; responseBody?: string } = {}): void => {
    bench.events.save({ kind: 'event', event });
    if (more.delivered === undefined) return;
    const { delivered } = more;
    bench.events.save({
      kind: 'attempt',
      attempt: {
        event: event.id,
        attempt: 3,
        url: 'https://app.example/hook',
        delivered,
        status: delivered ? 200 : null,
        why: delivered ? null : 'the connection was refused',
        startedAt: event.at + 10,
        ms: 5.5,
        requestHeaders: [['User-Agent', 'telnyx-webhooks']],
        responseHeaders: delivered ? [['x-a', 'b']] : [],
        responseBody: more.responseBody ?? '',
      },
    });
    bench.events.save({ kind: 'settled', id: event.id, delivered });
  };
  const written = () => until('all written', () => bench.events.state.waiting === 0);
  before(async () => {
    bench = await ApiBench.open();
    ({ key, id: account } = await bench.account('default'));
  });
  after(() => bench.close());

  it('tells the key that signs', async () => {
    const answer = await ask('GET', '/public_key');
    assert.deepEqual([answer.status, answer.body], [200, { data: { public: bench.publicKey } }]);
    assert.equal((await bench.ask(undefined, 'GET', '/public_key')).status, 401);
  });

  it('lists what happened to a leg, in the published form', async () => {
    const at = bench.people.now - 5000 + 0.25;
    const first = madeEvent({ account, leg: 'l1', session: 's1', at, what: { type: 'digit', digit: '5' } });
    const second = madeEvent({ account, leg: 'l1', session: 's1', n: 1, at: at + 1, what: { type: 'held' } });
    const days = madeEvent({ account, leg: 'l2', session: 's1', at: at - 3 * 86_400_000 });
    for (const event of [first, second, days]) save(event);
    await written();
    const { body } = await ask('GET', '/call_events?filter[leg_id]=l1');
    assert.equal(body.meta.total_results, 2);
    const stamp = `${new Date(at).toISOString().slice(0, -1)}250Z`;
    assert.deepEqual(body.data[0], {
      record_type: 'call_event',
      type: 'webhook',
      name: 'call.dtmf.received',
      call_leg_id: 'l1',
      call_session_id: 's1',
      event_timestamp: stamp,
      metadata: {
        record_type: 'event',
        event_type: 'call.dtmf.received',
        id: first.id,
        occurred_at: stamp,
        payload: {
          call_control_id: 'v3:l1',
          call_leg_id: 'l1',
          call_session_id: 's1',
          connection_id: '1234567890123456789',
          client_state: null,
          from: '+13125550100',
          to: '+13125550101',
          calling_party_type: 'pstn',
          digit: '*',
        },
      },
    });
    const names = async (query: string): Promise<string[]> =>
      (await ask('GET', `/call_events?${query}`)).body.data.map(
        (e: { metadata: { id: string } }) => e.metadata.id,
      );
    // Of a session all; otherwise the last day.
    assert.deepEqual(await names('filter[application_session_id]=s1'), [days.id, first.id, second.id]);
    assert.deepEqual(await names(''), [first.id, second.id]);
    assert.deepEqual(await names('filter[name]=call.hold'), [second.id]);
    assert.deepEqual(await names('filter[type]=command'), []);
    assert.deepEqual(await names('filter[type]=webhook&filter[leg_id]=l1'), [first.id, second.id]);
    assert.deepEqual(await names(`filter[occurred_at][gt]=${encodeURIComponent(stamp)}`), [second.id]);
    assert.deepEqual(await names(`filter[occurred_at][gte]=${encodeURIComponent(stamp)}`), [
      first.id,
      second.id,
    ]);
    assert.deepEqual(await names(`filter[occurred_at][lt]=${encodeURIComponent(stamp)}`), []);
    assert.deepEqual(await names('filter[leg_id]=l1&page[size]=1&page[number]=2'), [second.id]);
    const paged = await ask('GET', '/call_events?filter[leg_id]=l1&page[limit]=1');
    assert.equal(paged.body.meta.cursors.after, first.id);
    assert.deepEqual(await names(`filter[leg_id]=l1&page[limit]=1&page[after]=${first.id}`), [second.id]);
    const end = await ask('GET', `/call_events?filter[leg_id]=l1&page[limit]=1&page[after]=${second.id}`);
    assert.deepEqual([end.body.data, end.body.meta.cursors.after], [[], null]);
    assert.equal((await ask('GET', '/call_events?filter[occurred_at][gt]=soon')).status, 422);
  });

  it('lists deliveries with their tries, and sends one again', async () => {
    const good = madeEvent({ account, leg: 'd1' });
    const bad = madeEvent({ account, leg: 'd2' });
    save(good, { delivered: true, responseBody: 'thanks' });
    save(bad, { delivered: false });
    await written();
    const { body } = await ask('GET', '/webhook_deliveries?filter[status][eq]=failed');
    assert.deepEqual(
      body.data.map(({ id }: { id: string }) => id),
      [bad.id],
    );
    const one = (await ask('GET', `/webhook_deliveries/${good.id}`)).body.data;
    assert.deepEqual([one.record_type, one.status, one.user_id], ['webhook_delivery', 'delivered', account]);
    assert.equal(one.webhook.id, good.id);
    assert.deepEqual(one.attempts[0].http, {
      request: { url: 'https://app.example/hook', headers: [['User-Agent', 'telnyx-webhooks']] },
      response: { status: 200, headers: [['x-a', 'b']], body: 'thanks' },
    });
    const failed = (await ask('GET', `/webhook_deliveries/${bad.id}`)).body.data.attempts[0];
    assert.deepEqual(
      [failed.status, failed.error, failed.http.response],
      ['failed', 'the connection was refused', null],
    );
    const again = await ask('POST', `/webhook_deliveries/${bad.id}/redeliver`);
    assert.deepEqual([again.status, again.body.data.status], [200, 'pending']);
    assert.deepEqual(bench.redelivered, [[bad, 3]]);
    const secret = madeEvent({ account, what: { type: 'digit', digit: '5' } });
    save(secret, { delivered: false });
    await written();
    const refused = await ask('POST', `/webhook_deliveries/${secret.id}/redeliver`);
    assert.equal(refused.status, 422);
    assert.match(refused.body.errors[0].detail, /digits that are not kept.*webhooks\.keep_digits/);
    for (const [method, path] of [
      ['GET', '/webhook_deliveries/nothing'],
      ['POST', '/webhook_deliveries/nothing/redeliver'],
    ] as const)
      assert.equal((await ask(method, path)).status, 404);
    assert.equal((await ask('GET', '/webhook_deliveries?filter[status]=lost')).status, 422);
    assert.equal(bench.redelivered.length, 1);
  });

  it('refuses version 1 in words, and reads what is stored of it as 2', async () => {
    const applications = '/call_control_applications';
    const body = { application_name: 'x', webhook_event_url: 'https://app.example/' };
    const words = /webhook_api_version must be "2": events of version 1 are not sent here/;
    for (const [method, path, more] of [
      ['POST', applications, { ...body, webhook_api_version: '1' }],
      [
        'POST',
        '/credential_connections',
        { connection_name: 'a', user_name: 'aaaaa', password: 'a password', webhook_api_version: '1' },
      ],
    ] as const) {
      const refused = await ask(method, path, more);
      assert.equal(refused.status, 422);
      assert.match(refused.body.errors[0].detail, words);
    }
    const { data } = (await ask('POST', applications, { ...body, webhook_api_version: '2' })).body;
    const patched = await ask('PATCH', `${applications}/${data.id}`, { webhook_api_version: '1' });
    assert.deepEqual([patched.status, patched.body.errors[0].source.pointer], [422, '/webhook_api_version']);
    assert.match(
      (await ask('PATCH', `${applications}/${data.id}`, { webhook_api_version: 'texml' })).body.errors[0]
        .detail,
      /must be one of "2"/,
    );
    // As a release before this one has stored it.
    const object = bench.service.registry.get(data.id)!;
    const doc = { ...object.doc, webhook_api_version: '1' } as never;
    await bench.put(remakeObject(object, 'application', doc, bench.people.now));
    bench.service = await bench.people.open();
    assert.equal(bench.service.registry.get(data.id)?.doc['webhook_api_version'], '2');
    assert.equal(bench.service.identity.application(data.id)?.webhook.apiVersion, '2');
  });
});
