import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRandom } from '@sidetone/core';
import fc from 'fast-check';
import { StreamOut } from '../src/stream-out.ts';

const stream = (): StreamOut => new StreamOut(seededRandom(7));

describe('outgoing stream', () => {
  it('keeps gaps and order of a relayed stream', () => {
    const out = stream();
    assert.ok(out.relayed(1, 100, 1000, false, 0, 8000));
    const seq = out.seq;
    const timestamp = out.timestamp;
    assert.equal(out.marker, true);
    assert.ok(out.relayed(1, 102, 1320, false, 40, 8000));
    assert.equal(out.seq, seq + 2);
    assert.equal(out.timestamp, (timestamp + 320) >>> 0);
    assert.equal(out.marker, false);
    assert.ok(out.relayed(1, 101, 1160, false, 41, 8000));
    assert.equal(out.seq, seq + 1);
    assert.equal(out.timestamp, (timestamp + 160) >>> 0);
  });

  it('runs on when the feeder changes: next number, elapsed time, marker', () => {
    const out = stream();
    out.relayed(1, 100, 1000, false, 0, 48_000);
    out.relayed(1, 101, 1960, false, 20, 48_000);
    const { seq, timestamp } = out;
    out.generated(2, 140, 48_000, 960);
    assert.equal(out.seq, seq + 1);
    assert.equal(out.timestamp, (timestamp + 120 * 48) >>> 0);
    assert.equal(out.marker, true);
    out.generated(2, 160.4, 48_000, 960);
    assert.equal(out.timestamp, (timestamp + 140 * 48) >>> 0);
    assert.equal(out.marker, false);
    out.relayed(1, 500, 99, false, 180, 48_000);
    assert.equal(out.seq, seq + 3);
    assert.equal(out.marker, true);
  });

  it('drops what is older than its anchor', () => {
    const out = stream();
    out.relayed(1, 100, 0, false, 0, 8000);
    assert.equal(out.relayed(1, 99, 0, false, 1, 8000), false);
  });

  it('re-anchors when the peer jumps', () => {
    const out = stream();
    out.relayed(1, 100, 0, false, 0, 8000);
    const seq = out.seq;
    assert.ok(out.relayed(1, 30_000, 77, false, 20, 8000));
    assert.equal(out.seq, seq + 1);
  });

  it('never uses a sequence number twice (SRTP index reuse)', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.record({
              kind: fc.constant('relay' as const),
              feeder: fc.integer({ min: 1, max: 2 }),
              seq: fc.integer({ min: 0, max: 60 }),
            }),
            fc.record({ kind: fc.constant('generated' as const) }),
            fc.record({ kind: fc.constant('event' as const) }),
          ),
          { maxLength: 200 },
        ),
        (steps) => {
          const out = stream();
          const used = new Set<number>();
          const relayed = new Set<string>();
          let generation = 0;
          let last = '';
          let now = 0;
          for (const step of steps) {
            now += 5;
            if (step.kind === 'relay') {
              const name = `relay ${step.feeder}`;
              if (last !== name) generation++;
              last = name;
              // The receive side never lets a duplicate through.
              const key = `${generation} ${step.seq}`;
              if (relayed.has(key)) continue;
              relayed.add(key);
              if (!out.relayed(step.feeder, step.seq, step.seq * 160, false, now, 8000)) continue;
            } else if (step.kind === 'generated') {
              last = 'generated';
              out.generated(9, now, 8000, 160);
            } else {
              last = 'event';
              out.event(true, now, 8000);
            }
            assert.ok(!used.has(out.seq));
            used.add(out.seq);
          }
        },
      ),
    );
  });
});
