import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamIn } from '../src/stream-in.ts';

function take(stream: StreamIn, sequence: number, at = 0, ssrc = 9): boolean {
  return stream.accept(ssrc, sequence, at * 8, 160, 8000, true, at);
}

describe('incoming stream', () => {
  it('counts loss and reordering, across the wrap', () => {
    const stream = new StreamIn();
    for (const [i, seq] of [65532, 65533, 65534, 1, 0, 2, 4].entries()) assert.ok(take(stream, seq, i * 20));
    // 65535 and 3 are missing.
    assert.equal(stream.lost, 2);
    assert.equal(stream.packets, 7);
  });

  it('drops duplicates and what is too old', () => {
    const stream = new StreamIn();
    for (let seq = 0; seq < 300; seq++) assert.ok(take(stream, seq, seq));
    assert.equal(take(stream, 299), false);
    assert.equal(take(stream, 250), false);
    assert.equal(take(stream, 20), false);
    assert.equal(stream.packets, 300);
  });

  it('starts again for a new SSRC or after a jump, and keeps the counts of the call', () => {
    const stream = new StreamIn();
    for (const seq of [1, 2, 3, 5]) take(stream, seq);
    const before = stream.generation;
    take(stream, 50_000, 0, 10);
    assert.equal(stream.generation, before + 1);
    take(stream, 100, 0, 10);
    assert.equal(stream.generation, before + 2);
    assert.equal(stream.lost, 1);
    assert.equal(stream.packets, 6);
  });
});
