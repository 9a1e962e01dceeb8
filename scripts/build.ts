import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type OutputFile } from 'esbuild';

/**
 * `node scripts/build.ts [--force]`: builds what is published or served, and only what is older than its sources: the SDK
 * (`packages/sdk/dist`) and the softphone (`apps/console/dist`). Prints one line per thing built, and nothing when all is fresh.
 */

const ROOT = join(import.meta.dirname, '..');
const SDK = 'packages/sdk';
const REACT = 'packages/react';
const CONSOLE = 'apps/console';
const THIS = 'scripts/build.ts';

interface Product {
  readonly name: string;
  /** Globs. */
  readonly sources: readonly string[];
  /** Files that a finished build has; the last one is written last. */
  readonly outputs: readonly string[];
  /** Gives one line for the person. */
  build(): Promise<string>;
}

const PRODUCTS: readonly Product[] = [
  {
    name: 'sdk',
    sources: [`${SDK}/src/**/*.ts`, `${SDK}/*.json`, 'tsconfig*.json', THIS],
    outputs: [`${SDK}/dist/index.d.ts`, `${SDK}/dist/index.js`, `${SDK}/dist/sidetone.min.js`],
    build: buildSdk,
  },
  {
    name: 'react',
    sources: [`${REACT}/{src,example}/**/*`, `${REACT}/*.json`, `${SDK}/src/**/*.ts`, 'tsconfig*.json', THIS],
    outputs: [`${REACT}/dist/index.d.ts`, `${REACT}/dist/index.js`, `${REACT}/dist/example/phone.js`],
    build: buildReact,
  },
  {
    name: 'console',
    sources: [`${CONSOLE}/{src,public}/**/*`, `${CONSOLE}/*.{html,json}`, `${SDK}/src/**/*.ts`, THIS],
    outputs: [`${CONSOLE}/dist/index.html`],
    build: buildConsole,
  },
];

/** Builds what is stale, or everything; gives a line per thing built. */
export async function buildAll(force: boolean): Promise<string[]> {
  const lines: string[] = [];
  for (const product of PRODUCTS)
    if (force || isStale(product)) lines.push(`built ${product.name}: ${await product.build()}`);
  return lines;
}

function isStale({ sources, outputs }: Product): boolean {
  const built = outputs.map((file) =>
    existsSync(join(ROOT, file)) ? statSync(join(ROOT, file)).mtimeMs : 0,
  );
  const oldest = Math.min(...built);
  return (
    oldest === 0 ||
    globSync([...sources], { cwd: ROOT }).some((file) => statSync(join(ROOT, file)).mtimeMs > oldest)
  );
}

async function buildSdk(): Promise<string> {
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', `${SDK}/tsconfig.json`], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  // For bundlers: legible, with the notes by which they leave out what is not used. For pages without one: small.
  const [legible, small] = await Promise.all([bundleSdk(false), bundleSdk(true)]);
  put(`${SDK}/dist/index.js`, legible[0]!.contents);
  put(`${SDK}/dist/sidetone.min.js`, small[0]!.contents);
  return `${SDK}/dist/sidetone.min.js, ${gzipSize(small)} gzip`;
}

async function bundleSdk(minify: boolean): Promise<readonly OutputFile[]> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, SDK, 'src/index.ts')],
    bundle: true,
    format: 'esm',
    minify,
    target: 'es2022',
    write: false,
  });
  return outputFiles;
}

async function buildReact(): Promise<string> {
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', `${REACT}/tsconfig.build.json`], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, REACT, 'src/index.ts')],
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'es2022',
    // The paths of the type checker would pull the SDK in.
    tsconfigRaw: {},
    write: false,
  });
  put(`${REACT}/dist/index.js`, outputFiles[0]!.contents);
  const example = await bundleExample('production');
  for (const name of ['index.html', 'style.css'])
    put(`${REACT}/dist/example/${name}`, readFileSync(join(ROOT, REACT, 'example', name)));
  put(`${REACT}/dist/example/phone.js`, example);
  return `${REACT}/dist/index.js, ${gzipSize(outputFiles)} gzip`;
}

/** The script of the example page. In `development` StrictMode mounts everything twice. */
export async function bundleExample(mode: 'production' | 'development'): Promise<Uint8Array> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`${REACT}/example/main.tsx`],
    bundle: true,
    minify: mode === 'production',
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'react',
    define: { 'process.env.NODE_ENV': JSON.stringify(mode) },
    write: false,
  });
  return outputFiles[0]!.contents;
}

async function buildConsole(): Promise<string> {
  const dist = join(CONSOLE, 'dist');
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { phone: `${CONSOLE}/src/main.tsx`, style: `${CONSOLE}/src/style.css` },
    entryNames: 'assets/[name]-[hash]',
    outdir: dist,
    bundle: true,
    format: 'esm',
    minify: true,
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    metafile: true,
    write: false,
  });
  const outputs = Object.keys(metafile.outputs).map((file) => file.slice(dist.length));
  const old = globSync(`${dist}/assets/*`, { cwd: ROOT });
  for (const file of outputFiles) put(file.path.slice(ROOT.length + 1), file.contents);
  for (const file of globSync(`${CONSOLE}/public/*`, { cwd: ROOT }))
    copyFileSync(join(ROOT, file), join(ROOT, dist, file.slice(`${CONSOLE}/public/`.length)));
  const page = readFileSync(join(ROOT, CONSOLE, 'index.html'), 'utf8');
  put(
    `${dist}/index.html`,
    page.replace(
      /\/src\/main\.tsx|\/src\/style\.css/g,
      (source) => outputs.find((file) => file.endsWith(source.endsWith('.css') ? '.css' : '.js'))!,
    ),
  );
  for (const file of old) if (!outputs.includes(file.slice(dist.length))) rmSync(join(ROOT, file));
  return `${dist}/index.html, ${gzipSize(outputFiles)} gzip`;
}

const gzipSize = (files: readonly OutputFile[]): string =>
  `${(files.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0) / 1000).toFixed(1)} kB`;

/** Writes a file whole or not at all, for whoever reads it meanwhile. */
function put(file: string, contents: string | Uint8Array): void {
  const path = join(ROOT, file);
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, contents);
  renameSync(part, path);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const line of await buildAll(process.argv.includes('--force'))) console.log(line);
}
