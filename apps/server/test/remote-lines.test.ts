import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { RemoteEvents, RemoteLine } from '@sidetone/media';
import { type WebSocket, WebSocketServer } from 'ws';
import { monotonic } from '../src/clock.ts';
import { createMp3Decoder } from '../src/media/mp3-decoder.ts';
import { createRemote } from '../src/media/remote-lines.ts';
import { heardInPcm } from './drive/sound-files.ts';
import { tone } from './fixtures/tones.ts';

/** What a line tells, which a test waits for. */
class Heard implements RemoteEvents {
  readonly told: string[] = [];
  #waiting: (() => void)[] = [];
  opened = (): void => this.#tell('opened');
  text = (text: string): void => this.#tell(`text ${text}`);
  binary = (): void => this.#tell('binary');
  ended = (how: string, reason: string): void => this.#tell(`${how}: ${reason}`);

  #tell(what: string): void {
    this.told.push(what);
    for (const go of this.#waiting.splice(0)) go();
  }

  async until(count: number): Promise<readonly string[]> {
    while (this.told.length < count) await new Promise<void>((go) => this.#waiting.push(go));
    return this.told;
  }
}

describe('WebSockets that media opens', { timeout: 60_000 }, () => {
  let http: Server;
  let sockets: WebSocketServer;
  let url: string;
  before(async () => {
    http = createServer((_, response) => response.writeHead(403).end());
    sockets = new WebSocketServer({ noServer: true });
    http.on('upgrade', (request, stream, head) => {
      if (request.url === '/redirect')
        stream.end('HTTP/1.1 302 Found\r\nLocation: /bot\r\nContent-Length: 0\r\n\r\n');
      else if (request.url === '/no') stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      else sockets.handleUpgrade(request, stream, head, (ws) => sockets.emit('connection', ws, request));
    });
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });
  after(() => {
    for (const ws of sockets.clients) ws.terminate();
    http.close();
  });

  async function connected(path = '/bot'): Promise<{ line: RemoteLine; heard: Heard; bot: WebSocket }> {
    const heard = new Heard();
    const met = once(sockets, 'connection');
    const line = createRemote({ allow: ['127.0.0.1'] }).connect(
      { url: `${url}${path}`, token: 'secret' },
      heard,
    );
    const [bot, request] = (await met) as [WebSocket, { headers: Record<string, string> }];
    assert.equal(request.headers['authorization'], 'Bearer secret');
    assert.equal(request.headers['sec-websocket-extensions'], undefined);
    await heard.until(1);
    return { line, heard, bot };
  }

  it('bear the token, carry text both ways, and end in order from either side', async () => {
    const { line, heard, bot } = await connected();
    const got = once(bot, 'message');
    line.send('hello');
    assert.equal(String((await got)[0]), 'hello');
    bot.send('welcome');
    bot.send(Uint8Array.of(1));
    bot.close(1000);
    assert.deepEqual(await heard.until(4), [
      'opened',
      'text welcome',
      'binary',
      'closed: closed with code 1000',
    ]);
    const other = await connected();
    const closed = once(other.bot, 'close');
    other.line.send('last words');
    other.line.close();
    assert.equal((await closed)[0], 1000);
    assert.deepEqual(other.heard.told, ['opened'], 'nothing is told of what we end ourselves');
  });

  it('are lost without a close frame, by a frame that is too large, and by what is no WebSocket', async () => {
    const gone = await connected();
    gone.bot.terminate();
    assert.deepEqual((await gone.heard.until(2))[1], 'lost: the connection was lost');
    const large = await connected();
    large.bot.send('x'.repeat(4 * 1024 * 1024 + 1));
    assert.match((await large.heard.until(2))[1]!, /^lost: what came is no WebSocket as agreed \(WS_ERR_/);
    const odd = await connected();
    (odd.bot as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(
      Uint8Array.of(0xff, 0xff),
    );
    assert.match((await odd.heard.until(2))[1]!, /^lost: what came is no WebSocket/);
  });

  it('are refused by addresses that are not for strangers, other schemes, other answers; no redirect is followed', async () => {
    const strict = createRemote({ allow: [] });
    const open = createRemote({ allow: ['127.0.0.1'], resolve: async () => ['10.0.0.1'] });
    for (const [remote, to, words] of [
      [strict, url, /^refused: 127\.0\.0\.1 is loopback/],
      [strict, 'ws://[::1]:1/', /is loopback/],
      [strict, 'ws://localhost:1/', /localhost: (127\.0\.0\.1|::1) is loopback/],
      [open, 'wss://bot.example/', /bot\.example: 10\.0\.0\.1 is private/],
      [open, 'http://127.0.0.1/', /only ws and wss/],
      [open, 'ws://user:secret@127.0.0.1/', /must not hold a user/],
      [open, 'nonsense', /no URL/],
      [open, `${url}/no`, /HTTP 401, not 101/],
      [open, `${url}/redirect`, /HTTP 302, not 101/],
      [open, 'ws://127.0.0.1:1/', /the connection was refused/],
    ] as const) {
      const heard = new Heard();
      const line = remote.connect({ url: to }, heard);
      assert.deepEqual(heard.told, [], 'nothing is told within the call');
      const [why] = await heard.until(1);
      assert.match(why!, /^refused: /, to);
      assert.match(why!, words, to);
      assert.doesNotMatch(why!, /secret/);
      line.send('nobody');
      line.close();
    }
    const heard = new Heard();
    strict.connect({ url }, heard).close();
    await new Promise(setImmediate);
    assert.deepEqual(heard.told, []);
  });

  it('are given up when the answer does not come to its end, though octets of it do', async () => {
    const drip = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nx: ');
      const more = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(more));
    });
    await new Promise<void>((done) => drip.listen(0, '127.0.0.1', done));
    const to = `ws://127.0.0.1:${(drip.address() as AddressInfo).port}/`;
    const heard = new Heard();
    createRemote({ allow: ['127.0.0.1'], connectMs: 200 }).connect({ url: to }, heard);
    assert.deepEqual(await heard.until(1), ['refused: no answer within 0.2 s']);
    drip.close();
  });

  it('answer the pings of an end, and of a flood of them the latest', async () => {
    const { heard, bot } = await connected();
    const answered: string[] = [];
    const all = new Promise<void>((done) => {
      bot.on('pong', (data) => {
        answered.push(String(data));
        if (String(data) === '2999') done();
      });
    });
    for (let i = 0; i < 3000; i++) bot.ping(String(i));
    await all;
    assert.equal(answered[0], '0');
    assert.ok(answered.length < 2000, `${answered.length}`);
    bot.close(1000);
    assert.deepEqual(await heard.until(2), ['opened', 'closed: closed with code 1000']);
  });

  it('say how much an end that does not read leaves waiting', async () => {
    const { line, bot } = await connected();
    bot.pause();
    while (line.waiting < 1_000_000) {
      line.send('x'.repeat(100_000));
      await new Promise(setImmediate);
    }
    line.close();
  });

  it('read an end that floods us no faster than is agreed', async () => {
    const { heard, bot } = await connected();
    const since = monotonic();
    // What has been read at once, 64 KiB, is told at once.
    for (let i = 0; i < 3000; i++) bot.send(' '.repeat(200));
    await heard.until(2500);
    assert.ok(monotonic() - since > 500, `${monotonic() - since} ms`);
    bot.terminate();
  });
});

describe('MP3 files of media streams', { timeout: 60_000 }, () => {
  it('are decoded to 16 kHz, in their order; what is none is undefined', async () => {
    const mp3 = createMp3Decoder();
    const [first, none, second, empty] = await Promise.all([
      mp3.decode(tone('mp3_24000')),
      mp3.decode(new Uint8Array(1000).fill(7)),
      mp3.decode(tone('mp3_24000')),
      mp3.decode(new Uint8Array(0)),
    ]);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([none, empty], [undefined, undefined]);
    const { hz } = heardInPcm(first, 16_000);
    assert.ok(Math.abs(hz - 1000) < 5, `${hz}`);
    await mp3.close();
  });

  it('that take too long cost their thread, not the next one', async () => {
    const mp3 = createMp3Decoder(1);
    assert.equal(await mp3.decode(tone('mp3_24000')), undefined);
    await mp3.close();
  });
});
