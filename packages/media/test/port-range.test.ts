import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PortRange } from '../src/port-range.ts';

describe('port range', () => {
  it('starts pairs at even ports and says when it is used up', () => {
    const range = new PortRange(30_001, 30_006);
    assert.equal(range.free, 4);
    assert.equal(range.takePair(), 30_002);
    assert.equal(range.takePair(), 30_004);
    assert.equal(range.takePair(), undefined);
    assert.equal(range.takeOne(), undefined);
    range.givePair(30_002);
    assert.equal(range.takeOne(), 30_002);
    assert.equal(range.takeOne(), 30_003);
    assert.equal(range.takeOne(), undefined);
  });

  it('joins freed halves to a pair again', () => {
    const range = new PortRange(30_000, 30_001);
    const a = range.takeOne()!;
    const b = range.takeOne()!;
    range.giveOne(b);
    assert.equal(range.takePair(), undefined);
    range.giveOne(a);
    assert.equal(range.takePair(), 30_000);
  });

  it('does not hand a freed port out at once', () => {
    const range = new PortRange(30_000, 30_099);
    const first = range.takePair()!;
    range.givePair(first);
    assert.notEqual(range.takePair(), first);
  });

  it('reused-media-port-hears-the-call-before: avoids ports while there are others, and never runs dry for it', () => {
    const range = new PortRange(30_000, 30_007);
    const noisy = new Set([30_000, 30_003]);
    const avoid = (port: number): boolean => noisy.has(port);
    assert.equal(range.takePair(avoid), 30_004);
    assert.equal(range.takeOne(avoid), 30_006);
    assert.equal(range.takeOne(avoid), 30_007);
    assert.equal(range.takePair(avoid), 30_000);
    assert.equal(range.takeOne(avoid), 30_002);
    assert.equal(range.takeOne(avoid), 30_003);
    assert.equal(range.takeOne(avoid), undefined);
  });

  it('keeps pairs for those who need one', () => {
    const range = new PortRange(30_000, 30_005);
    const browsers = [range.takeOne(), range.takeOne()];
    assert.deepEqual(browsers, [30_000, 30_001]);
    assert.equal(range.takePair(), 30_002);
    assert.equal(range.takePair(), 30_004);
  });
});
