import { parentPort, workerData } from 'node:worker_threads';
import type { EpochMs } from '@sidetone/core';
import type { StoreItem } from '@sidetone/webhooks';
import { reasonOf } from '../store/failure.ts';
import { EventDatabase, type Retention } from './event-database.ts';
import type { DeliveryQuery, EventQuery } from './event-queries.ts';

/** The thread of `event-store.ts`: writes what it is given in one transaction, answers questions, removes what is old. */
export type EventQuestion =
  | { readonly id: number; readonly ask: 'save'; readonly items: readonly StoreItem[]; readonly day: EpochMs }
  | { readonly id: number; readonly ask: 'events'; readonly query: EventQuery }
  | { readonly id: number; readonly ask: 'deliveries'; readonly query: DeliveryQuery }
  | { readonly id: number; readonly ask: 'delivery'; readonly account: string; readonly event: string }
  | { readonly id: number; readonly ask: 'close' };

export type EventAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string; readonly reason: string };

export interface EventWorkerData {
  readonly file: string;
  readonly retention: Retention;
}

/** Old ones are looked for with every so manieth write, and on while there are more. */
const WRITES_BETWEEN = 50;

const port = parentPort!;
const { file, retention } = workerData as EventWorkerData;
/** Opened with the first question, and tried again: a full disk must not end the thread. */
let open: EventDatabase | undefined;
let untilPrune = 0;

function answer(question: EventQuestion): unknown {
  if (question.ask === 'close') return open?.close();
  const database = (open ??= new EventDatabase(file, retention));
  switch (question.ask) {
    case 'save':
      database.save(question.items);
      if (untilPrune-- <= 0 && !database.prune(question.day)) untilPrune = WRITES_BETWEEN;
      return undefined;
    case 'events':
      return database.events(question.query);
    case 'deliveries':
      return database.deliveries(question.query);
    case 'delivery':
      return database.delivery(question.account, question.event);
  }
}

port.on('message', (question: EventQuestion) => {
  const { id } = question;
  try {
    port.postMessage({ id, ok: true, value: answer(question) } satisfies EventAnswer);
  } catch (error) {
    const reason = reasonOf(error);
    port.postMessage({ id, ok: false, error: (error as Error).message, reason } satisfies EventAnswer);
  }
  if (question.ask === 'close') port.close();
});
