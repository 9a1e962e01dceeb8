import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circlesOf } from '../circles.ts';
import { lawBreaks } from '../laws.ts';

const circles = (edges: Record<string, string[]>) => circlesOf(new Map(Object.entries(edges)));

test('a graph that points one way has no circle', () => {
  assert.deepEqual(circles({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }), []);
});

test('circles are found whatever their length, each once, beside what only leads to them', () => {
  assert.deepEqual(circles({ a: ['b'], b: ['c'], c: ['b'], d: ['d'], e: ['a'] }), [['b', 'c'], ['d']]);
  assert.deepEqual(circles({ a: ['b'], b: ['c'], c: ['a', 'x'] }), [['a', 'b', 'c']]);
});

test('two circles that share a node are one', () => {
  assert.deepEqual(circles({ a: ['b', 'c'], b: ['a'], c: ['a'] }), [['a', 'b', 'c']]);
});

test('the house has none, and keeps its other laws', () => {
  assert.deepEqual(lawBreaks(), []);
});
