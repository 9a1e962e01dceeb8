import { Worker } from 'node:worker_threads';
import type { Ms } from '@sidetone/core';
import type { CallRecord } from '@sidetone/wire';
import type { Logger } from 'pino';
import { monotonic } from '../clock.ts';

/** Main thread → worker: one question at a time. */
export type WriterInput =
  | { readonly type: 'write'; readonly records: readonly CallRecord[] }
  | { readonly type: 'close' };

/** Worker → main thread: the answer to `write`. */
export type WriterOutput =
  | { readonly type: 'written' }
  | { readonly type: 'problem'; readonly problem: string; readonly reason: string };

export interface RecordsState {
  /** Ended legs whose records are not on disk yet. */
  readonly waiting: number;
  /** Records given up because too many waited; they stand in the log. */
  readonly lost: number;
  /** Why nothing is written; `undefined` while all is well. */
  readonly why: string | undefined;
}

/** Writes call records off the signalling thread: a disk that takes long to sync delays no call. */
export interface RecordWriter {
  save(record: CallRecord): void;
  readonly state: RecordsState;
  /** Resolves when everything saved is on disk, or could not be written several times more. */
  close(): Promise<void>;
}

export interface RecordWriterOptions {
  /** So many records may wait. With 1 kB each in memory and in the journal that is some hours of a busy server without its disk. */
  readonly mostWaiting?: number;
}

const MOST_WAITING = 20_000;
const MOST_IN_A_TRANSACTION = 500;
const RETRY_MS = 1000;
const MOST_RETRIES_AT_CLOSE = 3;
/** A disk that answers neither well nor badly for so long is in trouble. */
const SLOW_MS = 10_000;

/**
 * The one writer of records in the database in `file`. What waits while a transaction is written goes into the next one. `written`
 * hears the legs that nobody else has to remember any more: their records are on disk (or, too many waiting, in the log).
 */
export function openRecordWriter(
  file: string,
  log: Logger,
  written: (legs: readonly string[]) => void = () => {},
  options: RecordWriterOptions = {},
): RecordWriter {
  return new Writer(file, log, written, options.mostWaiting ?? MOST_WAITING);
}

class Writer implements RecordWriter {
  readonly #file: string;
  readonly #log: Logger;
  readonly #written: (legs: readonly string[]) => void;
  readonly #most: number;
  /** By leg, the oldest first. */
  readonly #waiting = new Map<string, CallRecord>();
  /** Given to the worker and not answered. */
  #asked: { readonly legs: readonly string[]; readonly at: Ms } | undefined;
  /** None after one that died, until the next try. */
  #worker: Worker | undefined;
  #retry: NodeJS.Timeout | undefined;
  #why: string | undefined;
  #lost = 0;
  #closing: { readonly done: () => void; tries: number } | undefined;

  constructor(file: string, log: Logger, written: (legs: readonly string[]) => void, most: number) {
    this.#file = file;
    this.#log = log;
    this.#written = written;
    this.#most = most;
    this.#worker = this.#start();
  }

  get state(): RecordsState {
    const slow = this.#asked !== undefined && monotonic() - this.#asked.at > SLOW_MS;
    const why = this.#why ?? (slow ? 'the disk does not answer' : undefined);
    return { waiting: this.#waiting.size, lost: this.#lost, why };
  }

  save(record: CallRecord): void {
    if (this.#waiting.size >= this.#most && this.state.why !== undefined) return this.#giveUp(record);
    this.#waiting.set(record.leg_id, record);
    this.#next();
  }

  async close(): Promise<void> {
    this.#worker?.ref();
    await new Promise<void>((done) => {
      this.#closing = { done, tries: 0 };
      clearTimeout(this.#retry);
      this.#retry = undefined;
      this.#next();
    });
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise((done) => worker.once('exit', done));
    worker.postMessage({ type: 'close' } satisfies WriterInput);
    await gone;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./record-worker.ts', import.meta.url), {
      workerData: { file: this.#file },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.on('message', (message: WriterOutput) => {
      if (message.type === 'written') this.#done();
      else this.#failed(message.problem, message.reason);
    });
    worker.on('error', (error: Error) => {
      this.#worker = undefined;
      if (this.#asked !== undefined) this.#failed(error.message, 'the thread that writes ended');
    });
    if (this.#closing === undefined) worker.unref();
    return worker;
  }

  #next(): void {
    if (this.#asked !== undefined || this.#retry !== undefined) return;
    if (this.#waiting.size === 0) return this.#closing?.done();
    const records = [...this.#waiting.values().take(MOST_IN_A_TRANSACTION)];
    this.#asked = { legs: records.map(({ leg_id }) => leg_id), at: monotonic() };
    this.#worker ??= this.#start();
    this.#worker.postMessage({ type: 'write', records } satisfies WriterInput);
  }

  #done(): void {
    const { legs } = this.#asked!;
    this.#asked = undefined;
    if (this.#why !== undefined) this.#log.info('call records are written again');
    this.#why = undefined;
    for (const leg of legs) this.#waiting.delete(leg);
    this.#written(legs);
    this.#next();
  }

  #failed(problem: string, why: string): void {
    this.#asked = undefined;
    // Once, and again when the reason is another one: a disk may be full for hours.
    if (this.#why !== why)
      this.#log.error(
        { problem, waiting: this.#waiting.size },
        'call records could not be written; trying again',
      );
    this.#why = why;
    const closing = this.#closing;
    if (closing !== undefined && closing.tries++ >= MOST_RETRIES_AT_CLOSE) return closing.done();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#next();
    }, RETRY_MS);
    if (closing === undefined) this.#retry.unref();
  }

  #giveUp(record: CallRecord): void {
    this.#lost += 1;
    this.#log.error({ record }, 'too many call records wait; this one is in the log alone');
    this.#written([record.leg_id]);
  }
}
