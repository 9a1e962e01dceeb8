import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkedHeaders, receivedHeaders } from '../src/custom-headers.ts';

test('X- headers pass', () => {
  const headers = [
    { name: 'X-One', value: '1' },
    { name: 'x-two.a_b', value: 'ü {"json": true}' },
  ];
  assert.deepEqual(checkedHeaders(headers), headers);
  assert.deepEqual(checkedHeaders(undefined), []);
});

for (const [name, value, why] of [
  ['From', 'a', /name is X-/],
  ['X-', 'a', /name is X-/],
  ['X-A B', 'a', /name is X-/],
  ['X-A:', 'a', /name is X-/],
  ['X-Sidetone-Session-Id', 'a', /reserved/],
  ['X-A', 'one\r\nVia: two', /line break/],
  ['X-A', 'one\ntwo', /line break/],
  ['X-A', 'one\0', /control character/],
  ['X-A', 'ü'.repeat(513), /1024 bytes/],
] as const)
  test(`${JSON.stringify(name)} with ${JSON.stringify(value.slice(0, 20))} is refused`, () =>
    assert.throws(() => checkedHeaders([{ name, value }]), { code: 44002, message: why }));

test('twenty-one headers are too many', () => {
  assert.throws(
    () => checkedHeaders(Array.from({ length: 21 }, () => ({ name: 'X-A', value: '' }))),
    /at most 20/,
  );
});

test('no value with a line break gets through, and an error never repeats it', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, value) => {
      try {
        for (const header of checkedHeaders([{ name, value }])) {
          assert.match(header.name, /^X-/i);
          assert.doesNotMatch(header.value, /[\r\n\0]/);
        }
      } catch (error) {
        assert.doesNotMatch((error as Error).message, /[\r\n\0]/);
      }
    }),
  );
});

test('what the server sends and is no header is left out', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void receivedHeaders(value)));
  assert.deepEqual(receivedHeaders([{ name: 'X-A', value: '1' }, null, { name: 3 }, 'x']), [
    { name: 'X-A', value: '1' },
  ]);
});
