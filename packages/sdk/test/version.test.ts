import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { uuid } from '../src/environment.ts';
import * as door from '../src/index.ts';

test('the version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  assert.equal(door.VERSION, version);
});

test('ids are version 4 UUIDs', () => {
  for (let i = 0; i < 50; i++)
    assert.match(uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('the door holds the published names', () => {
  for (const name of [
    'TelnyxRTC',
    'Call',
    'SwEvent',
    'NOTIFICATION_TYPE',
    'TelnyxError',
    'TELNYX_ERROR_CODES',
    'Client',
  ])
    assert.ok(name in door, name);
});
