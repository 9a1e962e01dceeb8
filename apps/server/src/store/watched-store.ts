import type { Logger } from 'pino';
import type {
  AuditPage,
  AuditQuery,
  Change,
  CommitOutcome,
  DirectoryStore,
  Loaded,
} from './directory-store.ts';
import { reasonOf } from './failure.ts';

/**
 * A store that remembers whether it can be read and written. Whoever asked is told of a failure, too; but the service goes on with what it
 * knows, and somebody else has to hear of it.
 */
export class WatchedStore implements DirectoryStore {
  readonly #store: DirectoryStore;
  readonly #log: Logger;
  #unread: string | undefined;
  #unwritten: string | undefined;
  #probing = false;

  constructor(store: DirectoryStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** `undefined` while all is well. */
  get trouble(): string | undefined {
    return this.#unread ?? this.#unwritten;
  }

  async load(since: number): Promise<Loaded> {
    try {
      const loaded = await this.#store.load(since);
      if (this.#unread !== undefined) this.#log.info('the store is back');
      this.#unread = undefined;
      return loaded;
    } catch (error) {
      if (this.#unread === undefined)
        this.#log.error({ err: error }, 'the store cannot be read; going on with what is known');
      this.#unread = `cannot be read (${reasonOf(error)})`;
      throw error;
    }
  }

  commit(change: Change): Promise<CommitOutcome> {
    return this.#writing(() => this.#store.commit(change));
  }

  probe(): Promise<void> {
    return this.#writing(() => this.#store.probe());
  }

  /** Tries again what failed, so that a store in which nobody changes anything is well again, too. Never rejects. */
  async look(): Promise<void> {
    if (this.#unwritten === undefined || this.#probing) return;
    this.#probing = true;
    await this.probe().catch(() => {});
    this.#probing = false;
  }

  audit(query: AuditQuery): Promise<AuditPage> {
    return this.#store.audit(query);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      const done = await work();
      if (this.#unwritten !== undefined) this.#log.info('the store is written again');
      this.#unwritten = undefined;
      return done;
    } catch (error) {
      if (this.#unwritten === undefined) this.#log.error({ err: error }, 'the store cannot be written');
      this.#unwritten = `cannot be written (${reasonOf(error)})`;
      throw error;
    }
  }
}
