import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildAll } from '../../scripts/build.ts';
import { needs, peerPath } from '../src/peer-availability.ts';
import { until } from '../src/wait.ts';
import { FakeServer } from './fake-server.ts';

/** The softphone as a person uses it, under the product's content policy, against a server of a few lines. */
describe('the softphone in Chromium', needs('chromium'), () => {
  let server: FakeServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  const says = async (text: string): Promise<void> => {
    let body = '';
    const said = async (): Promise<boolean> => (body = await page.innerText('body')).includes(text);
    await until(`the page says "${text}"`, said, { detail: () => body });
  };

  before(async () => {
    await buildAll(false);
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, '../pages/far-end.ts')],
      bundle: true,
      write: false,
      format: 'iife',
      target: 'es2022',
    });
    server = await FakeServer.start(join(import.meta.dirname, '../../apps/console/dist'));
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    });
    const context = await browser.newContext({
      permissions: ['microphone'],
      viewport: { width: 390, height: 844 },
    });
    page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.addInitScript(outputFiles[0]!.text);
    server.answerFor = (offer) => page.evaluate(`page.answer(${JSON.stringify(offer)})`);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('asks for a password, and says when it is wrong', async () => {
    await page.goto(server.url);
    await page.getByLabel('User name').fill('line1');
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await says('User name or password is wrong');
    await page.getByLabel('Password').fill('secret');
    await page.keyboard.press('Enter');
    await page.getByLabel('Number or user to call').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Password').waitFor();
  });

  test('a login link logs in at once, leaves the address bar, and lasts over a reload', async () => {
    await page.goto(`${server.url}/?token=once`);
    await page.getByRole('button', { name: 'line2' }).waitFor();
    assert.equal(page.url(), `${server.url}/`);
    await page.reload();
    await page.getByRole('button', { name: 'line2' }).waitFor();
  });

  test('a call by keyboard alone: dial, tones, mute, hold, hang up', async () => {
    await page.getByRole('button', { name: 'Call', exact: true, disabled: false }).waitFor();
    const field = page.getByLabel('Number or user to call');
    await field.fill('');
    await field.press('9');
    await page.getByRole('button', { name: '1', exact: true }).click();
    await field.press('End');
    await field.pressSequentially('96');
    assert.equal(await field.inputValue(), '9196');
    await field.press('Enter');
    await says('In call');
    for (const key of '5#') await page.keyboard.press(key);
    await until('two tones', () => server.requests('telnyx_rtc.info').length === 2);
    assert.deepEqual(
      server.requests('telnyx_rtc.info').map(({ params }) => params.dtmf),
      ['5', '#'],
    );
    await page.getByRole('button', { name: 'Hold' }).click();
    await says('On hold');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Mute' }).click();
    await says('muted');
    await until(
      'sound at the far end',
      async () => ((await page.evaluate('page.farEndReceived()')) as number) > 10,
    );
    await page.keyboard.press('Escape');
    await says('You hung up.');
    assert.equal(server.requests('telnyx_rtc.bye').at(-1)?.['params'].cause, 'NORMAL_CLEARING');
  });

  test('a call that fails says why', async () => {
    server.onInvite = async ({ dialogParams }) =>
      server.ask('telnyx_rtc.bye', {
        callID: dialogParams.callID,
        cause: 'USER_BUSY',
        causeCode: 17,
        sipCode: 486,
      });
    await page.getByRole('button', { name: 'line2' }).click();
    await page.getByRole('button', { name: 'Call', exact: true }).click();
    await says('The line is busy.');
  });

  test('an incoming call: answered, then ended by the caller; declined', async () => {
    const ring = async (callID: string): Promise<void> =>
      server.ask('telnyx_rtc.invite', {
        callID,
        sdp: await page.evaluate('page.offer()'),
        caller_id_name: 'Bob',
        caller_id_number: 'line2',
      });
    await ring('in-1');
    await says('is calling you');
    await page.getByRole('button', { name: 'Answer' }).click();
    await says('In call');
    server.ask('telnyx_rtc.bye', { callID: 'in-1', cause: 'NORMAL_CLEARING', causeCode: 16 });
    await says('The other side hung up.');
    await ring('in-2');
    await page.getByRole('button', { name: 'Decline' }).click();
    await says('You declined the call.');
    const { cause, sipCode } = server.requests('telnyx_rtc.bye').at(-1)?.['params'] ?? {};
    assert.deepEqual([cause, sipCode], [undefined, undefined], 'the server chooses how a reject is spelled');
  });

  test('the browser had nothing to complain about', () => assert.deepEqual(complaints, []));
});
