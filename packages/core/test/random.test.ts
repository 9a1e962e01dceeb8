import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hexId, seededRandom, uuid } from '../src/index.ts';

describe('random', () => {
  it('gives the same ids for the same seed and others for another', () => {
    const ids = (seed: number): string[] => {
      const random = seededRandom(seed);
      return [uuid(random), hexId(random, 8), String(random.int(1000))];
    };
    assert.deepEqual(ids(7), ids(7));
    assert.notDeepEqual(ids(7), ids(8));
  });

  it('makes version 4 UUIDs', () => {
    const random = seededRandom(1);
    for (let i = 0; i < 200; i++) {
      assert.match(uuid(random), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('keeps integers below the bound', () => {
    const random = seededRandom(3);
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) seen.add(random.int(5));
    assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4]);
  });
});
