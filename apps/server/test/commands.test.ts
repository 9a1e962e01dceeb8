import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CipherContext, HashAlgorithm, NamedCurveAlgorithm, SignatureAlgorithm } from 'werift';
import { WebSocket } from 'ws';
import { Client } from './drive/client.ts';
import { folder, freePorts, type Ports, Product, run, until } from './drive/running.ts';

const configOf = (ports: Ports, more: object = {}) => ({
  http: { port: ports.http },
  sip: { udp: ports.sip, tcp: ports.sip },
  stun: { port: ports.stun },
  media: { address: '127.0.0.1', ports: [ports.media, ports.media + 19] },
  log: { level: 'error' },
  ...more,
});

describe('the commands of the product', { timeout: 300_000 }, () => {
  let dir: string;
  let pem: { readonly cert: string; readonly key: string };
  let otherKey: string;
  before(async () => {
    dir = folder();
    const make = async (name: string) => {
      const made = await CipherContext.createSelfSignedCertificateWithKey(
        { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
        NamedCurveAlgorithm.secp256r1_23,
      );
      const files = { cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
      writeFileSync(files.cert, made.certPem);
      writeFileSync(files.key, made.keyPem);
      return files;
    };
    pem = await make('own');
    otherKey = (await make('other')).key;
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** What `serve` says about a configuration that it refuses. */
  async function refusal(config: unknown): Promise<string> {
    const file = join(dir, 'refused.json');
    writeFileSync(file, JSON.stringify(config));
    const { code, stdout, stderr } = await run('serve', '--config', file, '--data', join(dir, 'refused'));
    assert.equal(code, 1, stderr);
    assert.equal(stdout, '');
    return stderr;
  }

  it('name the key of what is wrong, in one sentence, and exit 1', async () => {
    const ports = await freePorts(51_500);
    const http = (tls: object) => configOf(ports, { http: { port: ports.http, tls } });
    const rows: readonly (readonly [unknown, RegExp])[] = [
      [{ htp: {} }, /unknown key htp/],
      [http({ cert: pem.key, key: pem.key }), /http\.tls\.cert: .* is not a certificate/],
      [http({ cert: pem.cert, key: pem.cert }), /http\.tls\.key: .* is not a private key/],
      [http({ cert: pem.cert, key: otherKey }), /http\.tls\.key: .* does not belong to the certificate/],
      [
        configOf(ports, { media: { address: '203.0.113.9', ports: [51_500, 51_519] } }),
        /media\.address: 203\.0\.113\.9 is not an address of this machine/,
      ],
    ];
    for (const [config, pattern] of rows) {
      const said = await refusal(config);
      assert.match(said, pattern);
      assert.match(said, /^sidetone: [^\n]+\n$/);
    }
    mkdirSync(join(dir, 'empty'));
    for (const [args, pattern] of [
      [['check', '--config', '/nowhere.json'], /cannot read .*nowhere\.json/],
      [['serve', '--no-such-option'], /no-such-option/],
      [['frobnicate'], /frobnicate/],
      [['token', 'line1', '--data', join(dir, 'empty')], /has no secrets yet/],
    ] as const) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1);
      assert.match(stderr, pattern);
    }
  });

  it('make no data folder but for serve: a wrong one is told, and is not there afterwards', async () => {
    const wrong = join(dir, 'wrong');
    for (const words of [
      ['webhook', 'key'],
      ['webhook', 'key', 'rotate'],
      ['webhook', 'key', 'activate'],
      ['rotate-token-key'],
      ['key', 'create'],
      ['key', 'create', '--env'],
      ['account', 'add', 'shop'],
      ['number', 'list'],
      ['token', 'line1'],
      ['handover'],
      ['backup', join(dir, 'copy.db')],
    ]) {
      const { code, stdout, stderr } = await run(...words, '--data', wrong);
      assert.deepEqual([code, stdout], [1, ''], words.join(' '));
      assert.match(stderr, /^sidetone: there is no (data folder|database) \S+wrong\b[^\n]+--data\n$/);
      assert.equal(existsSync(wrong), false, words.join(' '));
    }
  });

  it('name the port that is in use', async () => {
    const ports = await freePorts(51_520);
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    const tcpPort = (tcp.address() as { port: number }).port;
    const udpPort = udp.address().port;
    for (const [key, more, port] of [
      ['http.port', { http: { port: tcpPort } }, tcpPort],
      ['sip.udp', { sip: { udp: udpPort, tcp: ports.sip } }, udpPort],
    ] as const) {
      const said = await refusal(configOf(ports, more));
      assert.match(
        said,
        new RegExp(`^sidetone: ${key}: 127\\.0\\.0\\.1:${port} is already in use; [^\\n]+\\n$`),
      );
    }
    tcp.close();
    udp.close();
  });

  it("make secrets, two users and links that work once; the data is the owner's alone", async () => {
    const ports = await freePorts(51_540);
    const product = await Product.start({}, ports, {
      folder: (data) => {
        mkdirSync(data);
        chmodSync(data, 0o755);
      },
    });
    try {
      const links = [...product.stdout.matchAll(/http:\S+\/\?token=(\S+) {3}\((\w+), works once\)/g)];
      assert.deepEqual(
        links.map((link) => link[2]),
        ['line1', 'line2'],
      );
      const redeem = async (token: string): Promise<number> => {
        const url = `http://127.0.0.1:${ports.http}/api/login-link`;
        return (await fetch(url, { method: 'POST', body: JSON.stringify({ token }) })).status;
      };
      assert.equal(await redeem(links[0]![1]!), 200);
      assert.equal(await redeem(links[0]![1]!), 410);
      for (const file of ['secrets.json', 'sidetone.db'])
        assert.equal(statSync(join(product.dataDir, file)).mode & 0o077, 0, file);
    } finally {
      assert.equal(await product.stop(), 0);
    }
  });

  it('say ready when a call can be carried, not before', async () => {
    const ports = await freePorts(51_580);
    const connections = [{ user_name: 'line1', password: 'line1 password' }];
    const product = await Product.start({ connections }, ports, {
      launched: async (starting) => {
        const media = await until('the media process', () => starting.child('media-process'));
        process.kill(media, 'SIGSTOP');
        // All of signalling is up by then.
        const health = () => fetch(`http://127.0.0.1:${ports.http}/healthz`).catch(() => undefined);
        while ((await health()) === undefined) await new Promise((done) => setTimeout(done, 20));
        (await Client.loggedIn(ports.http, 'line1')).close();
        assert.equal(starting.stdout, '');
        process.kill(media, 'SIGCONT');
      },
    });
    assert.equal(await product.stop(), 0);
  });

  it('serve https and wss on one port', async () => {
    const ports = await freePorts(51_560);
    const product = await Product.start({ http: { tls: pem } }, ports);
    try {
      assert.ok(product.stdout.trimEnd().endsWith(`\nready https://127.0.0.1:${ports.http}`));
      const options = { host: '127.0.0.1', port: ports.http, path: '/healthz', rejectUnauthorized: false };
      const call = request(options).end();
      const [response] = await once(call, 'response');
      assert.equal(response.statusCode, 200);
      response.resume();
      const socket = new WebSocket(`wss://127.0.0.1:${ports.http}/`, { rejectUnauthorized: false });
      await once(socket, 'open');
      socket.send('{"jsonrpc":"2.0","id":"1","method":"telnyx_rtc.ping","params":{}}');
      const [reply] = await once(socket, 'message');
      assert.match(String(reply), /"result"/);
      socket.terminate();
    } finally {
      assert.equal(await product.stop(), 0);
    }
  });
});
