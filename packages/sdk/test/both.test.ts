import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

for (const types of ['ours', 'published'])
  test(`one program compiles against the types: ${types}`, () => {
    const { status, stdout } = spawnSync(
      at('../../../node_modules/.bin/tsc'),
      ['-p', at(`./both/${types}.json`)],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0, stdout);
  });
