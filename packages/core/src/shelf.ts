/**
 * A bounded store of things that are over and only wait to be forgotten. When it is full the holder with the most on it loses its
 * oldest, so that one who fills it pushes out nobody but itself.
 */
export class Shelf<K> {
  readonly #most: number;
  readonly #holderOf = new Map<K, string>();
  /** What each holder has, oldest first. */
  readonly #kept = new Map<string, Set<K>>();
  /** Holders by how much they have. */
  readonly #byCount = new Map<number, Set<string>>();
  #largest = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#holderOf.size;
  }

  has(key: K): boolean {
    return this.#holderOf.has(key);
  }

  of(holder: string): number {
    return this.#kept.get(holder)?.size ?? 0;
  }

  /** Puts one more on it. What had to go for it, or nothing. */
  add(holder: string, key: K): K | undefined {
    if (this.#holderOf.has(key)) return undefined;
    const gone = this.#holderOf.size >= this.#most ? this.#oldestOfLargest() : undefined;
    if (gone !== undefined) this.delete(gone);
    let kept = this.#kept.get(holder);
    if (kept === undefined) this.#kept.set(holder, (kept = new Set()));
    kept.add(key);
    this.#holderOf.set(key, holder);
    this.#moved(holder, kept.size - 1, kept.size);
    return gone;
  }

  delete(key: K): void {
    const holder = this.#holderOf.get(key);
    if (holder === undefined) return;
    this.#holderOf.delete(key);
    const kept = this.#kept.get(holder)!;
    kept.delete(key);
    if (kept.size === 0) this.#kept.delete(holder);
    this.#moved(holder, kept.size + 1, kept.size);
  }

  #oldestOfLargest(): K | undefined {
    const [holder] = this.#byCount.get(this.#largest) ?? [];
    const [oldest] = this.#kept.get(holder ?? '') ?? [];
    return oldest;
  }

  #moved(holder: string, from: number, to: number): void {
    const before = this.#byCount.get(from);
    before?.delete(holder);
    if (before?.size === 0) this.#byCount.delete(from);
    if (to > 0) {
      const after = this.#byCount.get(to);
      if (after === undefined) this.#byCount.set(to, new Set([holder]));
      else after.add(holder);
    }
    // Counts change by one, so the largest does, too.
    if (to > this.#largest) this.#largest = to;
    else if (from === this.#largest && !this.#byCount.has(from)) this.#largest = to;
  }
}
