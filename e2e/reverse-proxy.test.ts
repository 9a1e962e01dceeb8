import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { documented, Nginx } from './src/nginx.ts';
import { needs } from './src/peer-availability.ts';
import { freePort, interfaceAddress } from './src/ports.ts';
import { RawClient } from './src/raw-client.ts';
import { Rig } from './src/rig.ts';
import { PASSWORD, sidetone, TestServer } from './src/server.ts';

/** Clients of their own addresses: all of 127.0.0.0/8 is this machine, and the proxy is 127.0.0.1. The last comes from outside. */
const GUESSER = '127.0.0.66';
const CALLER = '127.0.0.9';
const OUTSIDE = interfaceAddress();
const HOST = 'voice.example.com';

const http = { trusted_proxies: ['127.0.0.1'] };

describe('clients-behind-a-reverse-proxy: nginx as documented', {
  ...needs('nginx'),
  timeout: 120_000,
}, () => {
  let server: TestServer;
  let nginx: Nginx;
  before(async () => {
    server = await TestServer.start({ http });
    nginx = await Nginx.start({ port: await freePort(), upstream: server.httpPort });
  });
  after(async () => {
    await nginx?.stop();
    await server?.stop();
  });

  const from = (localAddress: string, headers: Readonly<Record<string, string>> = {}) => ({
    ca: nginx.ca,
    localAddress,
    headers,
  });

  async function open(
    localAddress: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(nginx.webSocketUrl, undefined, from(localAddress, headers));
    assert.ok(client instanceof RawClient, `the upgrade ended with ${String(client)}\n${nginx.output}`);
    return client;
  }

  async function login(client: RawClient, passwd: string): Promise<string> {
    const { result, error } = await client.request('login', { login: 'line1', passwd });
    return result === undefined ? String(error?.message) : 'in';
  }

  /** The status and the body of an answer. */
  async function ask(
    path: string,
    method: string,
    headers: Readonly<Record<string, string>>,
    body = '',
  ): Promise<[number, string]> {
    const asked = request(`${nginx.url}${path}`, { method, ...from(CALLER, headers) });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return [response.statusCode ?? 0, text];
  }

  it('a guesser locks out its own address alone, whatever it writes into the headers', async () => {
    for (let n = 0; n < 2; n++) {
      const client = await open(GUESSER, {
        'X-Forwarded-For': `198.51.100.${n}`,
        Forwarded: `for=198.51.100.${n}`,
      });
      for (let i = 0; i < 5; i++) assert.equal(await login(client, 'wrong'), 'Login Incorrect');
      client.close();
    }
    const guesser = await open(GUESSER, { Forwarded: 'for=198.51.100.77' });
    assert.equal(await login(guesser, PASSWORD.line1), 'too many tries');
    guesser.close();
    const caller = await open(CALLER);
    assert.equal(await login(caller, PASSWORD.line1), 'in');
    assert.doesNotMatch(server.fullLog, /198\.51\.100/);

    const made = await sidetone('key', 'create', '--config', server.configFile, '--data', server.dataDir);
    const key = { Authorization: `Bearer ${made.stdout.trim()}` };
    const [, status] = await ask('/v2/sip_registration_status?username=line1', 'GET', key);
    assert.equal(JSON.parse(status).sip_registration_details.ua_ip, CALLER, status);

    const state = await caller.request('telnyx_rtc.gatewayState', {});
    const { call_report_id } = state.result!['params'] as { call_report_id: string };
    const [taken, why] = await ask(
      '/call_report',
      'POST',
      { 'x-call-report-id': call_report_id },
      ' '.repeat(2 * 1024 * 1024),
    );
    assert.equal(taken, 200, why);
    assert.match(server.fullLog, new RegExp(`"address":"${CALLER}","msg":"call report received"`));
    caller.close();
  });

  it('the own page may open the WebSocket, a foreign one may not', async () => {
    for (const [origin, host, status] of [
      [`https://${HOST}`, HOST, 101],
      [`wss://${HOST}`, `${HOST}:443`, 101],
      ['https://evil.example.net', HOST, 403],
      ['http://localhost:5173', HOST, 403],
    ] as const) {
      const client = await RawClient.open(nginx.webSocketUrl, origin, from(OUTSIDE, { Host: host }));
      assert.equal(client instanceof RawClient ? 101 : client, status, `${origin} at ${host}`);
      if (client instanceof RawClient) client.close();
    }
    const [status, page] = await ask('/', 'GET', {});
    assert.deepEqual([status, /<script/.test(page)], [200, true], page.slice(0, 200));
  });

  it('its time-outs leave room for the longest silence of a client that is well', () => {
    const seconds = (name: string): number => Number(new RegExp(`${name} (\\d+)s;`).exec(documented())?.[1]);
    // Native clients are pinged every 30 s and let go after 60 s without a word.
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout']) assert.ok(seconds(name) > 60, name);
  });
});

describe('clients-behind-a-reverse-proxy: calls through nginx', {
  ...needs('nginx', 'chromium'),
  timeout: 300_000,
}, () => {
  let rig: Rig;
  let nginx: Nginx;
  before(async () => {
    rig = await Rig.start({ http, switches: ['--ignore-certificate-errors'] });
    nginx = await Nginx.start({ port: await freePort(), upstream: rig.server.httpPort });
  });
  after(async () => {
    await nginx?.stop();
    await rig?.stop();
  });

  it('a page and a SIP phone call through it', async () => {
    await rig.explained(async () => {
      const page = await rig.client('line1', 'ours', { host: nginx.webSocketUrl });
      const id = await page.newCall({ destinationNumber: '9196' });
      await page.reaches(id, 'active');
      await page.hears(1_000);
      await page.act(id, 'hangup');
      await page.ended(id);
      await page.close();
      const phone = await rig.phone('line2', 'jssip', nginx.webSocketUrl);
      await phone.close();
    });
  });
});
