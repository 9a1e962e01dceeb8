import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

const SDK = join(import.meta.dirname, '..');
const ROOT = join(SDK, '../..');
const TSC = join(ROOT, 'node_modules/.bin/tsc');
const page = readFileSync(join(ROOT, 'docs/sdk.md'), 'utf8');
const folder = mkdtempSync(join(SDK, 'test/.docs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What every example begins with. */
const BEFORE = `import type { Call as AnyCall, TelnyxRTC as AnyClient } from '@sidetone/webrtc';
`;
const GIVEN = { client: 'declare const client: AnyClient;', call: 'declare const call: AnyCall;' };

test('the examples of docs/sdk.md and of the React README compile', () => {
  const react = readFileSync(join(ROOT, 'packages/react/README.md'), 'utf8');
  const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
  assert.ok(examples.length > 10);
  for (const [index, code] of examples.entries()) {
    const given = Object.entries(GIVEN).filter(([name]) => !new RegExp(`const ${name}\\b`).test(code));
    const lines = given.map(([, line]) => line).join('\n');
    writeFileSync(join(folder, `example-${index}.ts`), `${BEFORE}${lines}\n${code}\nexport {};\n`);
  }
  writeFileSync(join(folder, 'react.tsx'), /```tsx\n([\s\S]*?)```/.exec(react)![1]!);
  const config = {
    extends: '../../../../tsconfig.browser.json',
    compilerOptions: {
      jsxImportSource: 'react',
      paths: {
        '@sidetone/webrtc': ['../../src/index.ts'],
        '@sidetone/react': ['../../../react/src/index.ts'],
      },
    },
    include: [],
    files: readdirSync(folder).filter((file) => file.includes('.ts')),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { status, stdout } = spawnSync(TSC, ['-p', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('docs/sdk.md names every export, every member of clients and calls, and every option', () => {
  const types = join(folder, 'types');
  execFileSync(TSC, ['-p', SDK, '--outDir', types]);
  const read = (file: string): string =>
    readFileSync(join(types, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const index = read('index.d.ts');
  const names = [...index.matchAll(/\{([^}]*)\}/g)].flatMap(([, list]) =>
    list!.split(',').map((one) =>
      one
        .trim()
        .replace(/^type /, '')
        .replace(/.* as /, ''),
    ),
  );
  for (const file of readdirSync(types)) {
    if (
      !/^(client|client-devices|telnyx-rtc|call|call-leg|measured-call|local-controls|emitter|options)\.d/.test(
        file,
      )
    )
      continue;
    for (const [, name] of read(file).matchAll(
      /^ {4}(?:static |readonly |get |abstract )*([a-z]\w*)[?(:<]/gm,
    ))
      names.push(name!);
  }
  const missing = [...new Set(names)].filter(
    (name) => name !== '' && name !== 'constructor' && !new RegExp(`\\b${name}\\b`).test(page),
  );
  assert.deepEqual(missing, []);
});
