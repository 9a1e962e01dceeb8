import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, WARNINGS } from '../src/error-table.ts';
import {
  isMediaRecoveryErrorEvent,
  SDK_ERRORS,
  SDK_WARNINGS,
  TELNYX_ERROR_CODES,
  TELNYX_WARNING_CODES,
  TelnyxError,
} from '../src/errors.ts';

test('every code is there once, in order, with words', () => {
  for (const table of [ERRORS, WARNINGS]) {
    const codes = Object.values(table).map(([code]) => code);
    assert.deepEqual(
      codes,
      [...new Set<number>(codes)].sort((a, b) => a - b),
    );
  }
  assert.equal(TELNYX_ERROR_CODES.SESSION_NOT_REATTACHED, 48501);
  assert.equal(TELNYX_WARNING_CODES.TOKEN_EXPIRING_SOON, 34001);
  assert.equal(SDK_ERRORS[42001]!.name, 'MEDIA_MICROPHONE_PERMISSION_DENIED');
  assert.match(SDK_WARNINGS[31001]!.description, /400 ms/);
  for (const entry of [...Object.values(SDK_ERRORS), ...Object.values(SDK_WARNINGS)]) {
    assert.ok(entry.description.length > 10 && entry.causes[0]!.length > 2 && entry.solutions[0]!.length > 2);
  }
});

test('an error is an Error that survives JSON, without what is underneath', () => {
  const error = new TelnyxError('LOGIN_FAILED', 'wrong password', new Error('secret'));
  assert.ok(error instanceof Error);
  const json = JSON.parse(JSON.stringify(error));
  assert.deepEqual(Object.keys(json), [
    'code',
    'name',
    'message',
    'description',
    'causes',
    'solutions',
    'fatal',
  ]);
  assert.deepEqual([json.code, json.message, json.fatal], [46001, 'wrong password', true]);
  assert.equal(isMediaRecoveryErrorEvent({ error, sessionId: '' }), false);
});
