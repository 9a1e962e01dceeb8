import { Worker } from 'node:worker_threads';
import type { EpochMs, Ms } from '@sidetone/core';
import type { StoreItem } from '@sidetone/webhooks';
import type { Logger } from 'pino';
import { monotonic } from '../clock.ts';
import { StoreFailure } from '../store/failure.ts';
import type { Retention } from './event-database.ts';
import type { EventReader, Found, StoredDelivery, StoredEvent } from './event-queries.ts';
import type { EventAnswer, EventQuestion, EventWorkerData } from './event-worker.ts';

export interface EventStoreOptions {
  readonly file: string;
  readonly retention: Retention;
  readonly log: Logger;
  readonly epoch: () => EpochMs;
  /** Hears the events that nobody else has to remember any more: they are stored, or (too many waiting) given up. */
  readonly stored: (events: readonly string[]) => void;
  readonly mostWaiting?: number;
  readonly mostAttemptsWaiting?: number;
  readonly mostCharactersWaiting?: number;
}

export interface EventStore extends EventReader {
  save(item: StoreItem): void;
  readonly state: {
    readonly waiting: number;
    readonly lost: number;
    /** `undefined` while all is well. */
    readonly why: string | undefined;
  };
  /** Resolves when everything saved is on disk, or could not be written once more. */
  close(): Promise<void>;
}

/** More than the outbox holds, since a process that starts stores all of it again. 1 kB each. */
const MOST_WAITING = 150_000;
/** Tries have the answers of strangers in them, up to 15 kB each. */
const MOST_ATTEMPTS_WAITING = 5000;
/**
 * Of JSON. Client states and headers are other people's and may be long; what waits is in memory, and its events in the journal, too,
 * as long as the disk takes nothing. Twice what the outbox holds, for the same reason.
 */
const MOST_CHARACTERS_WAITING = 128 * 1024 * 1024;
const MOST_IN_A_TRANSACTION = 500;
const GATHER_MS: Ms = 20;
const RETRY_MS: Ms = 1000;
const SLOW_MS: Ms = 10_000;
/** Questions that wait for an answer, of all and of one account; more are refused at once. */
const MOST_QUESTIONS = 200;
const MOST_QUESTIONS_OF_ACCOUNT = 50;

type Read = Extract<EventQuestion, { ask: 'events' | 'deliveries' | 'delivery' }>;

interface Reader {
  readonly account: string;
  readonly begin: () => Promise<void>;
  readonly refuse: (why: Error) => void;
}

interface Waiting {
  readonly item: StoreItem;
  /** Characters of JSON. */
  readonly size: number;
}

/** Call events and deliveries, written and read off the signalling thread: a disk that takes long delays no call. */
export const openEventStore = (options: EventStoreOptions): EventStore => new Events(options);

class Events implements EventStore {
  readonly #options: EventStoreOptions;
  readonly #most: number;
  readonly #mostAttempts: number;
  readonly #mostCharacters: number;
  #attempts = 0;
  #characters = 0;
  #waiting: Waiting[] = [];
  /** Given to the thread and not answered. */
  #asked: { readonly items: readonly Waiting[]; readonly at: Ms } | undefined;
  #worker: Worker | undefined;
  readonly #questions = new Map<number, PromiseWithResolvers<never>>();
  /** One question is with the thread at a time, so that what is to be written never waits for more than one. */
  #readers: Reader[] = [];
  #reading: string | undefined;
  #last = 0;
  #retry: NodeJS.Timeout | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #why: string | undefined;
  #lost = 0;
  #closing: (() => void) | undefined;
  #closed = false;

  constructor(options: EventStoreOptions) {
    this.#options = options;
    this.#most = options.mostWaiting ?? MOST_WAITING;
    this.#mostAttempts = options.mostAttemptsWaiting ?? MOST_ATTEMPTS_WAITING;
    this.#mostCharacters = options.mostCharactersWaiting ?? MOST_CHARACTERS_WAITING;
  }

  get state(): EventStore['state'] {
    const slow = this.#asked !== undefined && monotonic() - this.#asked.at > SLOW_MS;
    const why = this.#why ?? (slow ? 'the disk does not answer' : undefined);
    return { waiting: this.#waiting.length + (this.#asked?.items.length ?? 0), lost: this.#lost, why };
  }

  save(item: StoreItem): void {
    // It is in the journal, for the next process.
    if (this.#closed) return;
    const tries = item.kind === 'attempt';
    const size = JSON.stringify(item).length;
    const full = this.#waiting.length >= this.#most || this.#characters + size > this.#mostCharacters;
    if (full || (tries && this.#attempts >= this.#mostAttempts)) this.#giveUp(item);
    else {
      this.#waiting.push({ item, size });
      this.#characters += size;
      if (tries) this.#attempts += 1;
    }
    // What comes together is written together.
    this.#gathering ??= setTimeout(() => this.#next(), GATHER_MS).unref();
  }

  events(query: Parameters<EventReader['events']>[0]): Promise<Found<StoredEvent>> {
    return this.#read(query.account, { ask: 'events', query });
  }

  deliveries(query: Parameters<EventReader['deliveries']>[0]): Promise<Found<StoredDelivery>> {
    return this.#read(query.account, { ask: 'deliveries', query });
  }

  delivery(account: string, id: string): Promise<StoredDelivery | null> {
    return this.#read(account, { ask: 'delivery', account, event: id });
  }

  async close(): Promise<void> {
    await new Promise<void>((done) => {
      this.#closing = done;
      clearTimeout(this.#retry);
      this.#retry = undefined;
      this.#next();
    });
    this.#closed = true;
    for (const { refuse } of this.#readers.splice(0)) refuse(new StoreFailure('the store is closed', 'busy'));
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise((done) => worker.once('exit', done));
    this.#ask({ ask: 'close' }).catch(() => {});
    await gone;
  }

  #next(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#asked !== undefined || this.#retry !== undefined) return;
    if (this.#waiting.length === 0) return this.#closing?.();
    const items = this.#waiting.slice(0, MOST_IN_A_TRANSACTION);
    this.#waiting = this.#waiting.slice(items.length);
    this.#asked = { items, at: monotonic() };
    const saved = items.map(({ item }) => item);
    this.#ask({ ask: 'save', items: saved, day: this.#options.epoch() }).then(
      () => this.#saved(items),
      (error: Error) => this.#failed(items, error),
    );
  }

  #saved(items: readonly Waiting[]): void {
    this.#asked = undefined;
    if (this.#why !== undefined) this.#options.log.info('call events are written again');
    this.#why = undefined;
    this.#attempts -= items.filter(({ item }) => item.kind === 'attempt').length;
    this.#characters -= items.reduce((sum, { size }) => sum + size, 0);
    const ids = items.flatMap(({ item }) => (item.kind === 'event' ? [item.event.id] : []));
    if (ids.length > 0) this.#options.stored(ids);
    this.#next();
  }

  #failed(items: readonly Waiting[], error: Error): void {
    this.#asked = undefined;
    this.#waiting = [...items, ...this.#waiting];
    const why = error instanceof StoreFailure ? error.reason : 'the thread that writes ended';
    // Once, and again when the reason is another one: a disk may be full for hours.
    if (this.#why !== why)
      this.#options.log.error(
        { problem: error.message, waiting: this.#waiting.length },
        'call events could not be written; trying again',
      );
    this.#why = why;
    // Events stay in the journal: the next process stores them.
    if (this.#closing !== undefined) return this.#closing();
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#next();
    }, RETRY_MS);
    this.#retry.unref();
  }

  #giveUp(item: StoreItem): void {
    if (this.#lost++ === 0) this.#options.log.error('too many call events wait; some are not kept');
    if (item.kind === 'event') this.#options.stored([item.event.id]);
  }

  #read<T>(account: string, question: Ask & { readonly ask: Read['ask'] }): Promise<T> {
    const own = this.#readers.filter((reader) => reader.account === account).length;
    if (this.#closed || this.#readers.length >= MOST_QUESTIONS || own >= MOST_QUESTIONS_OF_ACCOUNT)
      return Promise.reject(new StoreFailure('too many questions wait', 'busy'));
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const begin = (): Promise<void> => this.#ask<T>(question).then(resolve, reject);
    this.#readers.push({ account, begin, refuse: reject });
    if (this.#reading === undefined) this.#nextReader('');
    return promise;
  }

  /** Accounts take turns. */
  #nextReader(last: string): void {
    this.#reading = undefined;
    const other = this.#readers.findIndex(({ account }) => account !== last);
    const [reader] = this.#readers.splice(Math.max(other, 0), 1);
    if (reader === undefined) return;
    this.#reading = reader.account;
    void reader.begin().then(() => this.#nextReader(reader.account));
  }

  #ask<T>(question: Ask): Promise<T> {
    this.#last += 1;
    const asked = Promise.withResolvers<never>();
    this.#questions.set(this.#last, asked);
    const worker = (this.#worker ??= this.#start());
    worker.ref();
    worker.postMessage({ ...question, id: this.#last } as EventQuestion);
    return asked.promise as Promise<T>;
  }

  #start(): Worker {
    const { file, retention } = this.#options;
    const worker = new Worker(new URL('./event-worker.ts', import.meta.url), {
      workerData: { file, retention } satisfies EventWorkerData,
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    worker.on('message', (answer: EventAnswer) => {
      const asked = this.#questions.get(answer.id);
      this.#questions.delete(answer.id);
      // Whoever closes waits for its end.
      if (this.#questions.size === 0 && !this.#closed) worker.unref();
      if (answer.ok) asked?.resolve(answer.value as never);
      else asked?.reject(new StoreFailure(answer.error, answer.reason));
    });
    const gone = (): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const asked of this.#questions.values())
        asked.reject(new Error('the thread of call events ended'));
      this.#questions.clear();
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    return worker;
  }
}

type Ask = EventQuestion extends infer Q ? (Q extends unknown ? Omit<Q, 'id'> : never) : never;
