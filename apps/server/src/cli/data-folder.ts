import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fail } from './fail.ts';

/**
 * The data folder, as an absolute path; `undefined`: there is none, and that has been said. Only `serve` makes one: a new one made by another
 * command would be a mistaken one, and what it holds good nowhere.
 */
export function dataFolder(data: string): string | undefined {
  const folder = resolve(data);
  if (existsSync(folder)) return folder;
  fail(
    `there is no data folder ${folder}; start "sidetone serve --data ${data}" once, or name the right folder with --data`,
  );
  return undefined;
}
