import type {
  Change,
  CommitOutcome,
  DirectoryStore,
  ObjectKind,
  StoredObject,
} from '../store/directory-store.ts';
import { asOfToday } from './earlier-forms.ts';

/** How often a change is decided anew because somebody else was faster. */
const MOST_TRIES = 8;

/** What changed, after it can be read. `before` is missing for a new object, `after` for one that is gone. */
export interface ObjectChange {
  readonly before: StoredObject | undefined;
  readonly after: StoredObject | undefined;
}

/** The name is held by an object that this process does not see as its own to change. */
export class NameTaken extends Error {
  readonly taken: string;
  constructor(name: string) {
    super(`${name} is already in use`);
    this.taken = name;
  }
}

/**
 * All objects of the store in memory, indexed: reads never wait. A change is decided on what is in memory, written, and
 * then seen here; the store refuses it when the decision was made on something old, and it is decided again.
 *
 *   decide() ─▶ store.commit ─┬─ ok ──────▶ memory ─▶ listeners
 *      ▲                      └─ conflict ─▶ sync ──┐
 *      └────────────────────────────────────────────┘
 *
 * `sync` brings in what other processes (the command line, other nodes) wrote.
 */
export class Registry {
  readonly #store: DirectoryStore;
  readonly #objects = new Map<string, StoredObject>();
  readonly #names = new Map<string, string>();
  readonly #referrers = new Map<string, Set<string>>();
  readonly #lists = new Map<string, Map<string, StoredObject>>();
  /** Removed here after the newest load: a load that began earlier must not bring them back. */
  readonly #gone = new Map<string, number>();
  readonly #listeners: ((changes: readonly ObjectChange[]) => void)[] = [];
  /** Everything up to here is in memory. */
  #revision = 0;
  #syncing: Promise<void> | undefined;
  #late: Promise<unknown> = Promise.resolve();

  private constructor(store: DirectoryStore) {
    this.#store = store;
  }

  static async open(store: DirectoryStore): Promise<Registry> {
    const registry = new Registry(store);
    await registry.sync();
    return registry;
  }

  /** Called after every change, in order. */
  listen(listener: (changes: readonly ObjectChange[]) => void): void {
    this.#listeners.push(listener);
  }

  get(id: string): StoredObject | undefined {
    return this.#objects.get(id);
  }

  /** The object that holds a name. */
  named(name: string): StoredObject | undefined {
    const id = this.#names.get(name);
    return id === undefined ? undefined : this.#objects.get(id);
  }

  /** Objects of a kind, oldest first. */
  list(account: string, kind: ObjectKind): ReadonlyMap<string, StoredObject> {
    return this.#lists.get(`${account} ${kind}`) ?? EMPTY;
  }

  all(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  /** Who refers to an object. */
  referrers(id: string): readonly StoredObject[] {
    return [...(this.#referrers.get(id) ?? [])].map((from) => this.#objects.get(from)!);
  }

  /**
   * Makes a change. `decide` reads this registry and says what to write; it is called again when that came too late, and what it
   * throws ends the matter. Resolved: on disk, and to be read here. Rejects with `NameTaken`, or when the store cannot be reached.
   */
  async change<T>(decide: () => { readonly change: Change; readonly result: T }): Promise<T> {
    const first = await this.#try(decide);
    if ('result' in first) return first.result;
    // Those who came too late go on one after the other, so that each decides on what the one before left.
    const mine = this.#late.then(() => this.#again(decide, first.conflict));
    this.#late = mine.catch(() => {});
    return await mine;
  }

  async #again<T>(
    decide: () => { readonly change: Change; readonly result: T },
    was: Extract<CommitOutcome, { ok: false }>,
  ): Promise<T> {
    let conflict = was;
    for (let tries = 1; tries < MOST_TRIES; tries++) {
      await this.sync();
      const next = await this.#try(decide);
      if ('result' in next) return next.result;
      // A name whose holder cannot be seen here even after reading everything.
      if (next.conflict.conflict === 'name' && conflict.conflict === 'name') break;
      conflict = next.conflict;
    }
    if (conflict.conflict === 'name') throw new NameTaken(conflict.name);
    throw new Error('the objects change too fast; try again');
  }

  async #try<T>(
    decide: () => { readonly change: Change; readonly result: T },
  ): Promise<{ result: T } | { conflict: Extract<CommitOutcome, { ok: false }> }> {
    const { change, result } = decide();
    if (change.puts.length + change.removes.length + change.audit.length === 0) return { result };
    const outcome = await this.#store.commit(change);
    if (!outcome.ok) return { conflict: outcome };
    this.#committed(change, outcome.revision);
    return { result };
  }

  /** Reads what others wrote. */
  sync(): Promise<void> {
    this.#syncing ??= this.#load().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  async #load(): Promise<void> {
    const { revision, objects, removed } = await this.#store.load(this.#revision);
    if (revision <= this.#revision) return;
    const changes: ObjectChange[] = [];
    for (const object of objects)
      if ((this.#gone.get(object.id) ?? 0) <= revision) this.#put(asOfToday(object), changes);
    for (const id of removed) this.#remove(id, changes);
    this.#revision = revision;
    for (const [id, at] of this.#gone) if (at <= revision) this.#gone.delete(id);
    this.#tell(changes);
  }

  #committed(change: Change, revision: number): void {
    const changes: ObjectChange[] = [];
    for (const object of change.puts) this.#put(object, changes);
    for (const { id } of change.removes) {
      this.#remove(id, changes);
      this.#gone.set(id, revision);
    }
    if (revision === this.#revision + 1) this.#revision = revision;
    this.#tell(changes);
  }

  #put(object: StoredObject, changes: ObjectChange[]): void {
    const before = this.#objects.get(object.id);
    if (before !== undefined && before.version >= object.version) return;
    if (before !== undefined) this.#forget(before);
    this.#objects.set(object.id, object);
    for (const name of object.names) this.#names.set(name, object.id);
    for (const target of object.refs) {
      const from = this.#referrers.get(target);
      if (from === undefined) this.#referrers.set(target, new Set([object.id]));
      else from.add(object.id);
    }
    const key = `${object.account} ${object.kind}`;
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, new Map([[object.id, object]]));
    else list.set(object.id, object);
    changes.push({ before, after: object });
  }

  #remove(id: string, changes: ObjectChange[]): void {
    const before = this.#objects.get(id);
    if (before === undefined) return;
    this.#forget(before);
    this.#objects.delete(id);
    this.#lists.get(`${before.account} ${before.kind}`)?.delete(id);
    changes.push({ before, after: undefined });
  }

  #forget(object: StoredObject): void {
    for (const name of object.names) if (this.#names.get(name) === object.id) this.#names.delete(name);
    for (const target of object.refs) {
      const from = this.#referrers.get(target);
      from?.delete(object.id);
      if (from?.size === 0) this.#referrers.delete(target);
    }
  }

  #tell(changes: readonly ObjectChange[]): void {
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}

const EMPTY: ReadonlyMap<string, StoredObject> = new Map();
