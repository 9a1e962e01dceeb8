import { closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync } from 'node:fs';
import type { Ms } from '@sidetone/core';
import type { Logger } from 'pino';
import { monotonic } from '../clock.ts';
import { reasonOf } from '../store/failure.ts';
import {
  changeText,
  JOURNAL_ROOMS,
  type JournalChange,
  MAX_FILE_BYTES,
  MAX_KEY_LENGTH,
  MAX_VALUE_LENGTH,
  type ReadJournal,
  readJournal,
  unitLine,
} from './journal-format.ts';
import { Rewrite, writeWhole } from './rewrite.ts';

export interface JournalOptions {
  /** Bytes from which the file is written anew when most of it is history. */
  readonly worthCompacting?: number;
  /** So many characters of it at each unit, at least. */
  readonly step?: number;
  /** Only the records count: whoever took over the rest failed. */
  readonly afresh?: boolean;
}

export interface JournalFile {
  /** What the process before left; the same for the life of this object. */
  readonly found: ReadJournal;
  /** One unit, in one synchronous write: in the page cache when it returns. Never throws. */
  write(changes: readonly JournalChange[]): void;
  /** Is everything written? What could not be is tried again. */
  settled(): boolean;
  /** Why it is not; `undefined` while all is well. */
  readonly why: string | undefined;
  /** Changes since it could be written last. */
  readonly waiting: number;
  /** Bytes of the file now. */
  readonly size: number;
  close(): void;
}

/**
 * The file is written anew when it is larger than this and mostly history, or holds more history than a start should have to read. 500
 * calls with their descriptions are 10 MB alive; a smaller file is not worth the work.
 */
const WORTH_COMPACTING_BYTES = 4 * 1024 * 1024;
const HISTORY_FACTOR = 4;
const MOST_HISTORY_BYTES = 64 * 1024 * 1024;
/** It is written anew in steps beside what comes in, since calls wait for each: so much at each unit, and so many times the unit. */
const STEP_CHARACTERS = 128 * 1024;
const STEP_FACTOR = 8;
/** After a write that failed (a full disk), the whole is tried again, but not at every line, nor again and again when that takes long. */
const RETRY_WRITES = 64;
const RETRY_PAUSE_FACTOR = 20;

/**
 * Opens the journal at `path`, reads what is there, and begins a file of its own with it.
 *
 * Written without fsync: the page cache survives the death of a process, and that is what this journal is for. A machine that dies
 * takes its media with it, so there is nothing to go on with.
 *
 * What cannot be written (a full disk) is logged and written later, with the whole; calls go on. A crash meanwhile finds an older state.
 */
export function openJournal(
  path: string,
  boot: string,
  log: Logger,
  options: JournalOptions = {},
): JournalFile {
  const { worthCompacting = WORTH_COMPACTING_BYTES, step = STEP_CHARACTERS, afresh = false } = options;
  const read = readFound(path, boot);
  const found = afresh ? putAside(path, read, log) : read;
  if (found.problem !== undefined) log.warn({ why: found.problem }, 'journal not taken over as a whole');
  return new Journal(path, boot, log, { worthCompacting, step }, found);
}

class Journal implements JournalFile {
  readonly found: ReadJournal;
  readonly #path: string;
  readonly #boot: string;
  readonly #log: Logger;
  readonly #worthCompacting: number;
  readonly #step: number;
  /** What a new file would hold, by room and key. */
  readonly #alive = new Map<string, string>();
  #aliveBytes = 0;
  #size = 0;
  #fd: number | undefined;
  /** The file that will follow this one, while it is being written. */
  #rewrite: Rewrite | undefined;
  /** From this size on the file is written anew. */
  #fullAt = 0;
  #retryAt: Ms = 0;
  /** Writes in a row that failed, and those that were not tried after them. */
  #failures = 0;
  #why: string | undefined;
  #waiting = 0;
  #closed = false;

  constructor(
    path: string,
    boot: string,
    log: Logger,
    { worthCompacting, step }: Required<Pick<JournalOptions, 'worthCompacting' | 'step'>>,
    found: ReadJournal,
  ) {
    this.#path = path;
    this.#boot = boot;
    this.#log = log;
    this.#worthCompacting = worthCompacting;
    this.#step = step;
    this.found = found;
    for (const room of JOURNAL_ROOMS)
      for (const { key, value } of found.entries[room]) this.#keep({ room, key, value: value as object });
    this.#attempt(() => this.#compact());
  }

  get size(): number {
    return this.#size;
  }

  get why(): string | undefined {
    return this.#why;
  }

  get waiting(): number {
    return this.#waiting;
  }

  write(changes: readonly JournalChange[]): void {
    if (this.#closed || changes.length === 0) return;
    const unit = changes.map((change) => this.#keep(change));
    this.#waiting += changes.length;
    if (this.#failures === 0 && this.#fd !== undefined) {
      const to = this.#fd;
      this.#attempt(() => this.#append(to, unitLine(unit)));
    } else if (this.#failures % RETRY_WRITES === 0 && monotonic() >= this.#retryAt)
      this.#attempt(() => this.#compact());
    else this.#failures += 1;
  }

  settled(): boolean {
    if (this.#failures > 0 && !this.#closed) this.#attempt(() => this.#compact());
    return this.#failures === 0;
  }

  close(): void {
    // Whoever follows would find an old state, and the disk may have room again.
    if (this.#failures > 0 && !this.#closed) this.#attempt(() => this.#compact());
    this.#dropRewrite();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#closed = true;
  }

  /** Notes a change in what is alive, and spells it. One that is too large to be read again is the end of its entry. */
  #keep({ room, key, value }: JournalChange): string {
    const name = `${room} ${key}`;
    const before = this.#alive.get(name);
    if (before !== undefined) this.#aliveBytes -= before.length;
    const text = changeText({ room, key, value });
    if (value === null) {
      this.#alive.delete(name);
      return text;
    }
    if (key.length > MAX_KEY_LENGTH || text.length > MAX_VALUE_LENGTH) {
      this.#alive.delete(name);
      this.#log.error({ room, key: key.slice(0, 64), length: text.length }, 'too much for the journal');
      return changeText({ room, key: key.slice(0, MAX_KEY_LENGTH), value: null });
    }
    this.#alive.set(name, text);
    this.#aliveBytes += text.length;
    return text;
  }

  #append(to: number, line: string): void {
    const bytes = Buffer.from(line);
    try {
      this.#appendWhole(to, bytes);
    } catch (error) {
      // The room may be what the file that follows has taken.
      if (this.#rewrite === undefined) throw error;
      this.#notAnew(error);
      this.#appendWhole(to, bytes);
    }
    this.#size += bytes.length;
    this.#rewrite?.also(line);
    if (this.#rewrite !== undefined || this.#isHistory()) this.#goOn(line.length);
  }

  #appendWhole(to: number, bytes: Buffer): void {
    try {
      writeWhole(to, bytes);
    } catch (error) {
      // Half a line would swallow the next one.
      ftruncateSync(to, this.#size);
      throw error;
    }
  }

  #isHistory(): boolean {
    const alive = this.#aliveBytes;
    const most = Math.max(
      this.#worthCompacting,
      Math.min(HISTORY_FACTOR * alive, alive + MOST_HISTORY_BYTES),
    );
    return this.#size > most && this.#size >= this.#fullAt;
  }

  /** One more step of the file that follows. When it fails nothing is lost: this one goes on, and it is tried again when that has grown. */
  #goOn(written: number): void {
    try {
      this.#rewrite ??= new Rewrite(this.#path, this.#boot, this.#alive);
      if (!this.#rewrite.step(Math.max(this.#step, STEP_FACTOR * written))) return;
      this.#follow(this.#rewrite);
    } catch (error) {
      this.#notAnew(error);
    }
  }

  #notAnew(error: unknown): void {
    this.#dropRewrite();
    this.#fullAt = this.#size + this.#worthCompacting;
    this.#log.warn({ why: reasonOf(error) }, 'journal cannot be written anew; it grows');
  }

  /** Writes all that is alive to a new file at once. */
  #compact(): void {
    this.#dropRewrite();
    const rewrite = new Rewrite(this.#path, this.#boot, this.#alive);
    this.#rewrite = rewrite;
    try {
      rewrite.step(Number.POSITIVE_INFINITY);
      this.#follow(rewrite);
    } catch (error) {
      this.#dropRewrite();
      throw error;
    }
  }

  #follow(rewrite: Rewrite): void {
    const { fd, size } = rewrite.done();
    this.#rewrite = undefined;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = fd;
    this.#size = size;
    // What is alive is counted in characters, of which each may be several bytes.
    this.#fullAt = size + Math.min(size, MOST_HISTORY_BYTES);
  }

  #dropRewrite(): void {
    this.#rewrite?.drop();
    this.#rewrite = undefined;
  }

  #attempt(work: () => void): void {
    const began = monotonic();
    try {
      work();
      if (this.#failures > 0) this.#log.info('journal is written again');
      this.#failures = 0;
      this.#waiting = 0;
      this.#why = undefined;
    } catch (error) {
      if (this.#failures === 0)
        this.#log.error({ err: error }, 'journal cannot be written; a restart now would lose calls');
      this.#failures += 1;
      const now = monotonic();
      this.#retryAt = now + RETRY_PAUSE_FACTOR * (now - began);
      this.#why = reasonOf(error);
    }
  }
}

/** Without the calls; the file itself stays for whoever looks into what was wrong with them. */
function putAside(path: string, found: ReadJournal, log: Logger): ReadJournal {
  try {
    renameSync(path, `${path}.failed`);
    log.error(
      { see: `${path}.failed` },
      'processes that took over the calls kept failing: starting without them',
    );
  } catch {}
  return { ...found, entries: { ...found.entries, voice: [], vsp: [], proxy: [] } };
}

function readFound(path: string, boot: string): ReadJournal {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    const nothing = readJournal(Buffer.alloc(0), boot);
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? nothing : { ...nothing, problem: `it cannot be read (${code})` };
  }
  try {
    const { size } = fstatSync(fd);
    if (size > MAX_FILE_BYTES) return { ...readJournal(Buffer.alloc(0), boot), problem: 'it is too large' };
    const bytes = Buffer.alloc(size);
    let at = 0;
    for (let read = -1; read !== 0 && at < size; at += read) read = readSync(fd, bytes, at, size - at, at);
    return readJournal(bytes.subarray(0, at), boot);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { ...readJournal(Buffer.alloc(0), boot), problem: `it cannot be read (${code})` };
  } finally {
    closeSync(fd);
  }
}
