import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { writeWavHead } from '@sidetone/media';
import type { RecordingResult, RecordingToSave } from '@sidetone/wire';
import { createLog } from '../src/log.ts';
import { fetchRecording } from '../src/recordings/fetch.ts';
import type { Keeper } from '../src/recordings/keeper.ts';
import { LINK_MS, Links } from '../src/recordings/links.ts';
import { openSqliteRecordings } from '../src/recordings/open-sqlite.ts';
import { openPostgresRecordings } from '../src/recordings/postgres-recordings.ts';
import type { KeptRecording, RecordingStore } from '../src/recordings/recording-store.ts';
import { createRecordingService, type RecordingService } from '../src/recordings/service.ts';
import { decode } from '../src/sounds/decode/decode.ts';
import { openPostgresDirectory } from '../src/store/postgres-store.ts';
import { PostgresCluster, skipWithoutPostgres } from './drive/postgres.ts';
import { recorded, toneIn, toSave } from './drive/recorded.ts';

const SECRET = new Uint8Array(32).fill(3);
const NOW = 1_700_000_100_000;

interface World {
  readonly dir: string;
  readonly service: RecordingService;
  now: number;
  close(): Promise<void>;
}

function world(more: { keeper?: Keeper; keepDays?: number; dir?: string; retriesMs?: number[] } = {}): World {
  const dir = more.dir ?? mkdtempSync(join(tmpdir(), 'sidetone-recordings-'));
  const here = { dir, now: NOW } as World;
  const service = createRecordingService({
    dataDir: dir,
    store: openSqliteRecordings(join(dir, 'sidetone.db')),
    links: new Links('https://voice.example/', SECRET),
    epoch: () => here.now,
    log: createLog('test', 'silent'),
    retriesMs: more.retriesMs ?? [1, 1, 1],
    ...(more.keeper === undefined ? {} : { keeper: more.keeper }),
    ...(more.keepDays === undefined ? {} : { keepDays: more.keepDays }),
  });
  return Object.assign(here, {
    service,
    close: async () => {
      await service.close();
      if (more.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  });
}

const save = (service: RecordingService, id: string, recording: RecordingToSave): Promise<RecordingResult> =>
  new Promise((done) => service.save(id, recording, done));

const fetched = (w: World, url: string, range?: string): Promise<Response> =>
  fetchRecording(
    w.service,
    new Request(url, range === undefined ? {} : { headers: { Range: range } }),
    w.now,
  );

/** How long a WAV or an MP3 is, and the tones that are in its beginning, by the product's decoders. */
function heardIn(bytes: Uint8Array): { ms: number; rate: number } {
  let [samples, rate] = [0, 0];
  for (const block of decode(bytes, undefined)) {
    samples += block.samples.length;
    rate = block.rate;
  }
  return { ms: Math.round((samples / rate) * 1000), rate };
}

const filesOf = (dir: string): string[] =>
  readdirSync(join(dir, 'recordings'), { recursive: true, encoding: 'utf8', withFileTypes: false }).filter(
    (name) => /\.\w+$/.test(name),
  );

describe('a recording that media has closed', () => {
  it('is kept as it is, with a link that serves it', async () => {
    const w = world();
    const id = randomUUID();
    const sound = toneIn(8000, 440, 500, 1000, 500);
    const file = recorded(w.dir, id, 8000, [sound], 333);
    const result = await save(w.service, id, toSave(file, { name: 'My desk-1700000000' }));
    assert.ok(result.ok);
    assert.equal(result.durationMs, 2000);
    assert.match(
      result.url,
      new RegExp(
        `^https://voice\\.example/recordings/${id}\\.wav\\?expires=1700000700&signature=[\\w-]{43}$`,
      ),
    );
    const answer = await fetched(w, result.url);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'audio/wav');
    assert.match(answer.headers.get('content-disposition')!, /My%20desk-1700000000/);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    assert.deepEqual(
      bytes,
      new Uint8Array(Buffer.concat([writeWavHead(8000, 1, 32_000), new Uint8Array(sound.buffer)])),
    );
    assert.deepEqual(filesOf(w.dir), [`kept/a1/2023-11-14/My desk-1700000000-${id}.wav`]);
    await w.close();
  });

  it('becomes MP3 of its rate and channels, of the same length', async () => {
    for (const [rate, channels] of [
      [8000, 1],
      [8000, 2],
      [16_000, 1],
      [16_000, 2],
    ] as const) {
      const w = world();
      const id = randomUUID();
      const sounds = [toneIn(rate, 440, 0, 10_000, 0), toneIn(rate, 1000, 0, 10_000, 0)].slice(0, channels);
      const file = recorded(w.dir, id, rate, sounds);
      const result = await save(w.service, id, toSave(file, { format: 'mp3', channels }));
      assert.ok(result.ok);
      const answer = await fetched(w, result.url);
      assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const heard = heardIn(bytes);
      assert.equal(heard.rate, rate);
      // An encoder adds its delay, and fills the last frame.
      assert.ok(heard.ms >= 10_000 && heard.ms < 10_250, `${heard.ms}`);
      assert.ok(bytes.length < 100_000, `${bytes.length}`);
      await w.close();
    }
  });

  it('is trimmed of silence at both ends, in both formats, and left alone when nobody is heard', async () => {
    for (const format of ['wav', 'mp3'] as const) {
      const w = world();
      const id = randomUUID();
      const left = toneIn(8000, 440, 3000, 1000, 5000);
      const right = toneIn(8000, 440, 5000, 1500, 2500);
      const file = recorded(w.dir, id, 8000, [left, right]);
      const result = await save(w.service, id, toSave(file, { format, channels: 2, trim: true }));
      assert.ok(result.ok);
      assert.ok(Math.abs(result.durationMs - 3900) <= 40, `${result.durationMs}`);
      const silent = randomUUID();
      const none = recorded(w.dir, silent, 8000, [new Int16Array(16_000)]);
      const kept = await save(w.service, silent, toSave(none, { format, trim: true }));
      assert.ok(kept.ok && kept.durationMs === 2000);
      await w.close();
    }
  });

  it('without a sound is kept, too; without a file it fails at once', async () => {
    const w = world();
    for (const format of ['wav', 'mp3'] as const) {
      const id = randomUUID();
      const file = recorded(w.dir, id, 8000, [new Int16Array(0)]);
      const result = await save(w.service, id, toSave(file, { format }));
      assert.ok(result.ok && result.durationMs === 0);
      assert.equal((await fetched(w, result.url)).status, 200);
    }
    const result = await save(w.service, randomUUID(), toSave('recordings/open/none.wav'));
    assert.deepEqual(result, { ok: false, problem: 'Internal server error' });
    await w.close();
  });

  it('is saved once, whoever asks again', async () => {
    const w = world();
    const id = randomUUID();
    const recording = toSave(recorded(w.dir, id, 8000, [toneIn(8000, 440, 0, 500, 0)]));
    const first = await save(w.service, id, recording);
    const kept = await w.service.store.find(id);
    w.now += 60_000;
    const second = await save(w.service, id, recording);
    assert.ok(first.ok && second.ok && first.url !== second.url);
    assert.deepEqual(await w.service.store.find(id), kept);
    // A process that died between the row and the removal of the file.
    recorded(w.dir, id, 8000, [toneIn(8000, 440, 0, 900, 0)]);
    await save(w.service, id, recording);
    assert.equal(filesOf(w.dir).length, 1);
    await w.close();
  });

  it('is tried again while its place takes nothing, and set aside in the end', async () => {
    let failures = 2;
    const puts: string[] = [];
    const keeper: Keeper = {
      place: 's3',
      put: async (_file, key) => {
        if (failures-- > 0) throw new Error('away');
        puts.push(key);
      },
      open: async () => undefined,
      remove: async () => {},
    };
    const w = world({ keeper });
    const id = randomUUID();
    const result = await save(
      w.service,
      id,
      toSave(recorded(w.dir, id, 8000, [toneIn(8000, 440, 0, 500, 0)])),
    );
    assert.ok(result.ok);
    assert.deepEqual(puts, [`a1/2023-11-14/leg-1-1700000000-${id}.wav`]);
    assert.deepEqual(w.service.state, { waiting: 0, why: undefined });
    failures = Number.POSITIVE_INFINITY;
    const other = randomUUID();
    const lost = await save(
      w.service,
      other,
      toSave(recorded(w.dir, other, 8000, [toneIn(8000, 440, 0, 500, 0)])),
    );
    assert.equal(lost.ok, false);
    assert.equal(w.service.state.why, 'recordings cannot be saved');
    assert.ok(existsSync(join(w.dir, 'recordings/unsaved', `${other}.wav`)));
    await w.close();
  });

  it('that is being made when the process ends holds it up for no time, and is made by the next', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-recordings-'));
    const first = world({ dir });
    const id = randomUUID();
    // Ten minutes of MP3 take seconds.
    const sound = toneIn(16_000, 440, 0, 600_000, 0);
    const recording = toSave(recorded(dir, id, 16_000, [sound, sound]), { format: 'mp3', channels: 2 });
    first.service.save(id, recording, () => assert.fail('it was not finished'));
    while (!filesOf(dir).includes(`finished/${id}.mp3.part`))
      await new Promise((done) => setTimeout(done, 5));
    await first.close();
    assert.ok(filesOf(dir).includes(`open/${id}.wav`));
    const second = world({ dir });
    const result = await save(second.service, id, recording);
    assert.ok(result.ok && result.durationMs === 600_000);
    assert.equal(filesOf(dir).length, 1);
    await second.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('that is damaged fails, and is set aside', async () => {
    const w = world();
    const id = randomUUID();
    writeFileSync(join(w.dir, `recordings/open/${id}.wav`), 'no sound');
    assert.equal((await save(w.service, id, toSave(`recordings/open/${id}.wav`))).ok, false);
    assert.deepEqual(filesOf(w.dir), [`unsaved/${id}.wav`]);
    await w.close();
  });

  it('that waits for its next try keeps no other waiting', async () => {
    const w = world({ retriesMs: [600_000] });
    const tone = [toneIn(8000, 440, 0, 100, 0)];
    let bad = 0;
    for (let i = 0; i < 4; i++) {
      const file = `recordings/open/${randomUUID()}.wav`;
      writeFileSync(join(w.dir, file), 'no recording');
      w.service.save(randomUUID(), toSave(file, { account: 'b' }), () => bad++);
    }
    const id = randomUUID();
    assert.ok((await save(w.service, id, toSave(recorded(w.dir, id, 8000, tone)))).ok);
    assert.deepEqual([bad, w.service.state.waiting], [0, 4]);
    await w.close();
  });

  it('of many of one account keeps no other account waiting', async () => {
    const w = world();
    const order: string[] = [];
    const all = Array.from({ length: 6 }, (_, i) => (i === 5 ? 'b' : 'a')).map((account) => {
      const id = randomUUID();
      const file = recorded(w.dir, id, 8000, [toneIn(8000, 440, 0, 2000, 0)]);
      return save(w.service, id, toSave(file, { account, format: 'mp3' })).then(() => order.push(account));
    });
    await Promise.all(all);
    assert.ok(order.indexOf('b') < 5, `${order}`);
    await w.close();
  });

  it('is removed when it is old, though an older one cannot be', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-recordings-'));
    const first = world({ dir });
    const ids = [randomUUID(), randomUUID()];
    for (const [i, id] of ids.entries()) {
      first.now = NOW + i;
      await save(first.service, id, toSave(recorded(dir, id, 8000, [toneIn(8000, 440, 0, 100, 0)])));
    }
    const stuck = join(dir, 'recordings/kept', (await first.service.store.find(ids[0]!))!.key);
    await first.close();
    rmSync(stuck);
    mkdirSync(stuck);
    const second = createRecordingService({
      dataDir: dir,
      store: openSqliteRecordings(join(dir, 'sidetone.db')),
      links: new Links('https://voice.example', SECRET),
      epoch: () => NOW + 86_400_000 * 31,
      log: createLog('test', 'silent'),
      keepDays: 30,
    });
    while ((await second.store.find(ids[1]!)) !== null) await new Promise((done) => setTimeout(done, 5));
    assert.notEqual(await second.store.find(ids[0]!), null);
    await second.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is removed when it is older than recordings are kept, and what nobody asks for is set aside', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sidetone-recordings-'));
    const first = world({ dir });
    const ids = [randomUUID(), randomUUID()];
    for (const [i, id] of ids.entries()) {
      first.now = NOW + i * 86_400_000;
      await save(first.service, id, toSave(recorded(dir, id, 8000, [toneIn(8000, 440, 0, 100, 0)])));
    }
    const orphan = randomUUID();
    recorded(dir, orphan, 8000, [toneIn(8000, 440, 0, 100, 0)]);
    utimesSync(join(dir, `recordings/open/${orphan}.wav`), 1, 1);
    await first.close();
    const second = createRecordingService({
      dataDir: dir,
      store: openSqliteRecordings(join(dir, 'sidetone.db')),
      links: new Links('https://voice.example', SECRET),
      epoch: () => NOW + 86_400_000 * 30.5,
      log: createLog('test', 'silent'),
      keepDays: 30,
    });
    while ((await second.store.find(ids[0]!)) !== null) await new Promise((done) => setTimeout(done, 5));
    assert.notEqual(await second.store.find(ids[1]!), null);
    await second.close();
    assert.equal(filesOf(dir).length, 2);
    assert.ok(existsSync(join(dir, `recordings/unsaved/${orphan}.wav`)));
    rmSync(dir, { recursive: true, force: true });
  });
});

describe('links to recordings', () => {
  const w = world();
  const id = randomUUID();
  let url = '';
  before(async () => {
    const file = recorded(w.dir, id, 8000, [toneIn(8000, 440, 0, 1000, 0)]);
    const result = await save(w.service, id, toSave(file));
    assert.ok(result.ok);
    url = result.url;
  });
  after(() => w.close());

  it('serve parts of the file', async () => {
    const whole = new Uint8Array(await (await fetched(w, url)).arrayBuffer());
    assert.equal(whole.length, 16_044);
    const rows: [range: string, status: number, first: number, last: number][] = [
      ['bytes=0-99', 206, 0, 99],
      ['bytes=16000-', 206, 16_000, 16_043],
      ['bytes=-44', 206, 16_000, 16_043],
      ['bytes=-99999', 206, 0, 16_043],
      ['bytes=100-99999', 206, 100, 16_043],
      ['bytes=5-4', 200, 0, 16_043],
      ['bytes=0-1,5-6', 200, 0, 16_043],
      ['bytes=-', 200, 0, 16_043],
      ['sheep=0-1', 200, 0, 16_043],
    ];
    for (const [range, status, first, last] of rows) {
      const answer = await fetched(w, url, range);
      assert.equal(answer.status, status, range);
      assert.equal(answer.headers.get('content-length'), String(last - first + 1), range);
      if (status === 206) assert.equal(answer.headers.get('content-range'), `bytes ${first}-${last}/16044`);
      assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), whole.slice(first, last + 1), range);
    }
    for (const range of ['bytes=16044-', 'bytes=99999-100000', 'bytes=-0']) {
      const answer = await fetched(w, url, range);
      assert.equal(answer.status, 416, range);
      assert.equal(answer.headers.get('content-range'), 'bytes */16044');
    }
  });

  it('are good for ten minutes, and for that file alone', async () => {
    w.now = NOW + LINK_MS;
    assert.equal((await fetched(w, url)).status, 200);
    w.now = NOW + LINK_MS + 1000;
    assert.equal((await fetched(w, url)).status, 410);
    w.now = NOW;
    const other = randomUUID();
    const bad = [
      url.replace(id, other),
      url.replace('.wav', '.mp3'),
      url.replace('expires=1', 'expires=2'),
      url.replace(/signature=./, 'signature=!'),
      url.replace(/signature=.*/, ''),
      url.replace(/expires=\d+&/, ''),
      url.replace(`${id}.wav`, '..%2Fsecrets.json'),
      url.replace(`${id}.wav`, ''),
      `${url}x`,
      new Links('https://voice.example', new Uint8Array(32)).make(id, 'wav', NOW),
    ];
    for (const one of bad) assert.equal((await fetched(w, one)).status, 404, one);
    // One that was good of a recording that is no more.
    assert.equal((await fetched(w, w.service.links.make(other, 'wav', NOW))).status, 404);
  });

  it('open nothing for who asks for the head alone', async () => {
    const w = world();
    const id = randomUUID();
    const result = await save(
      w.service,
      id,
      toSave(recorded(w.dir, id, 8000, [toneIn(8000, 440, 0, 100, 0)])),
    );
    assert.ok(result.ok);
    const links = { links: w.service.links, store: w.service.store };
    const keeperOf = () => assert.fail('the file was opened');
    const head = await fetchRecording(
      { ...links, keeperOf },
      new Request(result.url, { method: 'HEAD' }),
      w.now,
    );
    assert.deepEqual([head.status, head.headers.get('content-length'), head.body], [200, '1644', null]);
    await w.close();
  });

  it('end with the recording', async () => {
    const kept = await w.service.store.find(id);
    const stream = await w.service.keeperOf(kept!)?.open(kept!.key);
    stream?.destroy();
    await w.service.remove(kept!);
    assert.equal((await fetched(w, url)).status, 404);
    assert.deepEqual(filesOf(w.dir), []);
  });
});

const row = (i: number, more: Partial<KeptRecording> = {}): KeptRecording => ({
  id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
  account: 'a1',
  by: 'StartCallRecordingAPI',
  control: `c${i}`,
  leg: `l${i}`,
  session: 's1',
  conference: null,
  connection: '1900',
  from: '+13125550100',
  to: '+13125550101',
  format: 'mp3',
  channels: 2,
  durationMs: 1000,
  startedAt: NOW + i,
  endedAt: NOW + i + 1000.25,
  createdAt: NOW + i + 2000,
  place: 'disk',
  key: `k${i}`,
  bytes: 5,
  ...more,
});

/** What every store must do. */
function suite(open: () => Promise<RecordingStore>): void {
  let store: RecordingStore;
  before(async () => {
    store = await open();
  });
  after(() => store.close());
  const found = async (query: Partial<Parameters<RecordingStore['list']>[0]>): Promise<string> => {
    const { rows, total } = await store.list({ account: 'a1', limit: 100, offset: 0, ...query });
    return `${rows.map(({ control }) => control)} of ${total}`;
  };

  it('keeps, finds, lists and removes', async () => {
    for (const one of [
      row(1),
      row(2, { leg: 'x', session: 's2', from: 'ann' }),
      row(3, { conference: 'conf', control: null, connection: null, to: "it's" }),
      row(4, { account: 'a2' }),
      row(5, { createdAt: NOW + 2002, control: 'c5' }),
    ])
      await store.save(one);
    await store.save(row(1, { leg: 'another' }));
    assert.deepEqual(await store.find(row(1).id), row(1));
    assert.equal(await store.find('nothing'), null);
    assert.equal(await store.find('no\0thing'), null);
    assert.equal(await found({ from: 'no\0body' }), ' of 0');
    assert.equal(await found({ after: 'no\0thing' }).then((text) => text.split(' ')[0]), '');
    assert.equal(await found({}), ',c5,c2,c1 of 4');
    assert.equal(await found({ account: 'a2' }), 'c4 of 1');
    assert.equal(await found({ leg: 'x' }), 'c2 of 1');
    assert.equal(await found({ session: 's2', from: 'ann' }), 'c2 of 1');
    assert.equal(await found({ conference: 'conf' }), ' of 1');
    assert.equal(await found({ to: "it's" }), ' of 1');
    assert.equal(await found({ control: 'c1', connection: '1900' }), 'c1 of 1');
    assert.equal(await found({ created: { from: NOW + 2001, to: NOW + 2002 } }), 'c5,c2,c1 of 3');
    assert.equal(await found({ started: { from: NOW + 2, to: NOW + 2 } }), 'c2 of 1');
    assert.equal(await found({ ended: { from: NOW + 1003, to: NOW + 9999 } }), ',c5 of 2');
    assert.equal(await found({ limit: 2 }), ',c5 of 4');
    assert.equal(await found({ limit: 2, offset: 2 }), 'c2,c1 of 4');
    assert.equal(await found({ limit: 2, after: row(5).id }), 'c2,c1 of 4');
    assert.equal(await found({ after: row(4).id }), ' of 4');
    assert.deepEqual(
      (await store.before(NOW + 2003, 2)).map(({ control }) => control),
      ['c1', 'c2'],
    );
    await store.remove(row(1).id);
    await store.remove(row(1).id);
    assert.equal(await store.find(row(1).id), null);
  });
}

describe('recordings in SQLite', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidetone-recordings-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  suite(async () => openSqliteRecordings(join(dir, 'sidetone.db')));
});

describe('recordings in PostgreSQL', { skip: skipWithoutPostgres }, () => {
  let cluster: PostgresCluster;
  after(() => cluster?.stop());
  suite(async () => {
    cluster = await PostgresCluster.start();
    const url = await cluster.database('recordings');
    // Whoever opens the directory brings the database up to date.
    await (await openPostgresDirectory(url)).close();
    return openPostgresRecordings(url);
  });
});
