import type { Ms } from './time.ts';

/**
 * The deadline heap: which key is due next. One entry a key; setting again replaces. A lazy binary heap, so that
 * replacing and removing cost no search; stale entries are dropped when they surface.
 */
export class Deadlines<K> {
  readonly #current = new Map<K, { at: Ms; order: number }>();
  #heap: { at: Ms; order: number; key: K }[] = [];
  #order = 0;

  /** Sets (or with `null` removes) the deadline of `key`. */
  set(key: K, at: Ms | null): void {
    if (at === null) {
      this.#current.delete(key);
      return;
    }
    if (this.#current.get(key)?.at === at) return;
    const entry = { at, order: this.#order++, key };
    this.#current.set(key, entry);
    this.#push(entry);
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#current.size) this.#compact();
  }

  delete(key: K): void {
    this.#current.delete(key);
  }

  /** How many keys have a deadline. */
  get size(): number {
    return this.#current.size;
  }

  /** The earliest deadline, or `null`. */
  next(): Ms | null {
    this.#drop();
    return this.#heap[0]?.at ?? null;
  }

  /** Takes one key whose deadline is at or before `now`; ties leave in the order they were set. */
  takeDue(now: Ms): K | undefined {
    this.#drop();
    const top = this.#heap[0];
    if (top === undefined || top.at > now) return undefined;
    this.#current.delete(top.key);
    this.#drop();
    return top.key;
  }

  #drop(): void {
    while (this.#heap.length > 0) {
      const top = this.#heap[0]!;
      if (this.#current.get(top.key)?.order === top.order) return;
      this.#pop();
    }
  }

  #compact(): void {
    const live = this.#heap.filter((e) => this.#current.get(e.key)?.order === e.order);
    this.#heap = [];
    for (const entry of live) this.#push(entry);
  }

  #less(i: number, j: number): boolean {
    const a = this.#heap[i]!;
    const b = this.#heap[j]!;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const t = this.#heap[i]!;
    this.#heap[i] = this.#heap[j]!;
    this.#heap[j] = t;
  }

  #push(entry: { at: Ms; order: number; key: K }): void {
    let i = this.#heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#less(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    let i = 0;
    for (;;) {
      let least = i;
      const left = 2 * i + 1;
      if (left < this.#heap.length && this.#less(left, least)) least = left;
      if (left + 1 < this.#heap.length && this.#less(left + 1, least)) least = left + 1;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }
}
