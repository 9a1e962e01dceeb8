import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatheredWrites } from '../src/net/gathered-writes.ts';

/** A stream that remembers what each write brought. */
function recorder(): { readonly stream: Writable; readonly writes: string[] } {
  const writes: string[] = [];
  const stream = new Writable({
    decodeStrings: true,
    write(chunk, _encoding, done) {
      writes.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  return { stream, writes };
}

describe('what a turn writes to a stream', () => {
  it('leaves as one write, in order, and each turn by itself', async () => {
    const { stream, writes } = recorder();
    const gathered = new GatheredWrites(stream);
    for (const piece of ['a', 'b', 'c']) gathered.write(piece);
    await nextTurn();
    for (const piece of ['d', 'e']) gathered.write(piece);
    await nextTurn();
    gathered.write('f');
    await nextTurn();
    assert.deepEqual(writes, ['abc', 'de', 'f']);
  });

  it('is joined by what promises of the same turn write', async () => {
    const { stream, writes } = recorder();
    const gathered = new GatheredWrites(stream);
    for (const piece of ['a', 'b']) void Promise.resolve().then(() => gathered.write(piece));
    await nextTurn();
    assert.deepEqual(writes, ['ab']);
  });

  it('goes before the end of the stream', async () => {
    const { stream, writes } = recorder();
    const gathered = new GatheredWrites(stream);
    gathered.write('a');
    gathered.write('b');
    stream.end();
    await finished(stream);
    assert.equal(writes.join(''), 'ab');
  });

  it('goes before a destroy that is preceded by a flush', async () => {
    const { stream, writes } = recorder();
    const gathered = new GatheredWrites(stream);
    gathered.write('a');
    gathered.write('b');
    gathered.flush();
    stream.destroy();
    await nextTurn();
    assert.equal(writes.join(''), 'ab');
  });

  it('does not wait for the end of the turn when it is much', async () => {
    const { stream, writes } = recorder();
    const gathered = new GatheredWrites(stream);
    const piece = 'x'.repeat(1024);
    for (let i = 0; i < 200; i++) gathered.write(piece);
    assert.ok(writes.length >= 3, `${writes.length} writes`);
    assert.ok(stream.writableLength < 64 * 1024);
    await nextTurn();
    assert.equal(writes.join('').length, 200 * 1024);
  });
});
