import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Ms, type Service, ServiceLoop } from '../src/index.ts';

type In = { readonly type: 'tick' } | { readonly type: 'ball'; readonly count: number };
type Out = { readonly to: 'left' | 'right'; readonly count: number };

function player(name: string, other: 'left' | 'right', log: string[], until: number): Service<In, Out> {
  let due: Ms | null = null;
  return {
    name,
    handle: (input, now) => {
      if (input.type === 'tick') {
        log.push(`${name} ticked at ${now}`);
        due = null;
        return [];
      }
      log.push(`${name} ${input.count}`);
      if (input.count >= until) {
        due = now + 5;
        return [];
      }
      return [{ to: other, count: input.count + 1 }];
    },
    deadline: () => due,
  };
}

function court(until: number, bound?: number) {
  const log: string[] = [];
  const loop: ServiceLoop<'left' | 'right', In, Out> = new ServiceLoop(
    { left: player('left', 'right', log, until), right: player('right', 'left', log, until) },
    (_from, out) => loop.post(out.to, { type: 'ball', count: out.count }),
    bound,
  );
  return { loop, log };
}

describe('service loop', () => {
  it('carries outputs to inputs in order until nothing is left', () => {
    const { loop, log } = court(3);
    loop.post('left', { type: 'ball', count: 1 });
    loop.run(100);
    assert.deepEqual(log, ['left 1', 'right 2', 'left 3']);
    assert.equal(loop.deadline(), 105);
    loop.run(104);
    assert.equal(log.length, 3);
    loop.run(105);
    assert.equal(log.at(-1), 'left ticked at 105');
    assert.equal(loop.deadline(), null);
  });

  it('names a livelock instead of spinning', () => {
    const { loop } = court(Number.POSITIVE_INFINITY, 50);
    loop.post('left', { type: 'ball', count: 1 });
    assert.throws(() => loop.run(0), /livelock: 51 inputs/);
  });
});
