import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { isMediaName, MediaStorage } from '../src/sounds/media-storage.ts';
import { ApiBench } from './drive/api.ts';
import { heardIn } from './drive/sound-files.ts';
import { tone } from './fixtures/tones.ts';

const require = createRequire(import.meta.url);
const MiB = 1024 * 1024;
// biome-ignore lint/suspicious/noExplicitAny: the published packages, called by name
type Client = any;

describe('media storage by the API', () => {
  let bench: ApiBench;
  let address: string;
  let files: Server;
  let source: string;
  let own: { id: string; key: string };
  let other: { id: string; key: string };
  let asked = 0;

  before(async () => {
    files = createServer((request, response) => {
      asked += 1;
      const found = request.url === '/menu.mp3' || request.url === '/other.opus';
      const body = request.url === '/menu.mp3' ? tone('mp3_24000') : tone('opus_mono');
      response.writeHead(found ? 200 : 404, { 'content-type': 'audio/mpeg; x=y' }).end(found ? body : '');
    });
    await new Promise<void>((done) => files.listen(0, '127.0.0.1', done));
    source = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
    bench = await ApiBench.open({ webhooks: { allow: ['127.0.0.1'] }, sounds: { storage_mb: 30 } });
    address = await bench.listen();
    own = await bench.account('own');
    other = await bench.account('other');
  });
  after(async () => {
    files.closeAllConnections();
    files.close();
    await bench.close();
  });

  const folder = (): string => join(bench.people.dir, 'media-storage');
  const onDisk = (): string[] =>
    existsSync(folder())
      ? readdirSync(folder(), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bin'))
      : [];
  const form = async (
    key: string,
    fields: Record<string, string | File>,
    method = 'POST',
    path = '/media',
  ) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    const answer = await fetch(`${address}${path}`, {
      method,
      body,
      headers: { Authorization: `Bearer ${key}` },
    });
    // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by name
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const file = (bytes: Uint8Array, name = 'menu.mp3', type = 'audio/mpeg'): File =>
    new File([bytes as Uint8Array<ArrayBuffer>], name, { type });

  for (const version of ['7.24.0', '5.51.0', '4.6.0'])
    it(`the official client ${version} stores, lists, reads, changes, downloads and deletes`, async () => {
      const package_ = require(`telnyx-${version}`);
      const client: Client = new (package_.default ?? package_)({
        apiKey: own.key,
        baseURL: address,
        maxRetries: 0,
      });
      const name = `menu ${version} ü.mp3`;
      const { data } = await client.media.upload({
        media_url: `${source}/menu.mp3`,
        media_name: name,
        ttl_secs: 3600,
      });
      assert.deepEqual(Object.keys(data).sort(), [
        'content_type',
        'created_at',
        'expires_at',
        'media_name',
        'updated_at',
      ]);
      assert.equal(data.media_name, name);
      assert.equal(data.content_type, 'audio/mpeg');
      assert.equal(Date.parse(data.expires_at) - Date.parse(data.created_at), 3_600_000);
      const uploaded = await client.media.upload({
        media: file(tone('opus_mono'), 'x.opus', 'audio/ogg'),
        media_name: `file ${version}`,
      });
      assert.equal(uploaded.data.content_type, 'audio/ogg');
      const listed = (await client.media.list()).data;
      assert.deepEqual(listed.map((item: { media_name: string }) => item.media_name).slice(0, 1), [
        `file ${version}`,
      ]);
      const audio = (await client.media.list({ filter: { content_type: ['audio/ogg', 'x/y'] } })).data;
      assert.deepEqual(
        audio.map((item: { media_name: string }) => item.media_name),
        [`file ${version}`],
      );
      assert.deepEqual((await client.media.retrieve(name)).data, data);
      const downloaded = await client.media.download(name);
      assert.deepEqual(new Uint8Array(await downloaded.arrayBuffer()), tone('mp3_24000'));
      assert.match(downloaded.headers.get('content-disposition'), /^attachment; filename\*=UTF-8''menu%20/);
      assert.equal(downloaded.headers.get('content-type'), 'audio/mpeg');
      bench.people.now += 1000;
      const changed = (await client.media.update(name, { media_url: `${source}/other.opus` })).data;
      assert.equal(changed.created_at, data.created_at);
      assert.notEqual(changed.updated_at, data.updated_at);
      assert.deepEqual(
        new Uint8Array(await (await client.media.download(name)).arrayBuffer()),
        tone('opus_mono'),
      );
      await client.media.delete(name);
      await assert.rejects(client.media.retrieve(name), { status: 404 });
      await client.media.delete(`file ${version}`);
      assert.deepEqual(onDisk(), []);
    });

  it('what is stored is heard, by its account alone', async () => {
    assert.equal(
      (await form(own.key, { media: file(tone('mp3_44100_stereo')), media_name: 'menu' })).status,
      200,
    );
    const heard = await bench.prepare(own.id, { kind: 'media', name: 'menu' });
    assert.ok(heard.ok);
    assert.ok(Math.abs(heardIn(heard.file).hz - 1000) < 5);
    const strange = await bench.prepare(other.id, { kind: 'media', name: 'menu' });
    assert.ok(!strange.ok && strange.why === 'not-found');
    // Another file under the name is another sound.
    await form(own.key, { media: file(tone('mp3_8000')) }, 'PUT', '/media/menu');
    const again = await bench.prepare(own.id, { kind: 'media', name: 'menu' });
    assert.ok(again.ok && again.file !== heard.file);
    assert.equal(heardIn(again.file).rate, 8000);
  });

  it('accounts see nothing of each other, whatever they ask', async () => {
    await form(own.key, { media: file(tone('mp3_8000')), media_name: 'secret' });
    const blank = (await bench.ask(other.key, 'GET', '/media/nothing')).text;
    for (const name of ['secret', '..%2Fsecret', '%2e%2e', '__proto__', `${own.id}%2Fsecret`])
      for (const [method, end] of [
        ['GET', ''],
        ['GET', '/download'],
        ['PUT', ''],
        ['DELETE', ''],
      ] as const) {
        const answer = await bench.ask(other.key, method, `/media/${name}${end}`, { ttl_secs: 5 });
        assert.equal(answer.status, 404, `${method} ${name}${end}`);
        assert.equal(answer.text, blank);
      }
    assert.deepEqual((await bench.ask(other.key, 'GET', '/media')).body.data, []);
    // The same name is another file there, and deleting it touches no other.
    await form(other.key, { media: file(tone('opus_mono')), media_name: 'secret' });
    assert.equal((await bench.ask(other.key, 'DELETE', '/media/secret')).status, 204);
    assert.equal((await bench.ask(own.key, 'GET', '/media/secret')).status, 200);
  });

  it('takes the name of the file where none is said, and one of its own where that is none', async () => {
    assert.equal(
      (await form(own.key, { media: file(tone('mp3_8000'), 'hold.mp3') })).body.data.media_name,
      'hold.mp3',
    );
    const made = await bench.ask(own.key, 'POST', '/media', {
      media_url: `${source}/menu.mp3`,
      media_name: null,
    });
    assert.match(made.body.data.media_name, /^[0-9a-f-]{36}$/);
  });

  it('a request that is sent again is no second file', async () => {
    const before = onDisk().length;
    for (let i = 0; i < 3; i++)
      assert.equal((await form(own.key, { media: file(tone('mp3_8000')), media_name: 'twice' })).status, 200);
    assert.equal(onDisk().length, before + 1);
  });

  it('refuses what cannot be stored, and keeps nothing of it', async () => {
    const before = onDisk().length;
    const cases: readonly (readonly [object, number, RegExp])[] = [
      [{}, 422, /media_url, or a file/],
      [{ media_url: 'ftp://x/y' }, 422, /http/],
      [{ media_url: `${source}/none` }, 422, /404/],
      [{ media_url: 'http://169.254.169.254/latest' }, 422, /link-local/],
      [{ media_url: `${source}/menu.mp3`, media_name: '../x' }, 422, /media_name/],
      [{ media_url: `${source}/menu.mp3`, media_name: 'a\nb' }, 422, /media_name/],
      [{ media_url: `${source}/menu.mp3`, ttl_secs: 0 }, 422, /ttl_secs/],
      [{ media_url: `${source}/menu.mp3`, ttl_secs: 630_720_001 }, 422, /ttl_secs/],
    ];
    for (const [body, status, words] of cases) {
      const answer = await bench.ask(own.key, 'POST', '/media', body);
      assert.equal(answer.status, status, answer.text);
      assert.match(answer.text, words);
    }
    const large = await form(own.key, { media: file(new Uint8Array(20 * MiB + 1)), media_name: 'large' });
    assert.equal(large.status, 413);
    // 30 MiB an account.
    const half = new Uint8Array(16 * MiB);
    assert.equal((await form(own.key, { media: file(half), media_name: 'one' })).status, 200);
    const full = await form(own.key, { media: file(half), media_name: 'two' });
    assert.deepEqual([full.status, full.body.errors[0].detail], [422, 'An account may store 30 MiB.']);
    assert.equal((await form(own.key, { media: file(half), media_name: 'one' })).status, 200);
    assert.equal((await bench.ask(own.key, 'DELETE', '/media/one')).status, 204);
    assert.equal(onDisk().length, before);
  });

  it('a form that is broken, or stops half way, is refused and leaves nothing', async () => {
    const before = onDisk().length;
    const send = async (type: string, body: string): Promise<number> => {
      const answer = await fetch(`${address}/media`, {
        method: 'POST',
        body,
        // A connection that rests may be closed by the server just as it is used again, when this process was busy for long.
        headers: { Authorization: `Bearer ${own.key}`, 'Content-Type': type, Connection: 'close' },
      });
      await answer.text();
      return answer.status;
    };
    const part = (name: string): string =>
      `--b\r\nContent-Disposition: form-data; name="${name}"; filename="x"\r\nContent-Type: audio/wav\r\n\r\nabc\r\n`;
    assert.equal(await send('multipart/form-data; boundary=b', part('media')), 400);
    assert.equal(await send('multipart/form-data; x=b', part('media')), 400);
    assert.equal(await send('multipart/form-data; boundary=b', ''), 400);
    assert.equal(await send('multipart/form-data; boundary=b', `${part('other')}--b--\r\n`), 422);
    assert.equal(await send('multipart/form-data; boundary=b', part('other')), 400);
    assert.equal(await send('multipart/form-data; boundary=b', part('media') + part('media')), 400);
    assert.equal(await send('text/plain', 'x'), 400);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), fc.boolean(), async (text, inside) => {
        const body = inside ? `${part('media').replace('abc', text)}--b` : text;
        assert.ok([400, 422].includes(await send('multipart/form-data; boundary=b', body)));
      }),
      { numRuns: 100 },
    );
    // A client that goes away in the middle.
    const url = new URL(address);
    const socket = connect(Number(url.port), url.hostname);
    socket.write(
      `POST /v2/media HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${own.key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n${part('media')}`,
    );
    const drafts = (): number =>
      existsSync(join(folder(), 'drafts')) ? readdirSync(join(folder(), 'drafts')).length : 0;
    while (drafts() === 0) await new Promise((done) => setImmediate(done));
    socket.destroy();
    while (drafts() > 0) await new Promise((done) => setImmediate(done));
    assert.equal(onDisk().length, before);
  });

  it('expires, and an asked URL is asked once for each request', async () => {
    const before = asked;
    await bench.ask(own.key, 'POST', '/media', {
      media_url: `${source}/menu.mp3`,
      media_name: 'brief',
      ttl_secs: '60',
    });
    assert.equal(asked, before + 1);
    bench.people.now += 59_000;
    assert.equal((await bench.ask(own.key, 'PUT', '/media/brief', { ttl_secs: 10 })).status, 200);
    bench.people.now += 9999;
    assert.equal((await bench.ask(own.key, 'GET', '/media/brief')).status, 200);
    bench.people.now += 1;
    for (const path of ['/media/brief', '/media/brief/download'])
      assert.equal((await bench.ask(own.key, 'GET', path)).status, 404);
    const [files, item] = [onDisk().length, await bench.media.storage.find(own.id, 'brief')];
    assert.equal(item, undefined);
    await bench.media.storage.sweep();
    assert.equal(onDisk().length < files, true);
  });
});

describe('the folder of media storage', () => {
  it('is as it was for the next process, without what was half done', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidetone-storage-'));
    let now = 1_000_000;
    const open = (): MediaStorage => new MediaStorage({ folder, quota: MiB, now: () => now });
    const first = open();
    const bytes = tone('mp3_8000');
    const item = await first.keep('a', 'menu', await first.draftOf(bytes, 'audio/mpeg'), 60_000);
    assert.equal(item.sha256, createHash('sha256').update(bytes).digest('hex'));
    // Many at once under one name leave one.
    const drafts = await Promise.all(Array.from({ length: 10 }, () => first.draftOf(bytes, 'audio/mpeg')));
    await Promise.all(drafts.map((draft) => first.keep('a', 'same', draft, 60_000)));
    await first.draftOf(bytes, 'left behind');
    await first.close();
    const orphan = join(folder, readdirSync(folder).find((name) => name !== 'drafts')!, 'ab-cd.bin');
    writeFileSync(orphan, 'x');
    const old = new Date(Date.now() - 2 * 3_600_000);
    utimesSync(orphan, old, old);
    // Descriptions of somebody else's making are none.
    mkdirSync(join(folder, 'f'.repeat(32)));
    writeFileSync(
      join(folder, 'f'.repeat(32), 'x.json'),
      JSON.stringify({ ...item, account: 'a', blob: '../../x' }),
    );
    const second = open();
    assert.deepEqual(await second.find('a', 'menu'), item);
    assert.deepEqual(
      (await second.list('a')).map(({ name }) => name),
      ['menu', 'same'],
    );
    assert.ok(existsSync(item.file) && !existsSync(orphan));
    assert.equal(readdirSync(join(folder, 'drafts')).length, 1);
    now += 60_000;
    assert.deepEqual(await second.list('a'), []);
    await second.close();
    rmSync(folder, { recursive: true });
  });

  it('names are never a path', () => {
    for (const bad of ['', '.', '..', 'a/b', '\\', 'a\0', 'a\u202eb', '\ud800', 'x'.repeat(256)])
      assert.equal(isMediaName(bad), false, JSON.stringify(bad));
    for (const good of ['menu.mp3', 'Ansage für alle', '...', 'a b', '日本'])
      assert.ok(isMediaName(good), good);
  });
});
