import { isQuietOpus } from '../opus-activity.ts';

/** Packets that a decoder is told when it wakes. */
const KEPT = 3;
/** One of so many is decoded all the same: a flag is only what a peer says. */
const MOST_PASSED = 24;

interface Kept {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Uint8Array;
}

/** The sleep of a decoder while packets say that nobody speaks: what it passes over, and what it must know when it wakes. */
export class Nap {
  #kept: Kept[] = [];
  #passed = 0;

  /** Has something been passed over that the decoder is not told yet? */
  get isDeep(): boolean {
    return this.#passed > 0;
  }

  /** May the packet be passed over? Then it is kept for a while. */
  passes(sequence: number, timestamp: number, payload: Uint8Array): boolean {
    if (this.#passed >= MOST_PASSED || !isQuietOpus(payload)) return false;
    this.#passed++;
    this.#kept.push({ sequence, timestamp, payload: payload.slice() });
    if (this.#kept.length > KEPT) this.#kept.shift();
    return true;
  }

  /** Tells what was passed over last, and forgets it. */
  tell(packet: (sequence: number, timestamp: number, payload: Uint8Array) => void): void {
    for (const { sequence, timestamp, payload } of this.#kept) packet(sequence, timestamp, payload);
    this.forget();
  }

  forget(): void {
    this.#kept = [];
    this.#passed = 0;
  }
}
