import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { build as vite } from 'vite';
import webpack from 'webpack';
import { buildAll } from '../scripts/build.ts';
import { needs, peerPath } from './src/peer-availability.ts';
import { PASSWORD, TestServer } from './src/server.ts';
import { within } from './src/wait.ts';

const SDK = join(import.meta.dirname, '../packages/sdk');
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

/** An app as somebody writes it who installed the package. */
const APP = `
  const about = new URLSearchParams(location.search);
  const client = new TelnyxRTC({ host: about.get('host'), login: 'line1', password: about.get('password') });
  const ready = new Promise((resolve, reject) => {
    client.on(SwEvent.Ready, resolve);
    client.on(SwEvent.Error, ({ error }) => reject(error));
  });
  globalThis.loggedIn = client.connect().then(() => ready).then(() => client.getIsRegistered());
`;
const page = (script: string): string => `<!doctype html><title>app</title>${script}`;

/** The package as npm packs it, in an app, through bundlers and without one, in a browser, at our server. */
describe('the packed SDK in an app', needs('chromium'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-bundles-'));
  let server: TestServer;
  let files: Server;
  let browser: Browser;

  before(async () => {
    await buildAll(false);
    const installed = join(folder, 'node_modules/@sidetone/webrtc');
    mkdirSync(installed, { recursive: true });
    const packed = execFileSync(
      'npm',
      ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder],
      {
        cwd: SDK,
        encoding: 'utf8',
      },
    );
    execFileSync('tar', ['-xzf', join(folder, packed.trim()), '-C', installed, '--strip-components=1']);
    writeFileSync(join(folder, 'main.js'), `import { SwEvent, TelnyxRTC } from '@sidetone/webrtc';\n${APP}`);
    writeFileSync(join(folder, 'index.html'), page('<script type="module" src="/main.js"></script>'));
    files = createServer((request, response) => {
      const file = join(folder, new URL(request.url ?? '/', 'http://localhost').pathname);
      if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
      response.setHeader('content-type', TYPES[extname(file)] ?? 'text/plain').end(readFileSync(file));
    });
    await new Promise<void>((listening) => files.listen(0, '127.0.0.1', listening));
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: ['--no-sandbox'],
    });
    server = await TestServer.start();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    files?.closeAllConnections();
    files?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page of the app's folder; whether its client got registered. */
  async function logsIn(path: string): Promise<void> {
    const { port } = files.address() as AddressInfo;
    const query = new URLSearchParams({ host: server.webSocketUrl, password: PASSWORD.line1 });
    const context = await browser.newContext();
    try {
      const tab = await context.newPage();
      const broken: string[] = [];
      tab.on('pageerror', (error) => broken.push(String(error)));
      await tab.goto(`http://127.0.0.1:${port}/${path}?${query}`);
      const registered = within('the login', tab.evaluate('globalThis.loggedIn'), 30_000);
      assert.equal(await registered.catch((error) => `${error} ${broken.join()}`), true);
    } finally {
      await context.close();
    }
  }

  const sizeOf = (file: string): number => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;

  test('Vite', async () => {
    await vite({
      root: folder,
      base: './',
      configFile: false,
      logLevel: 'error',
      build: {
        outDir: 'vite',
        modulePreload: false,
        rolldownOptions: { output: { entryFileNames: 'app.js' } },
      },
    });
    await logsIn('vite/index.html');
    assert.ok(sizeOf('vite/app.js') < 26_000, `${sizeOf('vite/app.js')} bytes`);
  });

  test('webpack', async () => {
    const compiler = webpack({
      mode: 'production',
      context: folder,
      entry: './main.js',
      output: { path: join(folder, 'webpack'), filename: 'app.js' },
    });
    await new Promise<void>((resolve, reject) =>
      compiler?.run((error, stats) => {
        const wrong =
          error ?? (stats?.hasErrors() === true ? new Error(stats.toString('errors-only')) : null);
        compiler.close(() => (wrong === null ? resolve() : reject(wrong)));
      }),
    );
    writeFileSync(join(folder, 'webpack/index.html'), page('<script src="app.js"></script>'));
    await logsIn('webpack/index.html');
    assert.ok(sizeOf('webpack/app.js') < 26_000, `${sizeOf('webpack/app.js')} bytes`);
  });

  for (const file of ['sidetone.min.js', 'index.js'])
    test(`<script type=module>, ${file}`, async () => {
      const from = `/node_modules/@sidetone/webrtc/dist/${file}`;
      const html = page(`<script type="module">import { SwEvent, TelnyxRTC } from '${from}';${APP}</script>`);
      writeFileSync(join(folder, `plain-${file}.html`), html);
      await logsIn(`plain-${file}.html`);
    });
});
