import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { SoundCache } from '../src/sounds/cache.ts';
import { fileOf } from '../src/sounds/prepared-file.ts';

it('the cache of sounds is bounded in files, too: tiny ones of one account fill neither the disk nor the place of others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-cache-'));
  try {
    let time = 0;
    const options = { folder, most: 1e9, mostFiles: 10, now: () => time, heldMs: 100 };
    const cache = await SoundCache.open(options);
    const put = async (n: number, account: string): Promise<string> => {
      cache.checkRoom(account);
      const name = createHash('sha256').update(`${account}${n}`).digest('hex');
      mkdirSync(cache.folderOf(account), { recursive: true });
      const path = join(cache.folderOf(account), fileOf(name));
      writeFileSync(path, 'x');
      await cache.add(account, name, { ms: 1, bytes: 1 });
      return path;
    };
    const files: string[] = [];
    for (let n = 0; n < 5; n++) files.push(await put(n, 'hostile'));
    await assert.rejects(put(5, 'hostile'), /full/);
    for (let n = 0; n < 5; n++) await put(n, `other${n}`);
    await assert.rejects(put(6, 'other6'), /full/);
    // Nobody has asked for them for a while: the oldest go.
    time = 200;
    await put(7, 'hostile');
    assert.deepEqual(
      files.map((file) => existsSync(file)),
      [false, true, true, true, true],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
