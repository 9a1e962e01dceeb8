import type { JournalEntry, Random } from '@sidetone/core';
import {
  changeText,
  headLine,
  type JournalChange,
  type ReadJournal,
  readJournal,
  unitLine,
} from '../../apps/server/src/journal/journal-format.ts';

const BOOT = 'sim';

/** The journal as the server's own reader and writer see it, in memory; a write may be cut off at any byte. */
export class PretendDisk {
  #bytes = Buffer.from(headLine(BOOT));
  #units: Buffer[] = [];
  /** The last value of each key, by room and key. */
  readonly #alive = new Map<string, JournalEntry & { readonly room: string }>();

  write(changes: readonly JournalChange[]): void {
    if (changes.length === 0) return;
    this.#units.push(Buffer.from(unitLine(changes.map(changeText))));
    for (const { room, key, value } of changes) {
      if (value === null) this.#alive.delete(`${room} ${key}`);
      else this.#alive.set(`${room} ${key}`, { room, key, value });
    }
  }

  /** What a process leaves that dies in mid-write: some bytes of the unit, all but its end at most. */
  tear(changes: readonly JournalChange[], random: Random): void {
    const whole = Buffer.from(unitLine(changes.map(changeText)));
    this.#units.push(whole.subarray(0, random.int(whole.length)));
  }

  /** Keys that have a value. */
  get entries(): number {
    return this.#alive.size;
  }

  /** What one room has written, as it stands. */
  valuesOf(room: string): readonly JournalEntry[] {
    return [...this.#alive.values()].filter((entry) => entry.room === room);
  }

  /** What the next process finds; it begins a file of its own with that. Throws where the reader passes over a line. */
  read(): Readonly<Record<'voice' | 'vsp' | 'proxy' | 'webhooks', readonly JournalEntry[]>> {
    const found: ReadJournal = readJournal(Buffer.concat([this.#bytes, ...this.#units.splice(0)]), BOOT);
    if (found.problem !== undefined) throw new Error(`journal: ${found.problem}`);
    const { voice, vsp, proxy, webhooks } = found.entries;
    const units = Object.entries({ voice, vsp, proxy, webhooks }).flatMap(([room, entries]) =>
      entries.map(({ key, value }) => unitLine([changeText({ room, key, value } as JournalChange)])),
    );
    this.#bytes = Buffer.from([headLine(BOOT), ...units].join(''));
    return { voice, vsp, proxy, webhooks };
  }
}
