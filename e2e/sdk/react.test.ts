import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildAll, bundleExample } from '../../scripts/build.ts';
import { needs, peerPath } from '../src/peer-availability.ts';
import { until } from '../src/wait.ts';
import { FakeServer } from './fake-server.ts';

const EXAMPLE = join(import.meta.dirname, '../../packages/react/example');

/** The hooks, as the example page uses them: in StrictMode, with a real microphone track, against a server of a few lines. */
describe('@sidetone/react in Chromium', needs('chromium'), () => {
  let server: FakeServer;
  let browser: Browser;
  let page: Page;
  const failures: string[] = [];

  before(async () => {
    await buildAll(false);
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, '../pages/far-end.ts')],
      bundle: true,
      write: false,
      format: 'iife',
      target: 'es2022',
    });
    const script = await bundleExample('development');
    server = await FakeServer.start();
    const html = readFileSync(join(EXAMPLE, 'index.html'), 'utf8');
    server.pages.set('/', {
      type: 'text/html',
      body: html.replace('<script', '<script src="far-end.js"></script><script'),
    });
    server.pages.set('/far-end.js', { type: 'text/javascript', body: outputFiles[0]!.text });
    server.pages.set('/phone.js', { type: 'text/javascript', body: Buffer.from(script).toString() });
    server.pages.set('/style.css', {
      type: 'text/css',
      body: readFileSync(join(EXAMPLE, 'style.css'), 'utf8'),
    });
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
    page = await (await browser.newContext({ permissions: ['microphone'] })).newPage();
    page.on('pageerror', (error) => failures.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && failures.push(message.text()));
    server.answerFor = (offer) => page.evaluate(`page.answer(${JSON.stringify(offer)})`) as Promise<string>;
    await page.goto(server.url);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const logIn = async (password: string): Promise<void> => {
    await page.getByLabel('User name').fill('line1');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  };
  const state = (wanted: string): Promise<void> => page.locator(`[data-state=${wanted}]`).waitFor();
  const button = (name: string) => page.getByRole('button', { name, exact: true });

  test('a refused login is told, and can be made again', async () => {
    await logIn('wrong');
    await page.getByText('The login was refused').waitFor();
    await page.getByText('Not connected').waitFor();
    await button('Log out').click();
  });

  test('one login, although StrictMode mounts twice', async () => {
    await logIn('secret');
    await page.getByText('Ready for calls').waitFor();
    assert.equal(server.requests('login').length, 2, 'the refused one, and this');
    assert.equal(await page.getByRole('alert').count(), 0);
  });

  test('a call: dial, mute, hold, hang up', async () => {
    await button('Call').click();
    await state('ACTIVE');
    await button('Mute').click();
    await button('Unmute').click();
    await button('Hold').click();
    await state('HELD');
    await button('Resume').click();
    await state('ACTIVE');
    await until(
      'sound at the far end',
      async () => ((await page.evaluate('page.farEndReceived()')) as number) > 20,
    );
    await button('Hang up').click();
    await state('DONE');
    await page.getByText('done (NORMAL_CLEARING)').waitFor();
  });

  test('a connection that breaks is told and comes back', async () => {
    server.cut();
    await page.getByText('Connecting').waitFor();
    await page.getByText('Ready for calls').waitFor();
  });

  test('logging out hangs up and says so', async () => {
    await button('Call').click();
    await state('ACTIVE');
    const byes = server.requests('telnyx_rtc.bye').length;
    await button('Log out').click();
    await page.getByText('Not logged in').waitFor();
    await until('the bye', () => server.requests('telnyx_rtc.bye').length === byes + 1);
  });

  test('React has nothing to complain of', () => {
    assert.deepEqual(
      failures.filter((text) => !/WebSocket|favicon|404/.test(text)),
      [],
    );
  });
});
