import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tick } from '../src/tick.ts';

function clock() {
  const state = { now: 0, due: Number.POSITIVE_INFINITY, call: () => {} };
  const tick: number[] = [];
  const beat = new Tick(
    () => state.now,
    {
      at: (at, call) => {
        Object.assign(state, { due: at, call });
        return () => {
          state.due = Number.POSITIVE_INFINITY;
        };
      },
    },
    (now) => tick.push(now),
  );
  const fire = (late: number): void => {
    state.now = state.due + late;
    state.call();
  };
  return { beat, tick, fire, state };
}

describe('tick', () => {
  it('keeps its deadlines however late it is called', () => {
    const { beat, tick, fire } = clock();
    beat.start();
    for (const late of [0, 3, -0.4, 7, 0]) fire(late);
    assert.deepEqual(tick, [20, 40, 60, 80, 100]);
  });

  it('makes up for a short stall and skips a long one', () => {
    const { beat, tick, fire } = clock();
    beat.start();
    fire(45);
    // What came in meanwhile is read first.
    assert.deepEqual(tick, []);
    fire(1);
    assert.deepEqual(tick, [20, 40, 60]);
    fire(10_000);
    fire(0);
    assert.equal(tick.length, 4);
  });

  it('stops', () => {
    const { beat, tick, state } = clock();
    beat.start();
    beat.stop();
    assert.equal(state.due, Number.POSITIVE_INFINITY);
    assert.equal(tick.length, 0);
  });
});
