import { setTimeout as rest } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { CallRecord } from '@sidetone/wire';
import type { WriterInput, WriterOutput } from './record-writer.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

/** The thread of `record-writer.ts`: takes all that waits, writes it in one transaction, and again. */
const RETRY_MS = 1000;
const MOST_RETRIES_AT_CLOSE = 3;

const port = parentPort!;
const { file } = workerData as { file: string };
/** Opened with the first record, and tried again: a full disk must not end the thread. */
let store: Store | undefined;
let pending: CallRecord[] = [];
let closing = false;
let writing = false;

function tell(message: WriterOutput): void {
  port.postMessage(message);
}

function take(input: WriterInput): void {
  if (input.type === 'record') pending.push(input.record);
  else closing = true;
}

async function write(): Promise<void> {
  if (writing) return;
  writing = true;
  for (let failures = 0; pending.length > 0 || closing; ) {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message as WriterInput);
    }
    const batch = pending;
    pending = [];
    try {
      if (batch.length > 0) {
        store ??= openSqliteStore(file);
        store.saveCallRecords(batch);
        tell({ type: 'written', legs: batch.map((record) => record.leg_id) });
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      pending = [...batch, ...pending];
      tell({ type: 'problem', problem: (error as Error).message });
      if (closing && failures > MOST_RETRIES_AT_CLOSE) break;
      await rest(RETRY_MS);
      continue;
    }
    if (closing && pending.length === 0) break;
  }
  writing = false;
  if (closing) {
    store?.close();
    port.close();
  }
}

port.on('message', (input: WriterInput) => {
  take(input);
  void write();
});
