import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from '../store/failure.ts';
import { SqliteRecordings } from './sqlite-recordings.ts';

/** The thread of `open-sqlite.ts`: one question at a time, in the order in which they come. */
export interface StoreQuestion {
  readonly n: number;
  readonly ask: 'save' | 'find' | 'list' | 'remove' | 'before' | 'close';
  readonly args: readonly unknown[];
}

export type StoreAnswer =
  | { readonly n: number; readonly ok: true; readonly value: unknown }
  | { readonly n: number; readonly ok: false; readonly error: string; readonly reason: string };

const port = parentPort!;
const { file } = workerData as { readonly file: string };
/** Opened with the first question, and tried again: a full disk must not end the thread. */
let open: SqliteRecordings | undefined;

function answer({ ask, args }: StoreQuestion): unknown {
  if (ask === 'close') return open?.close();
  const store = (open ??= new SqliteRecordings(file));
  return (store[ask] as (...args: readonly unknown[]) => unknown).apply(store, [...args]);
}

port.on('message', (question: StoreQuestion) => {
  const { n } = question;
  try {
    port.postMessage({ n, ok: true, value: answer(question) } satisfies StoreAnswer);
  } catch (error) {
    const reason = reasonOf(error);
    port.postMessage({ n, ok: false, error: (error as Error).message, reason } satisfies StoreAnswer);
  }
  if (question.ask === 'close') port.close();
});
