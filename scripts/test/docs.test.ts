import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorsPage } from '../docs.ts';

test('docs/errors.md is that of the SDK; `node scripts/docs.ts` writes it', () => {
  assert.equal(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8'), errorsPage());
});
