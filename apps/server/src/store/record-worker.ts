import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from './failure.ts';
import type { WriterInput, WriterOutput } from './record-writer.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

/** The thread of `record-writer.ts`: writes what it is given in one transaction, and says how that went. */
const port = parentPort!;
const { file } = workerData as { file: string };
/** Opened with the first record, and tried again: a full disk must not end the thread. */
let store: Store | undefined;

function written(input: Extract<WriterInput, { type: 'write' }>): WriterOutput {
  try {
    store ??= openSqliteStore(file);
    store.saveCallRecords(input.records);
    return { type: 'written' };
  } catch (error) {
    return { type: 'problem', problem: (error as Error).message, reason: reasonOf(error) };
  }
}

port.on('message', (input: WriterInput) => {
  if (input.type === 'write') return port.postMessage(written(input));
  store?.close();
  port.close();
});
