import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { BROKEN, LATE, type SoundReader } from '@sidetone/media';
import fc from 'fast-check';
import { soundFiles } from '../src/media/sound-files.ts';
import { wav } from './drive/wav.ts';

const ramp = (samples: number): Int16Array =>
  Int16Array.from({ length: samples }, (_, i) => (i * 7919) & 0x7fff);

/** Reads `samples`, or to the end, waiting for the disk. */
async function take(reader: SoundReader, samples = Number.POSITIVE_INFINITY, piece = 160): Promise<number[]> {
  const out: number[] = [];
  const into = new Int16Array(piece);
  let late = 0;
  while (out.length < samples) {
    const got = reader.read(into.subarray(0, Math.min(piece, samples - out.length)));
    if (got === 0) break;
    if (got === LATE) {
      assert.ok(++late < 2000, 'the disk never comes');
      await new Promise((done) => setTimeout(done, 1));
    } else {
      assert.ok(got > 0, 'broken');
      out.push(...into.subarray(0, got));
    }
  }
  return out;
}

describe('sound files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-sounds-'));
  const data = join(folder, 'data');
  const logged: string[] = [];
  const files = soundFiles(data, (_, why) => logged.push(why));
  mkdirSync(join(data, 'sounds'), { recursive: true });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are read as they are, from any place, in any pieces, over and over', async () => {
    const lengths = [0, 1, 159, 8000, 16_361, 16_362, 16_363, 16_384, 40_000, 100_001];
    for (const [i, length] of lengths.entries())
      writeFileSync(join(data, `${i}.wav`), wav(8000, ramp(length)));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: lengths.length - 1 }),
        fc.nat({ max: 13_000 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.array(fc.nat({ max: 60_000 }), { maxLength: 3 }),
        async (i, fromMs, piece, rewindsAfter) => {
          const pcm = [...ramp(lengths[i]!)];
          const reader = await files.open(`${i}.wav`, fromMs);
          assert.ok(reader !== undefined);
          assert.deepEqual([reader.rate, reader.samples], [8000, pcm.length]);
          let from = Math.min(pcm.length, 8 * fromMs);
          for (const count of rewindsAfter) {
            assert.deepEqual(await take(reader, count, piece), pcm.slice(from, from + count));
            reader.rewind();
            from = 0;
          }
          assert.deepEqual(await take(reader, undefined, piece), pcm.slice(from));
          assert.equal(reader.read(new Int16Array(10)), 0);
          reader.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('begin at once: the first sound is there when the file is, also after a rewind', async () => {
    writeFileSync(join(data, 'long.wav'), wav(48_000, ramp(480_000)));
    for (const fromMs of [0, 300, 5000]) {
      const reader = (await files.open('long.wav', fromMs))!;
      assert.equal(reader.read(new Int16Array(960)), 960);
      reader.rewind();
      assert.equal(reader.read(new Int16Array(960)), 960);
      reader.close();
    }
  });

  it('need not know their length, and may be longer or shorter than they say', async () => {
    const bytes = wav(16_000, ramp(1000));
    const rows = [
      [0xffff_ffff, 1000],
      [3000, 1000],
      [1001, 500],
    ] as const;
    for (const [stated, samples] of rows) {
      bytes.writeUInt32LE(stated, 40);
      writeFileSync(join(data, 'stated.wav'), bytes);
      const reader = (await files.open('stated.wav', 0))!;
      assert.equal(reader.samples, samples);
      assert.deepEqual(await take(reader), [...ramp(samples)]);
    }
  });

  it('with much before the sound are read, too much is refused', async () => {
    for (const [junk, there] of [
      [20_000, true],
      [40_000, true],
      [60_000, true],
      [70_000, false],
    ] as const) {
      writeFileSync(join(data, 'junk.wav'), wav(8000, ramp(50_000), junk));
      const reader = await files.open('junk.wav', 0);
      assert.equal(reader !== undefined, there, `${junk}`);
      if (reader === undefined) continue;
      assert.deepEqual(await take(reader), [...ramp(50_000)]);
      reader.rewind();
      assert.deepEqual(await take(reader, 20_000), [...ramp(20_000)]);
      reader.close();
    }
  });

  it('that become shorter are broken, not silent for ever', async () => {
    const path = join(data, 'shrinks.wav');
    writeFileSync(path, wav(8000, ramp(200_000)));
    const reader = (await files.open('shrinks.wav', 0))!;
    truncateSync(path, 1000);
    const into = new Int16Array(160);
    let last = 0;
    for (let i = 0; i < 3000 && last !== BROKEN; i++) {
      last = reader.read(into);
      assert.notEqual(last, 0);
      if (last === LATE) await new Promise((done) => setTimeout(done, 1));
    }
    assert.equal(last, BROKEN);
    reader.close();
  });

  it('are those of the folder only, by whatever way; no other thing is opened, and no name is logged', async () => {
    writeFileSync(join(folder, 'secret.wav'), wav(8000, ramp(100)));
    symlinkSync(join(folder, 'secret.wav'), join(data, 'link.wav'));
    symlinkSync(folder, join(data, 'up'));
    symlinkSync(join(data, '3.wav'), join(data, 'within.wav'));
    execFileSync('mkfifo', [join(data, 'pipe.wav')]);
    writeFileSync(join(data, 'text.wav'), 'this is no sound, but it is long enough to be one, one might say');
    logged.length = 0;
    for (const name of [
      '../secret.wav',
      join(folder, 'secret.wav'),
      'link.wav',
      'up/secret.wav',
      'pipe.wav',
      'text.wav',
      'sounds',
      '.',
      '',
      'nowhere.wav',
      '3.wav/x',
      '\0',
      'x'.repeat(5000),
    ]) {
      assert.equal(await files.open(name, 0), undefined, name.slice(0, 20));
    }
    assert.equal(logged.length, 13);
    assert.ok(!logged.some((why) => /secret|nowhere|pipe/.test(why)), `${logged}`);
    for (const name of ['3.wav', 'within.wav', join(data, '3.wav'), 'sounds/../3.wav']) {
      const reader = await files.open(name, 0);
      assert.ok(reader !== undefined, name);
      reader.close();
    }
  });
});
