import { mkdirSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import type { EpochMs, Ms } from '@sidetone/core';
import type { RecordingResult, RecordingToSave } from '@sidetone/wire';
import type { Logger } from 'pino';
import { ageOf } from '../sounds/file-age.ts';
import { diskKeeper } from './disk-keeper.ts';
import { createFinisher } from './finisher.ts';
import type { Keeper } from './keeper.ts';
import { type Links, typeOf } from './links.ts';
import type { KeptRecording, RecordingStore } from './recording-store.ts';

export interface RecordingServiceOptions {
  readonly dataDir: string;
  readonly store: RecordingStore;
  readonly links: Links;
  /** Where new ones are kept; absent: in the data folder. */
  readonly keeper?: Keeper;
  /** Days after which they are removed; absent: never. */
  readonly keepDays?: number;
  readonly epoch: () => EpochMs;
  readonly log: Logger;
  /** Between tries; the last one is the end. */
  readonly retriesMs?: readonly Ms[];
}

/** The recordings of the running product: from the file that media has closed to the link that expires. */
export interface RecordingService {
  /** Calls back once; not when this process ends before. Asked again, also by another process, it is saved once. */
  save(id: string, recording: RecordingToSave, saved: (result: RecordingResult) => void): void;
  readonly store: RecordingStore;
  readonly links: Links;
  keeperOf(recording: KeptRecording): Keeper | undefined;
  /** The file first: what is left of a removal that failed can be removed again. */
  remove(recording: KeptRecording): Promise<void>;
  readonly state: { readonly waiting: number; readonly why: string | undefined };
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const SWEEP_MS: Ms = 3_600_000;
const SWEPT_AT_ONCE = 200;
/** A file that has not grown for so long is nobody's: no call is paused for longer. */
const FORGOTTEN_MS = 2 * DAY_MS;
/** A store that takes a file may finish by then. */
const LONGEST_CLOSING_MS: Ms = 2000;
/** Finished at a time. */
const SLOTS = 2;
const RETRIES_MS: readonly Ms[] = [1000, 4000, 15_000, 60_000, 120_000, 180_000, 220_000];

/**
 *   data folder: recordings/open/<id>.wav ─▶ thread: trim, convert ─▶ finished/<id>.<format> ─▶ keeper ─▶ row ─▶ told
 *
 * Until the row is written all of it is done again by the process that follows; a file that is not saved after all tries is set aside.
 */
export function createRecordingService(options: RecordingServiceOptions): RecordingService {
  return new Recordings(options);
}

class Recordings implements RecordingService {
  readonly store: RecordingStore;
  readonly links: Links;
  readonly #options: RecordingServiceOptions;
  readonly #folder: string;
  readonly #disk: Keeper;
  readonly #finisher = createFinisher();
  readonly #saving = new Map<string, Promise<void>>();
  readonly #ends = new AbortController();
  readonly #sweeping: NodeJS.Timeout;
  /** Who waits for a slot: accounts take turns, so that the many recordings of one keep nobody waiting. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = 0;
  #why: string | undefined;

  constructor(options: RecordingServiceOptions) {
    this.#options = options;
    this.store = options.store;
    this.links = options.links;
    this.#folder = join(options.dataDir, 'recordings');
    for (const part of ['open', 'finished', 'kept', 'unsaved'])
      mkdirSync(join(this.#folder, part), { recursive: true, mode: 0o700 });
    this.#disk = diskKeeper(join(this.#folder, 'kept'));
    this.#sweeping = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
    void this.#sweep();
  }

  get state(): RecordingService['state'] {
    return { waiting: this.#saving.size, why: this.#why };
  }

  save(id: string, recording: RecordingToSave, saved: (result: RecordingResult) => void): void {
    if (this.#saving.has(id)) return;
    const saving = this.#tries(id, recording).then((result) => {
      this.#saving.delete(id);
      if (result !== undefined) saved(result);
    });
    this.#saving.set(id, saving);
  }

  keeperOf({ place }: KeptRecording): Keeper | undefined {
    return place === 'disk'
      ? this.#disk
      : this.#options.keeper?.place === place
        ? this.#options.keeper
        : undefined;
  }

  async remove(recording: KeptRecording): Promise<void> {
    const keeper = this.keeperOf(recording);
    // Of a store that is configured no more: whoever took it away has the files.
    await keeper?.remove(recording.key);
    await this.store.remove(recording.id);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    this.#ends.abort();
    for (const waiting of this.#waiting.values()) for (const begin of waiting.splice(0)) begin();
    // What is half made is made anew by the process that follows: a long one must not hold a handover up.
    await this.#finisher.close();
    await Promise.race([Promise.all(this.#saving.values()), rest(LONGEST_CLOSING_MS)]);
    await this.store.close();
  }

  async #turn<T>(account: string, work: () => Promise<T>): Promise<T> {
    if (this.#running >= SLOTS)
      await new Promise<void>((begin) => {
        const waiting = this.#waiting.get(account) ?? [];
        this.#waiting.set(account, [...waiting, begin]);
      });
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      const [next] = this.#waiting;
      if (next !== undefined) {
        const [of, [begin, ...others]] = next;
        this.#waiting.delete(of);
        if (others.length > 0) this.#waiting.set(of, others);
        begin?.();
      }
    }
  }

  async #tries(id: string, recording: RecordingToSave): Promise<RecordingResult | undefined> {
    for (const pause of [...(this.#options.retriesMs ?? RETRIES_MS), null]) {
      if (this.#ends.signal.aborted) return undefined;
      try {
        // Between tries others have their turn.
        const kept = await this.#turn(recording.account, async () => {
          this.#ends.signal.throwIfAborted();
          return await this.#once(id, recording);
        });
        this.#why = undefined;
        return kept === null ? FAILED : this.#told(kept);
      } catch (error) {
        if (this.#ends.signal.aborted) return undefined;
        this.#why = 'recordings cannot be saved';
        const { message } = error as Error;
        this.#options.log.error(
          { recording: id, problem: message, again: pause },
          'a recording is not saved',
        );
      }
      if (pause === null) break;
      await rest(pause, undefined, { signal: this.#ends.signal }).catch(() => {});
    }
    await rename(this.#file('open', `${id}.wav`), this.#file('unsaved', `${id}.wav`)).catch(() => {});
    return FAILED;
  }

  /** `null`: there is nothing to save. */
  async #once(id: string, recording: RecordingToSave): Promise<KeptRecording | null> {
    const known = await this.store.find(id);
    if (known !== null) {
      await this.#clear(id, known.format);
      return known;
    }
    const { format, trim } = recording;
    const into = this.#file('finished', `${id}.${format}`);
    const file = join(this.#options.dataDir, recording.file);
    const finished = await this.#finisher.finish({ file, into, format, trim: trim === true });
    if (!finished.ok && finished.why === 'ENOENT') {
      this.#options.log.error({ recording: id }, 'a recording has no file');
      return null;
    }
    if (!finished.ok) throw new Error(finished.why);
    const keeper = this.#options.keeper ?? this.#disk;
    const day = new Date(recording.startedAt).toISOString().slice(0, 10);
    const key = `${recording.account}/${day}/${recording.name}-${id}.${format}`;
    await keeper.put(into, key, typeOf(format));
    const { file: _f, name: _n, why, lostMs, trim: _t, ...about } = recording;
    const createdAt = this.#options.epoch();
    const { bytes, durationMs } = finished;
    const kept: KeptRecording = { id, ...about, durationMs, createdAt, place: keeper.place, key, bytes };
    await this.store.save(kept);
    await this.#clear(id, format);
    this.#options.log.info({ recording: id, durationMs, bytes, why, lostMs }, 'recording saved');
    return kept;
  }

  #told({ id, format, durationMs }: KeptRecording): RecordingResult {
    return { ok: true, durationMs, url: this.links.make(id, format, this.#options.epoch()) };
  }

  async #clear(id: string, format: string): Promise<void> {
    await rm(this.#file('finished', `${id}.${format}`), { force: true });
    await rm(this.#file('open', `${id}.wav`), { force: true });
  }

  #file(part: string, name: string): string {
    return join(this.#folder, part, name);
  }

  /** Removes what is older than it is kept, and sets files aside that nobody asks for. */
  async #sweep(): Promise<void> {
    const { keepDays, epoch, log } = this.#options;
    try {
      const open = join(this.#folder, 'open');
      for (const name of await readdir(open)) {
        const { mtimeMs } = await stat(join(open, name));
        if (ageOf(mtimeMs) > FORGOTTEN_MS) await rename(join(open, name), this.#file('unsaved', name));
      }
      if (keepDays === undefined) return;
      for (;;) {
        const day = epoch();
        const old = await this.store.before(day - keepDays * DAY_MS, SWEPT_AT_ONCE);
        let problem: string | undefined;
        let removed = 0;
        for (const recording of old) {
          // One that cannot be removed keeps no other.
          await this.remove(recording).then(
            () => removed++,
            (error: Error) => {
              problem ??= error.message;
            },
          );
        }
        if (removed > 0) log.info({ recordings: removed }, 'old recordings removed');
        if (problem !== undefined && (removed === 0 || old.length < SWEPT_AT_ONCE)) throw new Error(problem);
        if (old.length < SWEPT_AT_ONCE || this.#ends.signal.aborted) return;
      }
    } catch (error) {
      if (!this.#ends.signal.aborted)
        log.error(
          { problem: (error as Error).message },
          'old recordings are not removed; trying again later',
        );
    }
  }
}

const FAILED: RecordingResult = { ok: false, problem: 'Internal server error' };
