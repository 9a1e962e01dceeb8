import { Worker } from 'node:worker_threads';
import type { CallRecord } from '@sidetone/wire';
import type { Logger } from 'pino';

/** Main thread → worker. */
export type WriterInput =
  | { readonly type: 'record'; readonly record: CallRecord }
  | { readonly type: 'close' };

/** Worker → main thread. */
export type WriterOutput =
  | { readonly type: 'written'; readonly legs: readonly string[] }
  | { readonly type: 'problem'; readonly problem: string };

/** Writes call records off the signalling thread: a disk that takes long to sync delays no call. */
export interface RecordWriter {
  save(record: CallRecord): void;
  /** Resolves when everything saved is on disk. */
  close(): Promise<void>;
}

/**
 * The one writer of the database in `file`. What waits while a transaction is written goes into the next one. `written`
 * hears the legs whose records are on disk: until then somebody else has to remember them.
 */
export function openRecordWriter(
  file: string,
  log: Logger,
  written: (legs: readonly string[]) => void = () => {},
): RecordWriter {
  const worker = new Worker(new URL('./record-worker.ts', import.meta.url), {
    workerData: { file },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('message', (message: WriterOutput) => {
    if (message.type === 'written') written(message.legs);
    else log.error({ problem: message.problem }, 'call records could not be written; trying again');
  });
  worker.on('error', (error) => log.error({ err: error }, 'the record writer died'));
  worker.unref();
  return {
    save: (record) => worker.postMessage({ type: 'record', record } satisfies WriterInput),
    close: async () => {
      worker.ref();
      worker.postMessage({ type: 'close' } satisfies WriterInput);
      await ended;
    },
  };
}
