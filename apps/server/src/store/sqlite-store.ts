import { Worker } from 'node:worker_threads';
import type { AuditPage, CommitOutcome, DirectoryStore, Loaded } from './directory-store.ts';
import { StoreFailure } from './failure.ts';
import { openSqliteStore } from './sqlite.ts';
import type { StoreAnswer, StoreQuestion } from './sqlite-worker.ts';

/** Opens (and brings up to date) the directory in the SQLite file. Throws when the file cannot be opened or is newer than we are. */
export function openSqliteDirectory(file: string): DirectoryStore {
  // Here, so that a file that is no database is told to the operator and not to a thread.
  openSqliteStore(file).close();
  const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), {
    workerData: { file },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  let dead: Error | undefined;

  const end = (error: Error): void => {
    dead ??= error;
    for (const { reject } of waiting.values()) reject(dead);
    waiting.clear();
  };
  worker.on('message', (answer: StoreAnswer) => {
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if (answer.ok) asked?.resolve(answer.value as never);
    else asked?.reject(new StoreFailure(answer.error, answer.reason));
  });
  worker.on('error', (error) => end(error as Error));
  worker.on('exit', () => end(new Error('the store is closed')));
  worker.unref();

  type Ask = StoreQuestion extends infer Q ? (Q extends unknown ? Omit<Q, 'id'> : never) : never;
  function ask<T>(question: Ask): Promise<T> {
    if (dead !== undefined) return Promise.reject(dead);
    return new Promise<T>((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve: resolve as (value: never) => void, reject });
      worker.ref();
      worker.postMessage({ ...question, id: last });
    });
  }

  return {
    load: (since) => ask<Loaded>({ ask: 'load', since }),
    commit: (change) => ask<CommitOutcome>({ ask: 'commit', change }),
    audit: (query) => ask<AuditPage>({ ask: 'audit', query }),
    probe: () => ask<void>({ ask: 'probe' }),
    close: async () => {
      if (dead === undefined) await ask<void>({ ask: 'close' });
      dead ??= new Error('the store is closed');
    },
  };
}
