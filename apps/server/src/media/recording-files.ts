import { setTimeout as rest } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Ms } from '@sidetone/core';
import type { RecordingFile, RecordingPort } from '@sidetone/media';
import type { WriterAnswer, WriterAsk } from './recording-writer.ts';

/** Octets that wait for the disk: of one recording, eight seconds and more; and of all. */
const MOST_OF_ONE = 512 * 1024;
const MOST = 64 * 1024 * 1024;
/** A disk that has not closed a file by then never will. */
const CLOSE_MS: Ms = 10_000;

export interface RecordingFiles extends RecordingPort {
  /** Resolved as soon as nothing waits for the disk. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RecordingLimits {
  readonly mostOfOne?: number;
  readonly most?: number;
  readonly closeMs?: Ms;
}

/** Recordings under a folder, written by one thread: a disk that is slow or full costs sound, and no packet. */
export function recordingFiles(
  folder: string,
  log: (event: string, why: string) => void,
  limits: RecordingLimits = {},
): RecordingFiles {
  return new Files(folder, log, limits);
}

class Files implements RecordingFiles {
  readonly #folder: string;
  readonly #log: (event: string, why: string) => void;
  readonly #mostOfOne: number;
  readonly #most: number;
  readonly #closeMs: Ms;
  readonly #open = new Map<number, OpenFile>();
  readonly #settling: (() => void)[] = [];
  #worker: Worker | undefined;
  #last = 0;
  #waiting = 0;

  constructor(folder: string, log: (event: string, why: string) => void, limits: RecordingLimits) {
    this.#folder = folder;
    this.#log = log;
    this.#mostOfOne = limits.mostOfOne ?? MOST_OF_ONE;
    this.#most = limits.most ?? MOST;
    this.#closeMs = limits.closeMs ?? CLOSE_MS;
  }

  open(
    file: string,
    { rate, channels }: { rate: number; channels: 1 | 2 },
    failed: () => void,
  ): RecordingFile {
    const n = ++this.#last;
    const opened = new OpenFile(channels * 2, failed);
    this.#open.set(n, opened);
    this.#ask({ ask: 'open', n, file, rate, channels });
    return {
      write: (block) => {
        const size = block.byteLength;
        if (opened.failed || opened.waiting + size > this.#mostOfOne || this.#waiting + size > this.#most)
          return false;
        opened.waiting += size;
        this.#waiting += size;
        this.#ask({ ask: 'block', n, block }, block.buffer as ArrayBuffer);
        return true;
      },
      close: async () => {
        if (!opened.failed) {
          this.#ask({ ask: 'close', n });
          await Promise.race([opened.closed.promise, rest(this.#closeMs, undefined, { ref: false })]);
        }
        // One that the disk has not closed may yet be closed by it, but nobody waits for that.
        if (!opened.isClosed) opened.failed = true;
        this.#forget(n);
        return { frames: opened.bytes / opened.frameBytes, failed: opened.failed };
      },
    };
  }

  settled(): Promise<void> {
    return new Promise((done) => {
      if (this.#open.size === 0) done();
      else this.#settling.push(done);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(ask: WriterAsk, ...owned: ArrayBuffer[]): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(ask, owned);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./recording-writer.ts', import.meta.url), {
      workerData: { folder: this.#folder },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.unref();
    worker.on('message', (answer: WriterAnswer) => this.#answered(answer));
    const gone = (): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      for (const file of this.#open.values()) this.#failed(file, 'the thread that writes ended');
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    return worker;
  }

  #answered(answer: WriterAnswer): void {
    const file = this.#open.get(answer.n);
    if (file === undefined) return;
    if (answer.told === 'written') {
      file.waiting -= answer.size;
      this.#waiting -= answer.size;
      file.bytes = answer.bytes;
    } else if (answer.told === 'failed') this.#failed(file, answer.why);
    else {
      file.isClosed = true;
      file.closed.resolve();
    }
  }

  #failed(file: OpenFile, why: string): void {
    if (file.failed) return;
    // Without its path: names may come from customers.
    this.#log('a recording cannot be written', why);
    file.failed = true;
    file.closed.resolve();
    file.tell();
  }

  #forget(n: number): void {
    const file = this.#open.get(n);
    this.#open.delete(n);
    this.#waiting -= file?.waiting ?? 0;
    if (this.#open.size === 0) for (const done of this.#settling.splice(0)) done();
  }
}

class OpenFile {
  readonly frameBytes: number;
  readonly tell: () => void;
  readonly closed = Promise.withResolvers<void>();
  waiting = 0;
  /** Of sound in the file. */
  bytes = 0;
  failed = false;
  isClosed = false;

  constructor(frameBytes: number, tell: () => void) {
    this.frameBytes = frameBytes;
    this.tell = tell;
  }
}
