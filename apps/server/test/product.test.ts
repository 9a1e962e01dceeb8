import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { browserOffer, Client } from './drive/client.ts';
import { Phone, plainSdp } from './drive/phone.ts';
import { freePorts, Product, until } from './drive/running.ts';

const ANSWER = browserOffer({ setup: 'active' });
const X_IDS = /^x-sidetone-/i;

const user = (user_name: string, number: string, more: object = {}) => ({
  user_name,
  password: `${user_name} password`,
  numbers: [number],
  ...more,
});

const direction = (sdp: string | undefined): string | undefined =>
  /^a=((?:send|recv|inact)\w+)/m.exec(sdp ?? '')?.[1];

describe('the product, over a WebSocket and over UDP', { timeout: 60_000 }, () => {
  let product: Product;
  let carrier: Phone;
  const open: Client[] = [];

  before(async () => {
    const ports = await freePorts(51_200);
    carrier = await Phone.open(ports.sip);
    const trunk = { host: '127.0.0.1', port: carrier.port };
    product = await Product.start(
      {
        connections: [
          user('line1', '+13125550100'),
          user('line2', '+13125550101'),
          user('line3', '+13125550102', { reject_code: 603 }),
        ],
        // A client that leaves is gone at once.
        limits: { reattach_seconds: 0 },
        trunks: [
          { ...trunk, name: 'carrier', prefixes: ['+1900'], codecs: ['PCMU'] },
          { ...trunk, name: 'thrifty', prefixes: ['+1901'], codecs: ['PCMU'], policy: 'capacity' },
          { ...trunk, name: 'info', prefixes: ['+1902'], codecs: ['OPUS', 'PCMU'], dtmf: 'info' },
        ],
      },
      ports,
    );
  });

  after(async () => {
    for (const client of open) client.close();
    await product?.stop();
    await carrier?.close();
  });

  async function client(name = 'line1', more: object = {}): Promise<Client> {
    const one = await Client.loggedIn(product.ports.http, name, more);
    open.push(one);
    return one;
  }

  /** The clients leave, and their registrations with them. */
  async function leave(...clients: Client[]): Promise<void> {
    const gone = (): number => product.stderr.split('"msg":"client gone"').length;
    const want = gone() + clients.length;
    for (const one of clients) one.close();
    await until('the registrations to end', () => gone() >= want);
  }

  /** A call from a client that the carrier answered. */
  async function answered(from: Client, to = '+19005550000') {
    const callId = await from.invite(to);
    const { leg, sdp } = await carrier.gets('incoming');
    carrier.respond(leg, 200, { sdp: plainSdp(40_000, '0 101') });
    await from.says('telnyx_rtc.answer', callId);
    await carrier.gets('confirmed');
    return { callId, leg, offer: sdp };
  }

  it('carries the first call right behind the line "ready"', async () => {
    const one = await client();
    const callId = await one.invite('9196');
    const answer = await one.says('telnyx_rtc.answer', callId);
    assert.match(answer['sdp'], /^a=candidate:.* typ host/m);
    assert.ok(product.stdout.trimEnd().endsWith(`\nready http://127.0.0.1:${product.ports.http}`));
    await one.inCall('bye', callId);
    await leave(one);
  });

  it('tells the client how the carrier ended a call', async () => {
    const one = await client();
    const q850 = [['Reason', 'Q.850;cause=19;text="No answer"']] as const;
    const rows = [
      [486, [], 'USER_BUSY', 17, 486],
      [600, [], 'USER_BUSY', 17, 600],
      [404, [], 'UNALLOCATED_NUMBER', 1, 404],
      [480, [], 'NO_USER_RESPONSE', 18, 480],
      [480, q850, 'NO_ANSWER', 19, 480],
      [408, [], 'NO_ANSWER', 19, 408],
      [487, [], 'ORIGINATOR_CANCEL', 487, 487],
      [488, [], 'INCOMPATIBLE_DESTINATION', 88, 488],
      [603, [], 'CALL_REJECTED', 21, 603],
      [403, [], 'CALL_REJECTED', 21, 403],
      [500, [], 'NORMAL_TEMPORARY_FAILURE', 41, 500],
      [503, [], 'NORMAL_TEMPORARY_FAILURE', 41, 503],
    ] as const;
    for (const [status, headers, cause, causeCode, sipCode] of rows) {
      const callId = await one.invite('+19005550000');
      carrier.respond((await carrier.gets('incoming')).leg, status, {
        headers: [...headers, ['X-Why', 'w']],
      });
      const bye = await one.says('telnyx_rtc.bye', callId);
      assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], [cause, causeCode, sipCode]);
      assert.deepEqual(bye['dialogParams'].customHeaders, [{ name: 'X-Why', value: 'w' }]);
    }
    for (const [reason, cause, causeCode, sipCode] of [
      [[], 'NORMAL_CLEARING', 16, 200],
      [[['Reason', 'Q.850;cause=38']], 'NETWORK_OUT_OF_ORDER', 38, 503],
      [[['Reason', 'SIP;cause=503']], 'NORMAL_TEMPORARY_FAILURE', 41, 503],
    ] as const) {
      const { callId, leg } = await answered(one);
      carrier.do(carrier.agent.bye(leg, reason, carrier.now()));
      const bye = await one.says('telnyx_rtc.bye', callId);
      assert.deepEqual([bye['cause'], bye['causeCode'], bye['sipCode']], [cause, causeCode, sipCode]);
    }
    for (const [destination, cause, sipCode] of [
      ['nobody@sip.localhost', 'UNALLOCATED_NUMBER', 404],
      ['+44123', 'NO_ROUTE_DESTINATION', 404],
      ['line2', 'USER_NOT_REGISTERED', 480],
    ] as const) {
      const bye = await one.says('telnyx_rtc.bye', await one.invite(destination));
      assert.deepEqual([bye['cause'], bye['sipCode']], [cause, sipCode]);
    }
    await leave(one);
  });

  it('signals what the client does: INVITE, CANCEL, sendonly, sendrecv, BYE', async () => {
    const one = await client();
    const cancelled = await one.invite('+19005550000', {
      caller_id_name: 'Ann',
      custom_headers: [{ name: 'X-Out', value: '1' }],
    });
    const ringing = await carrier.gets('incoming');
    assert.ok(ringing.request.headers.other.some(([name, value]) => name === 'X-Out' && value === '1'));
    assert.equal(
      ringing.request.headers.other.some(([name]) => X_IDS.test(name)),
      false,
    );
    assert.equal(ringing.request.headers.from.displayName, 'Ann');
    carrier.respond(ringing.leg, 180, { headers: [['X-Ring', 'r']] });
    const rings = await one.says('telnyx_rtc.ringing', cancelled);
    assert.deepEqual(rings['dialogParams'].custom_headers, [{ name: 'X-Ring', value: 'r' }]);
    await one.inCall('bye', cancelled, { cause: 'USER_BUSY', causeCode: 17, sipCode: null });
    await carrier.gets('cancelled');

    const { callId, leg } = await answered(one);
    for (const [action, holdState, stated] of [
      ['hold', 'held', 'sendonly'],
      ['unhold', 'active', 'sendrecv'],
      ['toggleHold', 'held', 'sendonly'],
      ['toggleHold', 'active', 'sendrecv'],
    ] as const) {
      assert.equal((await one.inCall('modify', callId, { action })).result?.['holdState'], holdState);
      const { tx, sdp } = await carrier.gets('reinvite');
      assert.equal(direction(sdp), stated);
      const back = stated === 'sendonly' ? 'recvonly' : 'sendrecv';
      carrier.do(
        carrier.agent.respondReinvite(leg, tx, 200, { sdp: plainSdp(40_000, '0 101', back) }, carrier.now()),
      );
    }
    assert.equal((await one.inCall('info', callId, { dtmf: '5#' })).result?.['message'], 'SENT');
    const headers = { customHeaders: [{ name: 'X-Bye', value: 'b' }] };
    await one.inCall('bye', callId, { cause: 'NORMAL_CLEARING', causeCode: 16, sipCode: null }, headers);
    const bye = await carrier.gets('bye');
    assert.deepEqual(
      bye.request.headers.other.find(([name]) => name === 'X-Bye'),
      ['X-Bye', 'b'],
    );
    assert.ok(bye.request.headers.other.some(([, value]) => value.startsWith('Q.850;cause=16')));

    const lost = await answered(one);
    await leave(one);
    assert.equal((await carrier.gets('bye')).leg, lost.leg);
  });

  it('spells a rejection as the client means it', async () => {
    const one = await client();
    const three = await client('line3');
    const ours = { 'User-Agent': 'Sidetone-0.1.0' };
    for (const [number, callee, bye, status] of [
      ['+13125550100', one, { cause: 'USER_BUSY', causeCode: 17, sipCode: null }, 487],
      ['+13125550100', one, { cause: 'USER_BUSY', causeCode: 17, ...ours }, 486],
      ['+13125550100', one, { cause: 'USER_BUSY', causeCode: 17, sipCode: 480 }, 480],
      ['+13125550100', one, { cause: 'CALL_REJECTED', causeCode: 21 }, 603],
      ['+13125550100', one, { sipCode: 404 }, 404],
      ['+13125550102', three, { cause: 'USER_BUSY', causeCode: 17 }, 603],
    ] as const) {
      carrier.invite(number, product.ports.sip);
      const { callID } = await callee.says('telnyx_rtc.invite');
      await callee.inCall('bye', callID, bye);
      assert.equal((await carrier.gets('failed')).status, status, JSON.stringify(bye));
    }
    const records = new DatabaseSync(join(product.dataDir, 'sidetone.db'), { readOnly: true });
    await until('a record that says rejected', () =>
      records
        .prepare('SELECT record FROM call_records')
        .all()
        .some((row) => String(row['record']).includes('"cause":"rejected"')),
    );
    records.close();
    await leave(one, three);
  });

  it('takes calls of the carrier: headers both ways, carrier hold, offerless offers, CANCEL', async () => {
    const one = await client();
    const leg = carrier.invite('+13125550100', product.ports.sip, {
      headers: [
        ['X-In', 'yes'],
        ['X-Sidetone-Cause', 'forged'],
        ['P-Asserted-Identity', '<sip:line2@sip.localhost>'],
      ],
    });
    const invite = await one.says('telnyx_rtc.invite');
    assert.deepEqual(invite['dialogParams'].custom_headers, [{ name: 'X-In', value: 'yes' }]);
    assert.deepEqual([invite['caller_id_name'], invite['caller_id_number']], ['Bob', '+13125559999']);
    await one.inCall(
      'answer',
      invite['callID'],
      { sdp: ANSWER },
      { custom_headers: [{ name: 'X-Ans', value: 'a' }] },
    );
    const accepted = await carrier.gets('accepted');
    assert.ok(accepted.response.headers.other.some(([name, value]) => name === 'X-Ans' && value === 'a'));
    for (const [offered, answer] of [
      ['sendonly', 'recvonly'],
      ['inactive', 'inactive'],
      ['sendrecv', 'sendrecv'],
    ] as const) {
      carrier.do(carrier.agent.reinvite(leg, plainSdp(40_000, '0 101', offered), offered, carrier.now()));
      assert.equal(direction((await carrier.gets('reinviteResult')).sdp), answer);
    }
    carrier.do(carrier.agent.reinvite(leg, undefined, 'offerless', carrier.now()));
    assert.equal(direction((await carrier.gets('reinviteResult')).sdp), 'sendrecv');
    carrier.do(carrier.agent.ack(leg, plainSdp(40_000, '0 101'), carrier.now()));
    await one.inCall('bye', invite['callID'], { cause: 'NORMAL_CLEARING', causeCode: 16 });
    await carrier.gets('bye');

    const offerless = carrier.invite('+13125550100', product.ports.sip, {}, null);
    const second = await one.says('telnyx_rtc.invite');
    await one.inCall('answer', second['callID'], { sdp: ANSWER });
    assert.match((await carrier.gets('accepted')).sdp!, /^m=audio \d+ RTP\/AVP 0/m);
    carrier.do(carrier.agent.ack(offerless, plainSdp(40_000, '0 101'), carrier.now()));
    carrier.do(carrier.agent.bye(offerless, [], carrier.now()));
    assert.equal((await one.says('telnyx_rtc.bye', second['callID']))['cause'], 'NORMAL_CLEARING');

    const gone = carrier.invite('+13125550100', product.ports.sip);
    const third = await one.says('telnyx_rtc.invite');
    await carrier.gets('progress', (event) => event.leg === gone);
    carrier.do(carrier.agent.cancel(gone, [], carrier.now()));
    assert.equal((await one.says('telnyx_rtc.bye', third['callID']))['cause'], 'ORIGINATOR_CANCEL');
    assert.equal((await carrier.gets('failed')).status, 487);
    await leave(one);
  });

  it('lets a carrier reach users only, and nobody else without credentials', async () => {
    for (const [number, status] of [
      ['9196', 404],
      ['+18722315806', 404],
      ['+19005550000', 404],
      ['line1', 403],
      ['+13125550100', 480],
    ] as const) {
      carrier.invite(number, product.ports.sip);
      assert.equal((await carrier.gets('failed')).status, status, number);
    }
  });

  it('connects two clients by name and by number; a second login rings and ends no first', async () => {
    const caller = await client();
    const first = await client('line2');
    const second = await client('line2');
    for (const destination of ['line2@sip.localhost', 'line2', '+1 (312) 555-0101']) {
      const callId = await caller.invite(destination, { caller_id_name: 'Ann' });
      const invite = await second.says('telnyx_rtc.invite');
      await caller.says('telnyx_rtc.ringing', callId);
      await second.inCall('answer', invite['callID'], { sdp: ANSWER });
      const answer = await caller.says('telnyx_rtc.answer', callId);
      assert.equal(answer['telnyx_session_id'], invite['telnyx_session_id']);
      await second.inCall('bye', invite['callID'], { cause: 'NORMAL_CLEARING', causeCode: 16 });
      assert.equal((await caller.says('telnyx_rtc.bye', callId))['cause'], 'NORMAL_CLEARING');
    }
    await leave(second);
    assert.equal(first.closed, undefined);
    const callId = await caller.invite('line2');
    const invite = await first.says('telnyx_rtc.invite');
    await first.inCall('bye', invite['callID'], { cause: 'USER_BUSY', causeCode: 17 });
    const bye = await caller.says('telnyx_rtc.bye', callId);
    assert.deepEqual([bye['cause'], bye['sipCode']], ['CALL_REJECTED', 487]);
    await leave(caller, first);
  });

  it('refuses headers that would break a message', async () => {
    const one = await client();
    for (const header of [
      { name: 'X-A', value: 'a\r\nVia: forged' },
      { name: 'X-A', value: 'a\u0000' },
      { name: 'Via', value: 'a' },
      { name: 'X-A\r\nB', value: 'a' },
      { name: 'X-Sidetone-Cause', value: 'a' },
    ])
      await assert.rejects(one.invite('+19005550000', { custom_headers: [header] }), /custom header/);
    await assert.rejects(one.invite('+1900\r\n'), /line break/);
    assert.deepEqual(
      carrier.events.filter((event) => event.type === 'incoming'),
      [],
    );
    await leave(one);
  });

  it('gives the browser the codec that the trunk asks for', async () => {
    const one = await client();
    for (const [destination, formats, toBrowser] of [
      ['+19005550000', '0 101', 'opus/48000/2'],
      ['+19015550000', '0 101', 'PCMU/8000'],
      ['+19025550000', '96 0 101', 'opus/48000/2'],
    ] as const) {
      const callId = await one.invite(destination);
      const { leg } = await carrier.gets('incoming');
      carrier.respond(leg, 183, { sdp: plainSdp(40_000, formats) });
      const early = await one.says('telnyx_rtc.media', callId);
      assert.equal(/^a=rtpmap:\d+ (\S+)/m.exec(early['sdp'])?.[1], toBrowser, destination);
      carrier.respond(leg, 200, { sdp: plainSdp(40_000, formats) });
      assert.equal((await one.says('telnyx_rtc.answer', callId))['sdp'], undefined);
      await carrier.gets('confirmed');
      await one.inCall('info', callId, { dtmf: '12' });
      if (destination === '+19025550000')
        for (const digit of ['1', '2']) {
          const { request } = await carrier.gets('info');
          assert.match(new TextDecoder().decode(request.body), new RegExp(`Signal=\\s?${digit}\\r\\n`));
        }
      await one.inCall('bye', callId, { cause: 'NORMAL_CLEARING', causeCode: 16 });
      await carrier.gets('bye');
    }
    await leave(one);
  });

  it('hangs up what is left on SIGTERM and exits 0', async () => {
    const one = await client();
    const two = await client('line2');
    const talking = await answered(one);
    const ringing = await one.invite('+19005550001');
    carrier.respond((await carrier.gets('incoming')).leg, 180);
    await one.says('telnyx_rtc.ringing', ringing);
    carrier.invite('+13125550101', product.ports.sip);
    const { callID } = await two.says('telnyx_rtc.invite');
    assert.equal(await product.stop(), 0);
    assert.equal((await carrier.gets('bye')).leg, talking.leg);
    await carrier.gets('cancelled');
    assert.equal((await carrier.gets('failed')).status, 503);
    for (const [who, callId] of [
      [one, talking.callId],
      [one, ringing],
      [two, callID],
    ] as const)
      assert.equal((await who.says('telnyx_rtc.bye', callId))['cause'], 'NORMAL_TEMPORARY_FAILURE');
    await until('closed sockets', () => one.closed?.code === 1001 && two.closed?.code === 1001);
  });
});
