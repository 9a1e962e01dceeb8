import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { openJournal } from '../src/journal/journal-file.ts';
import type { JournalChange } from '../src/journal/journal-format.ts';
import { readJournal } from '../src/journal/journal-format.ts';
import { SmallDisk, skipWithoutMount } from './drive/small-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'sidetone-rewrite-'));
const path = join(folder, 'journal');
const quiet = pino({ level: 'silent' });
after(() => rmSync(folder, { recursive: true }));

const found = (file = path): unknown => readJournal(readFileSync(file), 'boot').entries;

/** Keys in the order in which each was first written after it was last deleted, as a reader tells them. */
class Model {
  readonly #values = new Map<string, object>();

  write(changes: readonly JournalChange[]): void {
    for (const { key, value } of changes)
      if (value === null) this.#values.delete(key);
      else this.#values.set(key, value);
  }

  get entries(): unknown {
    const voice = [...this.#values].map(([key, value]) => ({ key, value }));
    return { voice, vsp: [], proxy: [], webhooks: [], records: [] };
  }
}

const change: fc.Arbitrary<JournalChange> = fc.record({
  room: fc.constant('voice' as const),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  value: fc.option(fc.record({ text: fc.string({ maxLength: 60 }) }), { nil: null, freq: 3 }),
});

describe('the journal, written anew beside what comes in', () => {
  it('holds at every moment what was written last, in its order, wherever a process dies', () => {
    let steps = 0;
    fc.assert(
      fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 80 }), (drawn) => {
        const units = JSON.parse(JSON.stringify(drawn)) as JournalChange[][];
        rmSync(path, { force: true });
        const journal = openJournal(path, 'boot', quiet, { worthCompacting: 300, step: 1 });
        const model = new Model();
        let size = 0;
        for (const unit of units) {
          journal.write(unit);
          model.write(unit);
          assert.deepEqual(found(), model.entries);
          if (journal.size < size) steps += 1;
          size = journal.size;
        }
        journal.close();
        assert.deepEqual(found(), model.entries);
        assert.throws(() => statSync(`${path}.new`));
      }),
      { numRuns: 100 },
    );
    assert.ok(steps > 20, `${steps} files took the place of another`);
  });

  it('costs each unit a piece of it and not the whole, however much is alive', () => {
    rmSync(path, { force: true });
    const journal = openJournal(path, 'boot', quiet, { worthCompacting: 10_000, step: 1 });
    const text = 'x'.repeat(1000);
    let [shrunk, most] = [0, 0];
    for (let i = 0; i < 12_000; i++) {
      const before = journal.size;
      journal.write([{ room: 'voice', key: `k${i % 1000}`, value: { text } }]);
      if (journal.size < before) shrunk += 1;
      const fresh = statSync(`${path}.new`, { throwIfNoEntry: false })?.size;
      if (fresh !== undefined && journal.size >= before) most = Math.max(most, fresh);
    }
    journal.close();
    assert.ok(shrunk >= 2);
    // It was seen half done: the step at which it is done leaves nothing to be seen.
    assert.ok(most > 500_000 && most < 1_100_000, `${most}`);
  });

  it('goes on in the old file when the disk has no room for another', { skip: skipWithoutMount }, () => {
    const disk = SmallDisk.make()!;
    try {
      const file = join(disk.folder, 'journal');
      const journal = openJournal(file, 'boot', quiet, { worthCompacting: 100_000 });
      const model = new Model();
      let i = 0;
      const write = (times: number): void => {
        for (const end = i + times; i < end; i++) {
          const value = { text: `${i} ${'x'.repeat(100_000)}` };
          const unit = [{ room: 'voice', key: `k${i % 10}`, value }] as const;
          journal.write(unit);
          model.write(unit);
        }
      };
      // 1 MB alive, 3.9 MB of file, and 0.7 MB of room.
      write(39);
      disk.fill(700_000);
      write(5);
      assert.equal(journal.why, undefined);
      assert.deepEqual(found(file), model.entries);
      write(5);
      assert.notEqual(journal.why, undefined);
      disk.empty();
      assert.equal(journal.settled(), true);
      assert.deepEqual(found(file), model.entries);
      journal.close();
    } finally {
      disk.remove();
    }
  });
});
