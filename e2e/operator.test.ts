import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withCarrier } from './src/carrier-calls.ts';
import { needs } from './src/peer-availability.ts';
import { freePort, interfaceAddress } from './src/ports.ts';
import { RawClient } from './src/raw-client.ts';
import { Rig } from './src/rig.ts';
import { configuration, PASSWORD, sidetone, TestServer } from './src/server.ts';

describe('sidetone refuses what cannot work, in one sentence', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-operator-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;

  async function serveWith(change: (config: Record<string, unknown>) => void) {
    const ports = { http: await freePort(), sip: await freePort(), stun: await freePort() };
    const config = (await configuration(ports, interfaceAddress(), {})) as Record<string, unknown>;
    change(config);
    const file = join(folder, `config-${++files}.json`);
    writeFileSync(file, JSON.stringify(config));
    return await sidetone('serve', '--config', file, '--data', join(folder, `data-${files}`));
  }

  function oneSentence(
    result: { code: number | null; stdout: string; stderr: string },
    ...words: readonly RegExp[]
  ): void {
    const said = result.stderr.split('\n').filter((line) => line.startsWith('sidetone: '));
    assert.equal(result.code, 1, result.stdout + result.stderr);
    assert.equal(said.length, 1, result.stderr);
    for (const word of words) assert.match(said[0]!, word);
    assert.doesNotMatch(result.stderr, /\n\s+at .+:\d+:\d+/, 'no stack trace');
    assert.doesNotMatch(result.stdout, /^ready /m);
  }

  it('a TCP port in use (http.port)', async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      oneSentence(
        await serveWith((c) => (c['http'] = { host: '127.0.0.1', port })),
        /http\.port/,
        new RegExp(String(port)),
      );
    } finally {
      server.close();
    }
  });

  it('a UDP port in use (sip.udp)', async () => {
    const port = await freePort();
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
    try {
      oneSentence(
        await serveWith((c) => (c['sip'] = { host: '127.0.0.1', udp: port, tcp: port })),
        /sip\.udp/,
        new RegExp(String(port)),
      );
    } finally {
      socket.close();
    }
  });

  it('an unknown key', async () => {
    oneSentence(await serveWith((c) => (c['htpp'] = {})), /htpp/);
  });

  it('a value of the wrong kind', async () => {
    oneSentence(await serveWith((c) => (c['http'] = { port: 'eighty' })), /http\.port/);
  });

  it('a file that does not exist, that nobody may read, or that is no JSON', async () => {
    oneSentence(await sidetone('serve', '--config', join(folder, 'nowhere.json')), /nowhere\.json/);
    const file = join(folder, 'broken.json');
    writeFileSync(file, '{ "domain": ');
    oneSentence(await sidetone('serve', '--config', file), /broken\.json/);
    const directory = join(folder, 'directory.json');
    oneSentence(await sidetone('serve', '--config', folder), new RegExp(folder.split('/').at(-1)!));
    writeFileSync(directory, '{}');
    chmodSync(directory, 0o000);
    if (process.getuid?.() !== 0)
      oneSentence(await sidetone('serve', '--config', directory), /directory\.json/);
  });

  it('a certificate that is not there', async () => {
    oneSentence(
      await serveWith(
        (c) => (c['http'] = { port: 47_998, tls: { cert: '/nonexistent.pem', key: '/nonexistent.pem' } }),
      ),
      /tls\.(cert|key)/,
    );
  });
});

describe('sidetone serve, as an operator sees it', { timeout: 120_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await TestServer.start();
  });
  after(async () => {
    await server?.stop();
  });

  it('says ready in the last line of stdout, once', () => {
    const lines = server.stdout.trimEnd().split('\n');
    assert.equal(lines.at(-1), `ready ${server.url}`);
    assert.equal(lines.filter((line) => line.startsWith('ready ')).length, 1);
  });

  it('serves the softphone and its health on the same port', async () => {
    const page = await fetch(`${server.url}/`);
    assert.equal(page.status, 200, await page.text());
    assert.match(page.headers.get('content-type') ?? '', /text\/html/);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });

  it('refuses a WebSocket from a foreign page, takes one from this machine and from programs', async () => {
    const foreign = await RawClient.open(server.webSocketUrl, 'https://evil.example');
    assert.equal(typeof foreign, 'number', 'the upgrade is refused');
    for (const origin of [server.url, 'http://localhost:3000', undefined]) {
      const client = await RawClient.open(server.webSocketUrl, origin);
      assert.ok(client instanceof RawClient, `origin ${origin} was refused with ${String(client)}`);
      client.close();
    }
  });

  async function client(path = ''): Promise<RawClient> {
    const opened = await RawClient.open(`${server.webSocketUrl}${path}`);
    assert.ok(opened instanceof RawClient);
    return opened;
  }

  it('accepts a token minted by `sidetone token`, on any path', async () => {
    const raw = await client('/any/path?voice_sdk_id=unknown');
    const reply = await raw.request('login', {
      login_token: await server.token('line1'),
      userVariables: {},
      loginParams: {},
    });
    assert.equal(typeof reply.result?.['sessid'], 'string', JSON.stringify(reply));
    assert.equal(typeof reply.voice_sdk_id, 'string');
    await raw.asked('telnyx_rtc.clientReady');
    const state = await raw.request('telnyx_rtc.gatewayState', {});
    assert.equal((state.result?.['params'] as { state?: string } | undefined)?.state, 'REGED');
    raw.close();
  });

  it('refuses a wrong password and a forged token with -32001, and a token for nobody at once', async () => {
    const [head, payload] = (await server.token('line1')).split('.');
    for (const params of [
      { login: 'line1', passwd: 'not the password' },
      { login: 'nobody', passwd: PASSWORD.line1 },
      { login_token: `${head}.${payload}.AAAA` },
      { login_token: 'nonsense' },
    ]) {
      const raw = await client();
      const reply = await raw.request('login', { ...params, userVariables: {}, loginParams: {} });
      assert.equal(reply.error?.code, -32001, JSON.stringify(reply));
      raw.close();
    }
    const result = await sidetone('token', 'nobody', '--config', server.configFile, '--data', server.dataDir);
    assert.equal(result.code, 1);
    assert.match(result.stderr, /nobody/);
  });

  it('never prints a password or a token', async () => {
    const token = await server.token('line2');
    const raw = await client();
    await raw.request('login', { login_token: token, userVariables: {}, loginParams: {} });
    await raw.request('login', {
      login: 'line1',
      passwd: PASSWORD.line1,
      userVariables: {},
      loginParams: {},
    });
    raw.close();
    for (const secret of [PASSWORD.line1, PASSWORD.line2, token])
      assert.equal(server.fullLog.includes(secret), false, 'a secret is in the log');
  });
});

describe('the first start without users', { timeout: 60_000 }, () => {
  it('makes two users, prints a login link that works once, and stops well', async () => {
    const server = await TestServer.start({ config: { connections: undefined } });
    try {
      const link = /https?:\/\/\S*?[#?&/]\S*?([A-Za-z0-9_-]{20,})/.exec(server.stdout);
      assert.ok(link, server.stdout);
      const redeem = async (): Promise<Response> =>
        await fetch(`${server.url}/api/login-link`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token: link[1] }),
        });
      const first = await redeem();
      assert.equal(first.status, 200, await first.clone().text());
      const login = (await first.json()) as Record<string, unknown>;
      assert.match(JSON.stringify(login), /line1/);
      assert.equal((await redeem()).status, 410);
    } finally {
      await server.stop();
    }
  });
});

describe('SIGTERM during a call', { ...needs('chromium', 'sipp'), timeout: 120_000 }, () => {
  it('hangs up with BYE on both sides and ends with status 0', async () => {
    const rig = await Rig.start();
    try {
      const page = await rig.client('line1', 'ours');
      await withCarrier(rig, 'uas', async ({ sipp, rtp }) => {
        const id = await page.newCall({ destinationNumber: '+15550001111' });
        await sipp.says('180');
        await sipp.steer('answer');
        await page.reaches(id, 'active');
        rtp.send(await sipp.remoteAudio(), 440);
        await page.hears(440);
        await rtp.hears(1_000);
        await rig.server.stop();
        await sipp.gets('BYE');
        await sipp.finishes();
        await page.ended(id);
      });
    } finally {
      await rig.chromium.stop();
      rig.host.close();
      await rig.server.kill();
    }
  });
});
