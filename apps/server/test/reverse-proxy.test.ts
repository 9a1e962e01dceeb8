import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { Client } from './drive/client.ts';
import { freePorts, Product, run, until } from './drive/running.ts';

const GUESSER = '203.0.113.66';
const BOB = '198.51.100.9';

const forwardedFor = (address: string) => ({ 'X-Forwarded-For': address });

/** The status of an upgrade. */
async function upgrade(port: number, headers: Readonly<Record<string, string>>): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers });
  socket.on('error', () => {});
  const status = await Promise.race([
    once(socket, 'open').then(() => 101),
    once(socket, 'unexpected-response').then(([, response]) => Number(response.statusCode)),
  ]);
  socket.terminate();
  return status;
}

async function guess(port: number, headers: Readonly<Record<string, string>>): Promise<void> {
  for (let n = 0; n < 3; n++) {
    const one = await Client.open(port, '/', headers);
    for (let i = 0; i < 5; i++) await one.request('login', { login: 'bob', passwd: `guess ${n} ${i}` });
    one.close();
  }
}

async function login(port: number, headers: Readonly<Record<string, string>>): Promise<Client | string> {
  const one = await Client.open(port, '/', headers);
  const { result, error } = await one.request('login', { login: 'bob', passwd: 'bob password' });
  if (result !== undefined) return one;
  one.close();
  return String(error?.message);
}

const connections = ['bob', 'alice'].map((user_name) => ({ user_name, password: `${user_name} password` }));

describe('clients-behind-a-reverse-proxy: with http.trusted_proxies', { timeout: 60_000 }, () => {
  let product: Product;
  let key: string;
  const port = (): number => product.ports.http;
  before(async () => {
    const http = { trusted_proxies: ['127.0.0.0/8', '10.0.0.0/8'] };
    product = await Product.start({ connections, http }, await freePorts(51_520));
    key = (
      await run('key', 'create', '--config', product.configFile, '--data', product.dataDir)
    ).stdout.trim();
  });
  after(async () => {
    await product?.stop();
  });

  const api = (path: string, headers: Readonly<Record<string, string>>, more: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port()}${path}`, {
      ...more,
      headers: { Authorization: `Bearer ${key}`, ...headers },
    });
  /** The log comes by a pipe, a moment later. */
  const isLogged = (msg: string, what: RegExp): Promise<unknown> =>
    until(
      `${msg} with ${what}`,
      () => product.stderr.split('\n').some((line) => line.includes(`"msg":"${msg}"`) && what.test(line)),
      () => product.stderr,
    );

  it('a guesser is slowed down, and nobody else', async () => {
    await guess(port(), forwardedFor(GUESSER));
    assert.equal(await login(port(), forwardedFor(GUESSER)), 'too many tries');
    // What it writes itself stands in front of what the proxy adds.
    assert.equal(await login(port(), forwardedFor(`${BOB}, ${GUESSER}, 10.0.0.2`)), 'too many tries');
    for (const headers of [forwardedFor(BOB), { Forwarded: 'for="[2001:db8::7]:4711";proto=https' }, {}]) {
      const one = await login(port(), headers);
      assert.ok(one instanceof Client, String(one));
      one.close();
    }
    await isLogged('login', new RegExp(`"address":"${BOB}"`));
  });

  it('the API and the log tell the address of the client', async () => {
    const one = (await login(port(), forwardedFor(BOB))) as Client;
    await one.says('telnyx_rtc.clientReady');
    const status = await api('/v2/sip_registration_status?username=bob', forwardedFor(GUESSER));
    const told = (await status.json()) as { sip_registration_details: { ua_ip: string } };
    assert.equal(told.sip_registration_details.ua_ip, BOB);
    const state = await one.request('telnyx_rtc.gatewayState', {});
    const { call_report_id: report } = state.result!['params'] as { call_report_id: string };
    assert.equal(
      (
        await api(
          '/call_report',
          { ...forwardedFor(BOB), 'x-call-report-id': report },
          { method: 'POST', body: '{}' },
        )
      ).status,
      200,
    );
    await isLogged('call report received', new RegExp(`"address":"${BOB}"`));
    one.close();

    const made = await api('/v2/outbound_voice_profiles', forwardedFor(BOB), {
      method: 'POST',
      body: JSON.stringify({ name: 'profile' }),
    });
    assert.equal(made.status, 200);
    const audit = await (await api('/v2/audit_events', {})).json();
    assert.ok(JSON.stringify(audit).includes(BOB), JSON.stringify(audit));

    const link = await api('/api/login-link', forwardedFor(BOB), {
      method: 'POST',
      body: '{"token":"guessed"}',
    });
    assert.equal(link.status, 410);
    await isLogged('login link', new RegExp(`"address":"${BOB}".*"ok":false`));
  });

  it('guessing API keys uses up the allowance of the guesser', async () => {
    const bad = { Authorization: 'Bearer KEYguessguessguessguessguess' };
    let last = 0;
    for (let i = 0; i < 62; i++)
      last = (await api('/v2/connections', { ...bad, ...forwardedFor(GUESSER) })).status;
    assert.equal(last, 429);
    assert.equal((await api('/v2/connections', { ...bad, ...forwardedFor(BOB) })).status, 401);
  });

  it('SIP phones by WebSocket have the address of the client, in Via as everywhere', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port()}/`, 'sip', {
      headers: { ...forwardedFor(`${BOB}:4711`), 'X-Forwarded-Proto': 'https' },
    });
    await once(socket, 'open');
    socket.send(
      [
        'REGISTER sip:sip.localhost SIP/2.0',
        'Via: SIP/2.0/WSS abc.invalid;rport;branch=z9hG4bKreverse1',
        'Max-Forwards: 70',
        'From: <sip:bob@sip.localhost>;tag=1',
        'To: <sip:bob@sip.localhost>',
        'Call-ID: reverse-1',
        'CSeq: 1 REGISTER',
        'Contact: <sip:bob@abc.invalid;transport=ws>',
        'Content-Length: 0',
        '\r\n',
      ].join('\r\n'),
    );
    const [answer] = (await once(socket, 'message')) as [Buffer];
    assert.match(String(answer), new RegExp(`;received=${BOB}`));
    assert.match(String(answer), /;rport=4711/);
    socket.close();
  });

  it('the own page is the one that the client asked for', async () => {
    const origin = { Origin: 'https://voice.example.com' };
    assert.equal(await upgrade(port(), { ...origin, ...forwardedFor(BOB) }), 403);
    for (const headers of [
      { ...forwardedFor(BOB), 'X-Forwarded-Host': 'voice.example.com', 'X-Forwarded-Proto': 'https' },
      { ...forwardedFor(BOB), Host: 'voice.example.com:443' },
      { Forwarded: `for=${BOB};host=voice.example.com;proto=https` },
    ])
      assert.equal(await upgrade(port(), { ...origin, ...headers }), 101, JSON.stringify(headers));
    // A page on the machine of somebody far away is no page of this machine.
    assert.equal(await upgrade(port(), { Origin: 'http://localhost:5173', ...forwardedFor(BOB) }), 403);
    assert.equal(await upgrade(port(), { Origin: 'http://localhost:5173' }), 101);
  });
});

describe('clients-behind-a-reverse-proxy: without trusted proxies', { timeout: 60_000 }, () => {
  let product: Product;
  before(async () => {
    product = await Product.start({ connections }, await freePorts(51_620));
  });
  after(async () => {
    await product?.stop();
  });

  it('the headers mean nothing: a guesser that writes another address each time is one', async () => {
    const { http } = product.ports;
    for (let n = 0; n < 10; n++) {
      const one = await Client.open(http, '/', {
        'X-Forwarded-For': `203.0.113.${n}`,
        Forwarded: `for=192.0.2.${n}`,
      });
      await one.request('login', { login: 'bob', passwd: 'wrong' });
      one.close();
    }
    assert.equal(await login(http, forwardedFor(BOB)), 'too many tries');
    assert.equal(
      await upgrade(http, { Origin: 'https://x.example.com', 'X-Forwarded-Host': 'x.example.com' }),
      403,
    );
    await until('the log', () => !product.stderr.includes('203.0.113.') && !product.stderr.includes(BOB));
  });

  it('origin-default-ports: a native client names the socket, and the port in Host alone', async () => {
    const { http } = product.ports;
    for (const [origin, host, status] of [
      ['wss://voice.example.com', 'voice.example.com:443', 101],
      ['WSS://VOICE.example.com', 'voice.example.com', 101],
      ['wss://[2001:db8::1]', '[2001:DB8::1]:443', 101],
      ['wss://voice.example.com', 'voice.example.com:8443', 403],
    ] as const)
      assert.equal(await upgrade(http, { Origin: origin, Host: host }), status, `${origin} ${host}`);
  });
});
