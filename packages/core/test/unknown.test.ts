import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Checks,
  isNumber,
  isString,
  listOf,
  maybe,
  orNull,
  readRecord,
  recordOf,
  wrongField,
} from '../src/index.ts';

interface Thing {
  readonly name: string;
  readonly size: number | null;
  readonly tags?: readonly string[];
}
const THING: Checks<Thing> = { name: isString, size: orNull(isNumber), tags: maybe(listOf(isString, 2)) };

test('a record is read field by field', () => {
  const cases: readonly (readonly [value: object, wrong: string | null])[] = [
    [{ name: '', size: 1 }, null],
    [{ name: 'a', size: null, tags: ['x', 'y'] }, null],
    [{ size: 1 }, 'name'],
    [{ name: 1, size: 'x' }, 'name'],
    [{ name: 'a' }, 'size'],
    [{ name: 'a', size: NaN }, 'size'],
    [{ name: 'a', size: 1, tags: null }, 'tags'],
    [{ name: 'a', size: 1, tags: ['x', 'y', 'z'] }, 'tags'],
  ];
  for (const [value, wrong] of cases) {
    assert.equal(wrongField(THING, value as Record<string, unknown>), wrong, JSON.stringify(value));
    assert.equal(recordOf(THING)(value), wrong === null);
    assert.deepEqual(readRecord(THING, value), wrong === null ? value : null);
  }
});

test('what is no record is read as none', () => {
  for (const value of [undefined, null, 1, 'text', [], [{ name: 'a', size: 1 }]]) {
    assert.equal(recordOf(THING)(value), false);
    assert.equal(readRecord(THING, value), null);
  }
});

test('a field without a check is left behind', () => {
  assert.deepEqual(readRecord(THING, { name: 'a', size: 1, later: true }), { name: 'a', size: 1 });
  const owned = readRecord(THING, JSON.parse('{"name":"a","size":1,"__proto__":{"tags":3}}'));
  assert.deepEqual(owned, { name: 'a', size: 1 });
});
