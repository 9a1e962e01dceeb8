import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { browserOffer, Client } from './drive/client.ts';
import { Phone } from './drive/phone.ts';
import { freePorts, Product, run, until } from './drive/running.ts';

const NUMBER = '+13128889999';
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

/** The example of the published SDKs, with the real server: six clients of one connection, dialled by every name and number. */
describe('who is rung', { timeout: 300_000 }, () => {
  let product: Product;
  let carrier: Phone;
  let key = '';
  let connection = '';
  const credentials: { id: string; sip_username: string; sip_password: string }[] = [];
  const clients = new Map<string, Client>();
  const logins = new Map<string, object>();
  let caller: Client;

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
  const ask = async (method: string, path: string, body?: object): Promise<any> => {
    const answer = await fetch(`http://127.0.0.1:${product.ports.http}/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.headers.get('content-type')?.startsWith('text/plain')
      ? await answer.text()
      : await answer.json();
  };

  const logIn = async (params: object): Promise<Client> => {
    const client = await Client.open(product.ports.http);
    const reply = await client.request('login', params);
    if (reply.result === undefined) throw new Error(JSON.stringify(reply.error));
    client.sessid = reply.result['sessid'];
    await client.says('telnyx_rtc.clientReady');
    return client;
  };

  const rings = (client: Client): boolean =>
    client.frames.some((frame) => frame.method === 'telnyx_rtc.invite');

  /** Who rings, once somebody does and all who would have had the time: invites leave together, in one turn. */
  const rung = async (): Promise<string[]> => {
    await until(
      'somebody to ring',
      () => [...clients.values()].some(rings),
      () => product.stderr,
    );
    const names = NAMES.filter((name) => rings(clients.get(name)!));
    return names;
  };

  /** They ring until the caller hangs up. */
  const over = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      await clients.get(name)!.says('telnyx_rtc.invite');
      await clients.get(name)!.says('telnyx_rtc.bye');
    }
  };

  const dial = async (destination: string): Promise<string[]> => {
    const call = await caller.invite(destination);
    const names = await rung();
    await caller.inCall('bye', call);
    await over(names);
    return names;
  };

  before(async () => {
    const ports = await freePorts(49_000);
    carrier = await Phone.open(ports.sip);
    const trunks = [{ name: 'carrier', host: '127.0.0.1', port: carrier.port, prefixes: ['+'] }];
    product = await Product.start({ trunks }, ports);
    const where = ['--data', product.dataDir, '--config', product.configFile];
    assert.equal((await run('account', 'add', 'shop', ...where)).code, 0);
    where.push('--account', 'shop');
    key = (await run('key', 'create', ...where)).stdout.trim();
    const made = await ask('POST', '/credential_connections', {
      connection_name: 'example',
      user_name: 'john1234',
      password: 'john1234 password',
      sip_uri_calling_preference: 'internal',
      inbound: { dnis_number_format: 'sip_username', ani_number_format: '+E.164' },
    });
    connection = made.data.id;
    const number = await run('number', 'add', NUMBER, '--connection', 'john1234', ...where);
    assert.equal(number.code, 0, number.stderr);
    // What another process wrote is seen within a second.
    while ((await ask('GET', '/phone_numbers')).data.length === 0) await rest(50);
    for (let i = 0; i < 2; i++)
      credentials.push((await ask('POST', '/telephony_credentials', { connection_id: connection })).data);
    const [gencred1, gencred2] = credentials;
    const token = async (of: { id: string } | undefined): Promise<object> => ({
      login_token: await ask('POST', `/telephony_credentials/${of!.id}/token`),
    });
    const password = (of: (typeof credentials)[0] | undefined) => ({
      login: of!.sip_username,
      passwd: of!.sip_password,
    });
    logins.set('a', { login: 'john1234', passwd: 'john1234 password' });
    logins.set('b', password(gencred1));
    logins.set('c', await token(gencred1));
    logins.set('d', password(gencred2));
    logins.set('e', await token(gencred2));
    logins.set('f', await token(gencred2));
    for (const [name, params] of logins) clients.set(name, await logIn(params));
    await ask('POST', '/credential_connections', {
      connection_name: 'caller',
      user_name: 'caller42',
      password: 'caller42 password',
    });
    caller = await Client.loggedIn(product.ports.http, 'caller42');
  });

  after(async () => {
    for (const client of [caller, ...clients.values()]) client?.close();
    await product?.stop();
    await carrier?.close();
  });

  it('each name rings its own: the last to register of those', async () => {
    assert.deepEqual(await dial('john1234'), ['a']);
    assert.deepEqual(await dial('sip:john1234@sip.localhost'), ['a']);
    assert.deepEqual(await dial(credentials[0]!.sip_username), ['c']);
    assert.deepEqual(await dial(`${credentials[1]!.sip_username}@sip.localhost`), ['f']);
  });

  it('the number rings the connection alone, from a carrier and from a client', async () => {
    assert.deepEqual(await dial(NUMBER), ['a']);
    const leg = carrier.invite(NUMBER, product.ports.sip);
    assert.deepEqual(await rung(), ['a']);
    carrier.do(carrier.agent.cancel(leg, [], carrier.now()));
    await over(['a']);
    await carrier.gets('failed');
  });

  it('the number rings nobody with another destination format: 404', async () => {
    await ask('PATCH', `/credential_connections/${connection}`, { inbound: { dnis_number_format: '+e164' } });
    carrier.invite(NUMBER, product.ports.sip);
    const { response } = await carrier.gets('failed');
    assert.equal(`${response?.status} ${response?.reason}`, '404 Number Rings No Client D40');
    await ask('PATCH', `/credential_connections/${connection}`, {
      inbound: { dnis_number_format: 'sip_username' },
    });
  });

  it('who comes back is the last', async () => {
    clients.get('d')!.close();
    clients.set('d', await logIn(logins.get('d')!));
    assert.deepEqual(await dial(credentials[1]!.sip_username), ['d']);
  });

  it('simultaneous ringing: all ring, one answers, the others hear that it was answered elsewhere, once', async () => {
    await ask('PATCH', `/credential_connections/${connection}`, {
      inbound: { simultaneous_ringing: 'enabled' },
    });
    const call = await caller.invite(credentials[1]!.sip_username);
    const ringing = ['d', 'e', 'f'].map((name) => clients.get(name)!);
    const invites = await Promise.all(ringing.map((client) => client.says('telnyx_rtc.invite')));
    const answered = invites[1]!['callID'] as string;
    const sdp = browserOffer({ setup: 'active' });
    await ringing[1]!.inCall('answer', answered, { sdp, 'User-Agent': 'Web-2.27.10' });
    for (const i of [0, 2]) {
      const bye = await ringing[i]!.says('telnyx_rtc.bye');
      assert.equal(bye['callID'], invites[i]!['callID']);
      assert.equal(bye['cause'], 'LOSE_RACE');
    }
    await caller.says('telnyx_rtc.answer');
    await caller.inCall('bye', call);
    await ringing[1]!.says('telnyx_rtc.bye');
    assert.deepEqual(
      NAMES.filter((name) => rings(clients.get(name)!)),
      [],
    );
    assert.deepEqual(await dial('john1234'), ['a']);
    await ask('PATCH', `/credential_connections/${connection}`, {
      inbound: { simultaneous_ringing: 'disabled' },
    });
  });

  it('calls to carriers need an outbound profile here, and a number of the account', async () => {
    const call = await caller.invite('+12025550123');
    const bye = await caller.says('telnyx_rtc.bye', call);
    assert.deepEqual(
      [bye['sipCode'], bye['sipReason'], bye['cause']],
      [403, 'No Outbound Profile D38', 'OUTGOING_CALL_BARRED'],
    );
  });

  it('a limit of the connection is told as the published API tells it', async () => {
    await ask('PATCH', `/credential_connections/${connection}`, { inbound: { channel_limit: 1 } });
    const first = await caller.invite('john1234');
    assert.deepEqual(await rung(), ['a']);
    const second = await caller.invite(credentials[0]!.sip_username);
    const bye = await caller.says('telnyx_rtc.bye', second);
    assert.deepEqual([bye['sipCode'], bye['sipReason']], [403, 'Connection Channel Limit Exceeded D3']);
    await caller.inCall('bye', first);
    await over(['a']);
    await ask('PATCH', `/credential_connections/${connection}`, { inbound: { channel_limit: null } });
  });

  it('a credential that is deleted: its clients are cut off with their calls, the others live', async () => {
    const [gencred1] = credentials;
    const c = clients.get('c')!;
    const call = await c.invite('9196');
    await c.says('telnyx_rtc.answer', call);
    await ask('DELETE', `/telephony_credentials/${gencred1!.id}`);
    const bye = await c.says('telnyx_rtc.bye', call);
    assert.equal(bye['cause'], 'CALL_REJECTED');
    for (const name of ['b', 'c']) {
      const client = clients.get(name)!;
      await until('the close', () => client.closed);
      assert.deepEqual(client.closed, { code: 1008, reason: 'login is no longer valid' });
      await assert.rejects(logIn(logins.get(name)!), /Login Incorrect/);
    }
    const dead = await caller.invite(gencred1!.sip_username);
    assert.equal((await caller.says('telnyx_rtc.bye', dead))['sipCode'], 404);
    assert.deepEqual(await dial('john1234'), ['a']);
  });

  it('a new password: who has the old one is cut off, and the new one logs in', async () => {
    const a = clients.get('a')!;
    await ask('PATCH', `/credential_connections/${connection}`, { password: 'another password' });
    await until('the close', () => a.closed);
    await assert.rejects(logIn(logins.get('a')!), /Login Incorrect/);
    clients.set('a', await logIn({ login: 'john1234', passwd: 'another password' }));
    assert.deepEqual(await dial('john1234'), ['a']);
  });
});
