import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATIONS } from '../src/api/app.ts';
import { docOf, type KeyDoc, remakeObject } from '../src/identity/objects.ts';
import { ApiBench } from './drive/api.ts';
import { changesOf } from './drive/people.ts';

const HOUR = 3_600_000;

interface AuditEvent {
  readonly id: string;
  readonly change_type: string;
  readonly record_type: string;
  readonly resource_id: string;
  readonly changes: readonly { readonly field: string }[];
  readonly ip_address: string;
  readonly created_at: string;
}

interface Cursors {
  readonly cursors: { readonly before: string | null; readonly after: string | null };
}

const connection = (user_name: string, more: object = {}) => ({
  connection_name: 'web',
  user_name,
  password: 'a password',
  ...more,
});

describe('the REST API', () => {
  let bench: ApiBench;
  let key: string;
  let account: string;
  let serial = 0;
  const fresh = (): string => `user${++serial}`;
  const ask = (method: string, path: string, body?: unknown) => bench.ask(key, method, path, body);
  before(async () => {
    bench = await ApiBench.open({
      connections: [{ user_name: 'filed', password: 'long enough', numbers: ['+13125550100'] }],
    });
    ({ key, id: account } = await bench.account('default'));
  });
  after(() => bench.close());

  it('asks for a key before it says anything, and names why one is not good', async () => {
    for (const [header, status, code] of [
      [undefined, 401, '10009'],
      ['KEYunknownunknownunknownunknown', 401, '10009'],
      ["KEY' OR 1=1", 401, '10009'],
    ] as const) {
      for (const path of ['/credential_connections', '/nothing', '/credential_connections/1']) {
        const answer = await bench.ask(header, 'GET', path);
        assert.equal(answer.status, status);
        assert.equal(answer.body.errors[0].code, code);
        assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/);
      }
    }
    const other = await bench.account('other');
    const object = [...bench.service.registry.list(other.id, 'key').values()][0]!;
    const revoked = { ...docOf<KeyDoc>(object), revoked_at: new Date().toISOString() };
    await bench.put(remakeObject(object, 'key', revoked, bench.people.now));
    assert.equal((await bench.ask(other.key, 'GET', '/connections')).body.errors[0].code, '20002');
    const closed = await bench.account('closed');
    const its = bench.service.registry.get(closed.id)!;
    await bench.put(remakeObject(its, 'account', { name: 'closed', active: false }, bench.people.now));
    const answer = await bench.ask(closed.key, 'GET', '/connections');
    assert.deepEqual([answer.status, answer.body.errors[0].code], [403, '20012']);
    bench.people.now += 61_000;
  });

  it('makes, changes and deletes a connection; what is not said keeps its default', async () => {
    const name = fresh();
    const made = await ask('POST', '/credential_connections', {
      ...connection(name),
      inbound: { simultaneous_ringing: 'enabled' },
      id: '1',
      account: 'x',
      origin: 'configuration',
    });
    assert.equal(made.status, 201);
    const { data } = made.body;
    assert.match(data.id, /^\d{19}$/);
    assert.equal(data.record_type, 'credential_connection');
    assert.equal(data.password, 'a password');
    assert.equal(data.inbound.simultaneous_ringing, 'enabled');
    assert.equal(data.inbound.timeout_2xx_secs, 90);
    assert.equal(data.inbound.dnis_number_format, 'e164');
    assert.equal(data.sip_uri_calling_preference, 'disabled');
    assert.equal(data.origin, undefined);
    const user = bench.service.identity.userByName(name);
    assert.equal(user?.password, 'a password');
    const path = `/credential_connections/${data.id}`;
    const told = changesOf(bench.service);
    const patched = await ask('PATCH', path, {
      inbound: { codecs: ['G722', 'OPUS', 'G729'] },
      active: false,
    });
    assert.equal(patched.body.data.inbound.simultaneous_ringing, 'enabled');
    const entry = bench.service.identity.connection(data.id)!;
    assert.deepEqual(
      [entry.codecs, entry.active, entry.simultaneousRinging],
      [['G722', 'OPUS'], false, true],
    );
    assert.deepEqual(told, [
      { type: 'revoked', userId: data.id, userName: name, why: 'connection-inactive' },
    ]);
    assert.deepEqual((await ask('GET', path)).body, patched.body);
    const stored = JSON.stringify((await bench.service.store.load(0)).objects);
    assert.doesNotMatch(stored, /a password/);
    const deleted = await ask('DELETE', path);
    assert.deepEqual([deleted.status, deleted.body.data.id], [200, data.id]);
    assert.equal((await ask('GET', path)).status, 404);
    assert.equal(bench.service.identity.userByName(name), undefined);
  });

  it('refuses what cannot be accepted, all of it at once, without telling secrets', async () => {
    const answer = await ask('POST', '/credential_connections', {
      user_name: 'ab',
      password: 'sesam',
      webhook_event_url: 'ftp://x',
      inbound: { timeout_1xx_secs: 900 },
    });
    assert.equal(answer.status, 422);
    const told = answer.body.errors.map((e: { code: string; source: { pointer: string } }) => [
      e.code,
      e.source.pointer,
    ]);
    assert.deepEqual(told.sort(), [
      ['10003', '/webhook_event_url'],
      ['10004', '/connection_name'],
      ['10015', '/inbound/timeout_1xx_secs'],
      ['10015', '/password'],
      ['10015', '/user_name'],
    ]);
    assert.doesNotMatch(answer.text, /sesam/);
    const name = fresh();
    for (const [more, pointer] of [
      [{ connection_name: 'a\r\nVia: x' }, '/connection_name'],
      [{ connection_name: 'a\u2028b' }, '/connection_name'],
      [{ webhook_event_url: 'https://user:pass@x.example/' }, '/webhook_event_url'],
      [{ webhook_event_url: `https://x.example/${'a'.repeat(2000)}` }, '/webhook_event_url'],
      [{ webhook_api_version: 'texml' }, '/webhook_api_version'],
      [{ webhook_api_version: '1' }, '/webhook_api_version'],
      [{ webhook_api_version: '3' }, '/webhook_api_version'],
      [{ user_name: '123456' }, '/user_name'],
      [{ user_name: 'filed' }, '/user_name'],
      [{ outbound: { outbound_voice_profile_id: '1' } }, '/outbound/outbound_voice_profile_id'],
      [{ active: 'yes' }, '/active'],
    ] as const) {
      const refused = await ask('POST', '/credential_connections', connection(name, more));
      assert.deepEqual([refused.status, refused.body.errors[0].source.pointer], [422, pointer]);
    }
    assert.equal(bench.service.identity.userByName(name), undefined);
  });

  it('reads bodies of any sort to the end of its limits', async () => {
    const made = await ask('POST', '/credential_connections', connection(fresh()));
    const path = `/credential_connections/${made.body.data.id}`;
    assert.equal((await ask('PATCH', path, '')).status, 200);
    assert.equal((await ask('PATCH', path, '{}')).status, 200);
    for (const [body, status] of [
      ['{', 400],
      ['[]', 400],
      ['null', 400],
      [`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`, 400],
      ['['.repeat(30_000), 400],
      [JSON.stringify({ connection_name: 'x'.repeat(70_000) }), 413],
      ['{"__proto__":{"active":false},"constructor":1}', 200],
    ] as const) {
      const answer = await ask('PATCH', path, body);
      assert.equal(answer.status, status, body.slice(0, 20));
    }
    assert.equal((await ask('GET', path)).body.data.active, true);
    assert.equal((await ask('PUT', path)).status, 405);
    for (const odd of ['%2e%2e', '%00', '%', '%252F', 'a%2Fb', "'", '%F0%9F%92%A3'])
      assert.equal((await ask('GET', `/credential_connections/${odd}`)).status, 404);
  });

  it('gives a name once, however many ask for it at the same moment', async () => {
    const name = fresh();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask('POST', '/credential_connections', connection(name))),
    );
    const statuses = answers.map((a) => a.status).sort();
    assert.deepEqual(statuses, [201, ...Array.from({ length: 19 }, () => 422)]);
    const { id } = answers.find((a) => a.status === 201)!.body.data;
    const patches = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        ask(
          'PATCH',
          `/credential_connections/${id}`,
          i % 2 === 0 ? { tags: ['a'] } : { inbound: { timeout_1xx_secs: 9 } },
        ),
      ),
    );
    assert.ok(patches.every((a) => a.status === 200));
    const { data } = (await ask('GET', `/credential_connections/${id}`)).body;
    assert.deepEqual([data.tags, data.inbound.timeout_1xx_secs], [['a'], 9]);
  });

  it('makes credentials and tokens, and ends them', async () => {
    const made = await ask('POST', '/credential_connections', connection(fresh()));
    const connection_id = made.body.data.id;
    const soon = new Date(bench.people.now + HOUR).toISOString().replace('Z', '');
    const answer = await ask('POST', '/telephony_credentials', {
      connection_id,
      name: 'n',
      tag: 't1',
      expires_at: soon,
    });
    assert.equal(answer.status, 201);
    const { data } = answer.body;
    assert.equal(data.record_type, 'credential');
    assert.match(data.id, /^[0-9a-f-]{36}$/);
    assert.match(data.sip_username, /^gencred[A-Za-z0-9]{25}$/);
    assert.equal(data.resource_id, `connection:${connection_id}`);
    assert.deepEqual([data.expired, data.expires_at, data.user_id], [false, `${soon}Z`, account]);
    const token = await ask('POST', `/telephony_credentials/${data.id}/token`, '');
    assert.equal(token.status, 201);
    assert.match(token.headers.get('content-type')!, /^text\/plain/);
    const verified = await bench.service.tokens.verify(token.text, bench.people.now);
    assert.deepEqual(verified, {
      ok: true,
      value: { userId: data.id, expiresAt: Math.floor((bench.people.now + HOUR) / 1000) * 1000 },
    });
    const material = (await ask('GET', `/telephony_credentials/${data.id}/token_material`)).body.data;
    assert.deepEqual(material, data.token_material);
    const list = async (filter: string): Promise<number> =>
      (await ask('GET', `/telephony_credentials?${filter}`)).body.meta.total_results;
    assert.equal(await list(`filter[resource_id]=connection:${connection_id}&filter[status]=active`), 1);
    assert.equal(await list(`filter[tag]=t1&filter[name]=n&filter[sip_username]=${data.sip_username}`), 1);
    assert.equal(await list('filter[tag]=T1'), 0);
    for (const [body, pointer] of [
      [{ connection_id: '1' }, '/connection_id'],
      [{}, '/connection_id'],
      [{ connection_id, expires_at: 'tomorrow' }, '/expires_at'],
      [{ connection_id, expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ] as const) {
      const refused = await ask('POST', '/telephony_credentials', body);
      assert.deepEqual([refused.status, refused.body.errors[0].source.pointer], [422, pointer]);
    }
    bench.people.now += HOUR;
    const path = `/telephony_credentials/${data.id}`;
    assert.equal((await ask('GET', path)).body.data.expired, true);
    assert.equal(await list('filter[status]=expired'), 1);
    const patched = await ask('PATCH', path, { name: 'x' });
    assert.deepEqual(
      [patched.status, patched.body],
      [422, { errors: { status: 'This credential has expired.' } }],
    );
    assert.equal((await ask('POST', `${path}/token`, '')).status, 422);
    assert.equal((await ask('DELETE', path)).status, 200);
    assert.equal((await ask('POST', `${path}/token`, '')).status, 404);
  });

  it('deletes a connection with its credentials, and frees its numbers', async () => {
    const { id } = (await ask('POST', '/credential_connections', connection(fresh()))).body.data;
    const credential = (await ask('POST', '/telephony_credentials', { connection_id: id })).body.data;
    const number = await bench.number(account, '+13125550111');
    const assigned = await ask('PATCH', `/phone_numbers/${number}`, { connection_id: id, tags: ['main'] });
    assert.deepEqual(
      [assigned.body.data.connection_id, assigned.body.data.connection_name, assigned.body.data.tags],
      [id, 'web', ['main']],
    );
    assert.equal(bench.service.identity.ownerOfNumber('+13125550111')?.id, id);
    assert.equal((await ask('DELETE', `/credential_connections/${id}`)).status, 200);
    assert.equal((await ask('GET', `/telephony_credentials/${credential.id}`)).status, 404);
    assert.equal((await ask('GET', `/phone_numbers/${number}`)).body.data.connection_id, null);
    assert.equal(bench.service.identity.ownerOfNumber('+13125550111'), undefined);
    const voice = await ask('PATCH', `/phone_numbers/${number}/voice`, {
      call_forwarding: { call_forwarding_enabled: true, forwards_to: '\u202d+1 312 555\u20130199\u202c' },
      translated_number: 'tel:+1-312-555-0198',
    });
    assert.equal(voice.body.data.call_forwarding.forwarding_type, 'always');
    assert.equal(voice.body.data.translated_number, '+13125550198');
    assert.equal(bench.service.identity.number('+13125550111')?.forwardTo, '+13125550199');
    const bad = await ask('PATCH', `/phone_numbers/${number}/voice`, {
      call_forwarding: { forwards_to: '555' },
    });
    assert.deepEqual([bad.status, bad.body.errors[0].code], [422, '10016']);
    const found = await ask(
      'GET',
      '/phone_numbers?filter[phone_number][contains]=0111&filter[country_iso_alpha2]=US',
    );
    assert.equal(found.body.meta.total_results, 1);
  });

  it('lets the configuration file have its own, and makes credentials under them', async () => {
    const list = await ask('GET', '/credential_connections?filter[user_name]=filed');
    const { id } = list.body.data[0];
    for (const method of ['PATCH', 'DELETE'])
      assert.equal((await ask(method, `/credential_connections/${id}`, { active: false })).status, 422);
    assert.equal((await ask('POST', '/telephony_credentials', { connection_id: id })).status, 201);
    const number = (await ask('GET', '/phone_numbers?filter[phone_number]=%2B13125550100')).body.data[0];
    assert.equal(number.connection_id, id);
    const pasted = encodeURIComponent('+1 (312) 555\u20130100');
    const again = (await ask('GET', `/phone_numbers?filter[phone_number]=${pasted}`)).body.data;
    assert.equal(again[0].id, number.id);
    assert.equal((await ask('PATCH', `/phone_numbers/${number.id}`, { connection_id: '' })).status, 422);
  });

  it('has profiles and applications, which stay as long as something uses them', async () => {
    const profile = await ask('POST', '/outbound_voice_profiles', {
      name: 'world',
      daily_spend_limit: '10.00',
      daily_spend_limit_enabled: true,
    });
    assert.deepEqual([profile.status, profile.body.data.whitelisted_destinations], [200, ['US', 'CA']]);
    const { id } = profile.body.data;
    const app = await ask('POST', '/call_control_applications', {
      application_name: 'ivr',
      webhook_event_url: 'https://app.example/hook',
      outbound: { outbound_voice_profile_id: id },
    });
    assert.equal(app.status, 201);
    assert.equal((await ask('GET', `/outbound_voice_profiles/${id}`)).body.data.connections_count, 1);
    assert.equal((await ask('DELETE', `/outbound_voice_profiles/${id}`)).status, 422);
    assert.equal(bench.service.identity.application(app.body.data.id)?.profileId, id);
    assert.equal(bench.service.identity.profile(id)?.dailySpendLimit, '10.00');
    const all = await ask('GET', '/connections?page[size]=250');
    const kinds = new Set(all.body.data.map((c: { record_type: string }) => c.record_type));
    assert.deepEqual(kinds, new Set(['credential_connection', 'call_control_application']));
    assert.equal((await ask('GET', `/connections/${app.body.data.id}`)).body.data.connection_name, 'ivr');
    assert.equal((await ask('DELETE', `/call_control_applications/${app.body.data.id}`)).status, 200);
    assert.equal((await ask('DELETE', `/outbound_voice_profiles/${id}`)).status, 200);
  });

  it('pages by number and by cursor, each to its end', async () => {
    const other = await bench.account('pages');
    for (let i = 0; i < 7; i++)
      await bench.ask(other.key, 'POST', '/outbound_voice_profiles', { name: `profile ${i}` });
    const page = async (query: string) =>
      (await bench.ask(other.key, 'GET', `/outbound_voice_profiles?${query}`)).body;
    const first = await page('page[size]=3');
    assert.deepEqual(first.meta, { page_number: 1, page_size: 3, total_pages: 3, total_results: 7 });
    assert.equal((await page('page[size]=3&page[number]=3')).data.length, 1);
    assert.deepEqual((await page('page[size]=3&page[number]=9')).data, []);
    assert.equal((await page('page[size]=99999')).meta.page_size, 250);
    const names: string[] = [];
    for (let query: string | null = 'page[limit]=3', turns = 0; query !== null; turns++) {
      assert.ok(turns < 5);
      const { data, meta } = await page(query);
      names.push(...data.map((p: { name: string }) => p.name));
      query = meta.cursors.after === null ? null : `page[limit]=3&page[after]=${meta.cursors.after}`;
    }
    assert.deepEqual(
      names,
      Array.from({ length: 7 }, (_, i) => `profile ${i}`),
    );
    assert.equal((await page('sort=-name&page[size]=1')).data[0].name, 'profile 6');
    const bad = await bench.ask(other.key, 'GET', '/outbound_voice_profiles?page[number]=0');
    assert.deepEqual([bad.status, bad.body.errors[0].source], [422, { parameter: 'page[number]' }]);
  });

  it('tells who is registered', async () => {
    const name = fresh();
    const { id } = (await ask('POST', '/credential_connections', connection(name))).body.data;
    const check = async () =>
      (await ask('POST', `/credential_connections/${id}/actions/check_registration_status`, '')).body.data;
    assert.equal((await check()).registration_status, 'Not Registered');
    const contact = {
      address: '192.0.2.7',
      port: 5062,
      transport: 'udp',
      userAgent: 'Phone/1.0',
      registeredMs: 30_000,
      expiresInMs: 60_000,
    };
    bench.registered.set(name, { contacts: [contact] });
    const { status: is, ip_address, port, transport, user_agent, last_registration } = await check();
    assert.deepEqual(
      [is, ip_address, port, transport, user_agent],
      ['Registered', '192.0.2.7', 5062, 'udp', 'Phone/1.0'],
    );
    assert.equal(last_registration, new Date(bench.people.now - 30_000).toISOString());
    const status = await ask(
      'GET',
      `/sip_registration_status?credential_type=telephony_credential&username=${name}`,
    );
    assert.equal(status.body.registered, true);
    assert.deepEqual(status.body.sip_registration_details, {
      expires: 60,
      ua_ip: '192.0.2.7',
      ua_port: 5062,
      transport: 'udp',
      user_agent: 'Phone/1.0',
      uptime: 30,
    });
    assert.equal((await ask('GET', '/sip_registration_status?username=nobody')).status, 404);
  });

  it('keeps a record of every change, without secrets', async () => {
    const name = fresh();
    const made = await ask('POST', '/credential_connections', connection(name));
    await ask('PATCH', `/credential_connections/${made.body.data.id}`, { password: 'another one' });
    const { data } = (await ask('GET', '/audit_events?page[size]=2')).body;
    const { id } = made.body.data;
    assert.deepEqual(
      data.map((e: AuditEvent) => [
        e.change_type,
        e.record_type,
        e.resource_id,
        e.changes.map(({ field }) => field).join(),
        e.ip_address,
      ]),
      [
        ['update', 'credential_connection', id, 'password', '192.0.2.9'],
        ['create', 'credential_connection', id, 'connection_name,user_name,password', '192.0.2.9'],
      ],
    );
    assert.equal(data[1].request_id, made.headers.get('x-request-id'));
    assert.deepEqual([data[1].change_made_by, data[1].organization_id], ['account_owner', account]);
    const all = await ask('GET', '/audit_events?page[size]=250');
    assert.doesNotMatch(all.text, /a password|another one|KEY/);
  });

  it('lists the audit log of an account by number, by cursor from both ends, and by time', async () => {
    const other = await bench.account('watched');
    const began = bench.people.now;
    for (let i = 0; i < 7; i++) {
      bench.people.now += 1000;
      await bench.ask(other.key, 'POST', '/outbound_voice_profiles', { name: `watched ${i}` });
    }
    const list = async (query: string): Promise<{ data: AuditEvent[]; meta: Cursors }> =>
      (await bench.ask(other.key, 'GET', `/audit_events?${query}`)).body;
    const everything = (await list('page[size]=250')).data;
    const ids = everything.map((e) => e.id);
    assert.equal(new Set(ids).size, 7);
    assert.deepEqual(
      everything.map((e) => Date.parse(e.created_at)),
      [7, 6, 5, 4, 3, 2, 1].map((n) => began + n * 1000),
    );
    assert.deepEqual((await list('page[size]=3&page[number]=3')).meta, {
      page_number: 3,
      page_size: 3,
      total_pages: 3,
      total_results: 7,
    });
    assert.deepEqual((await list('sort=asc&page[size]=250')).data, everything.toReversed());
    const seen: string[] = [];
    let last = '';
    for (let query: string | null = 'page[limit]=3', turns = 0; query !== null; turns++) {
      assert.ok(turns < 5);
      const { data, meta } = await list(query);
      seen.push(...data.map((e) => e.id));
      last = data[0]!.id;
      query = meta.cursors.after === null ? null : `page[limit]=3&page[after]=${meta.cursors.after}`;
    }
    assert.deepEqual(seen, ids);
    const back = await list(`page[limit]=4&page[before]=${last}`);
    assert.deepEqual(
      back.data.map((e) => e.id),
      ids.slice(2, 6),
    );
    assert.deepEqual(back.meta.cursors, { before: ids[2], after: ids[5] });
    const at = (n: number): string => new Date(began + n * 1000).toISOString();
    const some = await list(`filter[created_after]=${at(3)}&filter[created_before]=${at(5)}`);
    assert.deepEqual(
      some.data.map((e) => e.id),
      ids.slice(2, 5),
    );
    assert.equal((await bench.ask(other.key, 'GET', '/audit_events?filter[created_after]=x')).status, 422);
    const foreign = await ask('GET', `/audit_events?page[after]=${ids[3]}`);
    assert.deepEqual(foreign.body.data, []);
  });

  it('describes itself', async () => {
    const answer = await bench.app.request('/v2/openapi.json');
    const document = (await answer.json()) as {
      openapi: string;
      paths: Record<string, Record<string, unknown>>;
    };
    assert.equal(document.openapi, '3.1.0');
    const described = Object.values(document.paths).flatMap((path) => Object.keys(path)).length;
    assert.equal(described, OPERATIONS.length);
    const ids = OPERATIONS.map((row) => row.id);
    assert.equal(new Set(ids).size, ids.length);
    const page = await (await bench.app.request('/v2/docs')).text();
    for (const id of ids) assert.ok(page.includes(`id="${id}"`), id);
    assert.doesNotMatch(page, /<script|undefined|\[object/);
  });
});

describe('the rate of requests', () => {
  it('is told with every answer, and ends in 429', async () => {
    const bench = await ApiBench.open({}, 3);
    try {
      const { key } = await bench.account('busy');
      const calm = await bench.account('calm');
      const statuses: [number, string | null][] = [];
      for (let i = 0; i < 4; i++) {
        const { status, headers } = await bench.ask(key, 'GET', '/connections');
        statuses.push([status, headers.get('x-ratelimit-remaining')]);
      }
      assert.deepEqual(statuses, [
        [200, '2'],
        [200, '1'],
        [200, '0'],
        [429, '0'],
      ]);
      const refused = await bench.ask(key, 'GET', '/connections');
      assert.equal(refused.body.errors[0].code, '10011');
      assert.deepEqual(
        ['x-ratelimit-limit', 'x-ratelimit-reset', 'retry-after'].map((h) => refused.headers.get(h)),
        ['3', '60', '60'],
      );
      assert.equal((await bench.ask(calm.key, 'GET', '/connections')).status, 200);
      // windows-on-the-wall-clock: a step of the time of day neither prolongs nor opens the window.
      for (const step of [3_600_000, -7_200_000]) {
        bench.people.now += step;
        const still = await bench.ask(key, 'GET', '/connections');
        assert.deepEqual([still.status, still.headers.get('retry-after')], [429, '60']);
      }
      bench.now += 60_000;
      assert.equal((await bench.ask(key, 'GET', '/connections')).status, 200);
      // Guessing keys has an allowance of its own, which does not touch those who have one.
      let last = 0;
      for (let i = 0; i < 62; i++)
        last = (await bench.ask('KEYguessguessguessguessguess', 'GET', '/connections')).status;
      assert.equal(last, 429);
      assert.equal((await bench.ask(key, 'GET', '/connections')).status, 200);
    } finally {
      await bench.close();
    }
  });
});
