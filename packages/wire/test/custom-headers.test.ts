import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  customHeadersOf,
  parseCallerName,
  parseCallerNumber,
  parseCustomHeaders,
  parseDestination,
  parseDigits,
} from '../src/index.ts';

const one = (name: unknown, value: unknown) => parseCustomHeaders([{ name, value }]);

test('X- headers pass, with numbers and booleans as text', () => {
  const read = parseCustomHeaders([
    { name: 'X-Order', value: ' 42 ' },
    { name: 'x-call_leg_id', value: 7 },
    { name: 'X-Über-Name'.replace('Ü', 'U'), value: 'käse ☎' },
    { name: 'X-Flag', value: true },
  ]);
  assert.deepEqual(read, {
    ok: true,
    value: [
      { name: 'X-Order', value: '42' },
      { name: 'x-call_leg_id', value: '7' },
      { name: 'X-Uber-Name', value: 'käse ☎' },
      { name: 'X-Flag', value: 'true' },
    ],
  });
  assert.deepEqual(parseCustomHeaders(undefined), { ok: true, value: [] });
  assert.deepEqual(parseCustomHeaders(null), { ok: true, value: [] });
});

test('whatever could become another header or message is refused with a sentence', () => {
  const bad: readonly (readonly [unknown, unknown])[] = [
    ['Via', 'x'],
    ['Route', 'x'],
    ['P-Asserted-Identity', 'x'],
    ['X-', 'x'],
    ['X-A:B', 'x'],
    ['X-A B', 'x'],
    ['X-A\r\nVia', 'x'],
    [`X-${'a'.repeat(80)}`, 'x'],
    ['X-Sidetone-Trunk', 'carrier'],
    ['x-sidetone-cause', 'x'],
    ['X-A', 'a\r\nVia: b'],
    ['X-A', 'a\nb'],
    ['X-A', 'a\rb'],
    ['X-A', 'a\0b'],
    ['X-A', 'a\u2028b'],
    ['X-A', 'a\u0085b'],
    ['X-A', '\ud800'],
    ['X-A', 'a'.repeat(1025)],
    ['X-A', { a: 1 }],
    ['X-A', undefined],
    [7, 'x'],
  ];
  for (const [name, value] of bad) {
    const read = one(name, value);
    assert.equal(read.ok, false, JSON.stringify([name, value]));
    assert.match(read.ok ? '' : read.error.message, /custom header/);
  }
  assert.equal(parseCustomHeaders('X-A: b').ok, false);
  assert.equal(parseCustomHeaders([null]).ok, false);
  assert.equal(parseCustomHeaders(Array.from({ length: 21 }, () => ({ name: 'X-A', value: 'b' }))).ok, false);
});

test('of a SIP message only custom headers reach a client', () => {
  const seen = customHeadersOf([
    ['Via', 'no'],
    ['X-In', 'yes'],
    ['X-Sidetone-Leg-Id', 'no'],
    ['X-Long', 'a'.repeat(2000)],
    ['x-lower', ''],
  ]);
  assert.deepEqual(seen, [
    { name: 'X-In', value: 'yes' },
    { name: 'x-lower', value: '' },
  ]);
});

test('destinations: numbers, names, addresses', () => {
  const read = (text: string) => {
    const result = parseDestination(text);
    return result.ok ? `${result.value.user}|${result.value.host ?? ''}` : null;
  };
  assert.equal(read('+1 (312) 555-0100'), '+13125550100|');
  assert.equal(read('line2'), 'line2|');
  assert.equal(read('line2@SIP.Localhost'), 'line2|sip.localhost');
  assert.equal(read('sip:line2@sip.localhost:5060;transport=tcp?Route=evil'), 'line2|sip.localhost');
  assert.equal(read('a@[2001:DB8::1]:5060'), 'a|2001:db8::1');
  assert.equal(read('*98#'), '*98#|');
  for (const bad of [
    '',
    '  ',
    'a b',
    'a\r\nb',
    'a<b>',
    'a"b',
    'a@b@c',
    'a@',
    '@host',
    'a@ho st',
    'a\0',
    'x'.repeat(300),
  ])
    assert.equal(read(bad), null, JSON.stringify(bad));
});

test('caller names and numbers stay in their line', () => {
  assert.deepEqual(parseCallerName(' Ann "A" <x> '), { ok: true, value: 'Ann "A" <x>' });
  assert.equal(parseCallerName('a\r\nb').ok, false);
  assert.deepEqual(parseCallerNumber('+1 555 000'), { ok: true, value: '+1555000' });
  assert.deepEqual(parseCallerNumber('sip:ann@host'), { ok: true, value: 'ann' });
  assert.equal(parseCallerNumber('a>b').ok, false);
  assert.equal(parseCallerNumber('a\nb').ok, false);
});

test('digits', () => {
  assert.deepEqual(parseDigits('0123456789*#abcd'), { ok: true, value: '0123456789*#ABCD' });
  for (const bad of ['', 'w', 'E', '1 2', '1\r\n2', '1'.repeat(65)]) assert.equal(parseDigits(bad).ok, false);
});

test('no accepted text holds a line end', () => {
  const line = /[\r\n\0\u2028\u2029]/;
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const texts = [parseDestination(text), parseCallerName(text), parseCallerNumber(text)].map((r) =>
        r.ok ? JSON.stringify(r.value).replace(/\\[rn0]/g, '\n') : '',
      );
      for (const accepted of texts) assert.doesNotMatch(accepted, line);
      const header = one('X-A', text);
      if (header.ok) assert.doesNotMatch(header.value[0]!.value, line);
    }),
  );
});
