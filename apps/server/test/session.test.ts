import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from './drive/client.ts';
import { freePorts, Product, run } from './drive/running.ts';

describe('a session with the product', { timeout: 60_000 }, () => {
  let product: Product;

  before(async () => {
    const connections = ['line1', 'line2'].map((user_name) => ({
      user_name,
      password: `${user_name} password`,
    }));
    product = await Product.start({ connections }, await freePorts(51_320));
  });

  after(async () => {
    await product?.stop();
  });

  it('opens on any path, even one that is no URL, and lives on', async () => {
    for (const path of ['//', '/%', '//[', '/a/b?voice_sdk_id=x&skip_trailing=true', '/?%zz']) {
      const one = await Client.open(product.ports.http, path);
      assert.notEqual((await one.request('telnyx_rtc.ping', {})).result, undefined, path);
      one.close();
    }
  });

  it('speaks the order of a login, and refuses without -32000', async () => {
    const one = await Client.open(product.ports.http);
    const code = async (method: string, params: object): Promise<number | undefined> =>
      (await one.request(method, params)).error?.code;
    assert.equal(await code('telnyx_rtc.invite', {}), -32_000);
    assert.equal(await code('telnyx_rtc.gatewayState', {}), -32_000);
    assert.equal(await code('login', { login: 'line1', passwd: 'wrong' }), -32_001);
    assert.equal(await code('login', { login_token: 'a.b.c' }), -32_001);
    assert.equal(await code('anonymous_login', { target_type: 'ai_assistant', target_id: 'a' }), -32_001);
    for (const garbage of ['garbage', '[]', 'null', '#SPU 100', '{}']) one.send(garbage);
    const sessid = '5f6f7a30-0000-4000-8000-000000000001';
    one.send({
      jsonrpc: '2.0',
      id: 77,
      method: 'login',
      params: { login: 'line1', passwd: 'line1 password', sessid },
    });
    assert.equal((await one.reply(77)).result?.['sessid'], sessid);
    assert.deepEqual(await one.says('telnyx_rtc.clientReady'), { reattached_sessions: [] });
    one.send({ jsonrpc: '2.0', id: "Instance of 'Uuid'", method: 'telnyx_rtc.gatewayState', params: {} });
    const state = (await one.reply("Instance of 'Uuid'")).result?.['params'];
    assert.equal(state.state, 'REGED');
    assert.equal(typeof state.call_report_id, 'string');
    for (const type of ['start', 'data', 'stop']) {
      one.send({
        jsonrpc: '2.0',
        id: type,
        type: `debug_report_${type}`,
        debug_report_id: 'r',
        call_id: 'c',
      });
      assert.notEqual((await one.reply(type)).result, undefined);
    }
    assert.notEqual((await one.request('telnyx_rtc.no_such_method', {})).result, undefined);
    assert.equal(await code('login', { login: 'line2', passwd: 'line2 password' }), -32_001);
    assert.deepEqual(one.frames, []);
    one.close();
  });

  it('takes a token of "sidetone token", and a report of that session from any page', async () => {
    const minted = await run('token', 'line1', '--config', product.configFile, '--data', product.dataDir);
    const one = await Client.open(product.ports.http);
    const reply = await one.request('login', { login_token: minted.stdout.trim() });
    assert.equal(reply.result?.['message'], 'logged in');
    const state = (await one.request('telnyx_rtc.gatewayState', {})).result!['params'];
    const url = `http://127.0.0.1:${product.ports.http}/call_report`;
    const names = 'content-type,x-call-report-id,x-call-id,x-voice-sdk-id';
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const asked = await fetch(url, {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-headers': names },
    });
    assert.ok(asked.ok);
    assert.equal(asked.headers.get('access-control-allow-origin'), '*');
    assert.equal(asked.headers.get('access-control-allow-headers'), names);
    const post = async (id: string): Promise<number> =>
      (await fetch(url, { method: 'POST', headers: { 'x-call-report-id': id }, body: '{}' })).status;
    assert.equal(await post(state.call_report_id), 200);
    assert.equal(await post('forged'), 401);
    one.close();
  });

  it('session-ids: gives nobody the id of another user’s session', async () => {
    const sessid = '5f6f7a30-0000-4000-8000-00000000000a';
    const first = await Client.loggedIn(product.ports.http, 'line1', { sessid });
    const second = await Client.loggedIn(product.ports.http, 'line2', { sessid });
    assert.equal(first.sessid, sessid);
    assert.match(second.sessid, /^[0-9a-f-]{36}$/);
    assert.notEqual(second.sessid, sessid);
    first.close();
    second.close();
  });
});
