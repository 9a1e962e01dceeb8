/** Ends remembered. */
const MOST = 64;

/** What has ended lately, so that a wish that is said again does not begin anew. */
export class Ended {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size > MOST) this.#ids.delete(this.#ids.values().next().value!);
  }
}
