import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Keeper } from './keeper.ts';

/** Recordings in a folder of their own; keys are made by us, and are relative paths without tricks. */
export function diskKeeper(folder: string): Keeper {
  return {
    place: 'disk',
    put: async (file, key) => {
      const target = join(folder, key);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      // A copy, since it is asked for again when the process dies before its row is written.
      await copyFile(file, `${target}.part`);
      await rename(`${target}.part`, target);
    },
    open: async (key, range) => {
      const handle = await open(join(folder, key), 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (handle === undefined) return undefined;
      return createReadStream('', {
        fd: handle,
        ...(range === undefined ? {} : { start: range.first, end: range.last }),
      });
    },
    remove: async (key) => {
      await rm(join(folder, key), { force: true });
    },
  };
}
