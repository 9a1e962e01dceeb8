import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Ms, type Service, ServiceLoop } from '../src/index.ts';

type In = { readonly type: 'tick' } | { readonly type: 'ball'; readonly count: number };
type Out = { readonly to: 'left' | 'right'; readonly count: number } | { readonly kept: string };
type Kept = Extract<Out, { kept: string }>;

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
  const loop: ServiceLoop<'left' | 'right', In, Out, Kept> = new ServiceLoop(
    { left: player('left', 'right', log, until), right: player('right', 'left', log, until) },
    {
      isKept: (out): out is Kept => 'kept' in out,
      keep: (from, unit) => log.push(`${from} keeps ${unit.map(({ kept }) => kept)}`),
      carry: (_from, out) => loop.post(out.to, { type: 'ball', count: out.count }),
      ...(bound === undefined ? {} : { bound }),
    },
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

  it('keeps what an input has to keep as one unit, before anything else of it is carried out', () => {
    const log: string[] = [];
    const loop = new ServiceLoop<'one', In, Out, Kept>(
      {
        one: {
          name: 'one',
          deadline: () => null,
          handle: () => [{ to: 'left', count: 1 }, { kept: 'a' }, { to: 'right', count: 2 }, { kept: 'b' }],
        },
      },
      {
        isKept: (out): out is Kept => 'kept' in out,
        keep: (from, unit) => log.push(`${from} keeps ${unit.map(({ kept }) => kept)}`),
        carry: (_from, out) => log.push(`${out.to} ${out.count}`),
      },
    );
    loop.post('one', { type: 'tick' });
    loop.run(0);
    assert.deepEqual(log, ['one keeps a,b', 'left 1', 'right 2']);
  });

  it('names a livelock instead of spinning', () => {
    const { loop } = court(Number.POSITIVE_INFINITY, 50);
    loop.post('left', { type: 'ball', count: 1 });
    assert.throws(() => loop.run(0), /livelock: 51 inputs/);
  });
});
