import type { Writable } from 'node:stream';

/** So much is not held back: a long turn does not fill the queue of a peer that reads. */
const MOST_HELD = 64 * 1024;

/**
 * What is written to a stream in one turn of the process, as one write: the system call, and what it wakes at the other end, cost more
 * than most messages do. `end` of the stream takes along what is held, `destroy` needs `flush` before it.
 */
export class GatheredWrites {
  readonly #stream: Writable;
  #holding = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  write(piece: Uint8Array | string): void {
    if (!this.#holding) {
      this.#holding = true;
      this.#stream.cork();
      process.nextTick(() => this.flush());
    }
    this.#stream.write(piece);
    if (this.#stream.writableLength >= MOST_HELD) this.flush();
  }

  /** Hands over what is held, now. */
  flush(): void {
    if (!this.#holding) return;
    this.#holding = false;
    this.#stream.uncork();
  }
}
