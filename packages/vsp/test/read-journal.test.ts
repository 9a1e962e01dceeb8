import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readJournal } from '../src/read-journal.ts';
import type { Bench } from './bench.ts';
import { active, calling } from './scripted-calls.ts';

type Entry = Record<string, unknown>;

const entriesOf = (bench: Bench): readonly { readonly key: string; readonly value: Entry }[] =>
  [...bench.journal].map(([key, text]) => ({ key, value: JSON.parse(text) as Entry }));

const isRead = (key: string, value: unknown): boolean =>
  readJournal([{ key, value }]).unreadable.length === 0;

/** Fields that an entry may lack. */
const OPTIONAL = new Set(['clientState', 'control']);

/** Every record in it, and how to put another in its place. */
function* recordsIn(
  value: unknown,
  put: (value: unknown) => unknown,
): Generator<[Entry, (v: unknown) => unknown]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  yield [value as Entry, put];
  // The user agent judges its own snapshots.
  for (const [name, inner] of Object.entries(value))
    if (name !== 'leg') yield* recordsIn(inner, (other) => put({ ...value, [name]: other }));
}

test('an entry that lacks a field, or has one of another kind, is not read', () => {
  let tried = 0;
  for (const bench of [active(), calling()])
    for (const { key, value } of entriesOf(bench)) {
      assert.ok(isRead(key, value), key);
      for (const [record, put] of recordsIn(value, (whole) => whole))
        for (const name of Object.keys(record)) {
          const { [name]: _, ...without } = record;
          assert.equal(isRead(key, put(without)), OPTIONAL.has(name), `${key} without ${name}`);
          const other = { ...record, [name]: typeof record[name] === 'number' ? 'x' : 7 };
          assert.equal(isRead(key, put(other)), false, `${key} with another ${name}`);
          tried += 1;
        }
    }
  assert.ok(tried > 40, String(tried));
});

test('what a later release adds is left behind', () => {
  for (const { key, value } of entriesOf(active())) {
    const { sessions, calls } = readJournal([{ key, value: { ...value, later: 1 } }]);
    const read = sessions[0] ?? calls[0]!.entry;
    assert.ok(!('later' in read), key);
  }
});

test('property: any text and any value are read without an exception', () => {
  fc.assert(
    fc.property(fc.constantFrom('session a', 'call a b', 'x'), fc.jsonValue(), (key, value) => {
      const { sessions, calls, unreadable } = readJournal([{ key, value }]);
      return sessions.length + calls.length + unreadable.length === 1;
    }),
  );
});
