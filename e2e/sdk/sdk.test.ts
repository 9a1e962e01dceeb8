import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { buildAll } from '../../scripts/build.ts';
import { needs, peerPath } from '../src/peer-availability.ts';
import { until } from '../src/wait.ts';
import { FakeServer, type Frame } from './fake-server.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The page of the README, and the built SDK that it imports. */
const exampleOf = (readme: string): string => /```html\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

/** Our SDK in a real browser, with real media to a peer in the same page, against a server of a few lines. */
describe('the SDK in Chromium', needs('chromium'), () => {
  let server: FakeServer;
  let browser: Browser;
  let page: Page;

  const run = <T>(expression: string): Promise<T> => page.evaluate(expression) as Promise<T>;
  const states = (): Promise<string[]> => run('states');
  const reaches = async (state: string): Promise<void> => {
    let seen: string[] = [];
    const there = async (): Promise<boolean> => (seen = await states()).at(-1) === state;
    await until(`state ${state}`, there, { detail: () => seen.join(', ') });
  };
  const mediaFlows = async (): Promise<void> => {
    await until('sound at the far end', async () => (await run<number>('page.farEndReceived()')) > 20);
    await until(
      'sound at the SDK',
      async () => (await run<number>('page.received(call.peer.instance)')) > 20,
    );
  };
  const last = (method: string): Frame => server.requests(method).at(-1)?.['params'] ?? {};

  before(async () => {
    await buildAll(false);
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, '../pages/far-end.ts')],
      bundle: true,
      write: false,
      format: 'iife',
      target: 'es2022',
    });
    server = await FakeServer.start(ROOT);
    server.pages.set('/', {
      type: 'text/html',
      body: '<!doctype html><audio id="remote"></audio><script src="/page.js"></script>',
    });
    server.pages.set('/page.js', { type: 'text/javascript', body: outputFiles[0]!.text });
    browser = await chromium.launch({
      executablePath: peerPath('chromium'),
      headless: true,
      args: [
        '--no-sandbox',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
    const context = await browser.newContext({ permissions: ['microphone'] });
    page = await context.newPage();
    await page.goto(server.url);
    server.answerFor = (offer) => run(`page.answer(${JSON.stringify(offer)})`);
    await run(`
      globalThis.states = [];
      globalThis.client = new page.TelnyxRTC({ login: 'line1', password: 'secret' });
      client.remoteElement = 'remote';
      client.on('telnyx.notification', ({ type, call }) => {
        if (type !== 'callUpdate') return;
        globalThis.call = call;
        const state = call.state + '/' + call.commonState;
        if (states.at(-1) !== state) states.push(state);
      });
      client.connect();
      client.ready();
    `);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('logs in at the origin of the page', async () => {
    assert.equal(await run('client.connected'), true);
    assert.equal(await run('client.sessionid'), 'fake-session');
    assert.equal(last('login')['User-Agent'].sdkVersion, 'Sidetone-0.1.0');
  });

  test('calls, hears and is heard, sends digits, holds, hangs up', async () => {
    await run(
      `void client.newCall({ destinationNumber: '9196', customHeaders: [{ name: 'X-Test', value: '1' }] })`,
    );
    await reaches('active/ACTIVE');
    assert.deepEqual((await states()).slice(0, 4), [
      'new/NEW',
      'requesting/CONNECTING',
      'trying/CONNECTING',
      'trying/RINGING',
    ]);
    assert.match(last('telnyx_rtc.invite')['sdp'], /a=candidate:/);
    assert.deepEqual(last('telnyx_rtc.invite')['dialogParams'].custom_headers, [
      { name: 'X-Test', value: '1' },
    ]);
    await mediaFlows();
    assert.equal(await run(`document.getElementById('remote').srcObject === call.remoteStream`), true);
    assert.equal(await run(`call.dtmf('0123456789*#ABCD')`), true);
    assert.equal(last('telnyx_rtc.info')['dtmf'], '0123456789*#ABCD');
    assert.equal(await run('call.hold()'), true);
    await reaches('held/HELD');
    assert.equal(await run('call.toggleHold()'), true);
    await reaches('active/ACTIVE');
    await run('call.mute()');
    assert.equal(await run('call.localStream.getAudioTracks()[0].enabled'), false);
    await run('call.hangup()');
    await reaches('destroy/DONE');
    const { cause, causeCode } = last('telnyx_rtc.bye');
    assert.deepEqual([cause, causeCode], ['NORMAL_CLEARING', 16]);
    assert.equal(await run('call.localStream.getAudioTracks()[0].readyState'), 'ended');
    assert.equal(await run('call.peer.instance.connectionState'), 'closed');
  });

  test('is called, answers, hears and is heard, is hung up', async () => {
    await run('states.length = 0');
    server.ask('telnyx_rtc.invite', {
      callID: 'f7b3a5a0-8f43-4f6e-8a5c-111111111111',
      sdp: await run('page.offer()'),
      caller_id_name: 'Bob',
      caller_id_number: '1002',
      callee_id_number: 'line1',
      dialogParams: { custom_headers: [{ name: 'X-In', value: 'yes' }] },
    });
    await reaches('ringing/RINGING');
    assert.deepEqual(await run('call.customHeaders'), { 'X-In': 'yes' });
    await run('void call.answer()');
    await reaches('active/ACTIVE');
    await run(`page.accept(${JSON.stringify(last('telnyx_rtc.answer')['sdp'])})`);
    await mediaFlows();
    server.ask('telnyx_rtc.bye', {
      callID: await run('call.id'),
      cause: 'NORMAL_CLEARING',
      causeCode: 16,
      sipCode: 200,
    });
    await reaches('destroy/DONE');
    assert.deepEqual(await run('[call.cause, call.causeCode, call.sipCode]'), ['NORMAL_CLEARING', 16, 200]);
    assert.deepEqual(await run('Object.keys(client.calls)'), []);
  });

  test('a busy line', async () => {
    server.onInvite = async ({ dialogParams }) =>
      server.ask('telnyx_rtc.bye', {
        callID: dialogParams.callID,
        cause: 'USER_BUSY',
        causeCode: 17,
        sipCode: 486,
      });
    await run(`void client.newCall({ destinationNumber: '+13125550100' })`);
    await until('the end', async () => (await run<string>('call.cause ?? ""')) === 'USER_BUSY');
    assert.deepEqual(await run('[call.causeCode, call.sipCode]'), [17, 486]);
  });

  test('comes back after a broken connection', async () => {
    server.cut();
    await until('the second login', () => server.requests('login').length === 2);
    await run('client.ready()');
    assert.deepEqual([last('login')['reconnection'], last('login')['sessid']], [true, 'fake-session']);
  });

  const attached = async (): Promise<void> => {
    const before = server.requests('telnyx_rtc.attach').length;
    await until('an attach', () => server.requests('telnyx_rtc.attach').length > before);
  };
  /** The server offers new media for the calls that it kept. */
  const offersAgain = async (): Promise<void> => {
    for (const callID of server.kept) {
      const sdp = await run('page.offer()');
      const answered = attached();
      server.ask('telnyx_rtc.attach', { callID, sdp });
      await answered;
      await run(`page.accept(${JSON.stringify(last('telnyx_rtc.attach')['sdp'])})`);
    }
  };
  test('a call lives through a broken connection; running media is kept', async () => {
    server.onInvite = async ({ sdp, dialogParams: { callID } }) =>
      server.ask('telnyx_rtc.answer', { callID, sdp: await server.answerFor(sdp) });
    await run(`states.length = 0; void client.newCall({ destinationNumber: '9196' })`);
    await reaches('active/ACTIVE');
    await mediaFlows();
    server.kept = [await run<string>('call.id')];
    await run(`globalThis.running = call.peer.instance; states.length = 0`);
    server.cut();
    await reaches('active/ACTIVE');
    assert.deepEqual(await states(), ['active/RECONNECTING', 'active/ACTIVE']);
    assert.equal(await run('call.peer.instance === running'), true);
    assert.equal(server.requests('telnyx_rtc.attach').length, 0);
    await mediaFlows();
  });

  test('a call lives through a broken connection; media is made anew', async () => {
    server.onRegistered = offersAgain;
    await run(`call.mute(); states.length = 0`);
    server.cut();
    await until('new media', () => run('call.peer.instance !== running'));
    await reaches('active/ACTIVE');
    assert.ok((await states()).includes('recovering/RECONNECTING'));
    assert.equal(await run('running.connectionState'), 'closed');
    assert.equal(await run('call.isAudioMuted && call.recoveredCallId === call.id'), true);
    await mediaFlows();
    server.kept = [];
    server.onRegistered = async () => undefined;
    await run('call.hangup()');
    await reaches('destroy/DONE');
  });

  test('another audio path in the middle of a call; then it is handed over', async () => {
    server.kept = [];
    server.restartFor = (offer) => run(`page.restart(${JSON.stringify(offer)})`);
    await run(`void client.newCall({ destinationNumber: '9196' })`);
    await reaches('active/ACTIVE');
    await mediaFlows();
    const ufrag = (): Promise<string> =>
      run('/a=ice-ufrag:(.*)/.exec(call.peer.instance.currentLocalDescription.sdp)[1]');
    const before = await ufrag();
    await run('client.triggerIceRestart(call.id)');
    await until('new ICE credentials', async () => (await ufrag()) !== before);
    await reaches('active/ACTIVE');
    const heard = await run<number>('page.received(call.peer.instance)');
    await until(
      'sound on the new path',
      async () => (await run<number>('page.received(call.peer.instance)')) > heard + 20,
    );
    await run(`call.transfer('+13125550101')`);
    await reaches('destroy/DONE');
    const { action, destination } = last('telnyx_rtc.modify');
    assert.deepEqual([action, destination], ['transfer', '+13125550101']);
  });

  test('a name that one page claims no other gets, until it is gone', async () => {
    const claim = `import('/packages/sdk/dist/index.js').then((sdk) => sdk.browserEnvironment().claim('token'))`;
    const other = await page.context().newPage();
    await other.goto(`${server.url}/packages/sdk/package.json`);
    assert.equal(await other.evaluate(claim), true);
    assert.equal(await run(claim), false);
    await other.close();
    await until('the name is free', async () => (await run(claim)) === true);
  });

  test('pre-call checks: a call to the echo, and the microphone', async () => {
    const report = await run<Frame>('client.runPreCall({ durationMs: 3500 })');
    assert.equal(report['verdict'], 'ready', JSON.stringify(report['reasons']));
    assert.equal(last('telnyx_rtc.invite')['dialogParams'].destination_number, '9196');
    assert.ok(report['network'].packets.packetsReceived > 20);
    assert.equal(report['ice'].hasSelectedPair, true);
    const microphone = await run<Frame>('client.runMicrophoneCheck()');
    assert.deepEqual([microphone['verdict'], microphone['microphone'].audioDetected], ['ready', true]);
  });

  test('a page that is reloaded takes its two calls over', async () => {
    const reloading = await page.context().newPage();
    const its = <T>(expression: string): Promise<T> => reloading.evaluate(expression) as Promise<T>;
    const begin = (): Promise<void> =>
      its(`
        globalThis.client = new page.TelnyxRTC({ login: 'line1', password: 'secret', hangupOnBeforeUnload: false });
        client.connect();
        client.ready();
      `);
    server.answerFor = (offer) => its(`page.answer(${JSON.stringify(offer)})`);
    await reloading.goto(server.url);
    await begin();
    const up = (count: number): Promise<void> =>
      until(`${count} active calls`, () =>
        its(
          `client.getActiveCalls().filter(({ commonState }) => commonState === 'ACTIVE').length === ${count}`,
        ),
      );
    for (const number of ['1001', '1002']) {
      await its(`void client.newCall({ destinationNumber: '${number}' })`);
      await up(number === '1001' ? 1 : 2);
    }
    await its('client.getActiveCalls()[0].mute()');
    server.kept = await its('client.getActiveCalls().map(({ id }) => id)');
    const byes = server.requests('telnyx_rtc.bye').length;
    await reloading.reload();
    server.onRegistered = async () => {
      for (const callID of server.kept) {
        const before = server.requests('telnyx_rtc.attach').length;
        server.ask('telnyx_rtc.attach', { callID, sdp: await its('page.offer()') });
        await until('an attach', () => server.requests('telnyx_rtc.attach').length > before);
        await its(`page.accept(${JSON.stringify(last('telnyx_rtc.attach')['sdp'])})`);
      }
    };
    await begin();
    await up(2);
    assert.equal(server.requests('telnyx_rtc.bye').length, byes);
    assert.deepEqual(
      await its(
        'client.getActiveCalls().map((call) => [call.options.destinationNumber, call.direction, call.isAudioMuted])',
      ),
      [
        ['1001', 'outbound', true],
        ['1002', 'outbound', false],
      ],
    );
    await until('sound of the second call', async () =>
      its('page.received(client.getActiveCalls()[1].peer.instance).then((packets) => packets > 20)'),
    );
    server.kept = [];
    server.onRegistered = async () => undefined;
    server.answerFor = (offer) => run(`page.answer(${JSON.stringify(offer)})`);
    await reloading.close();
  });

  test("the README's example, with the built package", async () => {
    const body = exampleOf(readFileSync(join(ROOT, 'packages/sdk/README.md'), 'utf8'))
      .replace('ws://127.0.0.1:8080', server.url.replace('http', 'ws'))
      .replace('YOUR TOKEN', 'good-token');
    server.pages.set('/call.html', { type: 'text/html', body });
    const example = await page.context().newPage();
    await example.goto(`${server.url}/call.html`);
    server.onInvite = async ({ sdp, dialogParams }) =>
      server.ask('telnyx_rtc.answer', { callID: dialogParams.callID, sdp: await server.answerFor(sdp) });
    await example.locator('#call:enabled').click();
    await example.getByText('ACTIVE').waitFor();
    await example.locator('#end').click();
    await example.getByText('DONE NORMAL_CLEARING').waitFor();
    await example.close();
  });
});
