import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { headLine, unitLine } from './journal-format.ts';

/** Characters that are put together before they are written: one text of everything may be longer than a text can be. */
const PIECE = 1024 * 1024;

/**
 * A new file for a journal, which takes the place of the old one when everything alive stands in it. What is written to the old file
 * meanwhile comes behind it, so it may take as many steps as it likes: a death on the way leaves the old file, whole.
 *
 *   head │ what was alive at the beginning, as it is when its turn comes │ units since
 */
export class Rewrite {
  readonly #path: string;
  readonly #alive: ReadonlyMap<string, string>;
  readonly #names: readonly string[];
  readonly #fd: number;
  #at = 0;
  #size = 0;
  #since: string[] = [];

  /** Throws when there is no room for it; so do `step` and `done`, after which it must be dropped. */
  constructor(path: string, boot: string, alive: ReadonlyMap<string, string>) {
    this.#path = path;
    this.#alive = alive;
    this.#names = [...alive.keys()];
    this.#fd = openSync(this.#fresh, 'w', 0o600);
    try {
      this.#write(headLine(boot));
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** What the old file gets from now on. */
  also(line: string): void {
    this.#since.push(line);
  }

  /** Writes so many characters more, or some more than that; `true`: all of it stands there. */
  step(most: number): boolean {
    for (let written = 0; this.#at < this.#names.length && written < most; ) {
      let piece = '';
      while (this.#at < this.#names.length && piece.length < Math.min(PIECE, most - written)) {
        const text = this.#alive.get(this.#names[this.#at++]!);
        if (text !== undefined) piece += unitLine([text]);
      }
      if (piece === '') break;
      this.#write(piece);
      written += piece.length;
    }
    return this.#at === this.#names.length;
  }

  /** Puts it in the place of the old file. */
  done(): { readonly fd: number; readonly size: number } {
    for (let at = 0; at < this.#since.length; ) {
      let piece = '';
      while (at < this.#since.length && piece.length < PIECE) piece += this.#since[at++];
      this.#write(piece);
    }
    renameSync(this.#fresh, this.#path);
    return { fd: this.#fd, size: this.#size };
  }

  drop(): void {
    closeSync(this.#fd);
    rmSync(this.#fresh, { force: true });
  }

  get #fresh(): string {
    return `${this.#path}.new`;
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    writeWhole(this.#fd, bytes);
    this.#size += bytes.length;
  }
}

export function writeWhole(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
