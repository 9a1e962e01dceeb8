import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket, type Socket as Udp } from 'node:dgram';
import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Product } from './product.ts';

/** Strangers at the doors of the running product. After each attack the same signalling process must still serve. */
describe('attacks without an account', { timeout: 60_000 }, () => {
  let product: Product;
  before(async () => {
    product = await Product.start();
  });
  after(async () => {
    await product?.stop();
  });

  /** Writes to a TCP port and gives all that comes back until the peer closes, or `ms` pass. */
  function exchange(port: number, bytes: string, ms = 1_000): Promise<{ text: string; closed: boolean }> {
    return new Promise((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      const done = (closed: boolean): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve({ text, closed });
      };
      const timer = setTimeout(() => done(false), ms);
      socket.on('data', (data) => (text += data.toString('latin1')));
      socket.on('error', () => {});
      socket.on('close', () => done(true));
    });
  }

  const statusOf = (text: string): string | undefined => /^(?:HTTP\/1\.1|SIP\/2\.0) (\d{3})/.exec(text)?.[1];

  it('upgrades whose target is no URL are served or refused, and nothing ends', async () => {
    const before = product.children().signalling;
    for (const target of ['//', 'http://[::1', '/?__proto__=1&a=%', '*']) {
      const { text } = await exchange(
        product.http,
        `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
        250,
      );
      assert.match(statusOf(text) ?? '', /^(101|400)$/, target);
    }
    assert.equal(product.children().signalling, before);
  });

  it('no path leaves the folder of the softphone', async () => {
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/..%2fpackage.json',
      '/assets/..%2f..%2fpackage.json',
      '/%252e%252e/package.json',
      '/%00',
      '/%',
      '//etc/passwd',
    ]) {
      const { text } = await exchange(
        product.http,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      assert.equal(statusOf(text), '404', path);
    }
  });

  it('limits of HTTP: late headers, long headers, two lengths, reports of nobody', async () => {
    const post = (head: string): string =>
      `POST /call_report HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n`;
    const rows: readonly (readonly [request: string, status: string])[] = [
      [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, '431'],
      [`${post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')}0\r\n\r\n`, '400'],
      [post('Content-Length: 99999999999\r\n'), '413'],
      [`${post('Content-Length: 1\r\n')}x`, '400'],
      [`${post('x-call-report-id: 00\r\nContent-Length: 1\r\n')}x`, '401'],
    ];
    for (const [request, status] of rows)
      assert.equal(statusOf((await exchange(product.http, request)).text), status);
    const [late, silent] = await Promise.all([
      exchange(product.http, 'GET / HTTP/1.1\r\nX: ', 13_000),
      exchange(product.http, '', 13_000),
    ]);
    assert.equal(late.closed, true);
    assert.equal(silent.closed, true);
  });

  it('pages of other origins get no WebSocket', async () => {
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1.evil.example', 'file://']) {
      const status = await new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${product.http}`, { origin });
        socket.on('unexpected-response', (request, response) => {
          resolve(response.statusCode);
          request.destroy();
        });
        socket.on('open', () => resolve('open'));
        socket.on('error', () => {});
      });
      assert.equal(status, 403, origin);
    }
    // Who is refused and does not leave keeps nothing open here.
    const before = product.descriptors('signalling');
    const staying = Array.from({ length: 20 }, () => {
      const socket = connect({ port: product.http, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => {});
      socket.resume();
      socket.write(
        'GET / HTTP/1.1\r\nHost: x\r\nOrigin: null\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      );
      return new Promise<Socket>((resolve) => socket.once('end', () => resolve(socket)));
    });
    const sockets = await Promise.all(staying);
    await product.until('the refused to be let go', () => product.descriptors('signalling') < before + 10);
    for (const socket of sockets) socket.destroy();
  });

  it('pings on SIP connections cost no memory when the answers are never read', async () => {
    const socket: Socket = connect(product.sip, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    const before = product.rss('signalling');
    const chunk = Buffer.alloc(64_000, '\r\n\r\n');
    for (let sent = 0; sent < 30_000_000 && !socket.destroyed; sent += chunk.length)
      if (!socket.write(chunk))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), rest(1_000)]);
    const grown = product.rss('signalling') - before;
    socket.destroy();
    assert.ok(grown < 150, `${grown} MiB for 30 MB of pings`);
  });

  it('lost framing on a SIP connection: 400, then closed', async () => {
    for (const length of [
      '',
      'Content-Length: 0\r\nContent-Length: 0\r\n',
      'Content-Length: -1\r\n',
      'Content-Length: 2147483648\r\n',
      'Content-Length: five\r\n',
    ]) {
      const request = sip('OPTIONS', { transport: 'TCP' }).replace('Content-Length: 0\r\n', length);
      const { text, closed } = await exchange(product.sip, request);
      assert.deepEqual([statusOf(text), closed], ['400', true], length);
    }
  });

  it('every method without proof is challenged or unknown, from any Via', async () => {
    const stranger = await Phone.open('127.0.0.2', product.sip);
    for (const method of [
      'INVITE',
      'MESSAGE',
      'SUBSCRIBE',
      'PUBLISH',
      'NOTIFY',
      'REFER',
      'INFO',
      'UPDATE',
      'BYE',
    ])
      assert.equal(statusOf(await stranger.ask(sip(method))), '407', method);
    assert.equal(statusOf(await stranger.ask(sip('REGISTER'))), '401');
    assert.equal(statusOf(await stranger.ask(sip('CANCEL'))), '481');
    for (const via of ['255.255.255.255:5060', '224.0.0.1', '127.0.0.2:0'])
      stranger.send(sip('OPTIONS', { via }).replace(';rport', ''));
    assert.equal(statusOf(await stranger.ask(sip('OPTIONS'))), '407');
    stranger.close();
  });

  it('guessing a digest: ten tries a minute for a user and an address; elsewhere the user gets in', async () => {
    const guesser = await Phone.open('127.0.0.3', product.sip);
    for (let i = 0; i < 10; i++) assert.equal(await guesser.register(`guess ${i}`), '401');
    assert.equal(await guesser.register(product.password), '401');
    const owner = await Phone.open('127.0.0.4', product.sip);
    assert.equal(await owner.register(product.password), '200');
    guesser.close();
    owner.close();
  });
});

describe('processes that die', { timeout: 120_000 }, () => {
  it('signalling and media are started again; a port taken meanwhile is waited for', async () => {
    const product = await Product.start();
    try {
      const before = product.children();
      process.kill(before.media!, 'SIGKILL');
      await product.until('a new media process', () => {
        const { media } = product.children();
        return media !== undefined && media !== before.media;
      });
      // Nobody takes the port between the one who dies and us.
      product.pause(true);
      process.kill(before.signalling!, 'SIGKILL');
      const squatter = createServer();
      await product.until(
        'the port to be ours',
        () =>
          new Promise<boolean>((resolve) => {
            squatter.once('error', () => resolve(false));
            squatter.listen(product.http, '127.0.0.1', () => resolve(true));
          }),
      );
      product.pause(false);
      await product.until('a refused start', () => product.log.includes('process cannot start'));
      assert.equal(product.running, true);
      squatter.close();
      await product.until('the server to answer again', async () => {
        const answer = await fetch(`http://127.0.0.1:${product.http}/healthz`).catch(() => undefined);
        return answer?.status === 200;
      });
      assert.equal(existsSync(product.dataDir), true);
    } finally {
      await product.stop();
    }
  });
});

function sip(
  method: string,
  options: { transport?: string; via?: string; callId?: string; cseq?: number; headers?: string } = {},
): string {
  const id = Math.random().toString(36).slice(2);
  return [
    `${method} sip:${method === 'REGISTER' ? 'sip.localhost' : 'line1@sip.localhost'} SIP/2.0`,
    `Via: SIP/2.0/${options.transport ?? 'UDP'} ${options.via ?? '127.0.0.1:9'};branch=z9hG4bK${id};rport`,
    'From: <sip:line1@sip.localhost>;tag=1',
    'To: <sip:line1@sip.localhost>',
    `Call-ID: ${options.callId ?? id}`,
    `CSeq: ${options.cseq ?? 1} ${method}`,
    'Max-Forwards: 70',
    `${options.headers ?? ''}Content-Length: 0`,
    '\r\n',
  ].join('\r\n');
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A SIP phone of a few lines, at an address of its own. */
class Phone {
  readonly #socket: Udp;
  readonly #port: number;
  #next: ((text: string) => void) | undefined;

  private constructor(socket: Udp, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (bytes) => this.#next?.(bytes.toString('latin1')));
  }

  static open(address: string, port: number): Promise<Phone> {
    const socket = createSocket('udp4');
    return new Promise((resolve) => socket.bind(0, address, () => resolve(new Phone(socket, port))));
  }

  send(text: string): void {
    this.#socket.send(text, this.#port, '127.0.0.1');
  }

  ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to\n${text}`)), 5_000);
      this.#next = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.send(text);
    });
  }

  /** Registers line1; the status of the answer to the challenge. */
  async register(password: string): Promise<string | undefined> {
    const challenge = await this.ask(sip('REGISTER'));
    const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const ha1 = md5(`line1:sip.localhost:${password}`);
    const response = md5(`${ha1}:${nonce}:00000001:c:auth:${md5('REGISTER:sip:sip.localhost')}`);
    const headers = `Authorization: Digest username="line1", realm="sip.localhost", nonce="${nonce}", uri="sip:sip.localhost", response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"\r\n`;
    const answer = await this.ask(sip('REGISTER', { cseq: 2, headers }));
    return /^SIP\/2\.0 (\d{3})/.exec(answer)?.[1];
  }

  close(): void {
    this.#socket.close();
  }
}
