import { spawn } from 'node:child_process';
import { lawBreaks } from './laws.ts';

/** `npm run check`: types, lint and format, and the laws of the house. All at once; prints what failed. */
const commands: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['browser types', 'tsc', ['-p', 'tsconfig.browser.json']],
  ['sdk test types', 'tsc', ['-p', 'packages/sdk/test']],
  ['react types', 'tsc', ['-p', 'packages/react']],
  ['console test types', 'tsc', ['-p', 'apps/console/test']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
];

function run(command: string, args: readonly string[]): Promise<{ ok: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ ok: false, output: String(error) }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

const results = await Promise.all(
  commands.map(async ([name, command, args]) => ({ name, ...(await run(command, args)) })),
);
const breaks = lawBreaks();
results.push({ name: 'layers, purity, size', ok: breaks.length === 0, output: breaks.join('\n') });
for (const { name, ok, output } of results) {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}`);
  if (!ok) console.log(output.trimEnd());
}
process.exitCode = results.every((result) => result.ok) ? 0 : 1;
