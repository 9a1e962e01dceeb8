import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Command } from '@sidetone/wire';
import { ApiBench } from './drive/api.ts';

const URL_SOUND = { kind: 'url', url: 'https://a.example/a.wav' };

describe('calls', () => {
  let bench: ApiBench;
  let key: string;
  let account: string;
  before(async () => {
    bench = await ApiBench.open({ connections: [{ user_name: 'filed', password: 'long enough' }] });
    ({ key, id: account } = await bench.account('default'));
  });
  after(() => bench.close());
  const ask = (method: string, path: string, body?: unknown) => bench.ask(key, method, path, body);
  const taken = (): Command[] => bench.calls.commands.splice(0);
  const application = async (name: string, from = key): Promise<string> => {
    const body = { application_name: name, webhook_event_url: 'https://a.example/hook' };
    return (await bench.ask(from, 'POST', '/call_control_applications', body)).body.data.id;
  };

  it('dial makes a leg, of an application or of a connection', async () => {
    const made = await application('dialler');
    const filed = bench.service.identity.userByName('filed')!.connectionId;
    for (const connection of [made, filed]) {
      const answer = await ask('POST', '/calls', {
        connection_id: connection,
        to: '+13125550100',
        from: '+13125550101',
      });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.body, {
        data: {
          record_type: 'call',
          call_control_id: 'v3:AAAAdialled-_',
          call_leg_id: 'a-leg',
          call_session_id: 'a-session',
          client_state: null,
          is_alive: false,
        },
      });
      assert.deepEqual(taken(), [
        {
          type: 'dial',
          account,
          connection,
          to: ['+13125550100'],
          from: '+13125550101',
          ringMs: 30_000,
          limitMs: 14_400_000,
        },
      ]);
    }
  });

  it('dial with all that it takes', async () => {
    const connection = await application('full');
    const answer = await ask('POST', '/calls', {
      connection_id: connection,
      to: ['+13125550100', 'sip:bob@example.com;secure=dtls', 'alice42'],
      from: 'sip:shop@example.com',
      from_display_name: 'Shop',
      link_to: 'v3:first',
      bridge_intent: true,
      bridge_on_answer: true,
      park_after_unbridge: 'self',
      prevent_double_bridge: false,
      timeout_secs: 600,
      time_limit_secs: 14_400,
      preferred_codecs: 'PCMU,OPUS,G722',
      custom_headers: [{ name: 'X-A', value: 'b' }],
      audio_url: 'https://a.example/a.wav',
      send_digits_on_answer: '1',
      client_state: 'aGk=',
      command_id: 'once',
      webhook_url: 'https://a.example/hook',
      // Without a meaning here.
      answering_machine_detection: 'disabled',
      answering_machine_detection_config: {},
      retry_on_timeout: true,
      billing_group_id: 'x',
      sip_region: 'Europe',
      sip_transport_protocol: 'TCP',
      media_name: '',
      record: null,
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.data.client_state, 'aGk=');
    assert.deepEqual(taken(), [
      {
        type: 'dial',
        account,
        clientState: 'aGk=',
        commandId: 'once',
        hook: { url: 'https://a.example/hook' },
        connection,
        to: ['+13125550100', 'sip:bob@example.com;secure=dtls', 'alice42'],
        from: 'sip:shop@example.com',
        fromName: 'Shop',
        link: 'v3:first',
        bridgeIntent: true,
        bridgeOnAnswer: true,
        after: 'park',
        preventDouble: false,
        ringMs: 600_000,
        limitMs: 14_400_000,
        headers: [['X-A', 'b']],
        codecs: ['PCMU', 'OPUS', 'G722'],
        digits: '1',
        play: URL_SOUND,
      },
    ]);
  });

  it('retrieves a leg: while it rings, talks, and is over; of its own account only', async () => {
    const now = bench.people.now;
    const leg = {
      control: 'v3:look',
      leg: 'leg-id',
      session: 'session-id',
      account,
      connection: null,
      alive: true,
      clientState: null,
      startedAt: now - 20_000,
      answeredAt: null,
      endedAt: null,
    };
    const shown = async (more: object): Promise<object> => {
      bench.calls.legs.splice(0, bench.calls.legs.length, { ...leg, ...more });
      const { status, body } = await ask('GET', '/calls/v3%3Alook');
      assert.equal(status, 200);
      return body.data;
    };
    const ids = {
      record_type: 'call',
      call_control_id: 'v3:look',
      call_leg_id: 'leg-id',
      call_session_id: 'session-id',
      start_time: new Date(now - 20_000).toISOString(),
    };
    assert.deepEqual(await shown({}), { ...ids, client_state: null, call_duration: 0, is_alive: true });
    assert.deepEqual(await shown({ answeredAt: now - 12_345, clientState: 'aGk=' }), {
      ...ids,
      client_state: 'aGk=',
      call_duration: 12,
      is_alive: true,
    });
    assert.deepEqual(await shown({ answeredAt: now - 12_345, endedAt: now - 2345, alive: false }), {
      ...ids,
      client_state: null,
      call_duration: 10,
      is_alive: false,
      end_time: new Date(now - 2345).toISOString(),
    });
    const other = await bench.account('other');
    for (const [from, path] of [
      [other.key, '/calls/v3:look'],
      [key, '/calls/v3:nothing'],
    ] as const) {
      const answer = await bench.ask(from, 'GET', path);
      assert.deepEqual([answer.status, answer.body.errors[0].code], [422, '90015']);
    }
    bench.calls.legs.length = 0;
  });

  it('pitfall 15: lists the living legs of a connection, to the end by numbers and by cursors', async () => {
    const connection = await application('busy');
    const put = (n: number, more: object = {}) =>
      bench.calls.legs.push({
        control: `v3:${n}`,
        leg: `leg-${n}`,
        session: 'one',
        account,
        connection,
        alive: true,
        clientState: null,
        startedAt: bench.people.now - 1000 + n,
        answeredAt: bench.people.now - 1000,
        endedAt: null,
        ...more,
      });
    for (const n of [2, 1, 3, 4, 5]) put(n);
    put(6, { alive: false });
    put(7, { account: 'somebody' });
    const path = `/connections/${connection}/active_calls`;
    const all = await ask('GET', path);
    assert.deepEqual(all.body.data[0], {
      record_type: 'call',
      call_control_id: 'v3:1',
      call_leg_id: 'leg-1',
      call_session_id: 'one',
      client_state: null,
      call_duration: 1,
    });
    assert.deepEqual(all.body.meta, {
      page_number: 1,
      page_size: 20,
      total_pages: 1,
      total_results: 5,
      total_items: 5,
      cursors: { before: null, after: null },
      next: null,
    });
    const idsOf = (answer: { body: { data: { call_control_id: string }[] } }): string =>
      answer.body.data.map((leg) => leg.call_control_id.slice(3)).join('');
    const numbered: string[] = [];
    for (let n = 1, pages = 1; n <= pages; n++) {
      const answer = await ask('GET', `${path}?page[number]=${n}&page[size]=2`);
      assert.equal(answer.body.meta.page_number, n);
      pages = answer.body.meta.total_pages;
      numbered.push(idsOf(answer));
    }
    assert.deepEqual(numbered, ['12', '34', '5']);
    const followed: string[] = [];
    for (let next: string | null = `/v2${path}?page[limit]=2`; next !== null; ) {
      const answer = await ask('GET', next.slice('/v2'.length));
      next = answer.body.meta.next;
      followed.push(idsOf(answer));
      // The leg behind which the next page begins hangs up meanwhile: nobody behind it is lost.
      if (followed.length === 1) bench.calls.legs.splice(0, 1);
    }
    assert.deepEqual(followed, ['12', '34', '5']);
    const last = await ask('GET', `${path}?page[number]=9`);
    assert.deepEqual([last.body.data, last.body.meta.page_number], [[], 9]);
    const other = await bench.account('another');
    assert.equal((await bench.ask(other.key, 'GET', path)).status, 404);
    assert.equal((await ask('GET', '/connections/1/active_calls')).status, 404);
    const filed = bench.service.identity.userByName('filed')!.connectionId;
    assert.deepEqual((await ask('GET', `/connections/${filed}/active_calls`)).body.data, []);
    bench.calls.legs.length = 0;
  });
});
