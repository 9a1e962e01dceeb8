import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { type InviteOptions, parseNameAddr, parseUri } from '@sidetone/sip';
import { browserOffer, Client } from './drive/client.ts';
import { Phone, plainSdp } from './drive/phone.ts';
import { freePorts, Product, run, until } from './drive/running.ts';

const OURS = '+13125550100';
const THEIRS = '+13125550199';

const uri = (text: string) => {
  const parsed = parseUri(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};
const address = (text: string) => {
  const parsed = parseNameAddr(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};

/** Telephone numbers through the whole product: a carrier and a phone by UDP, clients by WebSocket, an operator by command and API. */
describe('telephone numbers', { timeout: 120_000 }, () => {
  let product: Product;
  let carrier: Phone;
  let phone: Phone;
  let client: Client;
  let shop: Client;

  before(async () => {
    const ports = await freePorts(48_600);
    carrier = await Phone.open(ports.sip);
    phone = await Phone.open(ports.sip);
    product = await Product.start(
      {
        connections: [
          // As people paste it, and with a second spelling of the same number.
          {
            user_name: 'line1',
            password: 'line1 password',
            numbers: ['\u202d+1 (312) 555\u20130100\u202c', '13125550100'],
          },
          { user_name: 'line2', password: 'line2 password', numbers: ['tel:+1-312-555-0102'] },
        ],
        limits: { reattach_seconds: 0 },
        trunks: [
          { name: 'carrier', host: '127.0.0.1', port: carrier.port, prefixes: ['+'], codecs: ['PCMU'] },
        ],
      },
      ports,
    );
    const where = ['--data', product.dataDir, '--config', product.configFile];
    assert.equal((await run('account', 'add', 'shop', ...where)).code, 0);
    where.push('--account', 'shop');
    const key = (await run('key', 'create', ...where)).stdout.trim();
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
    const ask = async (method: string, path: string, body?: object): Promise<any> => {
      const answer = await fetch(`http://127.0.0.1:${ports.http}/v2${path}`, {
        method,
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
      return JSON.parse(text).data;
    };
    const profile = await ask('POST', '/outbound_voice_profiles', {
      name: 'home',
      whitelisted_destinations: ['US'],
    });
    const connection = await ask('POST', '/credential_connections', {
      connection_name: 'shop',
      user_name: 'shop1',
      password: 'shop1 password',
      inbound: { dnis_number_format: 'sip_username', ani_number_format: '+E.164' },
      outbound: {
        outbound_voice_profile_id: profile.id,
        localization: 'US',
        ani_override: '+1\u2011312\u2011555\u20110170',
      },
    });
    assert.equal(connection.outbound.ani_override, '+13125550170');
    const added = await run('number', 'add', 'tel:+1-312-555\u20130170', '--connection', 'shop1', ...where);
    assert.match(added.stdout, /^\+13125550170 is /, added.stderr);
    const abroad = await run('number', 'add', '001 312 555 0170', ...where);
    assert.match(abroad.stderr, /belongs to an account already/);
    const twice = await run('number', 'add', '13125550170', ...where);
    assert.match(twice.stderr, /belongs to an account already/);
    while ((await ask('GET', '/phone_numbers?filter[phone_number]=%2B1%20312%20555%200170')).length === 0)
      await rest(50);
    client = await Client.loggedIn(ports.http, 'line1');
    shop = await Client.loggedIn(ports.http, 'shop1');
  });

  after(async () => {
    client?.close();
    shop?.close();
    await product?.stop();
    await phone?.close();
    await carrier?.close();
  });

  /** A call of the carrier; what the client is told of it. It is hung up again. */
  async function ringing(target: string, from: string, to = `<${target}>`) {
    const leg = carrier.invite('x', product.ports.sip, {
      requestUri: uri(target),
      from: address(from),
      to: address(to),
    });
    const told = await client.says('telnyx_rtc.invite');
    carrier.do(carrier.agent.cancel(leg, [], carrier.now()));
    await client.says('telnyx_rtc.bye');
    await carrier.gets('failed');
    return [told['caller_id_number'], told['callee_id_number']];
  }

  /** What the carrier hears of a call, which it refuses; or the status that the caller hears at once. */
  async function dials(destination: string, from = client, dialog: object = {}): Promise<string | number> {
    const callId = await from.invite(destination, dialog);
    return await rung(() => from.says('telnyx_rtc.bye', callId).then((bye) => bye['sipCode'] as number));
  }

  async function rung(refused: () => Promise<number>): Promise<string | number> {
    let status: number | undefined;
    const failed = refused().then((told) => (status = told));
    failed.catch(() => undefined);
    const rings = () => carrier.events.some(({ type }) => type === 'incoming');
    await until('an answer, or the carrier', () => status !== undefined || rings());
    if (status !== undefined) return status;
    const { leg, request } = await carrier.gets('incoming');
    carrier.respond(leg, 486);
    assert.equal(await failed, 486);
    return request.uri.user!;
  }

  const asPhone = (target: string, more: Partial<InviteOptions> = {}): Partial<InviteOptions> => ({
    requestUri: uri(target),
    to: address(`<${target}>`),
    from: address('<sip:line2@sip.localhost>'),
    credentials: { userName: 'line2', password: 'line2 password' },
    ...more,
  });

  const phoneDials = (target: string): Promise<string | number> => {
    phone.invite('x', product.ports.sip, asPhone(target));
    return rung(() => phone.gets('failed').then((f) => f.response!.status));
  };

  it('called-number-without-plus: a carrier’s spellings of one number ring it, and tell one caller', async () => {
    const host = `127.0.0.1:${product.ports.sip}`;
    for (const [called, caller] of [
      ['13125550100', '15550100200'],
      ['0013125550100', '0015550100200'],
      ['01113125550100', '01115550100200'],
      ['3125550100', '5550100200'],
      ['1-312-555-0100', '1-555-010-0200'],
      [OURS, '+15550100200'],
    ])
      assert.deepEqual(
        await ringing(`sip:${called}@${host}`, `<sip:${caller}@198.51.100.9>`),
        ['+15550100200', OURS],
        called,
      );
  });

  it('number-parameters-in-the-user-part: they are not part of it, by any host of ours', async () => {
    for (const params of [
      ';rn=+13125550000;npdi',
      ';cpc=ordinary',
      ';isup-oli=00',
      ';verstat=TN-Validation-Passed',
    ])
      for (const host of ['sip.localhost', '127.0.0.1', `127.0.0.1:${product.ports.sip}`])
        assert.deepEqual(
          await ringing(
            `sip:${OURS}${params}@${host};user=phone`,
            `<sip:+15550100200${params}@198.51.100.9;user=phone>`,
          ),
          ['+15550100200', OURS],
          `${params} ${host}`,
        );
  });

  it('tel-uri: a carrier that writes the request URI, From and To as tel', async () => {
    assert.deepEqual(await ringing(`tel:${OURS}`, '<tel:+15550100200>'), ['+15550100200', OURS]);
    assert.deepEqual(
      await ringing(`sip:${OURS}@127.0.0.1`, '<tel:+1-555-010-0200;cpc=ordinary>', `<tel:${OURS}>`),
      ['+15550100200', OURS],
    );
    assert.deepEqual(
      await ringing('tel:312-555-0100;phone-context=+1', '<tel:5550100200;phone-context=+1>'),
      ['+15550100200', OURS],
    );
  });

  it('tel-uri, number-parameters-in-the-user-part: requests in the dialog repeat the URIs as they came', async () => {
    const from = '<tel:+1-555-010-0200;cpc=ordinary;Ext=7>';
    const to = `<sip:${OURS};rn=+1-312-555-0000;npdi@sip.localhost;user=phone>`;
    carrier.invite('x', product.ports.sip, {
      requestUri: uri(`tel:${OURS}`),
      from: address(from),
      to: address(to),
    });
    const told = await client.says('telnyx_rtc.invite');
    const sdp = browserOffer({ setup: 'active' });
    await client.inCall('answer', told['callID'], { sdp });
    await carrier.gets('accepted');
    await client.inCall('bye', told['callID']);
    const { request } = await carrier.gets('bye');
    assert.deepEqual(request.headers.to.uri, address(from).uri);
    assert.deepEqual(request.headers.from.uri, address(to).uri);
  });

  it('tel-uri: a scheme that is not understood is 416; a tel URI without a number is 404', async () => {
    for (const [target, status] of [
      ['urn:service:sos', 416],
      ['callto:+13125550100', 416],
      ['tel:line1', 404],
    ] as const) {
      carrier.invite('x', product.ports.sip, { requestUri: uri(target), to: address(`<${target}>`) });
      assert.equal((await carrier.gets('failed')).response?.status, status, target);
    }
  });

  it('tel-uri: what clients and phones dial, with separators and parameters', async () => {
    for (const destination of [
      'tel:+1-312-555-0199',
      'tel:+13125550199;ext=7',
      'tel:312-555-0199;phone-context=+1',
    ])
      assert.equal(await dials(destination), THEIRS, destination);
    assert.equal(await dials(`sip:${THEIRS};npdi@sip.localhost;user=phone`), THEIRS);
    for (const target of ['tel:+1-312-555-0199', `sip:${THEIRS};ext=7@127.0.0.1;user=phone`])
      assert.equal(await phoneDials(target), THEIRS, target);
    await assert.rejects(client.invite('tel:line2'), /no telephone number behind tel:/);
  });

  it('pasted-numbers: the number that was meant is dialled', async () => {
    for (const destination of [
      '\u202d+13125550199\u202c',
      '+1\u2011312\u2011555\u20110199',
      '+1312\u200b5550199',
      '+1312555\u00ad0199',
      '+1 312 555\u20130199',
      '+1\u00a0312\u2003555\u22120199\t',
    ])
      assert.equal(await dials(destination), THEIRS, JSON.stringify(destination));
    assert.equal(await phoneDials('sip:%E2%80%AD+1312%E2%80%8B555%C2%AD0199%E2%80%AC@127.0.0.1'), THEIRS);
    for (const name of ['line\u200b2', 'line\u20132', 'line 2', 'line\u00ad2'])
      await assert.rejects(client.invite(name), /holds a blank or a character that no address has/, name);
  });

  it('pasted-numbers: the caller’s number, and the target of a transfer', async () => {
    const callId = await client.invite(THEIRS, { caller_id_number: '\u202d1 (312) 555\u20110100\u202c' });
    const { leg, request } = await carrier.gets('incoming');
    assert.equal(request.headers.from.uri.user, OURS);
    carrier.respond(leg, 200, { sdp: plainSdp(40_000, '0 101') });
    await client.says('telnyx_rtc.answer', callId);
    for (const destination of ['+1 312\u00a0555\u20130198', 'tel:+1-312-555-0198;ext=7']) {
      const asked = client.inCall('modify', callId, { action: 'transfer', destination });
      const target = await carrier.gets('incoming');
      assert.equal(target.request.uri.user, '+13125550198');
      carrier.respond(target.leg, 486);
      assert.match((await asked).error!.message, /USER_BUSY/);
    }
    await client.inCall('bye', callId);
    await carrier.gets('bye');
  });

  it('numbers-that-are-none-pass-as-home: only numbers of an allowed country go out, as they are read', async () => {
    for (const destination of [
      '+1 011 18765551234',
      '+10114470123456',
      '+118765551234',
      '+14420718387500',
      '1 011 18765551234',
      '+19005550199',
      '+15555550199',
      '+18765551234',
      'tel:+1-011-18765551234',
      'sip:+10114470123456;npdi@sip.localhost',
    ])
      assert.ok([403, 404].includes((await dials(destination, shop)) as number), destination);
    for (const destination of [THEIRS, '312 555 0199', '1-312-555-0199', 'tel:+1-312-555-0199;ext=7'])
      assert.equal(await dials(destination, shop), THEIRS, destination);
  });

  it('numbers-that-are-none-pass-as-home: by a phone, and in a transfer', async () => {
    for (const target of ['sip:+10114470123456@127.0.0.1', 'tel:+1-011-4470123456']) {
      const as = {
        from: address('<sip:shop1@sip.localhost>'),
        credentials: { userName: 'shop1', password: 'shop1 password' },
      };
      phone.invite('x', product.ports.sip, asPhone(target, as));
      assert.equal(await rung(() => phone.gets('failed').then((f) => f.response!.status)), 403, target);
    }
    const callId = await shop.invite(THEIRS);
    const { leg } = await carrier.gets('incoming');
    carrier.respond(leg, 200, { sdp: plainSdp(40_000, '0 101') });
    await shop.says('telnyx_rtc.answer', callId);
    for (const destination of ['+10114470123456', 'tel:+1-18765551234']) {
      const answer = await shop.inCall('modify', callId, { action: 'transfer', destination });
      assert.match(answer.error!.message, /OUTGOING_CALL_BARRED/);
    }
    await shop.inCall('bye', callId);
    await carrier.gets('bye');
    assert.equal(carrier.events.filter((e) => e.type === 'incoming').length, 0);
  });
});
