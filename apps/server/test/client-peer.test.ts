import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkConfig } from '../src/config/load.ts';
import { TrustedProxies } from '../src/listen/client-peer.ts';
import { chainOfForwarded, chainOfList } from '../src/listen/forwarded.ts';

const PROXIES = ['127.0.0.1', '10.0.0.0/8', '::1', '2001:db8:ffff::/48'];

const request = (remoteAddress: string, headers: IncomingHttpHeaders): IncomingMessage =>
  ({ socket: { remoteAddress, remotePort: 50_000 }, headers }) as unknown as IncomingMessage;

const clientOf = (headers: IncomingHttpHeaders, from = '127.0.0.1', proxies = PROXIES) =>
  new TrustedProxies(proxies).clientOf(request(from, headers));

describe('clients-behind-a-reverse-proxy: who the client is', () => {
  it('is the nearest node that is no trusted proxy', () => {
    for (const [list, address] of [
      ['203.0.113.66', '203.0.113.66'],
      ['198.51.100.9, 203.0.113.66', '203.0.113.66'],
      ['198.51.100.9, 203.0.113.66, 10.1.2.3, 127.0.0.1', '203.0.113.66'],
      ['unknown, 203.0.113.66,10.1.2.3', '203.0.113.66'],
      ['203.0.113.66:4711', '203.0.113.66'],
      ['::ffff:203.0.113.66', '203.0.113.66'],
      ['[::ffff:cb00:7142]:4711', '203.0.113.66'],
      ['2001:DB8:0:0::1', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['[2001:db8::1]:4711, 2001:db8:ffff::2', '2001:db8::1'],
      // All are proxies of ours: one of them asks for itself.
      ['10.0.0.7, 10.0.0.8', '10.0.0.7'],
    ] as const)
      for (const from of ['127.0.0.1', '::ffff:127.0.0.1', '::1', '10.9.9.9', '2001:db8:ffff::1'])
        assert.equal(clientOf({ 'x-forwarded-for': list }, from).address, address, `${list} from ${from}`);
  });

  it('is told in the words of RFC 7239 as well', () => {
    for (const [forwarded, address, secure, host] of [
      ['for=203.0.113.66', '203.0.113.66', false, 'inner'],
      [
        'For="[2001:db8::1]:4711";proto=https;by=10.0.0.1;host="voice.example.com"',
        '2001:db8::1',
        true,
        'voice.example.com',
      ],
      [
        'for=198.51.100.9;proto=http, for=203.0.113.66;proto=wss;host=a , for=10.0.0.1;host=b',
        '203.0.113.66',
        true,
        'a',
      ],
      ['proto=https;for="203.0.113.66:1"', '203.0.113.66', true, 'inner'],
      ['for=[2001:db8::1]', '2001:db8::1', false, 'inner'],
    ] as const) {
      const client = clientOf({ forwarded, host: 'inner' });
      assert.deepEqual([client.address, client.secure, client.host], [address, secure, host], forwarded);
    }
    const { port, secure, host } = clientOf({
      'x-forwarded-for': '203.0.113.66:4711',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'voice.example.com',
    });
    assert.deepEqual([port, secure, host], [4711, true, 'voice.example.com']);
  });

  it('is the peer itself, when it is no proxy of ours or tells nothing', () => {
    const headers = { 'x-forwarded-for': '198.51.100.9', forwarded: 'for=198.51.100.9', host: 'h' };
    for (const [from, proxies] of [
      ['127.0.0.1', []],
      ['192.0.2.1', PROXIES],
      ['2001:db8::9', PROXIES],
    ] as const) {
      const client = clientOf({ ...headers, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'x' }, from, [
        ...proxies,
      ]);
      assert.deepEqual(client, { address: from, port: 50_000, secure: false, host: 'h', share: from });
    }
    assert.equal(clientOf({}).address, '127.0.0.1');
    assert.equal(clientOf({}).share, '127.0.0.1');
  });

  it('is nobody in particular when a hop is hidden, malformed, or told in two ways', () => {
    for (const headers of [
      { 'x-forwarded-for': 'unknown' },
      { 'x-forwarded-for': '198.51.100.9, _hidden' },
      { 'x-forwarded-for': '198.51.100.9, 203.0.113.400' },
      { 'x-forwarded-for': '' },
      { forwarded: 'for=_hidden' },
      { forwarded: 'for="198.51.100.9' },
      { forwarded: 'for=198.51.100.9;for=198.51.100.8' },
      { forwarded: 'for=198.51.100.9;' },
      { forwarded: 'nonsense' },
      // A proxy that writes one of them hands on what the client wrote into the other.
      { 'x-forwarded-for': '203.0.113.66', forwarded: 'for=198.51.100.9' },
    ]) {
      const { address, share } = clientOf(headers);
      assert.deepEqual([address, share], ['127.0.0.1', 'by 127.0.0.1'], JSON.stringify(headers));
    }
    assert.equal(
      clientOf({ 'x-forwarded-for': '203.0.113.66', forwarded: 'for=203.0.113.66;proto=https' }).address,
      '203.0.113.66',
    );
  });

  it('never is what a client behind a proxy wrote, whatever it wrote', () => {
    const wrote = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('unknown', '10.0.0.1', '"', ',', ';'),
    );
    fc.assert(
      fc.property(fc.array(wrote, { maxLength: 8 }), (parts) => {
        const list = [...parts, '203.0.113.66'].join(', ');
        assert.equal(clientOf({ 'x-forwarded-for': list }).address, '203.0.113.66');
        const other = clientOf({ 'x-forwarded-for': '203.0.113.66', forwarded: parts.join('') }).address;
        assert.ok(other === '203.0.113.66' || other === '127.0.0.1', other);
      }),
    );
  });

  it('is found within limits, in any text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.boolean(), (text, forwarded) => {
        const chain = forwarded ? chainOfForwarded(text) : chainOfList(text, text, text);
        assert.ok(chain.length <= 32);
      }),
    );
    assert.equal(chainOfList('192.0.2.1,'.repeat(1000), undefined, undefined).length, 32);
  });
});

describe('http.trusted_proxies', () => {
  it('are addresses and networks', () => {
    const errorOf = (entry: string): string => {
      const checked = checkConfig({ http: { trusted_proxies: [entry] } }, 'test');
      return checked.ok ? '' : checked.error;
    };
    for (const good of ['127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '2001:db8::1/128'])
      assert.equal(errorOf(good), '', good);
    for (const bad of [
      'proxy',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.1/',
      '10.0.0',
      'fe80::1%eth0',
      '::ffff:10.0.0.1',
      '',
    ])
      assert.match(errorOf(bad), /http\.trusted_proxies\[0\]: must be an address or a network/, bad);
    new TrustedProxies(['0.0.0.0/0', '::/0', 'fd00::/8']).trusts('192.0.2.1');
  });
});
