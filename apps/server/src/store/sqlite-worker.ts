import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AuditPage, AuditQuery, Change, CommitOutcome, Loaded } from './directory-store.ts';
import { reasonOf } from './failure.ts';
import { SqliteDirectory } from './sqlite-directory.ts';

/** The thread of `sqlite-store.ts`: takes all changes that wait, writes them in one transaction, and again. */
export type StoreQuestion =
  | { readonly id: number; readonly ask: 'commit'; readonly change: Change }
  | { readonly id: number; readonly ask: 'load'; readonly since: number }
  | { readonly id: number; readonly ask: 'audit'; readonly query: AuditQuery }
  | { readonly id: number; readonly ask: 'probe' }
  | { readonly id: number; readonly ask: 'close' };

export type StoreAnswer =
  | { readonly id: number; readonly ok: true; readonly value?: CommitOutcome | Loaded | AuditPage }
  | { readonly id: number; readonly ok: false; readonly error: string; readonly reason: string };

const MOST_IN_A_TRANSACTION = 500;
const port = parentPort!;
const store = new SqliteDirectory((workerData as { file: string }).file);

function answer(question: Exclude<StoreQuestion, { ask: 'commit' }>): StoreAnswer {
  const { id } = question;
  try {
    if (question.ask === 'load') return { id, ok: true, value: store.load(question.since) };
    if (question.ask === 'audit') return { id, ok: true, value: store.audit(question.query) };
    if (question.ask === 'probe') store.probe();
    else store.close();
    return { id, ok: true };
  } catch (error) {
    return failure(id, error);
  }
}

const failure = (id: number, error: unknown): StoreAnswer => ({
  id,
  ok: false,
  error: (error as Error).message,
  reason: reasonOf(error),
});

function commit(batch: readonly Extract<StoreQuestion, { ask: 'commit' }>[]): void {
  if (batch.length === 0) return;
  try {
    const outcomes = store.commit(batch.map((question) => question.change));
    for (const [i, { id }] of batch.entries())
      port.postMessage({ id, ok: true, value: outcomes[i]! } satisfies StoreAnswer);
  } catch (error) {
    for (const { id } of batch) port.postMessage(failure(id, error));
  }
}

port.on('message', (first: StoreQuestion) => {
  let batch: Extract<StoreQuestion, { ask: 'commit' }>[] = [];
  for (let question: StoreQuestion | undefined = first; question !== undefined; ) {
    if (question.ask === 'commit') batch.push(question);
    if (question.ask !== 'commit' || batch.length >= MOST_IN_A_TRANSACTION) {
      commit(batch);
      batch = [];
    }
    if (question.ask !== 'commit') port.postMessage(answer(question));
    if (question.ask === 'close') return port.close();
    question = receiveMessageOnPort(port)?.message as StoreQuestion | undefined;
  }
  commit(batch);
});
