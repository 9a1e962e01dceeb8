import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import { Reorder } from '../src/reorder.ts';

function run(seqs: readonly number[]): { seq: number; lost: number }[] {
  const reorder = new Reorder();
  const out: { seq: number; lost: number }[] = [];
  for (const seq of seqs) {
    reorder.push(seq, seq * 160, Uint8Array.of(seq >> 8, seq & 255), (payload, _timestamp, lost) =>
      out.push({ seq: (payload[0]! << 8) | payload[1]!, lost }),
    );
  }
  return out;
}

describe('reorder', () => {
  it('passes packets in order straight through', () => {
    assert.deepEqual(run([5, 6, 7]), [
      { seq: 5, lost: 0 },
      { seq: 6, lost: 0 },
      { seq: 7, lost: 0 },
    ]);
  });

  it('swaps a late packet back, across the wrap', () => {
    assert.deepEqual(
      run([65534, 0, 65535, 1]).map((p) => p.seq),
      [65534, 65535, 0, 1],
    );
  });

  it('gives a missing packet up when two others wait, and says how many are missing', () => {
    assert.deepEqual(run([10, 12, 13, 14]), [
      { seq: 10, lost: 0 },
      { seq: 12, lost: 1 },
      { seq: 13, lost: 0 },
      { seq: 14, lost: 0 },
    ]);
  });

  it('drops what comes after it was given up', () => {
    assert.deepEqual(
      run([10, 12, 13, 11, 14]).map((p) => p.seq),
      [10, 12, 13, 14],
    );
  });

  it('starts again after a jump', () => {
    assert.deepEqual(run([10, 40_000, 40_001]), [
      { seq: 10, lost: 0 },
      { seq: 40_000, lost: 0 },
      { seq: 40_001, lost: 0 },
    ]);
  });

  it('never delivers backwards or twice, whatever comes', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const sent = Array.from({ length: 60 }, (_, i) => i + 65_500).filter(() => random.int(10) > 0);
        for (let i = 0; i + 1 < sent.length; i++) {
          if (random.int(4) === 0) [sent[i], sent[i + 1]] = [sent[i + 1]!, sent[i]!];
        }
        const out = run(sent.map((s) => s & 0xffff)).map((p) => (p.seq < 30_000 ? p.seq + 65_536 : p.seq));
        for (let i = 1; i < out.length; i++) assert.ok(out[i]! > out[i - 1]!);
        assert.ok(out.length >= sent.length - 12);
      }),
      { numRuns: 200 },
    );
  });
});
