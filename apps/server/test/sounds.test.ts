import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { SoundAsk, SoundResult } from '@sidetone/wire';
import { monotonic } from '../src/clock.ts';
import { createLog } from '../src/log.ts';
import { createOutgoing } from '../src/outgoing/outgoing.ts';
import { SoundCache } from '../src/sounds/cache.ts';
import { createConverter } from '../src/sounds/converter.ts';
import { createFetch } from '../src/sounds/fetch.ts';
import { fileOf } from '../src/sounds/prepared-file.ts';
import { createSounds, type Sounds, type SoundsOptions } from '../src/sounds/sounds.ts';
import { createEspeak, MISSING } from '../src/sounds/speech/espeak.ts';
import { createSpeechByUrl } from '../src/sounds/speech/speech-url.ts';
import { Turns } from '../src/sounds/turns.ts';
import { heardIn, wavOf } from './drive/sound-files.ts';
import { tone } from './fixtures/tones.ts';

const MiB = 1024 * 1024;
const espeakIsHere = (process.env['PATH'] ?? '')
  .split(':')
  .some((path) => existsSync(join(path, 'espeak-ng')));
const withEspeak = espeakIsHere ? {} : { skip: 'espeak-ng is not installed (npm run peers)' };

/** A file of the account `a` by its name. */
const stored = new Map<string, { file: string; sha256: string }>();

describe('sounds', () => {
  let folder: string;
  let server: Server;
  let base: string;
  let hits: string[] = [];
  let serve: (path: string) => { status: number; body?: Uint8Array; headers?: Record<string, string> };
  const open = new Set<Sounds>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sidetone-sounds-'));
    server = createServer((request, response) => {
      hits.push(request.url!);
      const { status, body, headers } = serve(request.url!);
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const sounds of open) await sounds.close();
    open.clear();
    hits = [];
  });

  let serial = 0;
  function sounds(more: Partial<SoundsOptions> = {}): Sounds {
    const made = createSounds({
      dataDir: join(folder, String(++serial)),
      media: { find: async (account, name) => (account === 'a' ? stored.get(name) : undefined) },
      fetch: createFetch(createOutgoing({ allow: ['127.0.0.0/8'] })),
      speech: createEspeak(),
      cacheBytes: 64 * MiB,
      urlMs: 60_000,
      now: monotonic,
      log: createLog('test', 'silent'),
      ...more,
    });
    open.add(made);
    return made;
  }

  function good(result: SoundResult): Extract<SoundResult, { ok: true }> {
    assert.ok(result.ok, JSON.stringify(result));
    return result;
  }

  async function refused(of: Sounds, ask: SoundAsk, why: string, words: RegExp): Promise<void> {
    const result = await of.prepare('a', ask);
    assert.ok(!result.ok);
    assert.equal(result.why, why, result.detail);
    assert.match(result.detail, words);
    assert.doesNotMatch(result.detail, /secret|127\.0\.0\.1:\d/);
  }

  const isTone = (file: string): void => assert.ok(Math.abs(heardIn(file).hz - 1000) < 5);
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

  it('a URL, an upload and base64 become files in the data folder', async () => {
    const of = sounds();
    serve = () => ({ status: 200, body: tone('mp3_44100_stereo') });
    const upload = join(folder, 'upload');
    writeFileSync(upload, tone('opus_mono'));
    stored.set('menu', { file: upload, sha256: 'ab'.repeat(32) });
    for (const ask of [
      { kind: 'url', url: `${base}/a.mp3` },
      { kind: 'media', name: 'menu' },
      { kind: 'content', content: base64(wavOf({ kind: 'alaw', rate: 8000, channels: 1 })) },
    ] as const) {
      const { file, ms } = good(await of.prepare('a', ask));
      assert.ok(file.startsWith(join(folder, String(serial), 'sounds')), file);
      assert.equal(ms, Math.round(heardIn(file).seconds * 1000));
      isTone(file);
      assert.equal(statSync(file).mode & 0o777, 0o600);
    }
  });

  it('a URL is asked once while it is good, by many at a time too; the same bytes are one file', async () => {
    let time = 0;
    const of = sounds({ now: () => time, urlMs: 1000 });
    serve = () => ({ status: 200, body: tone('mp3_8000') });
    const all = await Promise.all(
      Array.from({ length: 50 }, () => of.prepare('a', { kind: 'url', url: `${base}/hold` })),
    );
    assert.equal(new Set(all.map((result) => good(result).file)).size, 1);
    assert.deepEqual(hits, ['/hold']);
    time = 999;
    good(await of.prepare('a', { kind: 'url', url: `${base}/hold` }));
    assert.equal(hits.length, 1);
    time = 1000;
    const again = good(await of.prepare('a', { kind: 'url', url: `${base}/hold` }));
    assert.equal(hits.length, 2);
    assert.equal(again.file, good(all[0]!).file);
    // What another account hears is its own: neither file nor answer tells that somebody has had it.
    const other = good(await of.prepare('b', { kind: 'url', url: `${base}/hold` }));
    assert.equal(hits.length, 3);
    assert.notEqual(other.file, again.file);
    // Files that an operator removed are made again.
    rmSync(again.file);
    assert.ok(existsSync(good(await of.prepare('a', { kind: 'url', url: `${base}/hold` })).file));
  });

  it('says why there is no sound, without the URL', async () => {
    const of = sounds();
    const url = `${base}/x?token=secret`;
    const ask: SoundAsk = { kind: 'url', url };
    serve = () => ({ status: 404 });
    await refused(of, ask, 'not-found', /404/);
    serve = () => ({ status: 302, headers: { location: `${base}/y` } });
    await refused(of, ask, 'failed', /Redirects are not followed/);
    assert.deepEqual(new Set(hits), new Set(['/x?token=secret']));
    serve = () => ({ status: 500 });
    await refused(of, ask, 'failed', /500/);
    serve = () => ({ status: 200 });
    await refused(of, ask, 'not-audio', /empty/);
    serve = () => ({ status: 200, body: Buffer.from('<html>not found</html>') });
    await refused(of, ask, 'not-audio', /neither WAV/);
    serve = () => ({ status: 200, body: Buffer.alloc(21 * MiB) });
    await refused(of, ask, 'too-large', /20 MiB/);
    await refused(of, { kind: 'url', url: 'file:///etc/passwd' }, 'refused', /http/);
    await refused(of, { kind: 'url', url: 'http://10.0.0.1/a.wav' }, 'refused', /private/);
    await refused(of, { kind: 'media', name: 'none' }, 'not-found', /No media/);
    await refused(of, { kind: 'content', content: '!!' }, 'not-audio', /base64/);
    stored.set('gone', { file: join(folder, 'gone'), sha256: 'cd'.repeat(32) });
    await refused(of, { kind: 'media', name: 'gone' }, 'not-found', /gone/);
    const start = wavOf({ kind: 'mulaw', rate: 4000, channels: 1, claims: 0xffff_ffff });
    const hour = Buffer.concat([start, Buffer.alloc(4000 * 3600)]);
    await refused(of, { kind: 'content', content: base64(hour) }, 'too-large', /60 minutes/);
  });

  it('files of other accounts are not found', async () => {
    const of = sounds();
    const file = join(folder, 'own');
    writeFileSync(file, tone('mp3_8000'));
    stored.set('own', { file, sha256: 'ef'.repeat(32) });
    assert.deepEqual(await of.prepare('b', { kind: 'media', name: 'own' }), {
      ok: false,
      why: 'not-found',
      detail: 'No media of this name is stored in the account.',
    });
  });

  it('speaks: plain text, SSML, any voice; the same text is spoken once', withEspeak, async () => {
    const of = sounds();
    const text = 'Press one for sales, or two for support.';
    const plain = good(await of.prepare('a', { kind: 'speech', text, voice: 'female' }));
    const heard = heardIn(plain.file);
    assert.equal(heard.rate, 16_000);
    assert.ok(heard.level > 0.01, `${heard.level}`);
    assert.ok(plain.ms > 1500 && plain.ms < 6000, `${plain.ms}`);
    assert.equal(good(await of.prepare('a', { kind: 'speech', text, voice: 'female' })).file, plain.file);
    const ssml = `<speak>Press one <break time="2s"/> for sales, or two for support.<audio src="file:///etc/passwd"/></speak>`;
    const paused = good(await of.prepare('a', { kind: 'speech', text: ssml, ssml: true, voice: 'female' }));
    assert.ok(paused.ms > plain.ms + 1000, `${paused.ms} and ${plain.ms}`);
    // As plain text the markup is read out.
    const read = good(await of.prepare('a', { kind: 'speech', text: ssml, voice: 'female' }));
    assert.ok(read.ms > paused.ms);
    const files = new Set([plain.file]);
    for (const [voice, language] of [
      ['male', 'en-GB'],
      ['Polly.Lea', undefined],
      ['Azure.de-DE-ConradNeural', 'xx-YY'],
      [`-w ${folder}/x $(touch ${folder}/x) ; anything`, 'klingon!'],
    ] as const) {
      const ask: SoundAsk = { kind: 'speech', text, voice, ...(language === undefined ? {} : { language }) };
      files.add(good(await of.prepare('a', ask)).file);
    }
    assert.equal(files.size, 5);
    assert.ok(!existsSync(join(folder, 'x')));
  });

  it('a text of nothing but markup or blanks does not stop a call', withEspeak, async () => {
    const of = sounds();
    for (const text of ['  ', '<speak></speak>', '...'])
      good(await of.prepare('a', { kind: 'speech', text, ssml: true, voice: 'alice' }));
  });

  it('an espeak-ng that is not there is told by its package', async () => {
    const of = sounds({ speech: createEspeak('espeak-ng-that-nobody-has') });
    const ask: SoundAsk = { kind: 'speech', text: 'secret', voice: 'x' };
    assert.deepEqual(await of.prepare('a', ask), { ok: false, why: 'failed', detail: MISSING });
    assert.match(MISSING, /Debian package espeak-ng/);
  });

  it('an engine that writes without end, or fails, is ended', async () => {
    const script = (name: string, body: string): string => {
      const file = join(folder, name);
      writeFileSync(file, `#!/bin/sh\n${body}\n`);
      chmodSync(file, 0o755);
      return file;
    };
    const ask: SoundAsk = { kind: 'speech', text: 'hello', voice: 'x' };
    await refused(sounds({ speech: createEspeak(script('fails', 'exit 3')) }), ask, 'failed', /\(3\)/);
    const endless = sounds({ speech: createEspeak(script('endless', 'exec cat /dev/zero')) });
    await refused(endless, ask, 'too-large', /10 minutes/);
  });

  it('another engine speaks by URL', async () => {
    const asked: { body: unknown; authorization: string | undefined }[] = [];
    let status = 200;
    const engine = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      asked.push({ body: JSON.parse(body), authorization: request.headers.authorization });
      response.writeHead(status, { 'content-type': 'audio/mpeg' }).end(tone('mp3_24000'));
    });
    await new Promise<void>((done) => engine.listen(0, '127.0.0.1', done));
    try {
      const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}/speak`;
      const of = sounds({ speech: createSpeechByUrl({ url, token: 'sesame' }) });
      const said = { kind: 'speech', text: '<p>Hi &amp; bye</p>', ssml: true, voice: 'Polly.Hans' } as const;
      isTone(good(await of.prepare('a', said)).file);
      assert.deepEqual(asked, [
        {
          authorization: 'Bearer sesame',
          body: {
            text: 'Hi & bye',
            ssml: '<speak><p>Hi &amp; bye</p></speak>',
            voice: 'Polly.Hans',
            language: 'de-de',
            gender: 'male',
          },
        },
      ]);
      status = 503;
      await refused(of, { ...said, text: 'more' }, 'failed', /engine answered 503/);
    } finally {
      engine.closeAllConnections();
      await new Promise((done) => engine.close(done));
    }
    const of = sounds({ speech: createSpeechByUrl({ url: 'http://127.0.0.1:1/' }) });
    await refused(of, { kind: 'speech', text: 'x', voice: 'x' }, 'failed', /did not answer/);
  });

  it('after close nothing is begun, and what is under way ends', async () => {
    const of = sounds();
    const content = base64(wavOf({ kind: 'mulaw', rate: 44_100, channels: 1, seconds: 300 }));
    const under = of.prepare('a', { kind: 'content', content });
    await of.close();
    assert.equal((await under).ok, false);
    await refused(of, { kind: 'content', content: 'AAAA' }, 'failed', /ending/);
  });

  it('converting keeps the thread of the calls free', async () => {
    const of = sounds();
    const long = wavOf({ kind: 'pcm16', rate: 44_100, channels: 2, seconds: 100 });
    serve = () => ({ status: 200, body: long });
    const before = performance.eventLoopUtilization();
    good(await of.prepare('a', { kind: 'url', url: `${base}/long` }));
    const { utilization } = performance.eventLoopUtilization(before);
    // Reading and handing over 17 MB; the work itself would be all of it.
    assert.ok(utilization < 0.5, `${utilization}`);
  });

  it('a thread that takes too long, or dies, takes no other file along', async () => {
    const converter = createConverter(1);
    const out = join(folder, 'slow');
    const wav = wavOf({ kind: 'pcm16', rate: 44_100, channels: 2, seconds: 60 });
    const job = { folder: out, mostMs: 3_600_000 };
    await assert.rejects(converter.convert({ ...job, source: { bytes: wav.slice() } }), { why: 'too-large' });
    await converter.close();
    const patient = createConverter();
    const small = wavOf({ kind: 'pcm16', rate: 8000, channels: 1 });
    const under = patient.convert({ ...job, source: { bytes: wav.slice() } });
    await patient.close();
    await assert.rejects(under, { why: 'failed' });
    const { name } = await patient.convert({ ...job, source: { bytes: small.slice() } });
    assert.equal(name, createHash('sha256').update(small).digest('hex'));
    isTone(join(out, fileOf(name)));
    await patient.close();
  });
});

describe('turns', () => {
  const options = { slots: 4, waiting: 3, waitMs: 60_000 };
  const held = () => Promise.withResolvers<void>();

  it('one account has half of the places, and others do not wait for it', async () => {
    const turns = new Turns(options);
    const order: string[] = [];
    const gates = new Map<string, ReturnType<typeof held>>();
    const begin = (account: string, name: string): Promise<void> =>
      turns.run(account, () => {
        order.push(name);
        const gate = held();
        gates.set(name, gate);
        return gate.promise;
      });
    const work = [begin('a', 'a1'), begin('a', 'a2'), begin('a', 'a3'), begin('a', 'a4'), begin('a', 'a5')];
    assert.deepEqual(order, ['a1', 'a2']);
    await assert.rejects(begin('a', 'a6'), /Too many sounds/);
    work.push(begin('b', 'b1'), begin('b', 'b2'), begin('b', 'b3'), begin('c', 'c1'));
    assert.deepEqual(order, ['a1', 'a2', 'b1', 'b2']);
    // The place that a gives back goes to c: a has half, b has half.
    gates.get('a1')!.resolve();
    await work[0];
    await Promise.resolve();
    assert.equal(order.length, 5);
    for (let i = 0; i < 40; i++) {
      for (const gate of gates.values()) gate.resolve();
      await Promise.resolve();
    }
    await Promise.all(work);
    assert.deepEqual(order.toSorted(), ['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2', 'b3', 'c1']);
    // In the order of arrival within an account, and in turns between them.
    assert.deepEqual(
      order.filter((name) => name.startsWith('a')),
      ['a1', 'a2', 'a3', 'a4', 'a5'],
    );
    assert.ok(order.indexOf('c1') < order.indexOf('a5'));
    assert.equal(turns.running, 0);
  });

  it('what waits too long is refused, and work that fails gives its place back', async () => {
    const turns = new Turns({ slots: 1, waiting: 3, waitMs: 1 });
    const gate = held();
    const first = turns.run('a', () => gate.promise);
    const keep = setInterval(() => {}, 1000);
    await assert.rejects(
      turns.run('b', async () => {}),
      /waited too long/,
    );
    clearInterval(keep);
    gate.reject(new Error('broken'));
    await assert.rejects(first, /broken/);
    assert.equal(await turns.run('b', async () => 7), 7);
  });
});

describe('the folder of prepared sounds', () => {
  let folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'sidetone-cache-'))));
  after(() => rmSync(folder, { recursive: true }));
  const name = (n: number): string => createHash('sha256').update(String(n)).digest('hex');

  it('keeps what was asked for lately, and within its bound what was asked for last', async () => {
    let time = 0;
    const options = { folder, most: 3000, now: () => time, heldMs: 100 };
    const cache = await SoundCache.open(options);
    const wav = wavOf({ kind: 'pcm16', rate: 8000, channels: 1, seconds: 0.0585 });
    const put = async (n: number, account = 'a'): Promise<string> => {
      mkdirSync(cache.folderOf(account), { recursive: true });
      const path = join(cache.folderOf(account), fileOf(name(n)));
      // 980 bytes and a bare header.
      const plain = Buffer.concat([
        wav.subarray(0, 12),
        wav.subarray(12, 36),
        Buffer.from('data'),
        Buffer.alloc(4 + 936),
      ]);
      plain.writeUInt32LE(936, 40);
      writeFileSync(path, plain);
      await cache.add(account, name(n), { ms: 58, bytes: plain.length });
      return path;
    };
    const first = await put(1);
    const second = await put(2);
    cache.checkRoom('b');
    // Files that are held leave no room.
    assert.throws(() => cache.checkRoom('a'), /full/);
    time = 200;
    assert.equal((await cache.find('a', name(1)))?.file, first);
    await put(3, 'b');
    await put(4, 'b');
    assert.deepEqual([existsSync(first), existsSync(second)], [true, false]);
    assert.equal(await cache.find('a', name(2)), undefined);
    assert.equal(await cache.find('b', name(1)), undefined);
    assert.throws(() => cache.checkRoom('b'), /full/);
    // All are held: over the bound, and none is removed.
    const fifth = await put(5, 'c');
    assert.ok(cache.bytes > options.most && existsSync(fifth) && existsSync(first));
    assert.throws(() => cache.checkRoom('d'), /full/);
    // The next process: half files are gone when they are old, whatever is over the bound, too.
    const half = `${fifth}.77.part`;
    writeFileSync(half, 'x');
    const old = new Date(Date.now() - 3_600_000);
    for (const path of [half, first]) utimesSync(path, old, old);
    const next = await SoundCache.open(options);
    assert.deepEqual([existsSync(half), existsSync(first)], [false, false]);
    assert.equal((await next.find('c', name(5)))?.ms, 59);
    assert.equal(next.bytes, 2940);
    assert.equal(readdirSync(folder).length, 3);
    assert.ok(readFileSync(fifth).length === 980);
    // Cut short by a full disk, or by somebody: it is made again.
    writeFileSync(fifth, readFileSync(fifth).subarray(0, 500));
    const third = await SoundCache.open(options);
    assert.equal(await third.find('c', name(5)), undefined);
    assert.equal(existsSync(fifth), false);
  });
});
