import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  canonicalHost,
  familyOf,
  formatIp,
  isLinkLocal,
  isLoopbackAddress,
  isUnspecified,
  networkOf,
  parseIp,
} from '../src/index.ts';

describe('IP addresses', () => {
  it('of four bytes are what the grammar says', () => {
    const byte = '(0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])';
    const ipv4 = new RegExp(`^${byte}(\\.${byte}){3}$`);
    const part = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.stringMatching(/^[0-9x. ]{0,4}$/));
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 5 }), (parts) => {
        const text = parts.join('.');
        const expected = ipv4.test(text) ? text.split('.').map(Number) : null;
        const read = parseIp(text);
        assert.deepEqual(read && [...read], expected, text);
      }),
    );
  });

  it('are spelled as RFC 5952 does', () => {
    assert.equal(formatIp(parseIp('2001:DB8:0:0:1:0:0:1')!), '2001:db8::1:0:0:1');
    assert.equal(formatIp(parseIp('fe80::1%eth0')!), 'fe80::1');
    assert.equal(formatIp(parseIp('::')!), '::');
    assert.equal(formatIp(parseIp('::ffff:192.0.2.1')!), '::ffff:c000:201');
  });

  it('are nothing else', () => {
    for (const text of [
      '',
      '1.2.3',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.4.',
      '1.2.3.4\n',
      ' 1.2.3.4',
      '1..2.3',
      '1.2.3.',
      '.1.2.3',
      '+1.2.3.4',
      '1000.2.3.4',
      '1.2.3.00',
      '1.2.3.4.5',
      ':::',
      '1::2::3',
      'a.local',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
    ]) {
      assert.equal(parseIp(text), null, text);
      assert.equal(familyOf(text), null, text);
    }
  });

  it('ipv6: are equal whatever their spelling', () => {
    for (const [written, plain] of [
      ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::FFFF:C000:201', '192.0.2.1'],
      ['[::ffff:192.0.2.1]', '192.0.2.1'],
      ['FE80:0::1%eth0', 'fe80::1%eth0'],
      ['192.0.2.1', '192.0.2.1'],
      ['SIP.Example.COM', 'sip.example.com'],
      ['no:address', 'no:address'],
    ] as const)
      assert.equal(canonicalHost(written), plain);
  });

  it('ipv6: belong to a family, an IPv4 address inside IPv6 to that of IPv4', () => {
    assert.equal(familyOf('192.0.2.1'), 4);
    assert.equal(familyOf('::ffff:192.0.2.1'), 4);
    assert.equal(familyOf('2001:db8::1'), 6);
    assert.equal(familyOf('sip.example.com'), null);
  });

  it('ipv6: are counted by who has them', () => {
    assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:2:ffff::9'));
    assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'));
    assert.equal(networkOf('192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(networkOf('::1'), '::1');
  });

  it('ipv6: say by themselves where they mean something', () => {
    for (const own of ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])
      assert.equal(isLoopbackAddress(own), true, own);
    for (const other of ['::2', '128.0.0.1', 'localhost', '2001:db8::1'])
      assert.equal(isLoopbackAddress(other), false, other);
    for (const link of ['fe80::1', 'FEBF::1', 'fe80::1%eth0']) assert.equal(isLinkLocal(link), true, link);
    for (const wide of ['fec0::1', 'fd00::1', '169.254.0.1']) assert.equal(isLinkLocal(wide), false, wide);
    for (const none of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0'])
      assert.equal(isUnspecified(none), true, none);
    assert.equal(isUnspecified('::1'), false);
  });
});
