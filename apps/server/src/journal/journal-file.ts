import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import type { Logger } from 'pino';
import { reasonOf } from '../store/failure.ts';
import {
  changeText,
  headLine,
  JOURNAL_ROOMS,
  type JournalChange,
  MAX_FILE_BYTES,
  MAX_KEY_LENGTH,
  MAX_VALUE_LENGTH,
  type ReadJournal,
  readJournal,
  unitLine,
} from './journal-format.ts';

export interface JournalOptions {
  /** Bytes from which the file is written anew when most of it is history. */
  readonly worthCompacting?: number;
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
 * The file is written anew when it is larger than this and mostly history. 500 calls with their descriptions are 10 MB alive, which
 * take 30 ms to write; a smaller file is not worth a pause.
 */
const WORTH_COMPACTING_BYTES = 4 * 1024 * 1024;
const HISTORY_FACTOR = 4;
/** After a write that failed (a full disk), the whole is tried again, but not at every line. */
const RETRY_WRITES = 64;

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
  const { worthCompacting = WORTH_COMPACTING_BYTES, afresh = false } = options;
  const read = readFound(path, boot);
  const found = afresh ? putAside(path, read, log) : read;
  if (found.problem !== undefined) log.warn({ why: found.problem }, 'journal not taken over as a whole');
  /** What a new file would hold, by room and key. */
  const alive = new Map<string, string>();
  let aliveBytes = 0;
  let size = 0;
  let fd: number | undefined;
  let failures = 0;
  let why: string | undefined;
  let waiting = 0;
  let closed = false;

  const keep = ({ room, key, value }: JournalChange): string => {
    const name = `${room} ${key}`;
    const before = alive.get(name);
    if (before !== undefined) aliveBytes -= before.length;
    let text = changeText({ room, key, value });
    if (value !== null && (key.length > MAX_KEY_LENGTH || text.length > MAX_VALUE_LENGTH)) {
      log.error({ room, key: key.slice(0, 64), length: text.length }, 'too much for the journal');
      text = changeText({ room, key: key.slice(0, MAX_KEY_LENGTH), value: null });
      alive.delete(name);
      return text;
    }
    if (value === null) {
      alive.delete(name);
      return text;
    }
    alive.set(name, text);
    aliveBytes += text.length;
    return text;
  };

  /** Writes all that is alive to a new file, which then takes the place of the old one. */
  const compact = (): void => {
    const fresh = `${path}.new`;
    const next = openSync(fresh, 'w', 0o600);
    try {
      const bytes = Buffer.from(
        [headLine(boot), ...[...alive.values()].map((text) => unitLine([text]))].join(''),
      );
      writeWhole(next, bytes);
      renameSync(fresh, path);
      if (fd !== undefined) closeSync(fd);
      fd = next;
      size = bytes.length;
    } catch (error) {
      closeSync(next);
      rmSync(fresh, { force: true });
      throw error;
    }
  };

  const failed = (error: unknown): void => {
    if (failures === 0)
      log.error({ err: error }, 'journal cannot be written; a restart now would lose calls');
    failures += 1;
    why = reasonOf(error);
  };

  const attempt = (work: () => void): void => {
    try {
      work();
      if (failures > 0) log.info('journal is written again');
      failures = 0;
      waiting = 0;
      why = undefined;
    } catch (error) {
      failed(error);
    }
  };

  for (const room of JOURNAL_ROOMS)
    for (const { key, value } of found.entries[room]) keep({ room, key, value: value as object });
  attempt(compact);

  return {
    found,
    get size() {
      return size;
    },
    get why() {
      return why;
    },
    get waiting() {
      return waiting;
    },
    write: (changes) => {
      if (closed || changes.length === 0) return;
      const unit = changes.map(keep);
      waiting += changes.length;
      if (failures > 0 || fd === undefined) {
        if (failures % RETRY_WRITES === 0) attempt(compact);
        else failures += 1;
        return;
      }
      const bytes = Buffer.from(unitLine(unit));
      const to = fd;
      attempt(() => {
        try {
          writeWhole(to, bytes);
        } catch (error) {
          // Half a line would swallow the next one.
          ftruncateSync(to, size);
          throw error;
        }
        size += bytes.length;
        if (size > worthCompacting && size > HISTORY_FACTOR * aliveBytes) compact();
      });
    },
    settled: () => {
      if (failures > 0 && !closed) attempt(compact);
      return failures === 0;
    },
    close: () => {
      // Whoever follows would find an old state, and the disk may have room again.
      if (failures > 0 && !closed) attempt(compact);
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
      closed = true;
    },
  };
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

function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
