import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Nap } from '../src/room/nap.ts';

const QUIET = Uint8Array.of(0x48, 0, 1, 2);
const VOICE = Uint8Array.of(0x48, 0xff, 1, 2);

describe('the nap of a decoder', () => {
  it('passes quiet packets over, but for one of 25, and tells the last three when it ends', () => {
    const nap = new Nap();
    for (let i = 0; i < 24; i++) assert.equal(nap.passes(i, 960 * i, QUIET), true);
    assert.equal(nap.passes(24, 960 * 24, QUIET), false);
    const told: unknown[] = [];
    nap.tell((...packet) => told.push(packet));
    assert.deepEqual(
      told,
      [21, 22, 23].map((i) => [i, 960 * i, QUIET]),
    );
    assert.equal(nap.isDeep, false);
    assert.equal(nap.passes(25, 960 * 25, VOICE), false);
  });

  it('keeps its own copy of what it passes over', () => {
    const nap = new Nap();
    const packet = QUIET.slice();
    nap.passes(1, 0, packet);
    packet.fill(0xff);
    nap.tell((_sequence, _timestamp, payload) => assert.deepEqual(payload, QUIET));
  });
});
