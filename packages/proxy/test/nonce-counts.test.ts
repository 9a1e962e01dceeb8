import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import { NonceCounts } from '../src/nonce-counts.ts';

describe('nonce counts (RFC 7616 §3.4)', () => {
  it('rise from one use to the next', () => {
    const counts = new NonceCounts(10, 300_000);
    assert.ok(counts.use('u', 'a', 100, 1, 101));
    assert.ok(!counts.use('u', 'a', 100, 1, 102));
    assert.ok(counts.use('u', 'a', 100, 3, 103));
    assert.ok(!counts.use('u', 'a', 100, 2, 104));
    assert.ok(counts.use('u', 'b', 100, 7, 105));
    assert.ok(!counts.use('u', 'c', 100, 0, 106));
  });

  it('of the process before are not known: asked anew', () => {
    const counts = new NonceCounts(10, 300_000);
    counts.forgetBefore(200.5);
    assert.ok(!counts.use('u', 'a', 199, 1, 300));
    assert.ok(counts.use('u', 'b', 200, 1, 300));
  });

  it('that are too old for any use make room first', () => {
    const counts = new NonceCounts(2, 1_000);
    assert.ok(counts.use('u', 'a', 0, 1, 1));
    assert.ok(counts.use('u', 'b', 1_500, 1, 1_500));
    assert.equal(counts.size, 1);
    assert.ok(counts.use('u', 'c', 600, 1, 1_501));
  });

  it('one-peer-takes-every-place: a user who uses many is asked anew, and no other', () => {
    const counts = new NonceCounts(5, 300_000);
    assert.ok(counts.use('modest', 'm', 100, 1, 101));
    for (let i = 0; i < 50; i++) assert.ok(counts.use('greedy', `g${i}`, 200 + i, 1, 300));
    assert.ok(counts.size <= 5);
    assert.ok(counts.use('modest', 'm', 100, 2, 301));
    assert.ok(counts.use('other', 'o', 50, 1, 302), 'an old nonce of somebody else');
    assert.ok(!counts.use('greedy', 'g0', 200, 2, 303), 'its own may have been used');
    assert.ok(counts.use('greedy', 'g49', 249, 2, 304));
  });

  it('no answer is good twice, however many there are; memory is bounded', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 20 }), (seed, most) => {
        const random = seededRandom(seed);
        const counts = new NonceCounts(most, 100);
        const used = new Set<string>();
        for (let now = 100; now < 600; now++) {
          const issuedAt = now - random.int(100);
          const nonce = `${issuedAt}-${random.int(2)}`;
          const count = 1 + random.int(3);
          const user = `user${random.int(3)}`;
          const answer = `${user} ${nonce} ${count}`;
          if (counts.use(user, nonce, issuedAt, count, now)) {
            assert.ok(!used.has(answer), `${answer} at ${now}`);
            used.add(answer);
          }
          assert.ok(counts.size <= most);
        }
      }),
      { numRuns: 50 },
    );
  });
});
