import type { Item } from './item.ts';

interface Holder {
  readonly items: Set<Item>;
  weight: number;
}

/** Events that wait, by whose they are and where they wait, the oldest first: who has to make room when there are too many of them. */
export class Held {
  readonly #accounts = new Map<string, Holder>();
  readonly #seats = new Map<string, Set<Item>>();
  #size = 0;
  #weight = 0;

  get size(): number {
    return this.#size;
  }

  get weight(): number {
    return this.#weight;
  }

  add(item: Item): void {
    let holder = this.#accounts.get(item.account);
    if (holder === undefined) {
      holder = { items: new Set(), weight: 0 };
      this.#accounts.set(item.account, holder);
    }
    holder.items.add(item);
    holder.weight += item.weight;
    const seat = this.#seats.get(item.seat);
    if (seat === undefined) this.#seats.set(item.seat, new Set([item]));
    else seat.add(item);
    this.#size += 1;
    this.#weight += item.weight;
  }

  remove(item: Item): void {
    const holder = this.#accounts.get(item.account);
    if (holder === undefined || !holder.items.delete(item)) return;
    holder.weight -= item.weight;
    if (holder.items.size === 0) this.#accounts.delete(item.account);
    const seat = this.#seats.get(item.seat);
    seat?.delete(item);
    if (seat?.size === 0) this.#seats.delete(item.seat);
    this.#size -= 1;
    this.#weight -= item.weight;
  }

  at(seat: string): ReadonlySet<Item> {
    return this.#seats.get(seat) ?? NONE;
  }

  /** Those of the account that has most, by `of`: nobody's events go for what another account has. */
  most(of: 'size' | 'weight'): ReadonlySet<Item> {
    let found: Holder | undefined;
    for (const holder of this.#accounts.values())
      if (found === undefined || amount(holder, of) > amount(found, of)) found = holder;
    return found?.items ?? NONE;
  }
}

const NONE: ReadonlySet<Item> = new Set();
const amount = ({ items, weight }: Holder, of: 'size' | 'weight'): number =>
  of === 'size' ? items.size : weight;
