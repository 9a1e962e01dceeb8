import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mount = (...args: string[]): boolean => spawnSync('mount', args, { stdio: 'ignore' }).status === 0;

/** A disk of its own (tmpfs) that a test can fill and lock. */
export class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'sidetone-disk-'));

  /** `undefined` where nothing may be mounted. */
  static make(): SmallDisk | undefined {
    const disk = new SmallDisk();
    if (mount('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk.folder)) return disk;
    rmSync(disk.folder, { recursive: true });
    return undefined;
  }

  /** Takes all the space that is left, but so many bytes. */
  fill(but = 0): void {
    const { bavail, bsize } = statfsSync(this.folder);
    writeFileSync(join(this.folder, 'filler'), Buffer.alloc(bavail * bsize - but));
  }

  empty(): void {
    rmSync(join(this.folder, 'filler'));
  }

  set readOnly(on: boolean) {
    if (!mount('-o', on ? 'remount,ro' : 'remount,rw', this.folder)) throw new Error('cannot mount it again');
  }

  remove(): void {
    spawnSync('umount', [this.folder], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const tried = SmallDisk.make();
tried?.remove();
export const skipWithoutMount = tried === undefined ? 'needs leave to mount a tmpfs' : false;
