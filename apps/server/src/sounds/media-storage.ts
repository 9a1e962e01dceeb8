import { createHash, randomUUID, webcrypto } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EpochMs, Ms } from '@sidetone/core';
import { z } from 'zod';
import { ageOf } from './file-age.ts';
import { tooLarge } from './limits.ts';

/**
 * Files that accounts have stored under names: `<folder>/<account>/<name>.json` beside the bytes, all names hashed, so that none of them
 * is ever a path. A file is there when its description is: bytes are written first, the description is renamed into place, and what it
 * replaces goes last.
 */

export interface MediaItem {
  readonly name: string;
  /** As whoever stored it calls it. */
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly createdAt: EpochMs;
  readonly updatedAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** Where the bytes are. */
  readonly file: string;
}

/** Bytes that are on the disk and belong to nobody yet. */
export interface Draft {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly contentType: string;
}

export interface MediaStorageOptions {
  readonly folder: string;
  /** Bytes of one account. */
  readonly quota: number;
  readonly now: () => EpochMs;
}

export const DEFAULT_TTL_SECS = 2 * 86_400;
/** Twenty years, as published. */
export const MOST_TTL_SECS = 630_720_000;
const MOST_FILES = 1000;
const SWEEP_MS = 60_000;
/** Bytes without a description are somebody's upload under way until they are this old. */
const ORPHAN_MS = 3_600_000;

/** Letters, digits and signs; no path, no control character, nothing that a shell or a log would take for something else. */
export const isMediaName = (name: string): boolean =>
  name.length <= 255 && /^[^\p{C}\p{Zl}\p{Zp}/\\]+$/u.test(name) && !/^\.{1,2}$/.test(name);

const description = z.object({
  account: z.string(),
  name: z.string().refine(isMediaName),
  contentType: z.string(),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.number(),
  updatedAt: z.number(),
  expiresAt: z.number(),
  blob: z.string().regex(/^[0-9a-f-]{1,80}\.bin$/),
});

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

export class MediaStorage {
  readonly #options: MediaStorageOptions;
  /** By account, then by name. */
  readonly #items = new Map<string, Map<string, MediaItem>>();
  readonly #ready: Promise<void>;
  readonly #sweep: NodeJS.Timeout;
  /** Changes of descriptions, one behind the other. */
  #changes: Promise<unknown>;

  constructor(options: MediaStorageOptions) {
    this.#options = options;
    this.#ready = this.#load();
    this.#changes = this.#ready;
    this.#sweep = setInterval(() => this.sweep().catch(() => {}), SWEEP_MS);
    this.#sweep.unref();
  }

  /** Sorted by name. */
  async list(account: string): Promise<readonly MediaItem[]> {
    await this.#ready;
    const now = this.#options.now();
    const own = [...(this.#items.get(account)?.values() ?? [])].filter(({ expiresAt }) => expiresAt > now);
    return own.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async find(account: string, name: string): Promise<MediaItem | undefined> {
    await this.#ready;
    const item = this.#items.get(account)?.get(name);
    return item !== undefined && item.expiresAt > this.#options.now() ? item : undefined;
  }

  /** Where bytes may be written before they belong to somebody. */
  async draftFile(): Promise<string> {
    const folder = join(this.#options.folder, 'drafts');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return join(folder, `${randomUUID()}.bin`);
  }

  async draftOf(bytes: Uint8Array, contentType: string): Promise<Draft> {
    const file = await this.draftFile();
    await writeFile(file, bytes, { mode: 0o600 });
    // Not on this thread: 20 MiB take some 50 ms.
    const digest = await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
    return { file, bytes: bytes.length, sha256: Buffer.from(digest).toString('hex'), contentType };
  }

  /**
   * Makes `draft` the account's file of this name, in place of one that has it: a request that is sent again finds itself done.
   * @throws SoundFault `too-large` when the account has no room
   */
  keep(account: string, name: string, draft: Draft, ttlMs: Ms): Promise<MediaItem> {
    return this.#change(async () => {
      const before = await this.find(account, name);
      const others = (await this.list(account)).filter((item) => item.name !== name);
      if (others.length >= MOST_FILES) throw tooLarge(`An account may store ${MOST_FILES} files.`);
      const used = others.reduce((sum, item) => sum + item.bytes, 0);
      if (used + draft.bytes > this.#options.quota)
        throw tooLarge(`An account may store ${Math.floor(this.#options.quota / 1024 / 1024)} MiB.`);
      const now = this.#options.now();
      const folder = join(this.#options.folder, hashed(account));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${hashed(name)}-${randomUUID()}.bin`);
      await rename(draft.file, file);
      return await this.#describe(account, {
        name,
        contentType: draft.contentType,
        bytes: draft.bytes,
        sha256: draft.sha256,
        createdAt: before?.createdAt ?? now,
        updatedAt: now,
        expiresAt: now + ttlMs,
        file,
      });
    });
  }

  /** `undefined`: there is none of this name. */
  renew(account: string, name: string, ttlMs: Ms): Promise<MediaItem | undefined> {
    return this.#change(async () => {
      const item = await this.find(account, name);
      if (item === undefined) return undefined;
      const now = this.#options.now();
      return await this.#describe(account, { ...item, updatedAt: now, expiresAt: now + ttlMs });
    });
  }

  /** Whether there was one. */
  remove(account: string, name: string): Promise<boolean> {
    return this.#change(async () => {
      const there = (await this.find(account, name)) !== undefined;
      await this.#drop(account, name);
      return there;
    });
  }

  /** Removes what has expired. */
  sweep(): Promise<void> {
    return this.#change(async () => {
      const now = this.#options.now();
      for (const [account, items] of this.#items)
        for (const item of [...items.values()])
          if (item.expiresAt <= now) await this.#drop(account, item.name);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#changes.catch(() => {});
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(work, work);
    this.#changes = done.catch(() => {});
    return done;
  }

  async #describe(account: string, item: MediaItem): Promise<MediaItem> {
    const { file, ...told } = item;
    const blob = file.slice(file.lastIndexOf('/') + 1);
    const path = this.#descriptionOf(account, item.name);
    await writeFile(`${path}.new`, JSON.stringify({ account, ...told, blob }), { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    const own = this.#items.get(account) ?? new Map<string, MediaItem>();
    const before = own.get(item.name);
    own.set(item.name, item);
    this.#items.set(account, own);
    if (before !== undefined && before.file !== file) await rm(before.file, { force: true });
    return item;
  }

  async #drop(account: string, name: string): Promise<void> {
    const item = this.#items.get(account)?.get(name);
    if (item === undefined) return;
    await rm(this.#descriptionOf(account, name), { force: true });
    this.#items.get(account)!.delete(name);
    await rm(item.file, { force: true });
  }

  #descriptionOf(account: string, name: string): string {
    return join(this.#options.folder, hashed(account), `${hashed(name)}.json`);
  }

  async #load(): Promise<void> {
    const known = new Set<string>();
    const all: string[] = [];
    for (const folder of await readdir(this.#options.folder).catch(() => [])) {
      for (const name of await readdir(join(this.#options.folder, folder)).catch(() => [])) {
        const path = join(this.#options.folder, folder, name);
        if (!name.endsWith('.json')) {
          all.push(path);
          continue;
        }
        const text = await readFile(path, 'utf8').catch(() => '');
        const read = description.safeParse(parsed(text));
        if (!read.success) continue;
        const { account, blob, ...item } = read.data;
        if (folder !== hashed(account)) continue;
        const file = join(this.#options.folder, folder, blob);
        known.add(file);
        const own = this.#items.get(account) ?? new Map<string, MediaItem>();
        this.#items.set(account, own.set(item.name, { ...item, file }));
      }
    }
    for (const path of all.filter((file) => !known.has(file))) {
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && ageOf(found.mtimeMs) > ORPHAN_MS)
        await rm(path, { force: true }).catch(() => {});
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
