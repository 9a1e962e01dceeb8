import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { checkConfig, loadConfig } from '../src/config/load.ts';
import { AddressRules, specialUse } from '../src/outgoing/address-rules.ts';
import { createOutgoing, type OutgoingRequest } from '../src/outgoing/outgoing.ts';

describe('outgoing: addresses', () => {
  it('knows what is not of the public Internet, however it is written', () => {
    for (const [address, what] of [
      ['0.0.0.0', /unspecified/],
      ['0.1.2.3', /unspecified/],
      ['10.0.0.1', /private/],
      ['10.255.255.255', /private/],
      ['100.64.0.1', /CGNAT/],
      ['100.100.100.200', /CGNAT/],
      ['100.127.255.255', /CGNAT/],
      ['127.0.0.1', /loopback/],
      ['127.255.255.254', /loopback/],
      ['168.63.129.16', /metadata/],
      ['169.254.169.254', /link-local/],
      ['172.16.0.1', /private/],
      ['172.31.255.255', /private/],
      ['192.0.0.192', /reserved/],
      ['192.0.2.1', /documentation/],
      ['192.168.1.1', /private/],
      ['198.19.0.1', /benchmarks/],
      ['203.0.113.5', /documentation/],
      ['224.0.0.1', /multicast/],
      ['239.255.255.250', /multicast/],
      ['255.255.255.255', /reserved/],
      ['::', /unspecified/],
      ['::1', /loopback/],
      ['0:0:0:0:0:0:0:1', /loopback/],
      ['::ffff:127.0.0.1', /loopback/],
      ['::ffff:a9fe:a9fe', /link-local/],
      ['::ffff:10.0.0.1', /private/],
      ['::7f00:1', /reserved/],
      ['64:ff9b::7f00:1', /loopback/],
      ['64:ff9b::10.0.0.1', /private/],
      ['64:ff9b:1::1', /reserved/],
      ['100::1', /reserved/],
      ['2001::1', /reserved/],
      ['2001:db8::1', /documentation/],
      ['2002:7f00:1::', /tunnel/],
      ['3fff::1', /documentation/],
      ['fc00::1', /private/],
      ['fd00:ec2::254', /private/],
      ['fe80::1', /link-local/],
      ['fe80::1%eth0', /link-local/],
      ['fec0::1', /private/],
      ['ff02::1', /multicast/],
      ['4000::1', /reserved/],
      ['localhost', /no address/],
      ['', /no address/],
    ] as const)
      assert.match(specialUse(address) ?? 'public', what, address);
    for (const address of [
      '1.1.1.1',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.1',
      '168.63.129.17',
      '172.15.255.255',
      '172.32.0.0',
      '192.167.255.255',
      '223.255.255.255',
      '::ffff:1.1.1.1',
      '64:ff9b::1.1.1.1',
      '2606:4700:4700::1111',
      '2a00::1',
      '2001:200::1',
    ])
      assert.equal(specialUse(address), null, address);
  });

  it('lets pass what the operator allows, and no more', () => {
    const rules = new AddressRules(['hooks.internal', '10.1.0.0/16', '192.168.7.7', 'fd00::/8', '::1']);
    for (const [host, address, good] of [
      ['hooks.internal', '10.9.9.9', true],
      ['hooks.internal', '127.0.0.1', true],
      ['evil.example', '10.1.2.3', true],
      ['evil.example', '::ffff:10.1.2.3', true],
      ['evil.example', '10.2.0.1', false],
      ['evil.example', '192.168.7.7', true],
      ['evil.example', '192.168.7.8', false],
      ['evil.example', 'fd12::1', true],
      ['evil.example', 'fc12::1', false],
      ['::1', '::1', true],
      ['127.0.0.1', '127.0.0.1', false],
      ['a.hooks.internal', '10.9.9.9', false],
    ] as const)
      assert.equal(rules.refusal(host, address) === null, good, `${host} ${address}`);
  });

  it('is configured by webhooks.allow; without a file programs of this machine are allowed', () => {
    const good = checkConfig({ webhooks: { allow: ['hooks.internal', '10.0.0.0/8', '::1'] } }, 'c');
    assert.ok(good.ok);
    for (const entry of ['', '10.0.0.0/33', '10.0.0', 'http://x', 'a b', '*', 'fd00::/129']) {
      const bad = checkConfig({ webhooks: { allow: [entry] } }, 'c');
      assert.ok(
        !bad.ok && /webhooks\.allow\[0\]: must be a host name, an address or a network/.test(bad.error),
        entry,
      );
    }
    const none = loadConfig(undefined);
    assert.ok(none.ok);
    assert.deepEqual(none.value.webhooks.allow, ['127.0.0.0/8', '::1']);
    const empty = checkConfig({}, 'c');
    assert.ok(empty.ok);
    assert.deepEqual(empty.value.webhooks.allow, []);
  });
});

describe('outgoing: over real sockets', () => {
  const ends: (() => void)[] = [];
  after(() => {
    for (const end of ends) end();
  });

  /** A server of HTTP on loopback; how many connections it saw. */
  async function serve(answer: RequestListener): Promise<{ port: number; seen: () => number }> {
    const server = createServer(answer);
    let connections = 0;
    server.on('connection', () => (connections += 1));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return { port: (server.address() as AddressInfo).port, seen: () => connections };
  }

  /** A server of raw bytes. */
  async function serveTcp(talk: (socket: Socket) => void): Promise<number> {
    const open = new Set<Socket>();
    const server = createTcpServer((socket) => {
      open.add(socket);
      socket.on('error', () => {});
      talk(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => {
      for (const socket of open) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  const client = (
    allow: readonly string[] = ['127.0.0.0/8'],
    names: Record<string, readonly string[]> = {},
  ) => {
    const made = createOutgoing({ allow, resolve: async (name) => names[name] ?? [] });
    ends.push(() => made.close());
    return made;
  };
  const get = (url: string, more: Partial<OutgoingRequest> = {}): OutgoingRequest => ({
    url,
    method: 'GET',
    timeoutMs: 20_000,
    maxBytes: 4096,
    excess: 'cut',
    ...more,
  });

  it('sends the bytes and tells the answer; a connection is used again', async () => {
    const got: { method?: string; url?: string; headers: object; body: string }[] = [];
    const { port, seen } = await serve((request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        got.push({ method: request.method!, url: request.url!, headers: request.headers, body });
        response.writeHead(201, { 'x-said': 'yes' }).end('thanks');
      });
    });
    const out = client(undefined, { 'app.example': ['127.0.0.1'] });
    for (let i = 0; i < 2; i++) {
      const answer = await out.request(
        get(`http://app.example:${port}/a?b=c`, {
          method: 'POST',
          headers: { 'content-type': 'text/plain' },
          body: Buffer.from('ünd'),
        }),
      );
      assert.ok(answer.ok, JSON.stringify(answer));
      assert.deepEqual(
        [answer.value.status, answer.value.headers['x-said'], String(answer.value.body), answer.value.cut],
        [201, 'yes', 'thanks', false],
      );
    }
    assert.equal(got[0]?.body, 'ünd');
    assert.equal(got[0]?.url, '/a?b=c');
    const headers = got[0]?.headers as Record<string, string>;
    assert.deepEqual([headers['host'], headers['content-length']], [`app.example:${port}`, '4']);
    assert.equal(seen(), 1);
  });

  it('refuses before a byte is sent: private places, whatever leads there', async () => {
    const { port, seen } = await serve((_, response) => response.end());
    const out = client([], {
      'rebind.example': ['127.0.0.1'],
      'rebind6.example': ['::1', '::ffff:127.0.0.1'],
    });
    for (const host of [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.0.0.1.',
      '0.0.0.0',
      '0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::]',
      '10.0.0.1',
      '169.254.169.254',
      'rebind.example',
      'REBIND.example.',
      'rebind6.example',
    ]) {
      const answer = await out.request(get(`http://${host}:${port}/`));
      assert.ok(!answer.ok && answer.error.kind === 'refused', `${host}: ${JSON.stringify(answer)}`);
      assert.match(answer.error.why, /webhooks\.allow does not name it/);
    }
    assert.equal(seen(), 0);
  });

  it('connects to the address that was checked, and to none that was not', async () => {
    const { port } = await serve((_, response) => response.end('here'));
    let asked = 0;
    const out = createOutgoing({
      allow: ['127.0.0.1'],
      // A name whose second answer would be another one.
      resolve: async () => (asked++ === 0 ? ['10.0.0.1', '127.0.0.1'] : ['127.0.0.2']),
    });
    ends.push(() => out.close());
    const answer = await out.request(get(`http://twice.example:${port}/`));
    assert.ok(answer.ok && answer.value.status === 200, JSON.stringify(answer));
    assert.equal(asked, 1);
  });

  it('calls no other URL', async () => {
    const out = client();
    for (const [url, why] of [
      ['file:///etc/passwd', /only http and https/],
      ['ftp://example.com/', /only http and https/],
      ['javascript:1', /only http and https/],
      ['http://user:secret@example.com/', /must not hold a user/],
      ['http://:secret@example.com/', /must not hold a user/],
      ['nothing', /no URL/],
      ['http://', /no URL/],
      [`http://example.com/${'x'.repeat(17_000)}`, /longer than/],
    ] as const) {
      const answer = await out.request(get(url));
      assert.ok(!answer.ok && answer.error.kind === 'url', url);
      assert.match(answer.error.why, why);
      assert.doesNotMatch(answer.error.why, /secret/);
    }
    const nowhere = await out.request(get('http://no.example/'));
    assert.ok(!nowhere.ok && nowhere.error.kind === 'unresolved');
  });

  it('follows no redirect', async () => {
    let hits = 0;
    const inner = await serve((_, response) => {
      hits += 1;
      response.end('secret');
    });
    const { port } = await serve((_, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/` }).end(),
    );
    const answer = await client().request(get(`http://127.0.0.1:${port}/`));
    assert.ok(answer.ok && answer.value.status === 302);
    assert.equal(hits, 0);
  });

  it('cuts an answer of 1 GB, one that never ends, and one that never begins', async () => {
    let written = 0;
    let closed = 0;
    const big = await serve((_, response) => {
      response.on('close', () => (closed += 1));
      response.writeHead(200, { 'content-length': String(1 << 30) });
      const block = Buffer.alloc(65_536, 0x61);
      const more = (): void => {
        while (written < 1 << 30 && !response.destroyed) {
          written += block.length;
          if (!response.write(block)) return void response.once('drain', more);
        }
      };
      more();
    });
    const cut = await client().request(get(`http://127.0.0.1:${big.port}/`));
    assert.ok(cut.ok);
    assert.deepEqual([cut.value.status, cut.value.body.length, cut.value.cut], [200, 4096, true]);
    const refused = await client().request(get(`http://127.0.0.1:${big.port}/`, { excess: 'error' }));
    assert.ok(!refused.ok && refused.error.kind === 'size');
    assert.match(refused.error.why, /longer than 4096 bytes/);
    assert.ok(written < 64 << 20, `${written} bytes were asked for`);

    const dripping = await serveTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nhello');
      const timer = setInterval(() => socket.write('.'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const slow = await client().request(get(`http://127.0.0.1:${dripping}/`, { timeoutMs: 300 }));
    assert.ok(slow.ok && slow.value.cut && String(slow.value.body).startsWith('hello'), JSON.stringify(slow));
    const late = await client().request(
      get(`http://127.0.0.1:${dripping}/`, { timeoutMs: 300, excess: 'error' }),
    );
    assert.ok(!late.ok && late.error.kind === 'timeout');

    const mute = await serveTcp(() => {});
    const none = await client().request(get(`http://127.0.0.1:${mute}/`, { timeoutMs: 100 }));
    assert.ok(!none.ok && none.error.kind === 'timeout');
    assert.match(none.error.why, /no answer within 100 ms/);
    const stuck = createOutgoing({ allow: [], resolve: () => new Promise(() => {}) });
    const unresolved = await stuck.request(get('http://slow-names.example/', { timeoutMs: 100 }));
    assert.ok(!unresolved.ok && unresolved.error.kind === 'timeout');
  });

  it('bounds the head of an answer, and takes nothing that is no HTTP', async () => {
    const endless = await serveTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(`x-${'y'.repeat(1000)}: z\r\n`));
        socket.once('drain', more);
      };
      more();
    });
    const head = await client().request(get(`http://127.0.0.1:${endless}/`));
    assert.ok(!head.ok && head.error.kind === 'network', JSON.stringify(head));
    for (const text of ['SSH-2.0-OpenSSH_9\r\n', '\0\0\0', 'HTTP/1.1 999999 x\r\n\r\n']) {
      const port = await serveTcp((socket) => socket.end(text));
      const answer = await client().request(get(`http://127.0.0.1:${port}/`));
      assert.ok(!answer.ok && answer.error.kind === 'network', text);
    }
    const closing = await serveTcp((socket) => socket.destroy());
    const closed = await client().request(get(`http://127.0.0.1:${closing}/`));
    assert.ok(!closed.ok && closed.error.kind === 'network');
  });

  it('sends again, once, where a kept connection was closed meanwhile', async () => {
    let turns = 0;
    const port = await serveTcp((socket) => {
      let had = 0;
      socket.on('data', () => {
        turns += 1;
        had += 1;
        // Promises to go on and closes at the second request, unread.
        if (had === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const out = client();
    for (let i = 0; i < 2; i++) {
      const answer = await out.request(get(`http://127.0.0.1:${port}/`));
      assert.ok(answer.ok && answer.value.status === 200, JSON.stringify(answer));
    }
    assert.equal(turns, 3);
  });

  it('ends when nobody wants the answer any more', async () => {
    const port = await serveTcp((socket) => {
      socket.on('data', () => stop.abort());
    });
    const stop = new AbortController();
    const answer = await client().request(get(`http://127.0.0.1:${port}/`, { signal: stop.signal }));
    assert.ok(!answer.ok && answer.error.kind === 'aborted');
  });
});
