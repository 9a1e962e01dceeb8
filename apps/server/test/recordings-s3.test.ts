import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { RecordingResult } from '@sidetone/wire';
import { createLog } from '../src/log.ts';
import { fetchRecording } from '../src/recordings/fetch.ts';
import { Links } from '../src/recordings/links.ts';
import { openSqliteRecordings } from '../src/recordings/open-sqlite.ts';
import { s3Keeper } from '../src/recordings/s3-keeper.ts';
import { signed } from '../src/recordings/s3-signature.ts';
import { createRecordingService } from '../src/recordings/service.ts';
import { recorded, toneIn, toSave } from './drive/recorded.ts';
import { S3Store } from './drive/s3-store.ts';

describe('recordings in a store of the S3 protocol', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidetone-s3-'));
  let store: S3Store;
  before(async () => {
    store = await S3Store.open();
  });
  after(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const keeperOf = (more: object = {}) =>
    s3Keeper({
      endpoint: store.endpoint,
      region: store.region,
      bucket: 'calls',
      prefix: 'of 2026/',
      accessKey: store.accessKey,
      secretKey: store.secretKey,
      epoch: () => store.now,
      ...more,
    });

  it('signs as the published example is signed', () => {
    // "GET Object" of the S3 API reference, Signature Calculations for the Authorization Header.
    const headers = signed(
      {
        method: 'GET',
        url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
        headers: { range: 'bytes=0-9' },
        payloadHash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      },
      {
        region: 'us-east-1',
        accessKey: 'AKIAIOSFODNN7EXAMPLE',
        secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
      Date.UTC(2013, 4, 24),
    );
    assert.match(
      headers['authorization']!,
      /Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$/,
    );
  });

  it('puts, gets whole and in parts, and deletes, whatever the name', async () => {
    const keeper = keeperOf();
    const file = join(dir, 'file');
    writeFileSync(file, 'what was said');
    for (const key of ["a1/2026-11-30/it's (ü) 100%+~ name-1.wav", 'plain.mp3']) {
      await keeper.put(file, key, 'audio/wav');
      assert.deepEqual(store.refused, []);
      assert.deepEqual([...store.objects.keys()].at(-1), `/calls/of 2026/${key}`);
      assert.equal(await text((await keeper.open(key))!), 'what was said');
      assert.equal(await text((await keeper.open(key, { first: 5, last: 7 }))!), 'was');
      await keeper.remove(key);
      await keeper.remove(key);
      assert.equal(await keeper.open(key), undefined);
      assert.equal(store.objects.size, 0);
    }
  });

  it('says what went wrong, without the address and the key', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, 'x');
    await assert.rejects(keeperOf({ secretKey: 'another' }).put(file, 'k', 'audio/wav'), {
      message: 'S3: 403',
    });
    await assert.rejects(keeperOf({ endpoint: 'http://127.0.0.1:9' }).put(file, 'k', 'audio/wav'), {
      message: 'S3: ECONNREFUSED',
    });
    store.fails = 503;
    await assert.rejects(keeperOf().open('k'), { message: 'S3: 503' });
    await assert.rejects(keeperOf().remove('k'), { message: 'S3: 503' });
    store.fails = undefined;
    store.refused.length = 0;
  });

  it('keep what the service saves, also when they are away for a while, and serve it by our links', async () => {
    const service = createRecordingService({
      dataDir: dir,
      store: openSqliteRecordings(join(dir, 'sidetone.db')),
      links: new Links('http://voice.example', new Uint8Array(32)),
      keeper: keeperOf(),
      epoch: () => store.now,
      log: createLog('test', 'silent'),
      retriesMs: Array(2000).fill(5),
    });
    const id = randomUUID();
    const file = recorded(dir, id, 8000, [toneIn(8000, 440, 0, 1000, 0)]);
    store.fails = 500;
    const saving = new Promise<RecordingResult>((done) => service.save(id, toSave(file), done));
    while (service.state.why === undefined) await new Promise((done) => setTimeout(done, 5));
    store.fails = undefined;
    const result = await saving;
    assert.ok(result.ok);
    assert.equal(store.objects.size, 1);
    const left = readdirSync(join(dir, 'recordings'), { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      left.filter((name) => name.includes('.')),
      [],
      'nothing is left on the disk',
    );
    const answer = await fetchRecording(
      service,
      new Request(result.url, { headers: { Range: 'bytes=0-3' } }),
      store.now,
    );
    assert.deepEqual([answer.status, await answer.text()], [206, 'RIFF']);
    await service.remove((await service.store.find(id))!);
    assert.equal(store.objects.size, 0);
    await service.close();
  });
});
