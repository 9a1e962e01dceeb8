import { createHash } from 'node:crypto';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ms } from '@sidetone/core';
import { epoch } from '../clock.ts';
import { ageOf } from './file-age.ts';
import { LIMITS, SoundFault } from './limits.ts';
import { fileOf, lookPrepared, NAME, type Prepared } from './prepared-file.ts';

/**
 * The folder of prepared files: `<folder>/<account>/<name>`. Over its bound the files that nobody has asked for the longest go first,
 * but none that was asked for within the last hour: media may have it open, or open it again for a loop.
 */

interface Entry {
  readonly account: string;
  readonly bytes: number;
  /** Read from the file when it is first asked for. */
  ms: Ms | undefined;
  usedAt: Ms;
}

interface Amount {
  readonly bytes: number;
  readonly files: number;
}

export interface CacheOptions {
  readonly folder: string;
  /** Bytes of all files. One account has half of it at most in files that are held. */
  readonly most: number;
  /** Files; likewise. A file of a few bytes takes a block of the disk, and a place in every look at the folder. */
  readonly mostFiles?: number;
  readonly now: () => Ms;
  readonly heldMs?: Ms;
}

const MOST_FILES = 50_000;

/** Accounts' ids are no names of folders. */
const folderName = (account: string): string =>
  createHash('sha256').update(account).digest('hex').slice(0, 32);

/** `undefined`: it is not as long as it says. */
async function lengthOf(file: string, bytes: number): Promise<Ms | undefined> {
  const prepared = await lookPrepared(file);
  return prepared?.bytes === bytes ? prepared.ms : undefined;
}

export class SoundCache {
  readonly #options: CacheOptions;
  readonly #heldMs: Ms;
  readonly #mostFiles: number;
  /** By path below the folder. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  private constructor(options: CacheOptions) {
    this.#options = options;
    this.#heldMs = options.heldMs ?? LIMITS.heldMs;
    this.#mostFiles = options.mostFiles ?? MOST_FILES;
  }

  /** Takes up what a process before has left, without what it left half done. */
  static async open(options: CacheOptions): Promise<SoundCache> {
    const cache = new SoundCache(options);
    await cache.#scan();
    await cache.#shrink();
    return cache;
  }

  get bytes(): number {
    return this.#bytes;
  }

  folderOf(account: string): string {
    return join(this.#options.folder, folderName(account));
  }

  /** The file, which stays for an hour from now, or `undefined`. */
  async find(account: string, name: string): Promise<{ file: string; ms: Ms } | undefined> {
    const key = join(folderName(account), fileOf(name));
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.usedAt = this.#options.now();
    const file = join(this.#options.folder, key);
    try {
      // Also tells the next process, and whether it is there at all.
      const seconds = epoch() / 1000;
      await utimes(file, seconds, seconds);
      entry.ms ??= await lengthOf(file, entry.bytes);
      if (entry.ms !== undefined) return { file, ms: entry.ms };
      // It is not what we wrote: made again, over it.
      this.#forget(key, entry);
      await rm(file, { force: true });
      return undefined;
    } catch {
      this.#forget(key, entry);
      return undefined;
    }
  }

  /** Counts a file that has been written. */
  async add(account: string, name: string, { ms, bytes }: Prepared): Promise<{ file: string; ms: Ms }> {
    const key = join(folderName(account), fileOf(name));
    const before = this.#entries.get(key);
    if (before !== undefined) this.#forget(key, before);
    this.#entries.set(key, { account: folderName(account), ms, bytes, usedAt: this.#options.now() });
    this.#bytes += bytes;
    await this.#shrink();
    return { file: join(this.#options.folder, key), ms };
  }

  /** @throws SoundFault when files that are held leave no room for another one */
  checkRoom(account: string): void {
    const { most } = this.#options;
    const [all, own] = this.#held(folderName(account));
    const isFull = all.bytes >= most || all.files >= this.#mostFiles;
    if (isFull || own.bytes >= most / 2 || own.files >= this.#mostFiles / 2)
      throw new SoundFault('failed', 'The folder of prepared sounds is full; see sounds.cache_mb.');
  }

  #held(account: string): readonly [all: Amount, own: Amount] {
    const since = this.#options.now() - this.#heldMs;
    const [all, own] = [
      { bytes: 0, files: 0 },
      { bytes: 0, files: 0 },
    ];
    for (const entry of this.#entries.values()) {
      if (entry.usedAt < since) continue;
      all.bytes += entry.bytes;
      all.files += 1;
      if (entry.account !== account) continue;
      own.bytes += entry.bytes;
      own.files += 1;
    }
    return [all, own];
  }

  get #isOver(): boolean {
    return this.#bytes > this.#options.most || this.#entries.size > this.#mostFiles;
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.delete(key)) this.#bytes -= entry.bytes;
  }

  async #shrink(): Promise<void> {
    if (!this.#isOver) return;
    const since = this.#options.now() - this.#heldMs;
    const old = [...this.#entries].filter(([, entry]) => entry.usedAt < since);
    old.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [key, entry] of old) {
      if (!this.#isOver) return;
      // Asked for while others were removed.
      if (entry.usedAt >= since) continue;
      this.#forget(key, entry);
      await rm(join(this.#options.folder, key), { force: true }).catch(() => {});
    }
  }

  async #scan(): Promise<void> {
    const { folder, now } = this.#options;
    const accounts = await readdir(folder).catch(() => []);
    for (const account of accounts) {
      for (const file of await readdir(join(folder, account)).catch(() => [])) {
        const key = join(account, file);
        const path = join(folder, key);
        const found = await stat(path).catch(() => undefined);
        if (found === undefined) continue;
        const age = ageOf(found.mtimeMs);
        if (NAME.test(file)) {
          this.#entries.set(key, { account, bytes: found.size, ms: undefined, usedAt: now() - age });
          this.#bytes += found.size;
        } else if (age > this.#heldMs) await rm(path, { force: true }).catch(() => {});
      }
    }
  }
}
