import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemResolve } from '../src/outgoing/resolve.ts';

describe('names without a dot, which anybody may put in a URL', () => {
  it('take one worker thread of the process at most, wait within a bound, and hold no name of the operator', async () => {
    const asked: { readonly name: string; readonly end: (addresses: readonly string[]) => void }[] = [];
    let fails = false;
    const resolve = systemResolve(
      (name) => name === 'hooks',
      (name) =>
        fails ? Promise.reject(new Error('ENOTFOUND')) : new Promise((end) => asked.push({ name, end })),
    );
    const answers = Array.from({ length: 200 }, (_, i) => resolve(`n${i}`));
    const trusted = resolve('hooks');
    await Promise.all(answers.slice(50)).then((none) => assert.ok(none.every(({ length }) => length === 0)));
    assert.deepEqual(
      asked.map(({ name }) => name),
      ['hooks', 'n0'].sort(),
    );
    asked.find(({ name }) => name === 'hooks')!.end(['127.0.0.1']);
    assert.deepEqual(await trusted, ['127.0.0.1']);
    for (let i = 0; i < 50; i++) {
      const { name, end } = asked.at(-1)!.name === 'hooks' ? asked.at(-2)! : asked.at(-1)!;
      assert.equal(name, `n${i}`);
      end(['10.0.0.1']);
      assert.deepEqual(await answers[i], ['10.0.0.1']);
      await new Promise((done) => setImmediate(done));
    }
    // One that is not there holds nobody behind it.
    fails = true;
    const [a, b] = await Promise.allSettled([resolve('x'), resolve('localhost')]);
    assert.deepEqual([a.status, b.status], ['rejected', 'rejected']);
    fails = false;
    const last = resolve('y');
    await new Promise((done) => setImmediate(done));
    asked.at(-1)!.end(['10.0.0.2']);
    assert.deepEqual(await last, ['10.0.0.2']);
  });
});
