import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamIn } from '../src/stream-in.ts';

describe('incoming stream', () => {
  it('counts loss and reordering, across the wrap', () => {
    const stream = new StreamIn();
    for (const [i, seq] of [65533, 65534, 1, 0, 2, 4].entries()) {
      assert.ok(stream.accept(9, seq, i * 160, 160, 8000, i * 20));
    }
    // 65535 and 3 are missing.
    assert.equal(stream.lost, 2);
    assert.equal(stream.packets, 6);
    assert.equal(stream.extendedHighest, 65_536 + 4);
    assert.equal(stream.takeFractionLost(), 64);
    assert.equal(stream.takeFractionLost(), 0);
  });

  it('drops duplicates and what is too old', () => {
    const stream = new StreamIn();
    for (let seq = 0; seq < 300; seq++) assert.ok(stream.accept(9, seq, 0, 1, 0, 0));
    assert.equal(stream.accept(9, 299, 0, 1, 0, 0), false);
    assert.equal(stream.accept(9, 250, 0, 1, 0, 0), false);
    assert.equal(stream.accept(9, 20, 0, 1, 0, 0), false);
  });

  it('measures jitter as RFC 3550 does', () => {
    const stream = new StreamIn();
    stream.accept(9, 1, 0, 1, 8000, 0);
    stream.accept(9, 2, 160, 1, 8000, 30);
    // 10 ms late: 80 units / 16.
    assert.equal(stream.jitter, 5);
    assert.equal(stream.jitterMs, 0.625);
  });

  it('starts again for a new SSRC and keeps the counts of the call', () => {
    const stream = new StreamIn();
    stream.accept(9, 1, 0, 1, 8000, 0);
    stream.accept(9, 3, 0, 1, 8000, 0);
    const before = stream.generation;
    stream.accept(10, 50_000, 0, 1, 8000, 0);
    assert.equal(stream.generation, before + 1);
    assert.equal(stream.lost, 1);
    assert.equal(stream.packets, 3);
  });
});
