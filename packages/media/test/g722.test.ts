import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import { G722Decoder, G722Encoder } from '../src/g722.ts';

const noise = (samples: number): Int16Array => {
  const random = seededRandom(722);
  return Int16Array.from({ length: samples }, (_, i) => random.int(20_001) - 10_000 + (i % 4000));
};

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

describe('G.722', () => {
  it('is bit exact: the hashes are those of an independent implementation of the standard', () => {
    const wide = new G722Encoder().encode(noise(16_000), 16_000);
    const narrow = new G722Encoder().encode(noise(8000), 8000);
    assert.equal(hash(wide), 'ba29316ae546e1ac');
    assert.equal(hash(narrow), '39caa6091fd3c829');
    assert.equal(hash(new Uint8Array(new G722Decoder().decode(wide, 16_000).buffer)), '73a7dbe33557b624');
  });

  it('decodes any octets without leaving 16 bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        assert.equal(new G722Decoder().decode(octets, 16_000).length, octets.length * 2);
        assert.equal(new G722Decoder().decode(octets, 8000).length, octets.length);
      }),
    );
  });
});
