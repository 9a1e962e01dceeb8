import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { buildAll } from '../../../scripts/build.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What a page gets that imports some names of the built package: bytes, minified and gzipped. */
async function sizeOf(names: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      resolveDir: at('..'),
      contents: `export ${names} from ${JSON.stringify(at('../dist/index.js'))};`,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

before(() => buildAll(false));

test('all of it is at most 25 kB', async () => {
  const size = await sizeOf('*');
  assert.ok(size <= 25_000, `${size} bytes`);
});

for (const [names, most] of [
  ['{ mosOf }', 500],
  ['{ SwEvent }', 700],
  ['{ TELNYX_ERROR_CODES }', 3_000],
  ['{ TelnyxError }', 3_500],
] as const)
  test(`${names} alone is at most ${most} bytes`, async () => {
    const size = await sizeOf(names);
    assert.ok(size <= most, `${size} bytes`);
  });

test('publint has nothing to say to the package as npm packs it', async () => {
  const { messages, pkg } = await publint({ pkgDir: at('..'), pack: 'npm', strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg!, { color: false })),
    [],
  );
});
