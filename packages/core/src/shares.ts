/**
 * Places of a table that many share. Who holds nothing gets one as long as there is any; who holds many gets no more than nine times
 * what is free (dynamic thresholds: Choudhury and Hahne 1998). So one holder alone may have nine tenths of the table, two have
 * nine nineteenths each, and there is always room for those who ask for little. A table of fewer than ten places has no reserve.
 */
export class Shares {
  readonly #places: number;
  readonly #held = new Map<string, number>();
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Places that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Holders of at least one place. */
  get holders(): number {
    return this.#held.size;
  }

  of(holder: string): number {
    return this.#held.get(holder) ?? 0;
  }

  /** Whether `take` would give this holder a place. */
  has(holder: string): boolean {
    return mayTake(this.of(holder), this.#places - this.#taken);
  }

  /** Takes a place; `false`: there is none for this holder. */
  take(holder: string): boolean {
    if (!this.has(holder)) return false;
    this.#held.set(holder, this.of(holder) + 1);
    this.#taken += 1;
    return true;
  }

  /** Gives a place back that `take` has granted. */
  give(holder: string): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    this.#taken -= 1;
    if (held > 1) this.#held.set(holder, held - 1);
    else this.#held.delete(holder);
  }
}

const SHARE = 9;

/** Whether a holder of so many places gets one more when so many are free. */
export const mayTake = (held: number, free: number): boolean =>
  free > 0 && (held === 0 || held < SHARE * free);
