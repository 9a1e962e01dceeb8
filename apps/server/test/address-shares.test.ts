import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AddressShares } from '../src/net/address-shares.ts';

describe('shares of one address', () => {
  it('are as many as allowed, and come back', () => {
    const shares = new AddressShares(2);
    assert.deepEqual(
      [
        shares.take('192.0.2.9'),
        shares.take('192.0.2.9'),
        shares.take('192.0.2.9'),
        shares.take('192.0.2.10'),
      ],
      [true, true, false, true],
    );
    shares.give('192.0.2.9');
    assert.equal(shares.take('192.0.2.9'), true);
  });

  it('ipv6: count a /64 as one, where a host has as many addresses as it likes', () => {
    const shares = new AddressShares(1);
    assert.deepEqual(
      ['2001:db8:1:2::1', '2001:db8:1:2:ffff::2', '2001:db8:1:3::1'].map((a) => shares.take(a)),
      [true, false, true],
    );
    shares.give('2001:db8:1:2::1');
    assert.equal(shares.take('2001:db8:1:2:ffff::2'), true);
  });

  it('do not count this machine, where a reverse proxy may stand', () => {
    const shares = new AddressShares(1);
    assert.deepEqual(
      ['127.0.0.1', '127.0.0.1', '::1', '::1'].map((a) => shares.take(a)),
      [true, true, true, true],
    );
    assert.equal(shares.size, 0);
  });

  it('leave nothing behind, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 })), (addresses) => {
        const shares = new AddressShares(2);
        const taken = addresses.map((n) => `198.51.100.${n}`).filter((a) => shares.take(a));
        for (const address of taken) shares.give(address);
        assert.equal(shares.size, 0);
      }),
    );
  });
});
