import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { parseStun, readXorAddress, writeStun } from '@sidetone/rtc';
import { header } from '@sidetone/sip';
import { checkConfig } from '../src/config/load.ts';
import { isLoopback, machineAddresses, plainAddress } from '../src/net/addresses.ts';
import { familiesOf, publicHosts } from '../src/net/listen-hosts.ts';
import { resolveTrunks } from '../src/signalling/trunk-addresses.ts';
import { browserOffer, Client } from './drive/client.ts';
import { Phone, plainSdp } from './drive/phone.ts';
import { freePorts, Product, until } from './drive/running.ts';

/** Where this machine has no IPv6, the same must hold over IPv4, and IPv6 descriptions hear 488: the second half of this file. */
const HERE = machineAddresses().includes('::1') ? '::1' : '127.0.0.1';
const IN_HERE = `IN IP${HERE === '::1' ? 6 : 4} ${HERE}`;
const IN_URI = HERE === '::1' ? '[::1]' : HERE;
const ANSWER = browserOffer({ setup: 'active' });

const PEOPLE = [{ user_name: 'line1', password: 'line1 password', numbers: ['+13125550100'] }];

describe('ipv6: the product', { timeout: 60_000 }, () => {
  let product: Product;
  let carrier: Phone;
  const open: { close(): unknown }[] = [];

  before(async () => {
    const ports = await freePorts(53_000);
    carrier = await Phone.open(ports.sip, 0, HERE);
    product = await Product.start(
      {
        // Alone: every address of both families.
        http: { host: '::' },
        sip: {
          host: '::',
          public_host: [HERE, '127.0.0.1'].slice(HERE === '::1' ? 0 : 1),
          udp: ports.sip,
          tcp: ports.sip,
        },
        stun: { host: '::', port: ports.stun },
        media: { address: 'auto' },
        connections: PEOPLE,
        limits: { reattach_seconds: 0 },
        trunks: [
          { name: 'carrier', host: IN_URI, port: carrier.port, prefixes: ['+1900'], codecs: ['PCMU'] },
        ],
      },
      ports,
    );
  });

  after(async () => {
    for (const one of open) one.close();
    await product?.stop();
    await carrier?.close();
  });

  async function client(): Promise<Client> {
    const one = await Client.loggedIn(product.ports.http, 'line1', {}, IN_URI);
    open.push(one);
    return one;
  }

  it('calls a carrier at a literal address: Via, Contact, Record-Route and description are of its family', async () => {
    const one = await client();
    const call = await one.invite('+19005550000');
    const { leg, sdp, request } = await carrier.gets('incoming');
    const { via, contact, recordRoute } = request.headers;
    assert.equal(via[0]!.host, HERE);
    assert.equal(contact === '*' ? '' : contact[0]!.uri.host, HERE);
    assert.equal(recordRoute[0]!.uri.host, HERE);
    assert.match(sdp!, new RegExp(`^c=IN IP${HERE === '::1' ? 6 : 4} `, 'm'));
    carrier.respond(leg, 200, { sdp: plainSdp(40_000, '0 101', 'sendrecv', HERE) });
    await one.says('telnyx_rtc.answer', call);
    await carrier.gets('confirmed');
    await one.inCall('bye', call);
    await carrier.gets('bye');
    one.close();
  });

  it('is called by it, answers in the family of its offer, and tells browsers of both', async () => {
    const one = await client();
    const leg = carrier.invite(
      '+13125550100',
      product.ports.sip,
      {},
      plainSdp(40_002, '0', 'sendrecv', HERE),
    );
    const rung = await one.says('telnyx_rtc.invite');
    const told = [...rung['sdp'].matchAll(/a=candidate:\S+ 1 udp \d+ (\S+)/g)].map((m) => m[1]);
    assert.ok(told.includes('127.0.0.1') && told.includes(HERE), told.join());
    await one.inCall('answer', rung['callID'], { sdp: ANSWER });
    const { sdp } = await carrier.gets('accepted', (e) => e.leg === leg);
    assert.match(sdp!, new RegExp(`^c=${IN_HERE}\\r$`, 'm'));
    await one.inCall('bye', rung['callID']);
    await carrier.gets('bye');
    one.close();
  });

  it('offers its own family to a carrier that calls without an offer', async () => {
    const one = await client();
    const leg = carrier.invite('+13125550100', product.ports.sip, {}, null);
    const rung = await one.says('telnyx_rtc.invite');
    await one.inCall('answer', rung['callID'], { sdp: ANSWER });
    const { sdp } = await carrier.gets('accepted', (e) => e.leg === leg);
    assert.match(sdp!, new RegExp(`^c=IN IP${HERE === '::1' ? 6 : 4} `, 'm'));
    const at = plainSdp(40_004, '0', 'sendrecv', HERE);
    carrier.do(carrier.agent.ack(leg, at, carrier.now()));
    await one.inCall('bye', rung['callID']);
    await carrier.gets('bye');
    one.close();
  });

  it('follows an answer of the other family, and tells the carrier where media is now', async () => {
    const other = HERE === '::1' ? '127.0.0.1' : '::1';
    const one = await client();
    const call = await one.invite('+19005550000');
    const { leg } = await carrier.gets('incoming');
    carrier.respond(leg, 200, { sdp: plainSdp(40_006, '0', 'sendrecv', other) });
    if (HERE !== '::1') {
      assert.match(header((await carrier.gets('bye')).request, 'Reason')!, /cause=88/);
      return;
    }
    await one.says('telnyx_rtc.answer', call);
    const { tx, sdp } = await carrier.gets('reinvite');
    assert.match(sdp!, /^c=IN IP4 127\.0\.0\.1\r$/m);
    const sdpAgain = plainSdp(40_006, '0', 'sendrecv', other);
    carrier.do(carrier.agent.respondReinvite(leg, tx, 200, { sdp: sdpAgain }, carrier.now()));
    await one.inCall('bye', call);
    await carrier.gets('bye');
    one.close();
  });

  it('serves http, STUN and SIP over IPv4 as well', async () => {
    const health = await fetch(`http://127.0.0.1:${product.ports.http}/healthz`);
    assert.equal(health.status, 200);
    for (const host of [HERE, '127.0.0.1']) {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      open.push(socket);
      socket.bind(0, host);
      await once(socket, 'listening');
      const transactionId = new Uint8Array(12);
      const ask = writeStun({ class: 'request', method: 1, transactionId, attributes: [] });
      const heard = once(socket, 'message') as Promise<[Buffer]>;
      socket.send(ask, product.ports.stun, host);
      const answer = parseStun((await heard)[0]);
      assert.ok(answer.ok);
      const mapped = answer.value.attributes.get(0x0020)!;
      assert.equal(readXorAddress(mapped, transactionId)?.address, host);
    }
    const phone = await Phone.open(product.ports.sip);
    open.push(phone);
    phone.invite('9196', product.ports.sip);
    // Without IPv6 here it shares the address of the carrier.
    assert.equal((await phone.gets('failed')).status, HERE === '::1' ? 407 : 404);
  });
});

describe('ipv6: a machine whose media has none', { timeout: 60_000 }, () => {
  let product: Product;
  let carrier: Phone;
  let one: Client;
  const six = plainSdp(40_000, '0', 'sendrecv', '2001:db8::9');

  before(async () => {
    const ports = await freePorts(53_100);
    carrier = await Phone.open(ports.sip);
    product = await Product.start(
      {
        media: { address: '127.0.0.1' },
        connections: PEOPLE,
        trunks: [
          { name: 'carrier', host: '127.0.0.1', port: carrier.port, prefixes: ['+1900'], codecs: ['PCMU'] },
        ],
      },
      ports,
    );
    one = await Client.loggedIn(ports.http, 'line1');
  });

  after(async () => {
    one?.close();
    await product?.stop();
    await carrier?.close();
  });

  it('refuses a caller that can be reached by IPv6 alone with 488, and rings nobody', async () => {
    carrier.invite('+13125550100', product.ports.sip, {}, six);
    const { status, response } = await carrier.gets('failed');
    assert.equal(status, 488);
    assert.match(header(response!, 'Reason')!, /^Q\.850;cause=88;text="INCOMPATIBLE_DESTINATION"/);
    assert.match(header(response!, 'Warning')!, /^301 /);
    assert.ok(!one.frames.some((f) => f.method === 'telnyx_rtc.invite'));
  });

  it('ends a call whose callee answers with IPv6 alone by BYE with the reason, and its caller hears why', async () => {
    const call = await one.invite('+19005550000');
    const { leg } = await carrier.gets('incoming');
    carrier.respond(leg, 200, { sdp: six });
    const { request } = await carrier.gets('bye');
    assert.match(header(request, 'Reason')!, /^Q\.850;cause=88;text="INCOMPATIBLE_DESTINATION"/);
    assert.equal(header(request, 'Warning'), undefined);
    const bye = await one.says('telnyx_rtc.bye', call);
    assert.equal(bye['cause'], 'INCOMPATIBLE_DESTINATION');
  });

  it('refuses to move a call to IPv6, and leaves it where it is', async () => {
    const call = await one.invite('+19005550000');
    const { leg } = await carrier.gets('incoming');
    carrier.respond(leg, 200, { sdp: plainSdp(40_000, '0') });
    await one.says('telnyx_rtc.answer', call);
    await carrier.gets('confirmed');
    carrier.do(carrier.agent.reinvite(leg, six, 'move', carrier.now()));
    assert.equal((await carrier.gets('reinviteResult')).status, 488);
    // RFC 2543 hold in IPv6 words moves nothing.
    const held = plainSdp(40_000, '0', 'sendrecv', '::');
    carrier.do(carrier.agent.reinvite(leg, held, 'hold', carrier.now()));
    const result = await carrier.gets('reinviteResult');
    assert.equal(result.status, 200);
    assert.match(result.sdp!, /c=IN IP4 127\.0\.0\.1[\s\S]*a=recvonly/);
    await one.inCall('bye', call);
    await carrier.gets('bye');
  });

  it('refuses a browser that has nothing but IPv6', async () => {
    const only = browserOffer().replace(
      /a=candidate:.*\r/,
      'a=candidate:1 1 udp 2113937151 2001:db8::9 9 typ host\r',
    );
    const call = await one.invite('9196', {}, only);
    assert.equal((await one.says('telnyx_rtc.bye', call))['cause'], 'INCOMPATIBLE_DESTINATION');
  });
});

describe('ipv6: addresses of the machine and of the configuration', () => {
  const face = (address: string, family: 'IPv4' | 'IPv6') =>
    ({ address, family, netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 }) as never;

  it('are offered in turn, those of a site behind, those of a link not at all', () => {
    const found = machineAddresses({
      lo: [face('127.0.0.1', 'IPv4'), face('::1', 'IPv6')],
      eth0: [
        face('192.0.2.7', 'IPv4'),
        face('198.51.100.7', 'IPv4'),
        face('fd00::7', 'IPv6'),
        face('2001:db8::7', 'IPv6'),
        face('fe80::7', 'IPv6'),
      ],
    });
    assert.deepEqual(found, ['2001:db8::7', '192.0.2.7', '198.51.100.7', 'fd00::7', '127.0.0.1', '::1']);
  });

  it('are told to peers by family', () => {
    const machine = ['2001:db8::7', '192.0.2.7', '127.0.0.1', '::1'];
    for (const [sip, told] of [
      [{ host: '127.0.0.1' }, ['127.0.0.1']],
      [{ host: ['10.0.0.5', '2001:db8::5'], public_host: '203.0.113.5' }, ['203.0.113.5', '2001:db8::5']],
      [{ host: '::' }, ['192.0.2.7', '2001:db8::7']],
      [{ host: '0.0.0.0' }, ['192.0.2.7']],
      [{ host: '::', public_host: 'sip.example.com' }, ['sip.example.com']],
      [{ host: 'sip.example.com' }, ['sip.example.com']],
    ] as const)
      assert.deepEqual(publicHosts(sip, machine), told);
    assert.deepEqual(familiesOf('::'), [4, 6]);
    assert.deepEqual(familiesOf(['::', '192.0.2.7']), [6, 4]);
  });

  it('may be written with brackets; what cannot be meant is refused in a sentence', () => {
    const good = checkConfig(
      { http: { host: '[::1]' }, trunks: [{ name: 'c', host: '[2001:DB8:0::9]' }] },
      'c',
    );
    assert.ok(good.ok);
    assert.equal(good.value.http.host, '::1');
    assert.equal(good.value.trunks[0]!.host, '2001:db8::9');
    for (const [value, sentence] of [
      [{ sip: { host: ['::1', '2001:db8::5'] } }, /sip\.host: two hosts are one IPv4 and one IPv6 address/],
      [{ sip: { host: '192.0.2.5:5060' } }, /sip\.host: .*without a port/],
      [{ media: { address: '::' } }, /media\.address: :: is no address that peers could be told/],
      [
        { media: { address: ['2001:db8::5'], public_address: '203.0.113.5' } },
        /media\.public_address: media\.address has no IPv4 entry/,
      ],
    ] as const) {
      const bad = checkConfig(value, 'c');
      assert.match(bad.ok ? '' : bad.error, sentence);
    }
  });

  it('of a trunk’s name are all believed, and the first of a family in which SIP is spoken is called', async () => {
    const trunk = { name: 'c', host: 'localhost', port: 5060, transport: 'udp', prefixes: ['+'] } as never;
    const lost: string[] = [];
    const [four] = await resolveTrunks([trunk], [4, 6], (host) => lost.push(host));
    assert.equal(four!.host, '127.0.0.1');
    assert.ok(four!.addresses!.includes('127.0.0.1'));
    const [six] = await resolveTrunks([trunk], [6], (host) => lost.push(host));
    assert.ok(six!.host === '::1' || lost.includes('localhost'));
  });

  it('of sockets are plain', () => {
    assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(plainAddress(undefined), '');
    assert.equal(isLoopback('::ffff:127.0.0.1'), true);
  });
});

describe('mtu: the product and a trunk that takes large requests by TCP', { timeout: 60_000 }, () => {
  it('sends them by TCP where it listens, by UDP where it does not, and small ones by UDP', async (t) => {
    const ports = await freePorts(53_200);
    const carrier = await Phone.open(ports.sip);
    t.after(() => carrier.close());
    const heard: string[] = [];
    const stream = createServer((socket) => socket.on('data', (data) => heard.push(String(data))));
    const product = await Product.start(
      {
        connections: PEOPLE,
        trunks: [
          {
            name: 'carrier',
            host: '127.0.0.1',
            port: carrier.port,
            prefixes: ['+1900'],
            codecs: ['PCMU'],
            large_requests: 'tcp',
          },
        ],
      },
      ports,
    );
    try {
      const one = await Client.loggedIn(ports.http, 'line1');
      const large = {
        custom_headers: Array.from({ length: 8 }, (_, i) => ({
          name: `X-Long-${i}`,
          value: 'a'.repeat(120),
        })),
      };
      // Nobody listens by TCP: by UDP after all.
      const refused = await one.invite('+19005550000', large);
      const first = await carrier.gets('incoming');
      assert.equal(first.request.headers.via[0]!.transport, 'UDP');
      assert.equal(header(first.request, 'X-Long-7'), 'a'.repeat(120));
      await one.inCall('bye', refused);
      await carrier.gets('cancelled');
      one.close();
    } finally {
      await product.stop();
    }
    stream.listen(carrier.port, '127.0.0.1');
    await once(stream, 'listening');
    const again = await Product.start(
      {
        connections: PEOPLE,
        trunks: [
          {
            name: 'carrier',
            host: '127.0.0.1',
            port: carrier.port,
            prefixes: ['+1900'],
            large_requests: 'tcp',
          },
        ],
      },
      ports,
    );
    try {
      const one = await Client.loggedIn(ports.http, 'line1');
      const large = {
        custom_headers: Array.from({ length: 8 }, (_, i) => ({
          name: `X-Long-${i}`,
          value: 'a'.repeat(120),
        })),
      };
      await one.invite('+19005550000', large);
      await until('the INVITE by TCP', () => heard.join('').includes('\r\n\r\n'));
      assert.match(
        heard.join(''),
        /^INVITE sip:\+19005550000@127\.0\.0\.1:\d+ SIP\/2\.0\r\nVia: SIP\/2\.0\/TCP /,
      );
      await one.invite('+19005550001');
      const small = await carrier.gets('incoming', (e) => e.request.uri.user === '+19005550001');
      assert.equal(small.request.headers.via[0]!.transport, 'UDP');
      one.close();
    } finally {
      await again.stop();
      stream.close();
    }
  });
});
