import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { serverUrl, withQuery } from '../src/host.ts';
import { backOff } from '../src/reconnect.ts';

const page = { protocol: 'https:', host: 'phone.example.com' };

for (const [choice, url] of [
  [{}, 'wss://phone.example.com/'],
  [{ host: 'localhost:8080' }, 'wss://localhost:8080'],
  [{ host: 'ws://localhost:8080/path?x=1' }, 'ws://localhost:8080/path?x=1'],
  [{ host: 'https://voice.example.com' }, 'wss://voice.example.com'],
  [{ host: 'wss://rtc.example.com', region: 'eu' }, 'wss://eu.rtc.example.com'],
  [{ host: 'wss://rtc.example.com', env: 'development' }, 'wss://rtcdev.example.com'],
  [{ host: 'rtc.example.com', env: 'development', region: 'eu' }, 'wss://eu.rtcdev.example.com'],
  [{ host: 'ws://localhost:1', region: 'eu' }, 'ws://localhost:1'],
  [{ host: 'wss://voice.rtc.example.com', region: 'eu' }, 'wss://voice.rtc.example.com'],
] as const)
  test(`${JSON.stringify(choice)} connects to ${url}`, () => assert.equal(serverUrl(choice, page), url));

test('a plain http page connects without TLS', () => {
  assert.equal(serverUrl({}, { protocol: 'http:', host: '127.0.0.1:8080' }), 'ws://127.0.0.1:8080/');
});

test('without a host and without a page address there is a sentence', () => {
  assert.throws(() => serverUrl({}, { protocol: 'file:', host: '' }), /give `host`/);
});

test('the query is added to what is there', () => {
  assert.equal(withQuery('ws://h/', { voice_sdk_id: 'a/b', other: undefined }), 'ws://h/?voice_sdk_id=a%2Fb');
  assert.equal(withQuery('ws://h/?x=1', { y: '2' }), 'ws://h/?x=1&y=2');
  assert.equal(withQuery('ws://h/', {}), 'ws://h/');
});

test('the back-off doubles from 1 s to 30 s and varies by a quarter', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 9].map((n) => backOff(n, 0.5)),
    [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, random) => {
        const middle = Math.min(1000 * 2 ** (n - 1), 30_000);
        const wait = backOff(n, random);
        assert.ok(wait >= middle * 0.75 && wait <= middle * 1.25);
      },
    ),
  );
});
