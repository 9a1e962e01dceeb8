import { Worker } from 'node:worker_threads';
import { StoreFailure } from '../store/failure.ts';
import type { RecordingStore } from './recording-store.ts';
import type { StoreAnswer, StoreQuestion } from './sqlite-worker.ts';

/** Questions that wait; more are refused at once. */
const MOST_WAITING = 1000;

/** The recordings in a SQLite file, asked on a thread of their own: a disk that takes long delays no call. */
export function openSqliteRecordings(file: string): RecordingStore {
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  let worker: Worker | undefined;

  function start(): Worker {
    const started = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
      workerData: { file },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    started.unref();
    started.on('message', (answer: StoreAnswer) => {
      const { resolve, reject } = asked.get(answer.n)!;
      asked.delete(answer.n);
      if (answer.ok) resolve(answer.value);
      else reject(new StoreFailure(answer.error, answer.reason));
    });
    const gone = (): void => {
      if (worker !== started) return;
      worker = undefined;
      for (const { reject } of asked.values())
        reject(new StoreFailure('the thread of recordings ended', 'the thread ended'));
      asked.clear();
    };
    started.on('error', gone);
    started.on('exit', gone);
    return started;
  }

  function ask<T>(question: StoreQuestion['ask'], ...args: readonly unknown[]): Promise<T> {
    if (asked.size >= MOST_WAITING)
      return Promise.reject(new StoreFailure('too many questions wait', 'busy'));
    worker ??= start();
    const n = ++last;
    const waiting = Promise.withResolvers<unknown>();
    asked.set(n, waiting);
    worker.postMessage({ n, ask: question, args } satisfies StoreQuestion);
    return waiting.promise as Promise<T>;
  }

  return {
    save: (recording) => ask('save', recording),
    find: (id) => ask('find', id),
    list: (query) => ask('list', query),
    remove: (id) => ask('remove', id),
    before: (at, limit) => ask('before', at, limit),
    close: async () => {
      if (worker === undefined) return;
      const gone = new Promise((done) => worker!.once('exit', done));
      await ask('close').catch(() => {});
      await gone;
    },
  };
}
