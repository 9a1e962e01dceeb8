import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WAV_HEAD_BYTES } from '@sidetone/media';
import { recordingFiles } from '../src/media/recording-files.ts';

const CHILD = fileURLToPath(new URL('./drive/records-for-ever.ts', import.meta.url));

interface Wav {
  readonly rate: number;
  readonly channels: number;
  readonly samples: Int16Array;
  /** Octets behind what the head says. */
  readonly rest: number;
}

/** Reads what a strict player reads. */
function wavOf(path: string): Wav {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('latin1', 0, 4), 'RIFF');
  assert.equal(bytes.toString('latin1', 8, 16), 'WAVEfmt ');
  assert.equal(bytes.toString('latin1', 36, 40), 'data');
  const length = bytes.readUInt32LE(40);
  assert.equal(bytes.readUInt32LE(4), length + WAV_HEAD_BYTES - 8);
  const channels = bytes.readUInt16LE(22);
  assert.equal(length % (2 * channels), 0);
  assert.ok(bytes.length >= WAV_HEAD_BYTES + length, 'the head says more than there is');
  const sound = Uint8Array.from(bytes.subarray(WAV_HEAD_BYTES, WAV_HEAD_BYTES + length));
  return {
    rate: bytes.readUInt32LE(24),
    channels,
    samples: new Int16Array(sound.buffer),
    rest: bytes.length - WAV_HEAD_BYTES - length,
  };
}

const ramp = (from: number, length: number): Int16Array =>
  Int16Array.from({ length }, (_, i) => (from + i) & 0x7fff);
const isRamp = (samples: Int16Array): boolean => samples.every((sample, i) => sample === (i & 0x7fff));

describe('files that are recorded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidetone-recorded-'));
  const data = join(folder, 'data');
  mkdirSync(join(data, 'open'), { recursive: true });
  const logged: string[] = [];
  const files = recordingFiles(data, (_, why) => logged.push(why));
  after(async () => {
    await files.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const never = (): void => assert.fail('failed');

  it('hold what was written, in whole', async () => {
    const file = files.open('open/a.wav', { rate: 16_000, channels: 2 }, never);
    for (let n = 0; n < 20; n++) assert.ok(file.write(ramp(n * 3200, 3200)));
    assert.deepEqual(await file.close(), { frames: 32_000, failed: false });
    const { rate, channels, samples, rest } = wavOf(join(data, 'open/a.wav'));
    assert.deepEqual([rate, channels, samples.length, rest], [16_000, 2, 64_000, 0]);
    assert.ok(isRamp(samples));
    assert.equal(statSync(join(data, 'open/a.wav')).mode & 0o777, 0o600);
  });

  it('are whole when nothing was said', async () => {
    const file = files.open('open/empty.wav', { rate: 8000, channels: 1 }, never);
    assert.deepEqual(await file.close(), { frames: 0, failed: false });
    assert.equal(wavOf(join(data, 'open/empty.wav')).samples.length, 0);
  });

  it('are made nowhere but under the folder, and never over another file', async () => {
    writeFileSync(join(data, 'open/there.wav'), 'precious');
    symlinkSync(folder, join(data, 'out'));
    symlinkSync(join(folder, 'target.wav'), join(data, 'open/link.wav'));
    for (const name of [
      'open/there.wav',
      '../x.wav',
      '/tmp/x.wav',
      'out/x.wav',
      'open/link.wav',
      'no/x.wav',
    ]) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const file = files.open(name, { rate: 8000, channels: 1 }, resolve);
      file.write(ramp(0, 80));
      await promise;
      assert.deepEqual(await file.close(), { frames: 0, failed: true }, name);
    }
    assert.equal(readFileSync(join(data, 'open/there.wav'), 'utf8'), 'precious');
    assert.equal(logged.length, 6);
  });

  it('take no more than may wait for the disk, and go on when it has', async () => {
    const slow = recordingFiles(data, () => {}, { mostOfOne: 1000, most: 1500 });
    const one = slow.open('open/one.wav', { rate: 8000, channels: 1 }, never);
    const two = slow.open('open/two.wav', { rate: 8000, channels: 1 }, never);
    assert.deepEqual(
      [one.write(ramp(0, 400)), one.write(ramp(0, 400)), two.write(ramp(0, 400)), two.write(ramp(0, 50))],
      [true, false, false, true],
    );
    assert.deepEqual(await two.close(), { frames: 50, failed: false });
    assert.ok(one.write(ramp(400, 400)));
    assert.deepEqual(await one.close(), { frames: 800, failed: false });
    assert.ok(isRamp(wavOf(join(data, 'open/one.wav')).samples));
    await slow.settled();
    await slow.close();
  });

  it('are valid when the process is killed in the middle', async () => {
    for (let i = 0; i < 5; i++) {
      const at = mkdtempSync(join(folder, 'killed-'));
      const child = spawn(process.execPath, [CHILD, at], { stdio: 'ignore' });
      const path = join(at, 'r.wav');
      const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      while (size() < 100_000 + i * 777) await new Promise((done) => setTimeout(done, 5));
      child.kill('SIGKILL');
      await new Promise((done) => child.once('exit', done));
      const { samples, rest } = wavOf(path);
      assert.ok(samples.length > 40_000, `${samples.length}`);
      assert.ok(rest <= 3200, `${rest}`);
      assert.ok(isRamp(samples));
    }
  });

  it('are valid, and say what is in them, when the disk refuses', () => {
    const at = mkdtempSync(join(folder, 'full-'));
    // The system takes 100 kB of a file, and no more.
    const said = execFileSync('sh', ['-c', 'ulimit -f 200; exec "$0" "$@"', process.execPath, CHILD, at], {
      timeout: 30_000,
    });
    const { frames, failed } = JSON.parse(String(said)) as { frames: number; failed: boolean };
    const { samples } = wavOf(join(at, 'r.wav'));
    assert.equal(failed, true);
    assert.ok(frames > 20_000 && frames < 26_000, `${frames}`);
    assert.equal(samples.length, 2 * frames);
    assert.ok(isRamp(samples));
  });
});
