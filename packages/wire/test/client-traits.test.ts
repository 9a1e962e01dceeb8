import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseClientAgent } from '../src/dialect/client-agent.ts';
import { CAUSE, traitsOf, UNKNOWN_CLIENT } from '../src/index.ts';

const of = (agent: unknown) => traitsOf(parseClientAgent({ 'User-Agent': agent }));
const WEB = of('Web-2.27.10');

test('client-traits: a family that is not known is the published browser package', () => {
  for (const agent of [
    'Foo-1.0.0',
    '',
    'constructor-1.0',
    '__proto__-1.0',
    undefined,
    {},
    { data: 'Mozilla' },
    7,
  ])
    assert.deepEqual(of(agent), WEB, JSON.stringify(agent));
  assert.deepEqual(traitsOf(UNKNOWN_CLIENT), WEB);
  assert.deepEqual(traitsOf({ family: 'of an old journal' as 'web', text: '' }), WEB);
});

test('client-traits: a version that is not known is the newest of its family', () => {
  for (const [unknown, newest] of [
    ['iOS-', 'iOS-99.0.0'],
    ['iOS-dev', 'iOS-4.1.2'],
    ['Android-snapshot', 'Android-3.7.0'],
    ['Flutter-x.y', 'Flutter-4.4.0'],
    ['ReactNative-99999.0', 'ReactNative-1.1.0'],
  ] as const)
    assert.deepEqual(of(unknown), of(newest), unknown);
  assert.deepEqual(of('iOS-mpn-next').cleanup, of('iOS-mpn-4.1.2').cleanup);
});

test('client-traits: when each family hears what waited, and of what it must hear', () => {
  const rows = [
    'Web-2.27.10',
    'Sidetone-0.1.0',
    'iOS-4.1.2',
    'Android-3.7.0',
    'Flutter-4.4.0',
    'ReactNative-1.1.0',
  ];
  const table = rows.map((agent) => {
    const { hearsAt, attach, comesBack, pingMs, answeredElsewhere } = of(agent);
    return [hearsAt, attach, comesBack, pingMs, answeredElsewhere.name];
  });
  assert.deepEqual(table, [
    ['registered', 'when-silent', 'always', 15_000, 'LOSE_RACE'],
    ['registered', 'when-silent', 'always', 15_000, 'LOSE_RACE'],
    ['registered', 'always', 'in-call', 30_000, 'PICKED_OFF'],
    ['clientReady', 'always', 'never', 30_000, 'PICKED_OFF'],
    ['clientReady', 'always', 'never', 30_000, 'PICKED_OFF'],
    ['registered', 'always', 'never', 30_000, 'PICKED_OFF'],
  ]);
  assert.deepEqual([CAUSE.pickedOff.code, CAUSE.pickedOff.sip], [805, 487]);
});

test('client-traits: what depends on the version, and on what the application asked for', () => {
  assert.equal(of('iOS-3.2.1').comesBack, 'never');
  assert.equal(of('ReactNative-0.4.4').comesBack, 'always');
  assert.equal(of('ReactNative-0.4.5').comesBack, 'never');
  const cleanup = (agent: string) => of(agent).cleanup.length;
  assert.deepEqual(['iOS-3.2.1', 'iOS-4.0.0', 'iOS-mpn-4.0.0'].map(cleanup), [2, 0, 2]);
  assert.deepEqual(['Android-3.5.9', 'Android-3.6.0', 'Android-10.0.0'].map(cleanup), [0, 2, 2]);
  assert.deepEqual(['Flutter-3.9.9', 'Flutter-4.0.0'].map(cleanup), [0, 1]);
  assert.deepEqual(['ReactNative-1.1.0', 'ReactNative-mpn-1.1.0'].map(cleanup), [0, 1]);
  assert.equal(of({ sdkVersion: '3.7.0', data: 'Android-3.7.0' }).hearsAt, 'clientReady');
});

test('client-traits: any text has its traits', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void of(text).pingMs));
});
